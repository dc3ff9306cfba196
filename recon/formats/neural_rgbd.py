"""The synthetic rooms of Neural RGB-D Surface Reconstruction → posed images with metric depth.

images/img0.png, depth/depth0.png in millimetres, poses.txt with four lines for each camera-to-world in OpenGL's axes
("nan" where there is none), focal.txt. https://github.com/dazinovic/neural-rgbd-surface-reconstruction
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.camera_matrix import read_matrix_file
from recon.formats.posed_views import assemble
from recon.formats.reading import Reading, ReadOptions
from recon.formats.scene_files import mask_beside, pictures_in
from recon.formats.scene_sniffing import POSE_LISTS
from recon.formats.scene_views import OPENGL, Lens, Scene, View
from recon.formats.sparse_points import with_sparse_points
from render.frame import Frame

_ADVICE = "Take another copy of the data set."


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the scene in a folder, or that of its poses.txt. Raises FormatError."""
    root = path if path.is_dir() else path.parent
    given = path if path.name in POSE_LISTS else None
    file = given or next((root / n for n in POSE_LISTS if (root / n).is_file()), root / POSE_LISTS[0])
    poses, focal = _poses(file), _focal(root / "focal.txt")
    pictures = pictures_in(root / (options.image_folder or "images"))
    depths = {_number(each): each for each in _depth_pictures(root)}
    views = [
        View(picture, poses[i] * OPENGL, None, mask_beside(root, picture), depths.get(_number(picture)))
        for picture, i in zip(pictures, _places(pictures, len(poses)), strict=False)
    ]
    scene = Scene(
        file,
        root,
        views,
        "metric",
        1e-3,
        frame=Frame("+Z", "m"),
        lens_of_size=lambda view, size: Lens((focal, focal), (size[0] / 2, size[1] / 2)),
    )
    return with_sparse_points(assemble(scene, options), root)


def _poses(file: Path) -> NDArray[np.float64]:
    """(N, 4, 4); NaN where there is none."""
    rows = read_matrix_file(file)
    if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) % 4 or not len(rows):
        raise FormatError(file, "The file does not have four lines of four numbers for each pose.", _ADVICE)
    return rows.reshape(-1, 4, 4)


def _focal(file: Path) -> float:
    value = read_matrix_file(file)
    if value.size < 1 or not np.isfinite(value.flat[0]) or value.flat[0] <= 0:
        raise FormatError(file, "The file holds no focal length.", _ADVICE)
    return float(value.flat[0])


def _depth_pictures(root: Path) -> list[Path]:
    names = ("depth", "depth_filtered", "depth_with_noise")
    return next((found for name in names if (found := pictures_in(root / name))), [])


def _number(picture: Path) -> int:
    found = re.findall(r"\d+", picture.stem)
    return int(found[-1]) if found and len(found[-1]) < 9 else -1


def _places(pictures: list[Path], count: int) -> list[int]:
    """The pose of each picture: by the number in its name, else by its place."""
    numbers = [_number(picture) for picture in pictures]
    if numbers and min(numbers) >= 0 and max(numbers) < count and len(set(numbers)) == len(numbers):
        return numbers
    return list(range(min(len(pictures), count)))
