"""Meshes in and out of files: PLY, OBJ with MTL, STL, GLB, glTF, 3MF."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError, ReconError
from recon.formats import glb, obj, ply, point_cloud, stl, threemf
from recon.formats.atomic_file import replacing
from recon.formats.export import ExportOptions, ExportPlan, plan_export, unique_names
from recon.formats.mesh_file import DAMAGED_ADVICE, FileMesh
from recon.formats.reading import Note, Reading, ReadOptions, check_size
from recon.formats.watched_file import Watch, WatchedFile
from render.frame import Frame
from render.mesh import TriangleMesh

LARGEST_FILE = 4 * 2**30  # bytes

_READERS: Mapping[str, Callable[[Path], FileMesh]] = {
    ".ply": ply.read,
    ".obj": obj.read,
    ".stl": stl.read,
    ".glb": glb.read,
    ".gltf": glb.read,
    ".3mf": threemf.read,
}


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """The mesh of a file, all of its objects joined, in the file's numbers; its frame as the file says. A PLY file
    without faces is a point cloud.

    Where the file is silent, `unit`, `up` and `patient_axes` of the options count. Vertices are not merged, but for
    STL, which has none. Raises only FormatError.
    """
    check_size(path, LARGEST_FILE)
    try:
        reader = _reader(path)
        mesh = reader(path)
        if reader is ply.read and not len(mesh.faces):
            return _points(path, mesh, options)
        return _reading(path, mesh, options)
    except (ReconError, OSError):
        raise
    except Exception as error:  # whatever trimesh stumbles over in a damaged file
        cause = f"{type(error).__name__}: {error}"
        raise FormatError(path, "The file is damaged.", DAMAGED_ADVICE, details=cause) from error


def _points(path: Path, mesh: FileMesh, options: ReadOptions) -> Reading:
    frame, notes = _frame(mesh, options)
    points = replace(point_cloud.from_file(path, mesh), frame=frame)
    return Reading(points, tuple(notes), _is_up_assumed(mesh, options))


def _reader(path: Path) -> Callable[[Path], FileMesh]:
    with path.open("rb") as file:
        head = file.read(8)
    magics = {b"ply": ".ply", b"glTF": ".glb"}
    suffix = next((suffix for magic, suffix in magics.items() if head.startswith(magic)), path.suffix.lower())
    if suffix not in _READERS:
        raise FormatError(path, "Cannot tell what this is.", "Choose a PLY, OBJ, STL, GLB or 3MF file.")
    return _READERS[suffix]


def _reading(path: Path, mesh: FileMesh, options: ReadOptions) -> Reading:
    with np.errstate(over="ignore"):
        vertices = mesh.vertices.astype(np.float32)
    if not np.isfinite(vertices).all():
        number = int(np.argmin(np.isfinite(vertices).all(1))) + 1
        sentence = f"Vertex {number} has coordinates that are not numbers, or too large."
        raise FormatError(path, sentence, DAMAGED_ADVICE)
    faces = mesh.faces
    if not len(faces):
        raise FormatError(path, "The file holds no faces.", "Choose a file with a mesh.")
    if faces.min() < 0 or faces.max() >= len(vertices):
        number = int(np.argmax(((faces < 0) | (faces >= len(vertices))).any(1))) + 1
        sentence = f"Face {number} names a vertex that does not exist."
        raise FormatError(path, sentence, DAMAGED_ADVICE)
    if options.patient_axes and mesh.patient_axes not in (None, options.patient_axes):
        vertices = vertices * np.array([-1, -1, 1], np.float32)
    frame, notes = _frame(mesh, options)
    data = TriangleMesh(vertices, faces.astype(np.int32), mesh.colors, mesh.values, frame)
    found = (*mesh.notes, *notes, *_precision_notes(mesh.vertices))
    return Reading(data, found, _is_up_assumed(mesh, options))


def _frame(mesh: FileMesh, options: ReadOptions) -> tuple[Frame, list[Note]]:
    """The file's word first, then the person's, then the project's default; whatever was assumed is noted."""
    notes = []
    unit = mesh.unit or options.unit
    if unit is None:
        notes.append(Note("info", "The file does not say its unit."))
    up = mesh.up or options.up
    if up is None:
        notes.append(Note("info", "The file does not say which way is up; +Z is taken."))
    return Frame(up or "+Z", unit or "unit", options.patient_axes or mesh.patient_axes), notes


def _is_up_assumed(mesh: FileMesh, options: ReadOptions) -> bool:
    return mesh.up is None and options.up is None


def _precision_notes(vertices: NDArray[np.floating]) -> list[Note]:
    """A mesh far from the origin loses detail in 32-bit numbers."""
    farthest = float(np.abs(vertices).max())
    diagonal = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    if farthest * np.finfo(np.float32).eps <= 1e-4 * diagonal:
        return []
    sentence = "The mesh lies so far from the origin that its detail is lost; move it nearer in the program it is from."
    return [Note("warning", sentence)]


@dataclass(frozen=True, eq=False)
class WrittenMesh:
    """What was written: the files, the size of the object in the file's unit, and what the person should know."""

    files: tuple[Path, ...]
    size: NDArray[np.float64]
    unit: str
    warnings: tuple[str, ...]
    plan: ExportPlan


def write(
    path: Path,
    meshes: Sequence[tuple[str, TriangleMesh]],
    options: ExportOptions = ExportOptions(),
    provenance: Mapping[str, Any] | None = None,
    watch: Watch = lambda num_bytes: None,
) -> WrittenMesh:
    """Write named meshes in the format of the path's ending; all files whole, or none.

    provenance: more to say in the sidecar, as JSON values: the run, its method and settings. Several meshes make
    several objects in one GLB, OBJ or 3MF file, and one file each, NAME-mesh.stl, in STL and PLY.
    watch: called with the bytes of each piece before it is written; what it raises ends the writing.
    Raises InputError as plan_export does, OSError for a full or read-only disk.
    """
    plan = plan_export(path, meshes, options)
    names = unique_names([name for name, _ in meshes])
    ready = [(name, _placed(mesh, plan, options)) for name, (_, mesh) in zip(names, meshes, strict=True)]
    with ExitStack() as stack:
        places = [stack.enter_context(replacing(file)) for file in plan.files]
        files = [stack.enter_context(WatchedFile(place, watch)) for place in places]
        _write_meshes(path.suffix.lower(), files, plan, ready)
        if options.sidecar:
            files[-1].write(json.dumps(description(plan, names, provenance), indent=2).encode())
    return WrittenMesh(plan.files, plan.size, plan.unit, plan.warnings, plan)


def _write_meshes(
    suffix: str, files: Sequence[BinaryIO], plan: ExportPlan, meshes: Sequence[tuple[str, FileMesh]]
) -> None:
    if suffix == ".glb":
        glb.write(files[0], meshes)
    elif suffix == ".3mf":
        threemf.write(files[0], meshes)
    elif suffix == ".obj":
        obj.write(files[0], files[1], plan.files[1].name, meshes)
    else:
        write_one = ply.write if suffix == ".ply" else stl.write
        for file, (_, mesh) in zip(files, meshes, strict=False):
            write_one(file, mesh)


def _placed(mesh: TriangleMesh, plan: ExportPlan, options: ExportOptions) -> FileMesh:
    """The mesh in the file's axes and unit."""
    matrix = plan.file_from_project
    vertices = mesh.vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    placed = FileMesh(
        vertices.astype(np.float32),
        mesh.faces.astype(np.int64),
        mesh.colors if options.colors else None,
        mesh.vertex_values if options.values else {},
        unit=plan.unit,
        up=plan.up,
        patient_axes=plan.patient_axes,
    )
    return replace(placed, normals=vertex_normals(placed.vertices, mesh.faces)) if options.normals else placed


def vertex_normals(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> NDArray[np.float32]:
    """(V, 3) unit normals, the mean of a vertex's faces by area; up where a vertex has none."""
    corners = vertices.astype(np.float64)[faces]
    of_face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.stack(
        [np.bincount(faces.ravel(), np.repeat(of_face[:, k], 3), len(vertices)) for k in range(3)], axis=1
    )
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    up = np.broadcast_to(np.array([0.0, 0.0, 1.0]), sums.shape).copy()
    return np.asarray(np.divide(sums, lengths, out=up, where=lengths > 0), np.float32)


def description(
    plan: ExportPlan, names: Sequence[str], provenance: Mapping[str, Any] | None, kind: str = "meshes"
) -> dict[str, Any]:
    """What a sidecar says of the files beside it, as JSON values."""
    try:
        version = importlib.metadata.version("isokiln")
    except importlib.metadata.PackageNotFoundError:
        version = None  # run from its folder without being installed
    return {
        "app": "Isokiln",
        "version": version,
        "files": [file.name for file in plan.files[:-1]],
        kind: list(names),
        "file_from_project": plan.file_from_project.tolist(),
        "up": plan.up,
        "unit": plan.unit,
        "patient_axes": plan.patient_axes,
        **(provenance or {}),
    }
