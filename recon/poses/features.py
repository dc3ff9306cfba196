"""Features of one image: SIFT by COLMAP, without what a mask leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.poses import PosesSettings
from recon.poses.colmap import pycolmap

_LEAST_SHARE = 0.25  # of the image that is assumed to be used, when asking for more features than are wanted


@dataclass(frozen=True)
class Features:
    """M features of one image, the largest first.

    points: (M, 2) float32 pixels; the centre of the first pixel is (0.5, 0.5). descriptors: (M, 128) uint8.
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


def find_features(
    grey: NDArray[np.uint8],
    mask: NDArray[np.bool_] | None,
    settings: PosesSettings,
    scratch: Path,
    token: pycolmap.CancellationToken,
) -> Features:
    """SIFT features (Lowe 2004; pooled over scales: Dong and Soatto 2015).

    grey: (H, W). mask: (H, W), which pixels count. scratch: an empty folder for files.
    COLMAP's function on files is used because, unlike the one on arrays, it lets other threads run meanwhile.
    Raises InterruptedError once the token is cancelled.
    """
    picture, database = scratch / "picture.png", scratch / "features.db"
    cv2.imwrite(str(picture), grey, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    share = 1.0 if mask is None else max(_LEAST_SHARE, float(mask.mean()))
    pycolmap.extract_features(
        database,
        scratch,
        image_names=[picture.name],
        extraction_options=_options(settings, round(settings.max_features / share)),
        device=pycolmap.Device.cpu,
        cancellation_token=token,
    )
    with pycolmap.Database.open(database) as opened:
        keypoints = np.asarray(opened.read_keypoints(1), np.float32)
        descriptors = np.asarray(opened.read_descriptors(1).data, np.uint8)
    if not len(keypoints):
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
    return _kept(_largest_first(keypoints, descriptors), mask, settings.max_features)


def _options(settings: PosesSettings, count: int) -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu, options.num_threads = False, 1
    options.max_image_size = 2**15  # it is scaled already
    options.sift.max_num_features = count
    options.sift.peak_threshold = settings.contrast
    options.sift.estimate_affine_shape = settings.steady_features
    options.sift.domain_size_pooling = settings.steady_features
    return options


def _largest_first(keypoints: NDArray[np.float32], descriptors: NDArray[np.uint8]) -> Features:
    """keypoints: (M, 4) x, y, scale, angle or (M, 6) x, y and a 2×2 matrix."""
    if keypoints.shape[1] == 6:
        size: NDArray[Any] = (
            np.abs(keypoints[:, 2] * keypoints[:, 5] - keypoints[:, 3] * keypoints[:, 4]) ** 0.5
        )
    else:
        size = keypoints[:, 2]
    order = np.argsort(size, kind="stable")[::-1]
    return Features(keypoints[order, :2], descriptors[order])


def _kept(features: Features, mask: NDArray[np.bool_] | None, count: int) -> Features:
    """Those whose pixel counts, at most `count`."""
    rows = np.arange(len(features.points))
    if mask is not None:
        column, row = np.floor(features.points).astype(np.int64).T
        height, width = mask.shape
        rows = rows[mask[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]]
    return Features(features.points[rows[:count]], features.descriptors[rows[:count]])
