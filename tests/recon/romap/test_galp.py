"""3D-GALP after the paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.romap.galp import AS_PUBLISHED, GalpSettings, fit_labels
from recon.romap.mask_folder import open_masks
from recon.romap.view_weights import ViewWeights
from tests.recon.romap.romap_runs import find_parts
from tests.synthetic_parts import PARTS, view_ious


def _fit(snowman, scene, settings):
    posed, folder = scene
    evidence = list(open_masks(folder, posed, 512).evidence())
    run = fit_labels(
        snowman.plain, ViewWeights(snowman.plain, posed.cameras, True), evidence, len(PARTS), 0, settings
    )
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return stop.value


def test_labels_fitted_to_exact_masks_are_the_parts(snowman, exact_scene) -> None:
    posed, folder = exact_scene
    found, _ = find_parts(
        {"cloud": snowman.plain, "cameras": posed}, folder, lifting="3d-galp", galp_steps=160
    )
    assert view_ious(snowman, found.extra["part"]).mean() > 0.9


def test_many_neighbours_of_great_weight_swallow_small_parts(snowman, spoilt_scene) -> None:
    short = {"steps": 110, "degree": 0, "num_anchors": 400}
    ours = _fit(snowman, spoilt_scene, GalpSettings(**short)).argmax(1)
    published = _fit(snowman, spoilt_scene, replace(AS_PUBLISHED, **short)).argmax(1)
    assert view_ious(snowman, ours).mean() > view_ious(snowman, published).mean() + 0.02


@pytest.mark.parametrize(
    "settings", [GalpSettings(steps=56, degree=2), GalpSettings(56, 1, anchors="random")]
)
def test_harmonics_and_anchors_of_any_kind_give_finite_labels(snowman, spoilt_scene, settings) -> None:
    labels = _fit(snowman, spoilt_scene, settings)
    assert labels.shape == (len(snowman.cloud), len(PARTS)) and np.isfinite(labels).all()
    assert labels.min() >= 0
