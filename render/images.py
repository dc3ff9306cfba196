"""Images as files, and what is known about each: its camera, cues, whether it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from render.cameras import CameraSet
from render.frame import Frame
from render.frozen import Frozen
from render.points import PointCloud
from render.transforms import Similarity3

DepthKind = Literal["metric", "depth", "disparity"]

NUM_LENS_PARAMETERS = 12


@dataclass(frozen=True, eq=False)
class ImageSet(Frozen):
    """N image files, or one video whose frames are not chosen yet; they stay where they are.

    folder: absolute path. paths: one image each, "/"-separated, relative to the folder (absolute where outside).
    mask_paths: one each, "" for none; empty means no masks. A pixel is used where the mask is not zero, or the
    other way round where `are_masks_inverted`. An image's alpha channel is a mask too. is_video: the one path
    is a video. Raises ValueError for repeated paths.
    """

    folder: str
    paths: tuple[str, ...]
    mask_paths: tuple[str, ...] = ()
    are_masks_inverted: bool = False
    is_video: bool = False
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(map(str, self.paths)))
        masks = tuple(map(str, self.mask_paths)) or ("",) * len(self.paths)
        object.__setattr__(self, "mask_paths", masks)
        if len(masks) != len(self.paths):
            raise ValueError("there must be one mask path for each image")
        if len(set(self.paths)) != len(self.paths):
            raise ValueError("an image occurs twice")

    def __len__(self) -> int:
        return len(self.paths)

    def path(self, index: int) -> Path:
        """Where image `index` is."""
        return Path(self.folder, self.paths[index])

    def mask_path(self, index: int) -> Path | None:
        """Where the mask of image `index` is, if it has one."""
        return Path(self.folder, self.mask_paths[index]) if self.mask_paths[index] else None

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) zeros: images without cameras are nowhere."""
        return np.zeros((2, 3))

    @property
    def names(self) -> tuple[str, ...]:
        """What to call each image: its path in the folder."""
        return self.paths

    def select(self, indices: NDArray[np.integer]) -> ImageSet:
        """Only these images, in this order."""
        return replace(
            self,
            paths=tuple(self.paths[i] for i in indices),
            mask_paths=tuple(self.mask_paths[i] for i in indices),
        )


@dataclass(frozen=True, eq=False)
class DepthCues(Frozen):
    """One depth picture for each image, where `paths` is not "".

    kind: "metric": scale * stored is z-depth in the world's unit; "depth": z-depth up to an unknown scale and
    shift for each image; "disparity": one over z-depth up to an unknown scale and shift. A stored 0 or a value
    that is not finite is unknown. paths: as in ImageSet. source: who made them, in words. are_undistorted:
    whether they show the pinhole picture, as those made from it do, and not the one that the lens took.
    """

    paths: tuple[str, ...]
    kind: DepthKind
    scale: float = 1.0
    source: str = ""
    are_undistorted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(map(str, self.paths)))
        if self.kind not in get_args(DepthKind):
            raise ValueError(f"unknown kind of depth {self.kind!r}")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError("the scale of depth must be positive")

    def select(self, indices: NDArray[np.integer]) -> DepthCues:
        """The cues of these images, in this order."""
        return replace(self, paths=tuple(self.paths[i] for i in indices))


@dataclass(frozen=True, eq=False)
class NormalCues(Frozen):
    """One normal picture for each image, where `paths` is not "".

    Stored in [0, 1] (or 0..255, 0..65535) as (n + 1) / 2 where `is_zero_to_one`, else n itself. space: "camera"
    or "world" axes. signs: what to multiply x, y, z by so that normals are in OpenCV's camera axes (in the
    world's for "world") and look at the camera. source, are_undistorted: as in DepthCues.
    """

    paths: tuple[str, ...]
    is_zero_to_one: bool = True
    space: Literal["camera", "world"] = "camera"
    signs: tuple[int, int, int] = (1, 1, 1)
    source: str = ""
    are_undistorted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(map(str, self.paths)))
        signs = tuple(int(sign) for sign in self.signs)
        object.__setattr__(self, "signs", signs)
        if len(signs) != 3 or any(sign not in (-1, 1) for sign in signs):
            raise ValueError("signs must be three of -1 and 1")
        if self.space not in ("camera", "world"):
            raise ValueError(f"unknown space of normals {self.space!r}")

    def select(self, indices: NDArray[np.integer]) -> NormalCues:
        """The cues of these images, in this order."""
        return replace(self, paths=tuple(self.paths[i] for i in indices))


@dataclass(frozen=True, eq=False)
class PosedImages(Frozen):
    """N images whose cameras are known.

    cameras: pinholes, as if the lens were perfect; methods see only these, readers of pixels undistort.
    lens_models: the lens of each image by the name of COLMAP's model ("PINHOLE" for none); empty means all
    perfect. lens_params: (N, 12) float64 distortion parameters in COLMAP's order behind focal length and
    centre, the rest zero. depth, normals: cues, or None. points: sparse points, or None; observations: (T, 2)
    int32 rows (image, point): which image saw which point. disabled: (N,) bool, images that methods leave out.
    world_from_region: (4, 4) float64 or None: the box to reconstruct is where it takes [-1, 1]^3.
    """

    images: ImageSet
    cameras: CameraSet
    lens_models: tuple[str, ...] = ()
    lens_params: NDArray[np.float64] | None = None
    depth: DepthCues | None = None
    normals: NormalCues | None = None
    points: PointCloud | None = None
    observations: NDArray[np.int32] | None = None
    disabled: NDArray[np.bool_] | None = None
    world_from_region: NDArray[np.float64] | None = None
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        count = len(self.images)
        if len(self.cameras) != count or self.images.is_video:
            raise ValueError("there must be one camera for each image")
        self._default("lens_params", np.zeros((count, NUM_LENS_PARAMETERS)))
        self._default("observations", np.zeros((0, 2)))
        self._default("disabled", np.zeros(count, bool))
        object.__setattr__(self, "lens_models", tuple(self.lens_models) or ("PINHOLE",) * count)
        self._own("lens_params", np.float64, (count, NUM_LENS_PARAMETERS))
        seen = self._own("observations", np.int32, (None, 2))
        self._own("disabled", np.bool_, (count,))
        if self.world_from_region is not None:
            self._own("world_from_region", np.float64, (4, 4))
        if len(self.lens_models) != count:
            raise ValueError("there must be one lens model for each image")
        for cues in (self.depth, self.normals):
            if cues is not None and len(cues.paths) != count:
                raise ValueError("there must be one cue path for each image")
        limits = (count, 0 if self.points is None else len(self.points.points))
        if len(seen) and ((seen < 0).any() or (seen.max(0) >= limits).any()):
            raise ValueError("observations must be indices of images and points")

    def _default(self, name: str, value: NDArray[Any]) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lower and upper corner of the cameras and of most points: the outermost 2 % are often wrong."""
        parts = [self.cameras.positions]
        if self.points is not None and len(self.points.points):
            parts.append(np.quantile(self.points.points, [0.02, 0.98], axis=0))
        corners = np.concatenate(parts) if len(parts[0]) else np.zeros((1, 3))
        return np.stack([corners.min(0), corners.max(0)])

    @property
    def used(self) -> NDArray[np.int64]:
        """Indices of the images that methods use."""
        assert self.disabled is not None
        return np.nonzero(~self.disabled)[0]

    def select(self, indices: NDArray[np.integer]) -> PosedImages:
        """Only these images, in this order; points stay, their observations by other images go."""
        assert self.lens_params is not None and self.disabled is not None and self.observations is not None
        place = np.full(len(self), -1, np.int32)
        place[indices] = np.arange(len(indices))
        seen = self.observations[place[self.observations[:, 0]] >= 0]
        return replace(
            self,
            images=self.images.select(indices),
            cameras=self.cameras.select(indices),
            lens_models=tuple(self.lens_models[i] for i in indices),
            lens_params=self.lens_params[indices],
            depth=self.depth and self.depth.select(indices),
            normals=self.normals and self.normals.select(indices),
            observations=np.stack([place[seen[:, 0]], seen[:, 1]], 1),
            disabled=self.disabled[indices],
        )

    def transformed(self, b_from_a: Similarity3, frame: Frame) -> PosedImages:
        """The same scene in another world frame."""
        depth = self.depth
        if depth is not None and depth.kind == "metric":
            depth = replace(depth, scale=depth.scale * b_from_a.scale)
        region = self.world_from_region
        return replace(
            self,
            cameras=self.cameras.transformed(b_from_a),
            depth=depth,
            points=self.points and self.points.transformed(b_from_a, frame),
            world_from_region=None if region is None else b_from_a.matrix @ region,
            frame=frame,
        )
