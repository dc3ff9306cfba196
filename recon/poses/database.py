"""COLMAP's database of a run: what is in it is done, so a run that was killed goes on from it.

Image i of the set has the id i + 1 everywhere.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from recon.poses.colmap import pycolmap
from recon.poses.features import Features
from recon.poses.matching import Matches
from recon.poses.pictures import Photo


class MatchDatabase:
    """Lenses, images, features and verified matches. A context manager; each write is whole or not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = pycolmap.Database.open(path)

    def __enter__(self) -> MatchDatabase:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    @property
    def images(self) -> list[int]:
        """Indices of the images that were added."""
        return sorted(image.image_id - 1 for image in self._database.read_all_images())

    def add_lens(
        self, model: str, focal: float, is_focal_known: bool, names: dict[int, str], photos: list[Photo]
    ) -> None:
        """A lens with all its images. names: image index → what COLMAP is to call it."""
        width, height = photos[0].size
        camera = pycolmap.Camera.create_from_model_name(0, model, focal, width, height)
        camera.camera_id = photos[0].index + 1
        camera.has_prior_focal_length = is_focal_known
        rig = pycolmap.Rig(rig_id=camera.camera_id)
        rig.add_ref_sensor(camera.sensor_id)
        with pycolmap.DatabaseTransaction(self._database):
            self._database.write_camera(camera, use_camera_id=True)
            self._database.write_rig(rig, use_rig_id=True)
            for photo in photos:
                self._add_image(photo.index + 1, names[photo.index], camera.camera_id)

    def _add_image(self, image_id: int, name: str, camera_id: int) -> None:
        image = pycolmap.Image(name=name, camera_id=camera_id, image_id=image_id)
        self._database.write_image(image, use_image_id=True)
        frame = pycolmap.Frame(frame_id=image_id, rig_id=camera_id)
        frame.add_data_id(image.data_id)
        self._database.write_frame(frame, use_frame_id=True)

    def camera(self, index: int) -> Any:
        """The pycolmap.Camera of an image."""
        return self._database.read_camera(self._database.read_image(index + 1).camera_id)

    def has_features(self, index: int) -> bool:
        return bool(self._database.exists_descriptors(index + 1))

    def add_features(self, index: int, features: Features) -> None:
        """Keep the features of an image; none is a result too."""
        kind = pycolmap.FeatureExtractorType.SIFT
        with pycolmap.DatabaseTransaction(self._database):
            self._database.write_keypoints(index + 1, features.points)
            self._database.write_descriptors(
                index + 1, pycolmap.FeatureDescriptors(type=kind, data=features.descriptors)
            )

    def features(self, index: int) -> Features:
        points = np.asarray(self._database.read_keypoints(index + 1), np.float32)
        descriptors = np.asarray(self._database.read_descriptors(index + 1).data, np.uint8)
        return Features(points.reshape(len(points), -1)[:, :2], descriptors.reshape(-1, 128))

    def num_features(self, index: int) -> int:
        return int(self._database.num_keypoints_for_image(index + 1))

    def has_pair(self, first: int, second: int) -> bool:
        """Whether two images were compared."""
        return bool(self._database.exists_two_view_geometry(first + 1, second + 1))

    def add_pair(self, first: int, second: int, matches: Matches, geometry: Any) -> None:
        """What comparing two images gave; a geometry without inliers says that they do not match."""
        with pycolmap.DatabaseTransaction(self._database):
            if not self._database.exists_matches(first + 1, second + 1):
                self._database.write_matches(first + 1, second + 1, matches)
            self._database.write_two_view_geometry(first + 1, second + 1, geometry)

    def verified_pairs(self) -> dict[tuple[int, int], int]:
        """(image, image) → number of matches that agree with the geometry of the two views."""
        ids, counts = self._database.read_two_view_geometry_num_inliers()
        pairs = [(a - 1, b - 1) for a, b in (pycolmap.pair_id_to_image_pair(i) for i in ids)]
        return {pair: int(count) for pair, count in zip(pairs, counts, strict=True) if count > 0}
