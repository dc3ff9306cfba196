"""What the training views of `room-synth` see of the true room, as a ruler for reconstructions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.visible_surface import VisibleSurface
from render.cameras import CameraSet
from render.mesh import TriangleMesh

ROOM = Path(__file__).parents[2].parent / "shared" / "data" / "multiview" / "room-synth"

# Thin groups of faces, by the beginning of their objects' names.
GROUPS = {
    "shelf": "shelf_",
    "table_legs": "table_leg",
    "chairs": "chair",
    "lamp": "lamp_",
    "plant": "plant_",
    "cable": "pendant_cable",
}
TOLERANCES = {"5": 0.05, "2": 0.02}  # metres


def room_cameras(folder: Path = ROOM) -> CameraSet:
    """The cameras that the room was rendered from, as its generator wrote them."""
    meta = json.loads((folder / "meta.json").read_text())
    world_from_cam = np.array(meta["c2w_cv"])
    each = np.ones((len(world_from_cam), 2))
    return CameraSet(
        np.linalg.inv(world_from_cam),
        each * [meta["fx"], meta["fy"]],
        each * [meta["cx"], meta["cy"]],
        each.astype(np.int64) * [meta["width"], meta["height"]],
    )


def room_surface(folder: Path = ROOM) -> VisibleSurface:
    """The visible true surface of the room: everything, all thin parts and each thin group."""
    with np.load(folder / "gt_labels.npz") as labels:
        faces, thin, names = labels["face_object"], labels["face_thin"], labels["object_names"]
    parts: dict[str, NDArray[np.bool_]] = {"thin": thin}
    for group, start in GROUPS.items():
        mine = [i for i, name in enumerate(names) if str(name).startswith(start)]
        parts[group] = np.isin(faces, mine) & thin
    return VisibleSurface(room_mesh(folder), room_cameras(folder), TOLERANCES, parts)


def room_mesh(folder: Path = ROOM) -> TriangleMesh:
    """The true room, its faces in the order of `gt_labels.npz`."""
    import trimesh

    read = trimesh.load(folder / "gt_mesh.ply", process=False)
    return TriangleMesh(read.vertices.astype(np.float32), read.faces.astype(np.int32))


def in_words(figures: Mapping[str, float]) -> str:
    """One line: whole room, thin parts, mean recall over the thin groups and each of them."""
    groups = [figures[f"recall_5_{name}"] for name in GROUPS]
    whole = " ".join(f"{name} {figures[key]:.1f}" for name, key in WHOLE.items())
    each = " ".join(f"{name} {value:.0f}" for name, value in zip(GROUPS, groups, strict=True))
    return f"{whole} macro thin recall {np.mean(groups):.1f} ({each})"


WHOLE = {
    "F5": "f_5", "F2": "f_2", "NC": "nc", "P5": "precision_5", "R5": "recall_5",
    "thin F5": "f_5_thin", "thin F2": "f_2_thin",
}  # fmt: skip
