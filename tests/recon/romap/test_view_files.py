"""Files of views by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recon.romap.view_files import files_of_views
from render.cameras import CameraSet
from render.images import ImageSet, PosedImages


def _scene(*paths: str) -> PosedImages:
    count = len(paths)
    pairs = np.full((count, 2), 8)
    return PosedImages(
        ImageSet("/scene", paths), CameraSet(np.tile(np.eye(4), (count, 1, 1)), pairs, pairs, pairs)
    )


def _found(folder: Path, files: Sequence[str], *images: str) -> tuple[dict[str, str], int]:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    found, num_strange = files_of_views(folder, (".png",), _scene(*images))
    return {images[view]: path.relative_to(folder).as_posix() for view, path in found.items()}, num_strange


@pytest.mark.parametrize(
    ("file", "image"),
    [
        ("0.png", "images/0.jpg"),
        ("0.PNG", "images/0.png"),
        ("IMG_0.png", "img_0.JPG"),
        ("0.jpg.png", "images/0.jpg"),
        ("images/0.png", "0.jpg"),
        ("frame.01.png", "images/frame.01.jpg"),
        ("left/0.png", "rig\\left\\0.jpg"),
    ],
)
def test_a_file_is_named_as_its_image_whatever_the_folder_and_the_ending(tmp_path, file, image) -> None:

    assert _found(tmp_path, [file], image) == ({image: file}, 0)


def test_images_of_one_name_in_two_folders_get_the_files_of_their_own_folders(tmp_path) -> None:
    images = ("images/left/0.jpg", "images/right/0.jpg", "images/left/1.jpg", "images/right/1.jpg")
    found, num_strange = _found(tmp_path, ["left/0.png", "right/0.png", "right/1.png"], *images)
    assert found == {images[0]: "left/0.png", images[1]: "right/0.png", images[3]: "right/1.png"}
    assert list(found) == [images[0], images[1], images[3]] and num_strange == 0


def test_a_file_is_of_one_view_only_and_others_are_strange(tmp_path) -> None:
    found, num_strange = _found(tmp_path, ["0.png", "other.png", "notes.txt"], "train/0.png", "test/0.png")
    assert found == {"train/0.png": "0.png"} and num_strange == 1
