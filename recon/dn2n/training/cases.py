"""What the network is trained on: scenes with an edit, edited twice by an editor that errs differently each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.colors import Float
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.harmonise import harmonise
from recon.dn2n.perturbation import perturbed
from recon.dn2n.training.depth_errors import disturbed_depths
from recon.dn2n.training.edits import palette_editor, random_edit
from recon.dn2n.training.scenes import ProceduralScene, make_scene
from render.view_candidates import Candidates
from render.view_field import ViewField
from render.view_pictures import ViewDrawer
from render.view_rule import by_rule
from render.view_sources import choose_sources

SIZES = ((96, 72), (128, 96), (192, 144))
SIZE_SHARES = (0.45, 0.45, 0.1)
NUM_VIEWS = 13
HARMONISED_SHARE = 0.3  # of perturbed cases, of which the views are brought together, partly or all the way
MOST_SHORTFALL = 0.8  # of an edit, that a view of a case lacks at most; less in most cases
PALETTE_SHARE = 0.15  # of perturbed cases, in which each view is carried to a palette on its own
CLEAN_SHARE = 0.12  # of cases for a network that learns from perturbed views, which are not perturbed
NUM_SOURCES = (4, 12)  # of a pixel, the most in most cases
SAME_SURFACE = 0.03  # relative difference of depth up to which two pixels show the same place

Inputs = Literal["perturbed", "clean"]


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """clean: (N, H, W, 3) float32 what is to come out. fields: two fields of all views, each with its own errors and
    the same depths."""

    scene: ProceduralScene
    clean: Float
    fields: tuple[ViewField, ViewField]


@dataclass(frozen=True, eq=False)
class Patch:
    """Some pixels of a view as its sources see them, once a field. pixels: (P,) flat indices. truth: (P, 3). shape:
    rows and columns where they are a rectangle, else P and 1."""

    view: int
    pixels: NDArray[np.int64]
    candidates: tuple[Candidates, ...]
    truth: Float
    shape: tuple[int, int]


def make_training_case(seed: int, level: float, inputs: Inputs, sizes: tuple[tuple[int, int], ...] = SIZES) -> TrainingCase:  # fmt: skip
    """The case of a seed. level: of the perturbation, see `perturbed`; 0 for a network that learns from clean views."""
    generator = np.random.default_rng((seed, 1))
    shares = np.array(SIZE_SHARES[: len(sizes)])
    size = sizes[generator.choice(len(sizes), p=shares / shares.sum())]
    scene = make_scene(seed, NUM_VIEWS, size)
    depths = disturbed_depths(scene.depth, generator, float(generator.uniform(0, 1.5)))
    if inputs == "clean" or generator.random() < CLEAN_SHARE:
        level = 0
    shortfall = float(generator.uniform(0, MOST_SHORTFALL))
    if level and generator.random() < PALETTE_SHARE:
        clean, edited = palette_editor(scene, generator)
        level, shortfall = 0.5 * level, 0.0
    else:
        clean = edited = random_edit(scene, generator).apply(scene)
    count = 2 if level else 1
    views = [_edited_views(scene, edited, depths, generator, level, shortfall) for _ in range(count)]
    first = _field(scene, views[0], depths)
    return TrainingCase(scene, clean, (first, _field(scene, views[1], depths) if level else first))


def _edited_views(
    scene: ProceduralScene, edited: Float, depths: Float, generator: np.random.Generator, level: float,
    shortfall: float,
) -> Float:  # fmt: skip
    originals = scene.rgb.astype(np.float32) / np.float32(255)
    views = perturbed(originals, edited, generator, level, shortfall).views
    if level == 0 or generator.random() >= HARMONISED_SHARE:
        return views
    weights = np.ones(len(views), np.float32)
    together = harmonise(views, originals, DepthViews(scene.cameras, depths), weights).pictures
    share = np.float32(min(generator.uniform(0.4, 1.4), 1.0))
    return np.asarray(views + (together - views) * share, np.float32)


def _field(scene: ProceduralScene, pictures: Float, depths: Float) -> ViewField:
    count = len(pictures)
    return ViewField(
        tuple(str(i) for i in range(count)), scene.cameras, (pictures * 255 + 0.5).astype(np.uint8), scene.rgb, depths,
        np.ones(count, np.float32), np.zeros((0, 0, 0, 12), np.float32), np.eye(4), np.zeros(0, np.float32),
    )  # fmt: skip


def random_patch(
    case: TrainingCase, fields: tuple[ViewField, ...], size: tuple[int, int], generator: np.random.Generator
) -> Patch:
    """A rectangle of a random view, of which the view itself is no source. size: width, height at most."""
    count, height, width = case.scene.depth.shape
    columns, rows = min(size[0], width), min(size[1], height)
    left, top = generator.integers(width - columns + 1), generator.integers(height - rows + 1)
    grid = (top + np.arange(rows))[:, None] * width + left + np.arange(columns)
    return _patch(case, fields, int(generator.integers(count)), grid.ravel(), (rows, columns), generator)


def neighbouring_patch(
    case: TrainingCase, fields: tuple[ViewField, ...], patch: Patch, generator: np.random.Generator
) -> tuple[Patch, NDArray[np.int64]]:
    """The places of a patch as a neighbouring view shows them, and (M,) which of the patch's pixels it sees: the mask
    of overlap."""
    cameras = case.scene.cameras
    away = np.linalg.norm(cameras.positions - cameras.positions[patch.view], axis=1)
    away[patch.view] = np.inf
    other = int(np.argsort(away)[generator.integers(3)])
    pose = cameras.cam_from_world[other]
    in_cam = case.scene.points[patch.view].reshape(-1, 3)[patch.pixels] @ pose[:3, :3].T + pose[:3, 3]
    z = np.maximum(in_cam[:, 2], 1e-6)
    columns, rows = np.floor(in_cam[:, :2] / z[:, None] * cameras.focal[other] + cameras.center[other]).T
    height, width = case.scene.depth.shape[1:]
    is_inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height) & (in_cam[:, 2] > 0)
    pixels = np.where(is_inside, rows * width + columns, 0).astype(np.int64)
    depth = case.scene.depth[other].ravel()[pixels]
    seen = np.flatnonzero(is_inside & (np.abs(depth - z) < SAME_SURFACE * z))
    return _patch(case, fields, other, pixels[seen], (len(seen), 1), generator), seen


def _patch(
    case: TrainingCase, fields: tuple[ViewField, ...], view: int, pixels: NDArray[np.int64], shape: tuple[int, int],
    generator: np.random.Generator,
) -> Patch:  # fmt: skip
    """Sources are those that drawing would take, or, in some cases, fewer or others."""
    cameras = case.scene.cameras
    size = int(cameras.size[view, 0]), int(cameras.size[view, 1])
    pinhole = cameras.cam_from_world[view], cameras.focal[view], cameras.center[view]
    fewest, most = NUM_SOURCES
    count = most if generator.random() < 0.6 else int(generator.integers(fewest, most))
    chosen = choose_sources(fields[0], *pinhole, size, count=count + 2, without=view)
    keep = np.arange(count) if generator.random() < 0.75 else generator.permutation(len(chosen))[:count]
    chosen = chosen[keep[keep < len(chosen)]]
    first = ViewDrawer(fields[0], *pinhole, size, chosen=chosen)
    drawers = [
        first,
        *(ViewDrawer(field, *pinhole, size, chosen=chosen, depth=first.depth) for field in fields[1:]),
    ]
    candidates = tuple(by_rule(drawer.candidates(pixels, with_coarse=True)) for drawer in drawers)
    return Patch(view, pixels, candidates, case.clean[view].reshape(-1, 3)[pixels], shape)
