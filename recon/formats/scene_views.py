"""What a scene file says of its photos, in OpenCV's camera axes, before it is checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.formats.reading import Note
from render.frame import Frame
from render.images import DepthKind, NormalCues
from render.points import PointCloud

Array = NDArray[np.float64]

OPENGL = np.array([1.0, -1.0, -1.0, 1.0])  # times a pose's columns: y up and z backward ↔ y down, z forward


@dataclass(frozen=True)
class Lens:
    """A camera as a file gives it: COLMAP's model and distortion parameters, pixels of a picture of `size`
    (width, height); size None where the file does not say."""

    focal: tuple[float, float]
    center: tuple[float, float]
    size: tuple[int, int] | None = None
    model: str = "PINHOLE"
    params: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class View:
    """One image of a scene file. path: where the picture must be. world_from_cam: (4, 4), OpenCV's axes.
    lens: None where only the picture's size makes it, see `Scene.lens_of_size`."""

    path: Path
    world_from_cam: Array
    lens: Lens | None = None
    mask: Path | None = None
    depth: Path | None = None
    normal: Path | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """What a scene file says. file: for messages. root: folder that paths are kept relative to.

    normals: how normals are stored; its paths are not used. observations: (T, 2) rows (view, point).
    lens_of_size: the lens of a view that has none, from the picture's width and height. world_from_region: as in
    PosedImages.
    """

    file: Path
    root: Path
    views: Sequence[View]
    depth_kind: DepthKind = "depth"
    depth_scale: float = 1.0
    is_depth_undistorted: bool = False
    normals: NormalCues = field(default_factory=lambda: NormalCues(()))
    source: str = ""
    points: PointCloud | None = None
    observations: NDArray[np.int32] | None = None
    frame: Frame = Frame()
    notes: tuple[Note, ...] = ()
    lens_of_size: Callable[[View, tuple[int, int]], Lens] | None = None
    world_from_region: Array | None = None
