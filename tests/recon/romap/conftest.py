"""The snowman, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from render.images import PosedImages
from tests.recon.romap.romap_runs import spoilt_masks
from tests.synthetic_parts import PartScene, make_part_scene, write_part_scene


@pytest.fixture(scope="session")
def snowman() -> PartScene:
    """Some 4000 Gaussians, 16 views of 96 pixels and 4 that are held out."""
    return make_part_scene(4000, 96, 16, 4, seed=0)


@pytest.fixture(scope="session")
def exact_scene(snowman: PartScene, tmp_path_factory: pytest.TempPathFactory) -> tuple[PosedImages, Path]:
    """Posed images and the folder of exact masks."""
    folder = tmp_path_factory.mktemp("exact")
    return write_part_scene(
        folder, snowman, [snowman.masks[view] for view in snowman.train]
    ), folder / "masks"


@pytest.fixture(scope="session")
def spoilt_scene(snowman: PartScene, tmp_path_factory: pytest.TempPathFactory) -> tuple[PosedImages, Path]:
    """Posed images and the folder of masks that contradict each other."""
    folder = tmp_path_factory.mktemp("spoilt")
    return write_part_scene(folder, snowman, spoilt_masks(snowman, 0)), folder / "masks"
