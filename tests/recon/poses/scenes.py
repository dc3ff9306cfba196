"""Photos of rooms whose cameras are known, and how far found cameras are from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recon.method import Progress, Result, Run, RunContext
from recon.poses import METHOD
from recon.poses.reconstruct import run
from render.cameras import CameraSet
from render.images import ImageSet, PosedImages
from render.transforms import Similarity3


@dataclass(frozen=True)
class Deviation:
    """Of found cameras after the best similarity: metres between centres, degrees between axes.

    true_from_found: that similarity.
    """

    centers: np.ndarray
    degrees: np.ndarray
    true_from_found: Similarity3


def start(images: ImageSet, folder: Path, seed: int = 0, *, previews: bool = False, **settings: Any) -> Run:
    """A run that has not done a step yet, with its files in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    return run(
        {"images": images},
        METHOD.make_settings(settings),
        RunContext(folder=folder, seed=seed, is_preview_due=lambda: previews),
    )  # type: ignore[arg-type]


def drive(run: Run) -> tuple[Result, list[Progress]]:
    """Run to the end; the result and everything that was said."""
    said = []
    while True:
        try:
            said.append(next(run))
        except StopIteration as end:
            return end.value, said


def find_poses(
    images: ImageSet, folder: Path, seed: int = 0, **settings: Any
) -> tuple[PosedImages, Mapping[str, Any]]:
    """The posed images and the figures of a whole run."""
    result, _ = drive(start(images, folder, seed, **settings))
    posed = result.outputs[0].data
    assert isinstance(posed, PosedImages)
    return posed, result.figures


def deviation(found: CameraSet, true: CameraSet) -> Deviation:
    """How far the found cameras are from the true ones; both in the same order."""
    fit = Similarity3.from_points(found.positions, true.positions)
    moved = found.transformed(fit)
    apart = np.linalg.norm(moved.positions - true.positions, axis=1)
    a, b = moved.cam_from_world[:, :3, :3], true.cam_from_world[:, :3, :3]
    cosine = (np.einsum("nij,nij->n", a, b) - 1) / 2
    return Deviation(apart, np.degrees(np.arccos(np.clip(cosine, -1, 1))), fit)


def of_images(true: PosedImages, found: PosedImages) -> CameraSet:
    """The true cameras of the images that were placed."""
    names = [Path(path).name for path in true.images.paths]
    return true.cameras.select(np.array([names.index(Path(path).name) for path in found.images.paths]))
