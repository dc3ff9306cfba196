"""Finding and editing parts of splats: lifting of masks that contradict each other, strokes, edited images.

python -m tests.benchmarks.bench_parts --scenes synth trained snow-0 snow-1 snow-2
python -m tests.benchmarks.bench_parts --folders FOLDER …   (cameras.json, mask_exact, mask_corrupt, scene.ply)
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from recon import formats
from recon.method import RunContext
from recon.romap import EditSettings, PartSettings, edit, find_part
from recon.romap.galp import AS_PUBLISHED, GalpSettings, fit_labels
from recon.romap.lifting import lift_votes
from recon.romap.mask_folder import MaskFolder, open_masks
from recon.romap.mean_field import affinity_graph
from recon.romap.part_table import part_numbers
from recon.romap.scribbles import Stroke, evened, evidence_of_strokes, lift_scribbles
from recon.romap.view_strokes import StrokedView, StrokeFinder
from recon.romap.view_votes import ViewVotes, view_votes
from recon.romap.view_weights import ViewWeights
from render.cameras import CameraSet
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.spherical_harmonics import SH_C0
from render.splat_pictures import splat_channels, splat_picture
from tests.recon.romap.romap_runs import spoilt_masks
from tests.synthetic_parts import PARTS, SMALL_PARTS, camera_of, make_part_scene, write_part_scene

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "splats" / "synth"
SMALL = {*SMALL_PARTS, "collar"}
NOISE = {"snow-0": 1.0, "snow-1": 0.7, "snow-2": 1.3}


@dataclass(frozen=True, eq=False)
class Case:
    """truth: (N,) parts. scene: posed train views. tests: cameras and exact masks of the held-out views."""

    name: str
    cloud: GaussianCloud
    truth: np.ndarray
    parts: tuple[str, ...]
    scene: PosedImages
    masks: dict[str, Path]
    tests: CameraSet
    test_masks: tuple[np.ndarray, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", nargs="*", default=["synth", "trained", *NOISE])
    parser.add_argument("--folders", nargs="*", type=Path, default=[])
    parser.add_argument("--tables", nargs="*", default=["lifting", "galp", "strokes", "window", "edits"])
    options = parser.parse_args()
    tables: dict[str, Callable[[Case], Iterator[str]]] = {
        "lifting": lifting,
        "galp": galp,
        "strokes": strokes,
        "window": window_strokes,
        "edits": edits,
    }
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(options.scenes, options.folders, Path(folder)):
            for table in options.tables:
                for row in tables[table](case):
                    print(f"| {case.name} | {row} |", flush=True)


def cases(names: Sequence[str], folders: Sequence[Path], temporary: Path) -> Iterator[Case]:
    for name in names:
        if name in NOISE:
            yield snow_case(name, int(name[-1]) + 20, NOISE[name], temporary / name)
        elif SHARED.is_dir():
            yield folder_case(name, SHARED, "trained.ply" if name == "trained" else "scene.ply")
    for folder in folders:
        for file in ("scene.ply", "trained.ply"):
            if (folder / file).exists():
                yield folder_case(f"{folder.name}/{file}", folder, file)


def snow_case(name: str, seed: int, noise: float, folder: Path) -> Case:
    """A snowman of 20,000 Gaussians with masks of a noise level."""
    made = make_part_scene(20_000, 256, 24, 8, seed)
    scene = write_part_scene(folder, made, spoilt_masks(made, seed, noise))
    (folder / "exact").mkdir()
    for number, view in enumerate(made.train):
        Image.fromarray(made.masks[view]).save(folder / "exact" / f"{number:03d}.png")
    tests = np.flatnonzero(made.is_test)
    masks = {"exact": folder / "exact", "spoilt": folder / "masks"}
    exact = tuple(made.masks[view] for view in tests)
    return Case(name, made.plain, made.truth, PARTS, scene, masks, made.cameras.select(tests), exact)


def folder_case(name: str, folder: Path, file: str) -> Case:
    """A scene as in the folder of real inputs."""
    cloud = formats.read(folder / file).data
    assert isinstance(cloud, GaussianCloud)
    rows = json.loads((folder / "cameras.json").read_text())
    cameras = CameraSet(
        np.array([row["world_to_camera_opencv"] for row in rows]),
        np.array([[row["K"][0][0], row["K"][1][1]] for row in rows]),
        np.array([[row["K"][0][2], row["K"][1][2]] for row in rows]),
        np.array([[row["width"], row["height"]] for row in rows]),
    )
    is_test = np.array([row["split"] == "test" for row in rows])
    paths = tuple(f"rgb/{row['id']:03d}.png" for row in rows if row["split"] == "train")
    exact = tuple(
        np.asarray(Image.open(folder / "mask_exact" / f"{row['id']:03d}.png"))
        for row in rows
        if row["split"] == "test"
    )
    parts = tuple(json.loads((folder / "meta.json").read_text())["parts"])
    return Case(
        name, replace(cloud, extra={}), cloud.extra["part"].astype(int), parts,
        PosedImages(ImageSet(str(folder), paths), cameras.select(np.flatnonzero(~is_test))),
        {"exact": folder / "mask_exact", "spoilt": folder / "mask_corrupt"},
        cameras.select(np.flatnonzero(is_test)), exact,
    )  # fmt: skip


# Lifting


def lifting(case: Case) -> Iterator[str]:
    weights = ViewWeights(case.cloud, case.scene.cameras, are_kept=True)
    for kind, folder in case.masks.items():
        masks = open_masks(folder, case.scene, 512)
        for how in ("votes", "smoothed-votes", "reliable-votes"):
            _warm(weights, masks)
            start = time.process_time()
            votes = _votes(weights, masks)
            labels = lift_votes(case.cloud, votes, how).indices  # type: ignore[arg-type]
            yield _lifting_row(case, f"{kind} | {how}", np.array([*masks.part_ids, -1])[labels], start)


def galp(case: Case) -> Iterator[str]:
    """The authors' way, with our defaults, without its neighbour term, and with their constants."""
    weights = ViewWeights(case.cloud, case.scene.cameras, are_kept=True)
    masks = open_masks(case.masks["spoilt"], case.scene, 512)
    _warm(weights, masks)
    ours = GalpSettings()
    for name, settings in (
        ("3d-galp, k=8, λ=0.25", ours),
        ("3d-galp without neighbours", replace(ours, anchors="none")),
        ("3d-galp as published, one-hot", AS_PUBLISHED),
    ):
        start = time.process_time()
        values = _finished(
            fit_labels(case.cloud, weights, list(masks.evidence()), len(masks.part_ids), 0, settings)
        )
        yield _lifting_row(case, f"spoilt | {name}", np.array(masks.part_ids)[values.argmax(1)], start)


def _warm(weights: ViewWeights, masks: MaskFolder) -> None:
    """Make the weights, and compile: they are counted apart."""
    for each in masks.evidence():
        weights.of(each.view, each.size)


def _votes(weights: ViewWeights, masks: MaskFolder) -> list[ViewVotes]:
    return [
        view_votes(weights.of(each.view, each.size), each, len(masks.part_ids)) for each in masks.evidence()
    ]


def _lifting_row(case: Case, name: str, found: np.ndarray, start: float) -> str:
    seconds = time.process_time() - start
    in_views, in_space = ious_in_views(case, found), ious_in_space(case, found)
    small = [i for i, part in enumerate(case.parts) if part in SMALL]
    return f"{name} | {in_views.mean():.3f} | {in_views[small].mean():.3f} | {in_space.mean():.3f} | {seconds:.1f}"


def ious_in_space(case: Case, found: np.ndarray) -> np.ndarray:
    both = [((found == p) & (case.truth == p)).sum() for p in range(len(case.parts))]
    either = [((found == p) | (case.truth == p)).sum() for p in range(len(case.parts))]
    return np.array(both) / np.maximum(either, 1)


def ious_in_views(case: Case, found: np.ndarray) -> np.ndarray:
    count = len(case.parts)
    both, either = np.zeros(count), np.zeros(count)
    one_hot = np.eye(count + 1, dtype=np.float32)[found]
    for view, exact in enumerate(case.test_masks):
        seen = splat_channels(case.cloud, one_hot, *camera_of(case.tests, view))[0].argmax(-1)
        is_known = exact != 255
        for p in range(count):
            a, b = (seen == p)[is_known], (exact == p)[is_known]
            both[p] += (a & b).sum()
            either[p] += (a | b).sum()
    return both / np.maximum(either, 1)


# Strokes


def strokes(case: Case) -> Iterator[str]:
    """Three strokes on two views for some parts, mean and worst of five ways to draw them."""
    exact = open_masks(case.masks["exact"], case.scene, 512)
    labels = {each.view: each.labels for each in exact.evidence()}
    graph = affinity_graph(case.cloud)
    weights = ViewWeights(case.cloud, case.scene.cameras, are_kept=True)
    for name in [part for part in ("torso", "hair", "chair", "hat", "scarf", "body") if part in case.parts]:
        part = case.parts.index(name)
        found = [_stroke_iou(case, labels, weights, graph, part, seed) for seed in range(5)]
        yield f"three strokes | {name} | {np.mean(found):.3f} | {min(found):.3f}"


def _stroke_iou(
    case: Case, labels: dict[int, Any], weights: ViewWeights, graph: Any, part: int, seed: int
) -> float:
    drawn = three_strokes({view: each == part for view, each in labels.items()}, case.scene.cameras, seed)
    sizes = [(each.shape[1], each.shape[0]) for _, each in sorted(labels.items())]
    votes = [
        evened(view_votes(weights.of(each.view, each.size), each, 1))
        for each in evidence_of_strokes(drawn, sizes)
    ]
    found = lift_scribbles(case.cloud, votes, graph).indices == 0
    truth = case.truth == part
    return float((found & truth).sum() / (found | truth).sum())


def three_strokes(masks: dict[int, np.ndarray], cameras: CameraSet, seed: int) -> list[Stroke]:
    """Straight, well inside: two in the view that shows most of a part, one in the farthest that shows enough."""
    rng = np.random.default_rng(seed)
    areas = {view: int(mask.sum()) for view, mask in masks.items()}
    first = max(areas, key=lambda view: areas[view])
    away = np.linalg.norm(cameras.positions - cameras.positions[first], axis=1)
    second = max((view for view in areas if areas[view] > 0.2 * areas[first]), key=lambda view: away[view])
    return [Stroke(view, 0, _line_in(masks[view], rng), 2.5) for view in (first, first, second)]


def _line_in(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    inside = ndimage.distance_transform_edt(mask)
    ys, xs = np.nonzero(inside > max(3.0, 0.4 * inside.max()))
    best, longest = np.array([[xs[0], ys[0]]] * 2) + 0.5, 0.0
    for a, b in rng.integers(len(xs), size=(60, 2)):
        line = np.array([[xs[a], ys[a]], [xs[b], ys[b]]])
        along = (line[0] + np.linspace(0, 1, 40)[:, None] * (line[1] - line[0])).astype(int)
        length = float(np.linalg.norm(line[1] - line[0]))
        if length > longest and (inside[along[:, 1], along[:, 0]] > 2.5).all():
            best, longest = line + 0.5, length
    return best


def window_strokes(case: Case) -> Iterator[str]:
    """As strokes are drawn in the window, from far and near with a brush of 6 pixels: three strokes on two views for one
    part, and for all parts side by side; and the seconds of the next stroke."""
    exact = open_masks(case.masks["exact"], case.scene, 512)
    labels = {each.view: each.labels for each in exact.evidence()}
    names = [part for part in ("torso", "hair", "chair", "hat", "scarf", "body") if part in case.parts]
    for zoom in (0.4, 1.0, 3.0):
        for name in names:
            found = [_window_iou(case, labels, [case.parts.index(name)], zoom, seed)[0] for seed in range(3)]
            yield f"three strokes, zoom {zoom} | {name} | {np.mean(found):.3f} | {min(found):.3f}"
    numbers = [p for p in range(len(case.parts)) if max(int((m == p).sum()) for m in labels.values()) > 40]
    found = [_window_iou(case, labels, numbers, 1.0, seed) for seed in range(2)]
    yield f"three strokes for each of {len(numbers)} parts | mean | {np.mean(found):.3f} | {np.min(found):.3f}"
    finder, views = StrokeFinder(), _window_views(case, labels, numbers, 1.0, 0)
    finder.find(case.cloud, views)
    start = time.process_time()
    finder.find(case.cloud, views)
    yield f"the next stroke | CPU s | {time.process_time() - start:.2f} |"


def _window_iou(
    case: Case, labels: dict[int, Any], numbers: Sequence[int], zoom: float, seed: int
) -> list[float]:
    found = part_numbers(
        StrokeFinder().find(case.cloud, _window_views(case, labels, numbers, zoom, seed)).cloud
    )
    pairs = [(found == number, case.truth == number) for number in numbers]
    return [float((a & b).sum() / max(1, (a | b).sum())) for a, b in pairs]


def _window_views(
    case: Case, labels: dict[int, Any], numbers: Sequence[int], zoom: float, seed: int
) -> list[StrokedView]:
    """Views of 1000 × 800 pixels, a near one around the middle of its strokes."""
    cameras, by_view = case.scene.cameras, dict[int, list[tuple[int, Any]]]()
    for number in numbers:
        for stroke in three_strokes({view: each == number for view, each in labels.items()}, cameras, seed):
            by_view.setdefault(stroke.view, []).append((number, np.asarray(stroke.path, float)))
    views = []
    for view, drawn in by_view.items():
        factor = 800 / labels[view].shape[0] * zoom
        middle = (
            np.mean([path.mean(0) for _, path in drawn], axis=0) if zoom > 1 else labels[view].shape[0] / 2
        )
        shift = np.array([500.0, 400.0]) - middle * factor
        to_view = factor * labels[view].shape[1] / cameras.size[view][0]
        views.append(
            StrokedView(
                view, cameras.cam_from_world[view], cameras.focal[view] * to_view,
                cameras.center[view] * to_view + shift, (1000, 800),
                tuple(Stroke(0, number, path * factor + shift, 6.0) for number, path in drawn),
            )
        )  # fmt: skip
    return views


# Edits


def edits(case: Case) -> Iterator[str]:
    """One part repainted in checks by pictures with wrong gains and borders."""
    part = case.parts.index("torso" if "torso" in case.parts else "body")
    inputs = {"cloud": case.cloud, "cameras": case.scene}
    found = _finished(find_part.run(inputs, PartSettings(masks=str(case.masks["spoilt"])), RunContext()))
    clouds = {
        "found": found.outputs[0].data,
        "true": replace(case.cloud, extra={"part": case.truth.astype(np.int32)}),
        "everything": replace(case.cloud, extra={"part": np.full(len(case.cloud), part, np.int32)}),
    }
    ideal = checked(case, part)
    with tempfile.TemporaryDirectory() as folder:
        paint(case, part, ideal, Path(folder))
        for name, which, changes in (
            ("found mask", "found", {}),
            ("true mask", "true", {}),
            ("found mask, grey prior as in the paper", "found", {"prior": "grey"}),
            ("found mask, prior kept", "found", {"prior": "keep"}),
            ("no 3D mask, whole images", "everything", {"masked": False, "prior": "keep"}),
        ):
            start = time.process_time()
            settings = EditSettings(part=part, anchors=folder, **changes)
            made = _finished(
                edit.run({"cloud": clouds[which], "cameras": case.scene}, settings, RunContext())
            )
            inside, outside = edit_psnr(case, made.outputs[0].data, ideal, part)
            rest = made.figures["changed_outside"]
            seconds = time.process_time() - start
            yield f"{name} | {inside:.2f} | {outside:.2f} | {rest} | {seconds:.1f}"


def checked(case: Case, part: int) -> GaussianCloud:
    """The scene with a part in green and yellow checks."""
    chosen = case.truth == part
    about = case.cloud.means[chosen] - case.cloud.means[chosen].mean(0)
    flat = "XYZ".index(case.cloud.frame.up[1])
    a, b = (axis for axis in range(3) if axis != flat)
    tall = np.ptp(about[:, flat])
    is_green = (np.floor(about[:, flat] / tall * 13) + np.floor(np.arctan2(about[:, a], about[:, b]) * 6)) % 2
    colors = np.where(is_green[:, None] > 0, [0.1, 0.6, 0.25], [0.95, 0.85, 0.2])
    sh = case.cloud.sh.copy()
    sh[chosen] = 0
    sh[chosen, 0] = (colors - 0.5) / SH_C0
    return replace(case.cloud, sh=sh)


def paint(case: Case, part: int, ideal: GaussianCloud, folder: Path) -> None:
    """Edited pictures: gains of 5 % a channel, borders off by up to two pixels."""
    rng = np.random.default_rng(0)
    exact = open_masks(case.masks["exact"], case.scene, 4096)
    for each in exact.evidence():
        camera = camera_of(case.scene.cameras, each.view)
        before, after = (splat_picture(cloud, *camera) for cloud in (case.cloud, ideal))
        mask, off = each.labels == exact.part_ids.index(part), int(rng.integers(-2, 3))
        if off:
            mask = (ndimage.binary_dilation if off > 0 else ndimage.binary_erosion)(mask, iterations=abs(off))
        gain = 1 + rng.normal(size=3) * 0.05
        pixels = np.where(mask[..., None], np.clip(after * gain, 0, 1), before)
        name = Path(case.scene.images.paths[each.view]).stem
        Image.fromarray((pixels * 255 + 0.5).astype(np.uint8)).save(folder / f"{name}.png")


def edit_psnr(case: Case, cloud: GaussianCloud, ideal: GaussianCloud, part: int) -> tuple[float, float]:
    """dB inside the part against the ideal, and farther than four pixels outside against before; means of views."""
    inside, outside = [], []
    for view, exact in enumerate(case.test_masks):
        camera = camera_of(case.tests, view)
        seen, wish, before = (splat_picture(each, *camera) for each in (cloud, ideal, case.cloud))
        mask = exact == part
        if mask.sum() > 50:
            inside.append(_psnr((seen - wish)[mask]))
        outside.append(_psnr((seen - before)[~ndimage.binary_dilation(mask, iterations=4)]))
    return float(np.mean(inside)), float(np.mean(outside))


def _psnr(difference: np.ndarray) -> float:
    return float(-10 * np.log10(max(float((difference**2).mean()), 1e-10)))


def _finished(run: Any) -> Any:
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return stop.value


if __name__ == "__main__":
    main()
