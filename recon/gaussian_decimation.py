"""Fewer Gaussians that look nearly the same."""

from __future__ import annotations

import numpy as np

from recon.errors import InputError
from render.gaussians import GaussianCloud


def decimated(cloud: GaussianCloud, target_count: int) -> GaussianCloud:
    """The cloud with at most `target_count` Gaussians, chosen and merged so that pictures change least.

    Takes seconds at 1 M: run it off the window's thread. Raises InputError for a count below one.
    """
    if target_count < 1:
        raise InputError("No splat would be left.", "Ask for one or more.")
    if target_count >= len(cloud):
        return cloud
    scales = np.sort(cloud.scales, axis=1)
    importance = cloud.opacities * scales[:, 1] * scales[:, 2]
    kept = np.sort(np.argpartition(-importance, target_count)[:target_count])
    return cloud.subset(kept)
