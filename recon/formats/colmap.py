"""COLMAP models → posed images with sparse points: a scene's folder, its `sparse`, or the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError, InputError
from recon.formats.camera_matrix import only_sane
from recon.formats.colmap_model import ColmapCamera, ColmapImage, ColmapModel
from recon.formats.colmap_reading import count_images, read_model
from recon.formats.colmap_writing import write
from recon.formats.posed_views import assemble
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import mask_beside
from recon.formats.scene_sniffing import find_colmap_models
from recon.formats.scene_views import Lens, Scene, View
from render.images import NormalCues
from render.lenses import LENS_MODELS
from render.points import PointCloud

__all__ = ["read", "write"]

_IMAGE_FOLDERS = ("images", "rgb", "color", "input", "images_2", "images_4", "images_8", ".")
_LEVELS_UP = 4  # from SCENE/colmap/sparse/0 to SCENE


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a model; of several, the one with most images. Raises FormatError, InputError."""
    given = path if path.is_dir() else path.parent
    models = find_colmap_models(given)
    if not models:
        sentence = "There is no COLMAP model here."
        raise FormatError(path, sentence, "Choose the folder that holds cameras, images and points3D.")
    folder, notes = _choose(path, models, options.submodel)
    model = read_model(folder)
    if not model.images:
        sentence = "The model has no registered images."
        raise FormatError(folder / "images", sentence, "Run the mapping again with more overlapping photos.")
    root, images = _image_folder(given, folder, model.images, options)
    points, observations = points_of(model)
    scene = Scene(
        path,
        root,
        [_view(model, image, root, images / image.name) for image in model.images],
        normals=NormalCues(()),
        points=points,
        observations=observations,
        notes=(*notes, *_frame_notes(options)),
    )
    return assemble(scene, options)


def read_points(folder: Path) -> tuple[ColmapModel, PointCloud | None, NDArray[np.int32]]:
    """The largest model under a scene's folder, its points, and rows (image, point) of who sees them."""
    models = find_colmap_models(folder)
    model = read_model(max(models, key=count_images))
    return model, *points_of(model)


def points_of(model: ColmapModel) -> tuple[PointCloud | None, NDArray[np.int32]]:
    """The points of a model and (T, 2) rows (image, point), images in the model's order."""
    if not len(model.points):
        return None, np.zeros((0, 2), np.int32)
    rows = []
    for number, image in enumerate(model.images):
        place = np.searchsorted(model.point_ids, image.point_ids)
        is_there = model.point_ids[np.minimum(place, len(model.point_ids) - 1)] == image.point_ids
        seen = place[is_there]
        rows.append(np.stack([np.full(len(seen), number), seen], 1))
    return PointCloud(model.points, model.colors), np.concatenate(rows).astype(np.int32)


def world_from_cam(image: ColmapImage) -> NDArray[np.float64]:
    """(4, 4); a quaternion that is not one gives a pose of NaN."""
    pose = np.eye(4)
    rotation = rotation_of_quat(image.quat)
    pose[:3, :3], pose[:3, 3] = rotation.T, -rotation.T @ only_sane(np.array(image.translation))
    return pose


def rotation_of_quat(quat: Sequence[float]) -> NDArray[np.float64]:
    """(3, 3) of w, x, y, z, which need not be of unit length."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        w, x, y, z = np.asarray(quat, np.float64) / np.linalg.norm(quat)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def lens_of(camera: ColmapCamera) -> Lens:
    """The camera's parameters sorted out."""
    count = LENS_MODELS[camera.model].num_focals
    focal = camera.params[:count] * (2 if count == 1 else 1)
    center = camera.params[count : count + 2]
    return Lens(
        (focal[0], focal[1]), (center[0], center[1]), camera.size, camera.model, camera.params[count + 2 :]
    )


def _view(model: ColmapModel, image: ColmapImage, root: Path, path: Path) -> View:
    return View(
        path,
        world_from_cam(image),
        lens_of(model.cameras[image.camera_id]),
        mask_beside(root, path),
    )


def _choose(path: Path, models: list[Path], wish: str | None) -> tuple[Path, list[Note]]:
    """The model to read, and a note where there were several."""
    names = {each.name: each for each in models}
    if wish is not None:
        if wish not in names:
            raise InputError(
                f"There is no sub-model {wish!r} in {path.name}.", f"There are: {', '.join(names)}."
            )
        return names[wish], []
    sizes = {each: count_images(each) for each in models}
    largest = max(models, key=lambda each: sizes[each])
    if len(models) == 1:
        return largest, []
    counts = ", ".join(f"{each.name} with {sizes[each]} images" for each in models)
    sentence = f"There are {len(models)} sub-models: {counts}. The largest, {largest.name}, was read."
    return largest, [Note("warning", sentence)]


def _frame_notes(options: ReadOptions) -> list[Note]:
    if options.up is not None:
        return []
    sentence = "COLMAP does not know which way is up, nor how long a unit is; +Z is taken to be up."
    return [Note("info", sentence)]


def _image_folder(
    given: Path, model: Path, images: Sequence[ColmapImage], options: ReadOptions
) -> tuple[Path, Path]:
    """The scene's folder and the folder that holds most of the images."""
    if options.image_folder is not None:
        return given, (given / options.image_folder)
    names = [image.name for image in images]
    candidates = [(root, root / name) for root in _roots(given, model) for name in _IMAGE_FOLDERS]
    there = [(root, folder) for root, folder in candidates if folder.is_dir()]
    best = max(
        there, key=lambda pair: sum((pair[1] / name).is_file() for name in names), default=candidates[0]
    )
    if options.missing_images == "leave-out" and not any((best[1] / name).is_file() for name in names):
        sentence = f"The photos of the model, such as {names[0]}, are in none of the usual places."
        advice = (
            "Put them into a folder `images` beside `sparse`, or name their folder (--read-image-folder)."
        )
        raise FormatError(model / "images", sentence, advice)
    return best


def _roots(given: Path, model: Path) -> Iterator[Path]:
    """The scene's folder if one was given, then the model's own and those above it."""
    yield given.absolute()
    folder = model.absolute()
    for _ in range(_LEVELS_UP):
        yield folder
        folder = folder.parent
