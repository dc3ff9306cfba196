"""Commands on files: convert, validate, evaluate, slice, samples."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from app.cli_facts import describe_data, print_facts
from app.cli_options import add_model_options, model_from
from app.cli_outputs import check_output, tell_notes, write_outputs
from recon import formats
from recon.errors import FormatError, InputError
from recon.formats.reading import Note, ReadOptions
from recon.method import Output
from render.cross_sections import CrossSections
from render.frame import Frame
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.scene_data import SceneData
from render.transforms import Similarity3

_AXES_BY_FORMAT = (".glb", ".gltf", ".3mf")  # formats that prescribe which way is up


def convert(arguments: Sequence[str]) -> int:
    """`isokiln convert IN OUT`."""
    from recon.formats.export import ExportOptions

    parser = _parser(
        "convert",
        "Turn a file into another format; the endings say which. Posed photos become a folder with images, a COLMAP "
        "model and transforms.json, or one of transforms.json, cameras.bin and cameras.txt alone.",
    )
    parser.add_argument("input", type=Path, metavar="IN", help="a file, or a folder such as a scene's")
    parser.add_argument("output", type=Path, metavar="OUT")
    add_model_options(parser, ReadOptions, "reading", "read-")
    add_model_options(parser, ExportOptions, "writing", "write-")
    options = parser.parse_args(arguments)
    reading = model_from(options, ReadOptions, "read-")
    is_named = any(kind.is_writable and kind.is_named(options.output.name) for kind in formats.FILE_KINDS)
    if not is_named:
        check_output(options.output, [options.input], _kind_in(options.input, reading))
    data = _read(options.input, reading)
    if is_named and isinstance(data, PosedImages):
        tell_notes(options.output, formats.write(options.output, data))
        print(options.output)
        return 0
    for file in write_outputs(options.output, [Output(options.input.stem, data)], options):
        print(file)
    return 0


def _kind_in(path: Path, options: ReadOptions) -> str | None:
    """The kind of scene data that a path holds, as far as its outside tells; None where that says nothing."""
    if path.is_dir() and options.read_as == "scene":
        return "posed_images"
    if options.read_as == "points":
        return "points"
    try:
        return formats.kind_of_file(path).data
    except (OSError, FormatError):
        return None  # Reading it tells what is wrong.


def validate(arguments: Sequence[str]) -> int:
    """`isokiln validate FILE`."""
    parser = _parser(
        "validate", "Read a file; tell what is in it and what was taken for granted or repaired."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file, or a folder such as a scene's")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_model_options(parser, ReadOptions, "reading", "read-")
    options = parser.parse_args(arguments)
    reading = formats.read(options.file, model_from(options, ReadOptions, "read-"))
    found = (*reading.notes, *_checked(reading.data))
    facts = describe_data(reading.data)
    if options.json:
        notes = [{"severity": n.severity, "sentence": n.sentence, "plane": n.plane} for n in found]
        print(json.dumps({**facts, "notes": notes}))
        return 0
    print_facts(facts)
    for note in found:
        where = f"plane {note.plane + 1}: " if note.plane is not None else ""
        print(f"{note.severity}: {where}{note.sentence}")
    return 0


def tell_facts(path: Path, *, as_json: bool) -> None:
    """`isokiln info FILE`: what is in a file, without judging it."""
    facts = describe_data(_read(path))
    if as_json:
        print(json.dumps(facts))
    else:
        print_facts(facts)


def _checked(data: SceneData) -> tuple[Note, ...]:
    """Notes on whether photos can be reconstructed. Raises InputError where they cannot."""
    from recon.formats import scene_checks

    if isinstance(data, PosedImages):
        return scene_checks.check_scene(data)
    return scene_checks.check_images(data) if isinstance(data, ImageSet) else ()


def evaluate(arguments: Sequence[str]) -> int:
    """`isokiln evaluate MESH REFERENCE`."""
    parser = _parser(
        "evaluate", "Compare a mesh with a reference: distances, shared volume, agreement with slices."
    )
    parser.add_argument("mesh", type=Path, metavar="MESH")
    parser.add_argument("reference", type=Path, metavar="REFERENCE")
    parser.add_argument(
        "--slices", type=Path, metavar="IN", help="the cross-sections that the mesh was made from"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample points (default 0)")
    parser.add_argument(
        "--as-is", action="store_true", help="compare coordinates even where other axes point up"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_model_options(parser, ReadOptions, "reading the slices", "read-")
    options = parser.parse_args(arguments)
    mesh, (reference, is_silent) = _read_mesh(options.mesh), _mesh_reading(options.reference)
    # Axes that a comment states are those of the numbers; a reference that states none shares them.
    is_as_is = options.as_is or (is_silent and options.mesh.suffix.lower() not in _AXES_BY_FORMAT)
    sections = None
    if options.slices:
        sections = _read_sections(options.slices, model_from(options, ReadOptions, "read-"))
    from recon import metrics

    turn = (lambda mesh, frame: mesh) if is_as_is else in_frame
    figures = metrics.compare(turn(mesh, reference.frame), reference, options.seed)
    if sections is not None:
        figures["slices"] = _agreement(turn(mesh, sections.frame), sections)
    if options.json:
        print(json.dumps(figures))
    else:
        print_facts({**figures, **figures.pop("slices", {})})
    return 0


def in_frame(mesh: TriangleMesh, frame: Frame) -> TriangleMesh:
    """The mesh with another axis up and in another unit, where both say theirs: a GLB is always Y up, in metres."""
    from recon.formats.export import rotation_between

    scale = 1.0
    if mesh.frame.metres_per_unit and frame.metres_per_unit:
        scale = mesh.frame.metres_per_unit / frame.metres_per_unit
    if mesh.frame.up == frame.up and scale == 1:
        return mesh
    turned = Similarity3(rotation_between(mesh.frame.up, frame.up), np.zeros(3), scale).apply(mesh.vertices)
    print(f"info: compared with {frame.up} up, {scale:g} times its size", file=sys.stderr)
    return TriangleMesh(turned.astype(np.float32), mesh.faces, mesh.colors, mesh.vertex_values, frame)


def _agreement(mesh: TriangleMesh, sections: CrossSections) -> dict[str, Any]:
    """Agreement of a solid with every plane, the worst ones and the mean."""
    from recon import metrics

    rows = metrics.slice_agreement(mesh, sections)
    return {
        "slice_accuracy": sum(row.accuracy for row in rows) / len(rows),
        "slice_iou": sum(row.iou for row in rows) / len(rows),
        "worst_slice_accuracy": min(row.accuracy for row in rows),
        "worst_slice_iou": min(row.iou for row in rows),
        "planes": [{"plane": row.plane + 1, "accuracy": row.accuracy, "iou": row.iou} for row in rows],
    }


def slice_mesh(arguments: Sequence[str]) -> int:
    """`isokiln slice MESH -n 20 -o OUT.csl`."""
    parser = _parser("slice", "Cut a mesh by parallel or arbitrary planes into cross-sections.")
    parser.add_argument("mesh", type=Path, metavar="MESH")
    parser.add_argument("-n", type=int, default=20, metavar="N", help="how many planes (default 20)")
    parser.add_argument("--arbitrary", action="store_true", help="planes in random directions")
    parser.add_argument(
        "--axis", choices=("x", "y", "z"), help="across which axis (default the longest side)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of arbitrary planes (default 0)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=".csl or .json")
    options = parser.parse_args(arguments)
    if options.arbitrary and options.axis:
        parser.error("--axis is for parallel planes")
    check_output(options.output, [options.mesh], "cross_sections")
    mesh = _read_mesh(options.mesh)
    from recon import slicing

    axis = "xyz".index(options.axis) if options.axis else None
    planes = (
        slicing.arbitrary_planes(mesh, options.n, options.seed)
        if options.arbitrary
        else slicing.parallel_planes(mesh, options.n, axis)
    )
    sections = slicing.slice_mesh(mesh, planes)
    tell_notes(options.output, formats.write(options.output, sections))
    print(f"{options.output}: {sections.num_planes} planes, {sections.num_loops} contours")
    return 0


def samples(arguments: Sequence[str]) -> int:
    """`isokiln samples [NAME]`."""
    parser = _parser("samples", "List the bundled samples, or copy one out of the program.")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where to (default ./NAME)")
    options = parser.parse_args(arguments)
    known = {folder.name: folder for folder in sample_folders()}
    if options.name is None:
        for name, folder in known.items():
            print(f"{name}: {', '.join(sorted(file.name for file in folder.iterdir()))}")
        return 0
    if options.name not in known:
        raise InputError(f"There is no sample {options.name!r}.", f"There are: {', '.join(known)}.")
    output = options.output or Path(options.name)
    if output.exists():
        raise InputError(f"{output} exists already.", "Choose another folder with -o.")
    with resources.as_file(known[options.name]) as folder:
        shutil.copytree(folder, output)
    print(output)
    return 0


def sample_folders() -> Iterator[Traversable]:
    """The bundled samples, a folder each, by name."""
    root = resources.files("resources") / "samples"
    yield from sorted((each for each in root.iterdir() if each.is_dir()), key=lambda each: each.name)


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"isokiln {command}", description=description, allow_abbrev=False)


def _read(path: Path, options: ReadOptions = ReadOptions()) -> SceneData:
    reading = formats.read(path, options)
    tell_notes(path, reading.notes)
    return reading.data


def _read_mesh(path: Path) -> TriangleMesh:
    return _mesh_reading(path)[0]


def _mesh_reading(path: Path) -> tuple[TriangleMesh, bool]:
    """A mesh, and whether nobody said which way is up in it."""
    reading = formats.read(path)
    tell_notes(path, reading.notes)
    if not isinstance(reading.data, TriangleMesh):
        raise InputError(f"{path.name} does not hold a mesh.", "Give a PLY, OBJ, STL, GLB or 3MF file.")
    return reading.data, reading.is_up_assumed


def _read_sections(path: Path, options: ReadOptions) -> CrossSections:
    data = _read(path, options)
    if not isinstance(data, CrossSections):
        raise InputError(f"{path.name} does not hold cross-sections.", "Give what the solid was made from.")
    return data
