"""From the views that a scene file lists to PosedImages: what every reader of posed photos shares."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import cue_beside
from recon.formats.scene_views import Lens, Scene, View
from recon.formats.view_checks import usable_views
from render.cameras import CameraSet
from render.frame import Frame
from render.images import NUM_LENS_PARAMETERS, DepthCues, ImageSet, NormalCues, PosedImages


def assemble(scene: Scene, options: ReadOptions = ReadOptions()) -> Reading:
    """The scene as PosedImages, and notes about everything left out or mended. Raises FormatError."""
    scene = _with_cues_beside(scene)
    notes = list(scene.notes)
    views = usable_views(scene, notes, keeps_missing=options.missing_images == "keep")
    posed = _posed(scene, [view for _, view in views], options)
    kept = np.array([i for i, _ in views], np.int64)
    posed = _with_points(posed, scene, kept)
    is_up_assumed = options.up is None and scene.frame == Frame()
    return Reading(posed, (*notes, *_cue_notes(posed, scene)), is_up_assumed)


def _with_cues_beside(scene: Scene) -> Scene:
    """Pictures of the same names in mono_depth and mono_normal, for what the file does not name itself."""
    if not any(_if_there(view.depth) for view in scene.views):
        found = [cue_beside(scene.root, view.path, "mono_depth") for view in scene.views]
        if any(found):
            views = [replace(view, depth=depth) for view, depth in zip(scene.views, found, strict=True)]
            scene = replace(scene, views=views, depth_kind="depth", depth_scale=1.0)
    if not any(_if_there(view.normal) for view in scene.views):
        found = [cue_beside(scene.root, view.path, "mono_normal") for view in scene.views]
        views = [replace(view, normal=normal) for view, normal in zip(scene.views, found, strict=True)]
        scene = replace(scene, views=views)
    return scene


def _posed(scene: Scene, views: Sequence[View], options: ReadOptions) -> PosedImages:
    lenses = [view.lens for view in views if view.lens is not None]
    params = np.zeros((len(views), NUM_LENS_PARAMETERS))
    for row, lens in zip(params, lenses, strict=True):
        row[: len(lens.params)] = lens.params
    masks = tuple(_relative(scene.root, view.mask) for view in views)
    images = ImageSet(
        str(scene.root.absolute()),
        tuple(_relative(scene.root, view.path) for view in views),
        masks if any(masks) else (),
        are_masks_inverted=options.invert_masks,
    )
    frame = replace(scene.frame, up=options.up or scene.frame.up, unit=options.unit or scene.frame.unit)
    return PosedImages(
        replace(images, frame=frame),
        _cameras(views, lenses),
        tuple(lens.model for lens in lenses),
        params,
        _depth(scene, views, options),
        _normals(scene, views),
        world_from_region=scene.world_from_region,
        frame=frame,
    )


def _cameras(views: Sequence[View], lenses: Sequence[Lens]) -> CameraSet:
    poses = np.tile(np.eye(4), (len(views), 1, 1))
    for pose, view in zip(poses, views, strict=True):
        rotation = view.world_from_cam[:3, :3].T
        pose[:3, :3], pose[:3, 3] = rotation, -rotation @ view.world_from_cam[:3, 3]
    return CameraSet(
        poses,
        np.array([lens.focal for lens in lenses], np.float64),
        np.array([lens.center for lens in lenses], np.float64),
        np.array([lens.size for lens in lenses], np.int64),
    )


def _depth(scene: Scene, views: Sequence[View], options: ReadOptions) -> DepthCues | None:
    paths = tuple(_relative(scene.root, _if_there(view.depth)) for view in views)
    if not any(paths):
        return None
    kind = scene.depth_kind if options.depth_kind == "auto" else options.depth_kind
    return DepthCues(paths, kind, scene.depth_scale, scene.source, scene.is_depth_undistorted)


def _normals(scene: Scene, views: Sequence[View]) -> NormalCues | None:
    paths = tuple(_relative(scene.root, _if_there(view.normal)) for view in views)
    return replace(scene.normals, paths=paths, source=scene.source) if any(paths) else None


def _with_points(posed: PosedImages, scene: Scene, kept: NDArray[np.int64]) -> PosedImages:
    """The sparse points, seen by the views that are left."""
    if scene.points is None or not len(scene.points.points):
        return posed
    points = replace(scene.points, frame=posed.frame)
    seen = scene.observations if scene.observations is not None else np.zeros((0, 2), np.int32)
    place = np.full(len(scene.views), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    seen = np.stack([place[seen[:, 0]], seen[:, 1]], 1)
    return replace(posed, points=points, observations=seen[seen[:, 0] >= 0])


def _cue_notes(posed: PosedImages, scene: Scene) -> Iterable[Note]:
    for cues, word in ((posed.depth, "depth"), (posed.normals, "normals")):
        if cues is not None and not all(cues.paths):
            missing = cues.paths.count("")
            yield Note("warning", f"{missing} of {len(posed)} images have no {word}.")


def _if_there(path: Path | None) -> Path | None:
    return path if path is not None and path.is_file() else None


def _relative(root: Path, path: Path | None) -> str:
    """ "/"-separated and relative to the root where it lies in it; "" for None."""
    if path is None:
        return ""
    where, base = os.path.abspath(path), os.path.abspath(root)  # noqa: PTH100 — keeps links as they are
    is_in = where.startswith(base.rstrip(os.sep) + os.sep)
    return Path(os.path.relpath(where, base) if is_in else where).as_posix()
