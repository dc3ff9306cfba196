"""Real photos: the fox of instant-ngp, 50 frames of a hand-held phone, with the poses that came with them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from render.cameras import CameraSet
from render.images import ImageSet
from tests.recon.poses.scenes import deviation, find_poses


def poses_that_came_with(images: ImageSet, folder: Path) -> CameraSet:
    """The cameras of transforms.json, camera-to-world with OpenGL's axes."""
    scene = json.loads((folder / "transforms.json").read_text())
    by_name = {
        Path(frame["file_path"]).name: np.array(frame["transform_matrix"]) for frame in scene["frames"]
    }
    world_from_cam = np.stack([by_name[Path(path).name] for path in images.paths]) * [1, -1, -1, 1]
    each = np.ones((len(images), 2))
    return CameraSet(
        np.linalg.inv(world_from_cam),
        each * [scene["fl_x"], scene["fl_y"]],
        each * [scene["cx"], scene["cy"]],
        each.astype(int) * [scene["w"], scene["h"]],
    )


@pytest.mark.slow
def test_every_second_photo_of_the_fox_is_placed_where_it_was_taken(
    shared_data: Path, tmp_path: Path
) -> None:
    fox = shared_data / "multiview" / "fox"
    names = sorted(path.name for path in (fox / "images").iterdir())[::2]
    images = ImageSet(str(fox), tuple(f"images/{name}" for name in names))
    posed, figures = find_poses(images, tmp_path)
    assert figures["registered"] >= 23
    assert figures["reprojection_error_px"] < 0.6
    true = poses_that_came_with(posed.images, fox)
    off = deviation(posed.cameras, true)
    extent = np.linalg.norm(np.ptp(true.positions, axis=0))
    assert np.sqrt((off.centers**2).mean()) < 0.005 * extent
    assert off.degrees.max() < 1.5
    assert posed.cameras.focal == pytest.approx(true.focal[: len(posed)], rel=0.03)
