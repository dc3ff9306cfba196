"""A share of a change goes that share of the way, and the whole of it is what it was without a share."""

from __future__ import annotations

import numpy as np
import pytest

from recon.romap.apply_changes import apply_changes
from recon.romap.changes import Adjust, Cover, Delete, Move, Recolor, Rotate, Scale
from recon.romap.strength import apply_in_part
from render.gaussians import GaussianCloud

CHANGES = [
    Recolor((0.5, 0.1, 0.1), "dark red"), Cover("marble"), Adjust(0.7, 1.2, 1.1, 0.5), Scale(2.0),
    Move("up", 1.0, "unit"), Rotate(60.0, "up"),
]  # fmt: skip


@pytest.fixture
def scene() -> tuple[GaussianCloud, np.ndarray]:
    rng = np.random.default_rng(1)
    cloud = GaussianCloud(
        rng.normal(0, 1, (40, 3)), rng.normal(0, 1, (40, 4)), rng.normal(-2, 0.2, (40, 3)), rng.normal(1, 1, 40),
        rng.normal(0, 0.3, (40, 4, 3)),
    )  # fmt: skip
    return cloud, np.arange(40) < 15


def test_the_whole_strength_is_the_change_itself_byte_by_byte(scene):
    cloud, part = scene
    whole, same = (
        apply_changes(cloud, part, CHANGES, 3).cloud,
        apply_in_part(cloud, part, CHANGES, 3, 1.0).cloud,
    )
    assert all(np.array_equal(getattr(whole, name), values) for name, values in same.arrays())


@pytest.mark.parametrize("strength", [0.25, 0.5])
def test_colours_are_mixed_and_the_rest_goes_a_part_of_the_way(scene, strength):
    cloud, part = scene
    for change in CHANGES[:2]:
        whole = apply_changes(cloud, part, [change], 3).cloud
        some = apply_in_part(cloud, part, [change], 3, strength).cloud
        assert np.allclose(some.sh[part], cloud.sh[part] + strength * (whole.sh - cloud.sh)[part], atol=1e-6)
    moved = apply_in_part(cloud, part, [Move("up", 1.0, "unit")], 0, strength).cloud
    assert np.allclose(np.linalg.norm(moved.means - cloud.means, axis=1)[part], strength, atol=1e-6)
    grown = apply_in_part(cloud, part, [Scale(2.0)], 0, strength).cloud
    assert np.allclose((grown.log_scales - cloud.log_scales)[part], strength * np.log(2), atol=1e-6)
    fainter = apply_in_part(cloud, part, [Adjust(opacity=0.5)], 0, strength).cloud
    assert np.allclose(fainter.opacities[part] / cloud.opacities[part], 1 - strength / 2, atol=1e-3)


def test_others_keep_their_bytes_and_what_is_deleted_goes_whole(scene):
    cloud, part = scene
    some = apply_in_part(cloud, part, CHANGES, 3, 0.3)
    for name, values in cloud.arrays():
        assert getattr(some.cloud, name)[~part].tobytes() == values[~part].tobytes(), name
    gone = apply_in_part(cloud, part, [*CHANGES, Delete()], 3, 0.3)
    assert len(gone.cloud) == 25 and np.array_equal(gone.rows, np.flatnonzero(~part))
