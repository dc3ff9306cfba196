"""3MF: written by hand in millimetres, read through trimesh; a zip archive, so its size is checked first."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import quoteattr

from recon.errors import FormatError
from recon.formats.glb import joined_scene
from recon.formats.mesh_file import DAMAGED_ADVICE, FileMesh, write_rows
from render.frame import Unit

_UNITS: dict[str, Unit] = {
    "micron": "um",
    "millimeter": "mm",
    "centimeter": "cm",
    "inch": "in",
    "foot": "ft",
    "meter": "m",
}
_MODEL = "3D/3dmodel.model"
_LARGEST_MODEL = 2 * 2**30  # bytes unpacked
_CONTENT_TYPES = b"""<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>
"""
_RELATIONS = b"""<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="/3D/3dmodel.model" Id="rel0" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>
"""


def read(path: Path) -> FileMesh:
    """All items that the file would print, in its unit. Raises FormatError."""
    unit = _unit(path)
    import trimesh

    with path.open("rb") as file:
        scene = trimesh.load_scene(file, file_type="3mf", process=False)
    mesh = joined_scene(path, scene, decode_colors=lambda rgb: rgb)
    return replace(mesh, unit=unit, up="+Z")


def _unit(path: Path) -> Unit:
    """The unit of the model's root element; millimetre where it says none, as the format has it."""
    if not zipfile.is_zipfile(path):
        raise FormatError(path, "The file is no 3MF archive.", DAMAGED_ADVICE)
    with zipfile.ZipFile(path) as archive:
        parts = [each for each in archive.infolist() if each.filename.lower().endswith(_MODEL.lower())]
        if not parts:
            raise FormatError(path, "The archive holds no 3D model.", "Choose a 3MF file with a mesh.")
        if sum(each.file_size for each in archive.infolist()) > _LARGEST_MODEL:
            raise FormatError(
                path, "The archive would take more than 2 GiB unpacked.", "Thin out its meshes."
            )
        with archive.open(parts[0]) as model:
            head = model.read(2**16).decode("utf-8", "replace")
    if "<!DOCTYPE" in head or "<!ENTITY" in head:
        raise FormatError(path, "The model declares entities, which 3MF does not allow.", DAMAGED_ADVICE)
    found = re.search(r"<(?:\w+:)?model\b[^>]*?\bunit\s*=\s*[\"'](\w+)[\"']", head)
    return _UNITS.get(found[1] if found else "millimeter", "mm")


def write(file: BinaryIO, meshes: Sequence[tuple[str, FileMesh]]) -> None:
    """Millimetres, one object and one item a mesh."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        with archive.open(_MODEL, "w", force_zip64=True) as model:
            model.write(
                b'<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" '
                b'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">\n'
                b'<metadata name="Application">Isokiln</metadata>\n<resources>\n'
            )
            for number, (name, mesh) in enumerate(meshes, 1):
                model.write(
                    f'<object id="{number}" name={quoteattr(name)} type="model"><mesh><vertices>\n'.encode()
                )
                write_rows(model, '<vertex x="%.9g" y="%.9g" z="%.9g"/>\n', mesh.vertices)
                model.write(b"</vertices><triangles>\n")
                write_rows(model, '<triangle v1="%d" v2="%d" v3="%d"/>\n', mesh.faces)
                model.write(b"</triangles></mesh></object>\n")
            items = "".join(f'<item objectid="{number}"/>\n' for number in range(1, len(meshes) + 1))
            model.write(f"</resources>\n<build>\n{items}</build>\n</model>\n".encode())
