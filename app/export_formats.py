"""The formats that layers can be exported in: which fit, what can be chosen about each, how each is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, create_model

from recon import formats
from recon.errors import InputError
from recon.formats.export import ExportOptions, ExportPlan, plan_export
from render.gaussians import GaussianCloud
from render.points import PointCloud
from render.scene_data import SCENE_DATA_KINDS
from widgets.export_rows import ExportFormat, ExportWish
from widgets.import_rows import with_basic_fields

Named = Sequence[tuple[str, Any]]  # names of layers and what they hold

POINTS = "points"  # the one format here that is no row of FILE_KINDS: points as PLY
_NOTES = {
    "glb": "Blender, web viewers, game engines",
    "obj": "Nearly every 3D program",
    "stl": "3D printing",
    "3mf": "3D printing, with unit and colours",
    "ply": "MeshLab, CloudCompare; keeps values",
    "splats": "Every program for splats; keeps everything",
    "spz": "Web viewers and apps; small",
    "compressed_splats": "SuperSplat and PlayCanvas; small",
    "splat": "Web viewers; colours do not depend on the direction",
    "splats_glb": "glTF viewers that know KHR_gaussian_splatting",
    POINTS: "MeshLab, CloudCompare: where the Gaussians are, and their colours",
    "csl": "Contours for OReX and other programs",
    "contours": "Contours with everything that is known",
}
_KINDS = {kind.id: kind for kind in formats.FILE_KINDS}
_SPLAT_OPTIONS = ("sh_degree", "up", "unit", "metres_per_unit", "on_floor")
_ONLY_SPLATS = ("sh_degree", "spz_version")
_SHOWN_BY_DIALOG = ("frame", "sidecar")
_EXPORTABLE = ("mesh", "gaussians", "points", "cross_sections")


def is_exportable(data: object) -> bool:
    """Whether scene data can be written into a file of its own here."""
    return isinstance(data, tuple(SCENE_DATA_KINDS[name] for name in _EXPORTABLE))


def fitting_formats(data: Collection[object]) -> list[ExportFormat]:
    """The formats that can hold some of this, the usual ones first; all where nothing is chosen."""
    held = [name for name in _EXPORTABLE if any(isinstance(each, SCENE_DATA_KINDS[name]) for each in data)]
    return [_format(key) for key in _NOTES if not held or any(_holds(key, name) for name in held)]


def data_of(wish: ExportWish) -> str:
    """The kind of scene data that the wished format is for."""
    return "points" if wish.format == POINTS else _KINDS[wish.format].data or ""


def options_of(wish: ExportWish) -> ExportOptions:
    """What the person chose, as the command line would have it."""
    if data_of(wish) not in ("mesh", "gaussians"):
        return ExportOptions()
    return ExportOptions.model_validate({**wish.options, "frame": wish.frame_preset, "sidecar": wish.sidecar})


def check_wish(wish: ExportWish, chosen: Sequence[object]) -> None:
    """Raises InputError where the format cannot hold what is chosen, or the name does not fit."""
    data = data_of(wish)
    if not chosen:
        raise InputError("No layer is ticked.", "Tick what to export.")
    if not all(any(isinstance(each, kind) for kind in _held_by(wish.format)) for each in chosen):
        what = {"mesh": "meshes", "gaussians": "splats", "points": "splats and points"}.get(
            data, "cross-sections"
        )
        raise InputError(
            f"This format holds {what} only.", "Untick the other layers, or choose another format."
        )
    if data in ("cross_sections", "points") and len(chosen) > 1:
        what = "one set of cross-sections" if data == "cross_sections" else "the points of one layer"
        raise InputError(f"This format holds {what}.", "Tick one layer.")
    suffix = ".ply" if wish.format == POINTS else _KINDS[wish.format].suffixes[0]
    is_short_of = not wish.path.name.lower().endswith(suffix)
    if data in ("gaussians", "points") and is_short_of:
        raise InputError(f"The name of this file ends in {suffix}.", "Type it so, or choose another format.")
    if wish.format == "splats" and wish.path.name.lower().endswith(".compressed.ply"):
        raise InputError("This ending is of compressed splats.", "Choose that format, or another name.")


def plan_of(wish: ExportWish, chosen: Named) -> ExportPlan | None:
    """What writing will do, None where the format leaves nothing to plan. Raises InputError."""
    if data_of(wish) == "mesh":
        return plan_export(wish.path, chosen, options_of(wish))
    if data_of(wish) == "gaussians":
        from recon.formats import gaussian_export

        return gaussian_export.plan_splats(wish.path, chosen, options_of(wish))
    return None


def write_wish(
    wish: ExportWish,
    chosen: Named,
    watch: Callable[[int], None],
    provenance: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Write what is wished; `watch` may end it by raising. The libraries of meshes load when one is written.

    provenance: how the layers were made, for the file beside."""
    wish.path.parent.mkdir(parents=True, exist_ok=True)
    watch(0)
    if data_of(wish) == "mesh":
        from recon.formats import mesh

        return tuple(mesh.write(wish.path, chosen, options_of(wish), provenance, watch=watch).files)
    if data_of(wish) == "gaussians":
        from recon.formats import gaussian_export

        return tuple(
            gaussian_export.write(wish.path, chosen, options_of(wish), provenance, watch=watch).files
        )
    data = chosen[0][1]
    if isinstance(data, GaussianCloud):
        from recon.formats.as_points import as_points

        data = as_points(data)
    formats.write(wish.path, data)
    return (wish.path,)


def command_words(wish: ExportWish, stored: Path, data: object) -> list[str]:
    """The command line that writes the same file from a stored layer."""
    words = ["isokiln", "convert", str(stored), str(wish.path)]
    if wish.format == POINTS and isinstance(data, GaussianCloud):
        words += ["--read-read-as", "points"]
    for name, value in options_of(wish).model_dump(exclude_defaults=True).items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--write-{'' if value else 'no-'}{option}")
        else:
            words += [f"--write-{option}", str(value)]
    return words


def _holds(key: str, data: str) -> bool:
    return data in ("points", "gaussians") if key == POINTS else _KINDS[key].data == data


def _held_by(key: str) -> tuple[type[Any], ...]:
    if key == POINTS:
        return (PointCloud, GaussianCloud)
    return (SCENE_DATA_KINDS[_KINDS[key].data or ""],)


def _format(key: str) -> ExportFormat:
    if key == POINTS:
        return ExportFormat(POINTS, "Points (PLY)", ".ply", _NOTES[key], None, "project")
    kind = _KINDS[key]
    preset = "project" if kind.data == "gaussians" else "format"
    return ExportFormat(key, kind.title, kind.suffixes[0], _NOTES[key], _options(key), preset)


def _options(key: str) -> type[BaseModel] | None:
    """The export options of a format that the dialog has no controls of its own for."""
    data = _KINDS[key].data
    if data == "gaussians":
        names = [name for name in _SPLAT_OPTIONS if key != "splat" or name != "sh_degree"]
        names = ["spz_version", *names] if key == "spz" else names
        return with_basic_fields(_model(names), [name for name in names if name in _ONLY_SPLATS])
    if data == "mesh":
        return _model([x for x in ExportOptions.model_fields if x not in (*_SHOWN_BY_DIALOG, *_ONLY_SPLATS)])
    return None


def _model(names: Sequence[str]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (ExportOptions.model_fields[name].annotation, ExportOptions.model_fields[name])
        for name in names
    }
    return create_model("FormatOptions", **fields)
