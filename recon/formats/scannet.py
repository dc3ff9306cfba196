"""ScanNet as its exporter writes it → posed images with metric depth.

color/0.jpg, depth/0.png in millimetres, pose/0.txt camera-to-world in OpenCV's axes (-inf where tracking was lost),
intrinsic/intrinsic_color.txt. https://github.com/ScanNet/ScanNet/tree/master/SensReader
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon.errors import FormatError
from recon.formats.camera_matrix import corner_shift, read_matrix_file
from recon.formats.posed_views import assemble
from recon.formats.reading import Reading, ReadOptions
from recon.formats.scene_files import cue_beside, mask_beside, pictures_in
from recon.formats.scene_views import Lens, Scene, View
from recon.formats.sparse_points import with_sparse_points
from render.frame import Frame

_INTRINSICS = ("intrinsic/intrinsic_color.txt", "intrinsics/intrinsic_color.txt", "intrinsic_color.txt",
               "intrinsic/intrinsics_color.txt")  # fmt: skip
_ADVICE = "Export the scan again with ScanNet's SensReader."


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the scene in a folder. Raises FormatError."""
    root = path if path.is_dir() else path.parent
    file = next((root / name for name in _INTRINSICS if (root / name).is_file()), None)
    if file is None:
        raise FormatError(root, "There is no intrinsic/intrinsic_color.txt.", _ADVICE)
    k = read_matrix_file(file)
    if k.ndim != 2 or min(k.shape) < 3:
        raise FormatError(file, "The file holds no camera matrix.", _ADVICE)
    pictures = pictures_in(root / (options.image_folder or "color"))
    views = [
        _view(root, picture) for picture in pictures if (root / "pose" / f"{picture.stem}.txt").is_file()
    ]
    if not views:
        raise FormatError(root, "No picture in color has a pose of its name in pose.", _ADVICE)
    scene = Scene(
        root,
        root,
        views,
        "metric",
        1e-3,
        frame=Frame("+Z", "m"),
        lens_of_size=lambda view, size: Lens(
            (k[0, 0], k[1, 1]),
            (
                k[0, 2] + corner_shift(k[0, 2], size[0], options, "corner"),
                k[1, 2] + corner_shift(k[1, 2], size[1], options, "corner"),
            ),
        ),
    )
    return with_sparse_points(assemble(scene, options), root)


def _view(root: Path, picture: Path) -> View:
    file = root / "pose" / f"{picture.stem}.txt"
    pose = read_matrix_file(file)
    if pose.shape not in ((4, 4), (3, 4)):
        raise FormatError(file, "The file holds no pose of 4 × 4 numbers.", _ADVICE)
    whole = np.concatenate([pose[:3], [[0, 0, 0, 1]]])
    return View(picture, whole, None, mask_beside(root, picture), cue_beside(root, picture, "depth"))
