"""Gaussians that no photo shows are left out of the result, and only those."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.splats import METHOD
from render.splat_weights import contribution_weights
from tests.recon.splats.scenes import TINY, room

torch = pytest.importorskip("torch")

from recon.splats.preparation import prepare_trainer  # noqa: E402
from recon.splats.visibility import LEAST_WEIGHT, is_seen  # noqa: E402


def test_only_what_shows_in_trained_photos_is_seen(tmp_path) -> None:
    scene = room(tmp_path)
    trainer = prepare_trainer({"scene": scene}, METHOD.make_settings(TINY | {"held_out": 5}), "cpu", 0)
    cloud = trainer.gaussians.to_cloud()
    far = cloud.means.copy()
    far[0] = (0, 0, 1e4)
    trainer.gaussians = type(trainer.gaussians)(replace(cloud, means=far), "cpu")
    seen, cloud = is_seen(trainer), trainer.gaussians.to_cloud()
    cameras, trained = trainer.in_box, trainer.photos.trained
    sums = sum(
        contribution_weights(
            cloud, cameras.cam_from_world[v], cameras.focal[v], cameras.center[v], trainer.photos.size(int(v))
        ).sum(0)
        for v in trained
    )
    weights = np.asarray(sums).ravel()
    is_clear = abs(weights - LEAST_WEIGHT) > 0.01
    assert not seen[0] and 0.2 < seen.mean() < 1
    assert (seen == (weights >= LEAST_WEIGHT))[is_clear].all()
