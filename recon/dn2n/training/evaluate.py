"""How well fields of edited views are blended: held-out procedural scenes that training never saw, three kinds of edit.

    python -m recon.dn2n.training.evaluate --network perturbed=resources/dn2n/blend.safetensors

Each scene gives two views that are held out and never used as sources. Their clean edits are the truth.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.dn2n import measures
from recon.dn2n.colors import Float
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.harmonise import harmonise
from recon.dn2n.perturbation import perturbed
from recon.dn2n.training.depth_errors import disturbed_depths
from recon.dn2n.training.edits import COLOR_EDITS, TEXTURE_EDITS, named_edit
from recon.dn2n.training.scenes import ProceduralScene, make_scene
from recon.dn2n.training.style_transport import styled
from render.cameras import CameraSet
from render.view_field import ViewField
from render.view_pictures import ViewDrawer
from render.view_sources import NUM_NETWORK_SOURCES

FIRST_SEED = 900_000  # training takes seeds below
NUM_SCENES = 12
NUM_VIEWS = 14
SIZE = (128, 96)
SAME_SURFACE = 0.02  # relative difference of depth up to which two pixels show the same place
BORDER = measures.SSIM_WINDOW // 2  # pixels without a whole window around them

Kind = Literal["none", "color", "texture", "style"]
KINDS: tuple[Kind, ...] = ("none", "color", "texture", "style")
Method = Callable[["EvaluationCase", int], Float]  # the picture of a held-out view, by its index in the scene


@dataclass(frozen=True, eq=False)
class EvaluationCase:
    """One scene with one edit.

    clean: (N, H, W, 3) float32 what the edit should be. edited: the same as a 2D editor would make it. depths:
    (N, H, W) float32 with errors. held_out: two views, the most central and the one nearest to it. sources: all
    others.
    """

    scene: ProceduralScene
    name: str
    clean: Float
    edited: Float
    depths: Float
    held_out: tuple[int, int]
    sources: NDArray[np.int64]

    @property
    def originals(self) -> Float:
        return np.asarray(self.scene.rgb, np.float32) / np.float32(255)

    @cached_property
    def harmonised(self) -> Float:
        """(S, H, W, 3) the edited sources, brought together."""
        views = DepthViews(self.scene.cameras.select(self.sources), self.depths[self.sources])
        weights = np.ones(len(self.sources), np.float32)
        return harmonise(self.edited[self.sources], self.originals[self.sources], views, weights).pictures

    def field(self, pictures: Float | None = None, network: NDArray[np.float32] | None = None) -> ViewField:
        """The sources as a field. pictures: (S, H, W, 3) of the sources, the edited ones where not given."""
        pictures = self.edited[self.sources] if pictures is None else pictures
        return ViewField(
            tuple(str(i) for i in self.sources),
            self.scene.cameras.select(self.sources),
            (pictures * 255 + 0.5).astype(np.uint8),
            self.scene.rgb[self.sources],
            self.depths[self.sources],
            np.ones(len(self.sources), np.float32),
            np.zeros((0, 0, 0, 12), np.float32),
            np.eye(4),
            np.zeros(0, np.float32) if network is None else network,
        )


def make_case(seed: int, kind: Kind, size: tuple[int, int] = SIZE) -> EvaluationCase:
    """The case of a seed; edits of a kind take turns. kind: "none" leaves the photos as they are, and "style" carries
    each view's colours to a picture's on its own, which no training does."""
    scene = make_scene(seed, NUM_VIEWS, size)
    generator = np.random.default_rng(seed)
    originals = scene.rgb.astype(np.float32) / np.float32(255)
    depths = disturbed_depths(scene.depth, generator, has_gaps=False)
    if kind == "none":
        name, clean, edited = "none", originals, originals
    elif kind == "style":
        name = "style"
        clean, edited = styled(originals, seed)
    else:
        names = tuple(COLOR_EDITS if kind == "color" else TEXTURE_EDITS)
        name = names[seed % len(names)]
        clean = named_edit(name, scene).apply(scene)
        edited = perturbed(originals, clean, generator, 1.0).views
    held_out = _central(scene.cameras)
    sources = np.setdiff1d(np.arange(NUM_VIEWS), held_out)
    return EvaluationCase(scene, name, clean, edited, depths, held_out, sources)


def drawn(field: ViewField, case: EvaluationCase, view: int, count: int | None = None) -> Float:
    """A held-out view as the field shows it; NaN where none of its views looks. count: sources that are blended, as
    many as of any picture where not given."""
    cameras = case.scene.cameras
    pinhole = cameras.cam_from_world[view], cameras.focal[view], cameras.center[view]
    width, height = (int(side) for side in cameras.size[view])
    picture = ViewDrawer(field, *pinhole, (width, height), num_sources=count).picture()
    return np.where(picture.alpha[..., None] > 0, picture.filled, np.float32(np.nan))


def alone(case: EvaluationCase, view: int) -> Float:
    """The held-out photo itself, edited on its own: an oracle for fidelity, as a novel view has no photo."""
    return np.asarray(case.edited[view])


def blending(
    network: NDArray[np.float32] | None = None, *, is_harmonised: bool = False, count: int | None = None
) -> Method:
    """Blending by a network of these parameters, by rule where there is none, of the edited views as they are or
    brought together first. count: of sources, see `drawn`."""
    return lambda case, view: drawn(
        case.field(case.harmonised if is_harmonised else None, network), case, view, count
    )


def psnr(picture: Float, truth: Float) -> float:
    """dB of the mean squared difference of all channels, within 0 and 1, of the pixels that are seen."""
    return measures.psnr(picture, truth, np.asarray(~np.isnan(picture).any(-1)))


def ssim(picture: Float, truth: Float) -> float:
    """Mean structural similarity over all whole square windows of 7 × 7 pixels and the channels, with constants
    0.01² and 0.03²; what is not seen counts as right."""
    whole = np.where(np.isnan(picture), truth, picture)
    return float(measures.ssim_map(whole, truth)[BORDER:-BORDER, BORDER:-BORDER].mean())


def warp_error(pictures: Mapping[int, Float], scene: ProceduralScene) -> float:
    """Root of the mean squared difference (mean of channels) between the pictures of two views, one warped to the
    other by exact depth, both ways, over the pixels whose place both see (depths within 2 %)."""
    first, second = pictures
    squares, count = 0.0, 0
    for a, b in ((first, second), (second, first)):
        found, is_seen = _seen_from(scene, a, b, pictures[b])
        is_seen &= ~np.isnan(found).any(-1) & ~np.isnan(pictures[a]).any(-1)
        squares += float(((found - pictures[a]) ** 2).mean(-1)[is_seen].sum())
        count += int(is_seen.sum())
    return float(np.sqrt(squares / max(count, 1)))


@dataclass(frozen=True)
class Score:
    """Means over scenes of a method on one kind of edit. psnr: dB. worst: lowest dB of one picture."""

    psnr: float
    ssim: float
    warp: float
    worst: float


def evaluate(
    methods: Mapping[str, Method], kind: Kind, seeds: Iterable[int], size: tuple[int, int] = SIZE
) -> dict[str, Score]:
    """Each method's score on the scenes of these seeds, with that of the clean edit itself ("clean edit")."""
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ("clean edit", *methods)}
    for seed in seeds:
        case = make_case(seed, kind, size)
        for name, method in {"clean edit": _truth, **methods}.items():
            pictures = {view: method(case, view) for view in case.held_out}
            warp = warp_error(pictures, case.scene)
            for view, picture in pictures.items():
                truth = case.clean[view]
                figures[name].append((psnr(picture, truth), ssim(picture, truth), warp))
    return {name: _score(np.array(rows)) for name, rows in figures.items()}


def table(scores: Mapping[Kind, Mapping[str, Score]]) -> str:
    """The scores as Markdown, a row for each method."""
    lines = [
        "| | " + " | ".join(f"{kind}: PSNR, SSIM, warp" for kind in scores) + " |",
        "|---" * (len(scores) + 1) + "|",
    ]
    for name in next(iter(scores.values())):
        cells = (f"{s[name].psnr:.2f}, {s[name].ssim:.3f}, {s[name].warp:.4f}" for s in scores.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rounded(score: Score) -> dict[str, float]:
    return {name: round(value, 4) for name, value in vars(score).items()}


def _truth(case: EvaluationCase, view: int) -> Float:
    return np.asarray(case.clean[view])


def _score(rows: NDArray[np.float64]) -> Score:
    fidelity, similarity, warp = rows.mean(0).tolist()
    return Score(fidelity, similarity, warp, float(rows[:, 0].min()))


def _central(cameras: CameraSet) -> tuple[int, int]:
    """The view nearest to the mean of all places, and the one nearest to it in place and direction."""
    places = cameras.positions
    first = int(np.linalg.norm(places - places.mean(0), axis=1).argmin())
    spread = np.linalg.norm(places - places.mean(0), axis=1).mean()
    forward = cameras.cam_from_world[:, 2, :3]
    away = np.linalg.norm(places - places[first], axis=1) / spread + 4 * (1 - forward @ forward[first])
    away[first] = np.inf
    return first, int(away.argmin())


def _seen_from(scene: ProceduralScene, a: int, b: int, picture: Float) -> tuple[Float, NDArray[np.bool_]]:
    """(H, W, 3) colours of view b's picture where the places of view a lie in it, and where these are seen in b."""
    pose = scene.cameras.cam_from_world[b]
    in_cam = scene.points[a] @ pose[:3, :3].T + pose[:3, 3]
    z = np.where(in_cam[..., 2] > 1e-6, in_cam[..., 2], np.nan)
    pixels = in_cam[..., :2] / z[..., None] * scene.cameras.focal[b] + scene.cameras.center[b]
    width, height = scene.cameras.size[b]
    is_inside = ((pixels >= 0) & (pixels < (width, height))).all(-1)
    pixels = np.where(is_inside[..., None], pixels, 0)
    nearest = scene.depth[b][pixels[..., 1].astype(int), pixels[..., 0].astype(int)]
    return _bilinear(picture, pixels - 0.5), is_inside & (np.abs(nearest - z) < SAME_SURFACE * z)


def _bilinear(picture: Float, places: NDArray[np.float64]) -> Float:
    """Colours at places (..., 2) x, y in pixels, (0, 0) the centre of the first."""
    limit = np.array([picture.shape[1] - 1, picture.shape[0] - 1])
    places = np.clip(places, 0, limit)
    low = np.minimum(places.astype(int), limit - 1)
    x, y = np.moveaxis(places - low, -1, 0)[..., None]
    column, row = low[..., 0], low[..., 1]
    upper = picture[row, column] * (1 - x) + picture[row, column + 1] * x
    lower = picture[row + 1, column] * (1 - x) + picture[row + 1, column + 1] * x
    return np.asarray(upper * (1 - y) + lower * y, np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    from render.view_network import read_parameters

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="NAME=FILE", help="safetensors to compare"
    )
    parser.add_argument("--harmonise", action="store_true", help="also with views brought together first")
    parser.add_argument("--sources", type=int, help="that are blended, in place of as many as of any picture")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first scene")
    parser.add_argument("--scenes", type=int, default=NUM_SCENES)
    parser.add_argument("--size", type=int, nargs=2, default=SIZE, metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--card", type=Path, help="JSON file of a network, to which the figures are added")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    options = parser.parse_args(arguments)
    networks = {"rule": None}
    networks |= {
        name: read_parameters(Path(path)) for name, path in (g.split("=", 1) for g in options.network)
    }
    methods: dict[str, Method] = {"each view alone": alone}
    for state in (False, True) if options.harmonise else (False,):
        called = "harmonised, " if state else ""
        for name, network in networks.items():
            methods[called + name] = blending(network, is_harmonised=state, count=options.sources)
        if options.sources is None:
            many = blending(None, is_harmonised=state, count=NUM_NETWORK_SOURCES)
            methods[f"{called}rule, {NUM_NETWORK_SOURCES} sources"] = many
    seeds = range(options.first, options.first + options.scenes)
    scores = {kind: evaluate(methods, kind, seeds, tuple(options.size)) for kind in options.kinds}
    print(table(scores))
    figures = {kind: {name: _rounded(score) for name, score in rows.items()} for kind, rows in scores.items()}
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    if options.card:
        card = json.loads(options.card.read_text())
        options.card.write_text(json.dumps({**card, "table": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
