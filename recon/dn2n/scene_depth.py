"""How far away everything is, in each view: from what the scene brings along, or found from the photos themselves."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.photo_error import flat_psnr, left_out_psnr
from recon.dn2n.scene_views import SceneViews
from recon.errors import InputError
from recon.method import Progress
from render.gaussians import GaussianCloud
from render.image_files import read_depth
from render.radiance_field import RadianceField

Float = NDArray[np.float32]
DepthWish = Literal["auto", "scene", "cues", "field", "cloud", "photos", "trained"]
Found = Generator[Progress, None, Float | None]

ENOUGH = 0.05  # share of all pixels whose depth must be known
OPAQUE = 0.5  # least coverage of a pixel of splats or of a field that has a depth
TOLERANCES = (0.02, 0.06)  # least and largest that views may differ by, of the depth
SPREADS = 3.0  # median differences that the tolerance is
FUSED_CELLS = 224  # along the region, of the surface that depths of networks are fused into
GOOD, FAIR = 22.0, 19.0  # dB with which photos are foretold: no other depth is sought, none is trained for
KNOWS_NOTHING = 3.0  # dB above photos of one colour
CLEARLY = 0.3  # dB by which a later source must be better
LEAST_OVERLAP = 0.05  # of a view's pixels that another sees

IN_WORDS = {
    "scene": "the scene's own depth",
    "cues": "depth of a network, aligned and fused",
    "field": "the radiance field",
    "cloud": "the splats",
    "photos": "the photos, compared with each other",
    "trained": "a radiance field trained for it",
    "before": "the edit before",
}


@dataclass(frozen=True, eq=False)
class SceneDepth:
    """views: with depth. source: where it is from, a key of IN_WORDS. known: share of pixels that have one. psnr: in
    dB, with which photos are foretold by it from the others."""

    views: DepthViews
    source: str
    known: float
    psnr: float = np.inf

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it."""
        if self.source != "trained":
            return ()
        return ("No depth was given, and the photos tell little of it: a radiance field was trained for it.",)


def find_depth(
    views: SceneViews, wish: DepthWish = "auto", field: RadianceField | None = None, cloud: GaussianCloud | None = None,
    device: str = "cpu",
) -> Generator[Progress, None, SceneDepth]:  # fmt: skip
    """The depth of each view, from the source wished for, or the first by which photos foretell each other well; where
    none does, from the best of them, a radiance field among them that is trained for it.

    Raises InputError where there is none, or where no two views see the same.
    """
    sources: dict[str, Callable[[], Found]] = {
        "scene": lambda: scene_depths(views),
        "cues": lambda: aligned_depths(views),
        "field": lambda: field_depths(views, field),
        "cloud": lambda: cloud_depths(views, cloud),
        "photos": lambda: photo_depths(views),
        "trained": lambda: trained_depths(views, device),
    }
    if wish != "auto":
        depths = yield from sources[wish]()
        return _wished(views, depths, wish)
    train = sources.pop("trained")
    best, failure = yield from _best_of(views, sources)
    if failure is None if best is None else best.psnr < FAIR:
        trained, _ = yield from _best_of(views, {"trained": train})
        if trained is not None and trained.psnr > (best.psnr if best else flat_psnr(views) + KNOWS_NOTHING):
            return trained
    if best is None:
        raise failure or _nothing_found()
    return best


def _best_of(
    views: SceneViews, sources: Mapping[str, Callable[[], Found]]
) -> Generator[Progress, None, tuple[SceneDepth | None, InputError | None]]:
    """The first depth by which photos foretell each other well, else the best; and what is wrong with the first one about
    which no two views agree, where there is one."""
    best: SceneDepth | None = None
    failure: InputError | None = None
    for name, found in sources.items():
        depths = of_what_counts((yield from found()), views)
        if depths is None or known_share(depths, views) < ENOUGH:
            continue
        try:
            depth = checked(DepthViews(views.cameras, depths), name, left_out_psnr(views, depths))
        except InputError as error:
            failure = failure or error
            continue
        if best is None or depth.psnr > best.psnr + CLEARLY:
            best = depth
        if best.psnr >= GOOD:
            break
    return best, failure


def _wished(views: SceneViews, depths: Float | None, name: str) -> SceneDepth:
    """Depth from the source that was asked for. Raises InputError where that has none."""
    depths = of_what_counts(depths, views)
    if depths is not None and known_share(depths, views) >= ENOUGH:
        return checked(DepthViews(views.cameras, depths), name, left_out_psnr(views, depths))
    if name == "photos":
        raise _nothing_found()
    raise InputError(
        f"There is no depth from {IN_WORDS[name]}.",
        "Let the depth come from another source, such as “auto”, or give what it needs.",
    )


def checked(views: DepthViews, source: str, psnr: float = np.inf) -> SceneDepth:
    """Depth with how well the views agree about it. psnr: with which it foretells photos, in dB. Raises InputError
    where no two see the same."""
    views = DepthViews(views.cameras, views.depths, 2 * TOLERANCES[1])
    share, _ = views.shared
    if max(share[~np.eye(len(views), dtype=bool)], default=0.0) < LEAST_OVERLAP:
        if source in ("photos", "trained"):
            raise _nothing_found()
        raise InputError(
            "No two views show the same part of the scene.",
            "Use photos that overlap; if they do, their cameras or depths are wrong.",
        )
    tolerance = float(np.clip(SPREADS * views.median_disagreement(), *TOLERANCES))
    known = float((views.depths > 0).mean())
    return SceneDepth(DepthViews(views.cameras, views.depths, tolerance), source, known, psnr)


def of_what_counts(depths: Float | None, views: SceneViews) -> Float | None:
    """The same, 0 where the pictures show nothing of the scene. Of cut-out photos, where that means that nothing is
    there, known wherever something is, from around."""
    counts = views.coverage.counts
    if depths is None or counts is None:
        return depths
    depths = np.where(counts, depths, np.float32(0))
    if views.coverage.opacity is not None:
        from recon.dn2n.plane_sweep_kernels import fill

        colors = views.rgb.astype(np.float32) / np.float32(255)
        depths = np.stack([fill(depths[i], colors[i]) for i in range(len(depths))]) * counts
    return np.asarray(depths, np.float32)


def known_share(depths: Float, views: SceneViews) -> float:
    """Of the pixels that count, those whose depth is known."""
    counts = views.coverage.counts
    total = depths.size if counts is None else counts.sum()
    return float((depths > 0).sum() / total)


def _nothing_found() -> InputError:
    return InputError(
        "There is no depth, and the photos are too different to find it from them.",
        "Use photos that overlap, or make depth, splats or a radiance field of them first.",
    )


def scene_depths(views: SceneViews) -> Found:
    """The scene's own metric depth."""
    cues = views.posed.depth
    if cues is None or cues.kind != "metric":
        return None
    depths = np.zeros(views.rgb.shape[:3], np.float32)
    for i in range(len(views)):
        if cues.paths[i]:
            depths[i] = np.maximum(
                np.nan_to_num(read_depth(views.posed, i, views.size), posinf=0, neginf=0), 0
            )
        yield Progress(i + 1, len(views), "Reading depth")
    return depths


def aligned_depths(views: SceneViews) -> Found:
    """Depth of networks, brought into the world by sparse points and by each other, and fused: the surface that all
    views together say. Where that has a hole, each view's own counts."""
    from recon.debsdf.base import build_base
    from recon.debsdf.coarse import rendered_depth

    if views.posed.depth is None or views.posed.depth.kind == "metric":
        return None
    stages = build_base(views.posed, views.rgb, resolution=FUSED_CELLS)
    while True:
        try:
            yield Progress(0, 1, next(stages))
        except StopIteration as end:
            base = end.value
            break
    if base is None:
        return None
    fused = rendered_depth(base.field, views.posed.cameras, base.region, views.size)
    depths = np.where(np.isfinite(fused), fused, base.aligned.depth)
    return np.asarray(np.maximum(np.nan_to_num(depths, posinf=0, neginf=0), 0), np.float32)


def field_depths(views: SceneViews, field: RadianceField | None) -> Found:
    """What a radiance field shows."""
    if field is None:
        return None
    from render.radiance_pictures import radiance_picture

    depths = np.zeros(views.rgb.shape[:3], np.float32)
    cameras = views.cameras
    for i in range(len(views)):
        picture = radiance_picture(
            field, cameras.cam_from_world[i], cameras.focal[i], cameras.center[i], views.size
        )
        depths[i] = np.where(picture.alpha >= OPAQUE, picture.depth, 0)
        yield Progress(i + 1, len(views), "Drawing depth")
    return depths


def cloud_depths(views: SceneViews, cloud: GaussianCloud | None) -> Found:
    """Where splats absorb half of the light."""
    if cloud is None or not len(cloud):
        return None
    from recon.splats.surface_depth import surface_depth

    depths = np.zeros(views.rgb.shape[:3], np.float32)
    cameras = views.cameras
    for i in range(len(views)):
        seen = surface_depth(
            cloud, cameras.cam_from_world[i], cameras.focal[i], cameras.center[i], views.size
        )
        depths[i] = np.where(seen.alpha >= OPAQUE, seen.depth, 0)
        yield Progress(i + 1, len(views), "Drawing depth")
    return depths


def trained_depths(views: SceneViews, device: str = "cpu") -> Found:
    """Of a radiance field that is trained for it, for a short while."""
    from recon.dn2n.trained_depth import trained_field

    return (yield from field_depths(views, (yield from trained_field(views, device))))


def photo_depths(views: SceneViews) -> Found:
    """Found by comparing the photos with each other."""
    from recon.dn2n.plane_sweep import sweep_depths

    depths = yield from sweep_depths(views.rgb, views.cameras, views.posed)
    return depths
