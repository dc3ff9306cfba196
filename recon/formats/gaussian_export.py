"""What comes of it when splats leave the project: axes, unit, degree of colours, size, what the format cannot hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.formats import (
    gaussian_compressed_ply,
    gaussian_gltf,
    gaussian_ply,
    splat_file,
    spz,
)
from recon.formats.atomic_file import replacing
from recon.formats.export import (
    FRAME_PRESETS,
    ExportOptions,
    ExportPlan,
    floor_offset,
    rotation_between,
    unique_names,
)
from recon.formats.mesh import description
from recon.formats.watched_file import Watch, WatchedFile
from render.frame import METRES_PER_UNIT, Axis, Frame, Unit
from render.gaussians import GaussianCloud
from render.transforms import Similarity3

SUFFIXES = (".compressed.ply", ".ply", ".spz", ".splat", ".glb")
_Y_UP = (".spz", ".glb")  # formats whose axes are turned about X: what is -Y in the project is +Y in the file
_AS_UP_AND_BACK = np.diag([1.0, -1.0, -1.0, 1.0])
_MOST_DEGREE = {".splat": 0, ".compressed.ply": 3}
_SPZ_VERSIONS: Mapping[str, spz.SpzVersion] = {"2": 2, "3": 3, "4": 4}
_KEEPS_EXTRA = (".ply",)
_LOG_SCALES = {".spz": (-10.0, 5.9375), ".compressed.ply": (-20.0, 20.0)}  # what the format can hold


@dataclass(frozen=True, eq=False)
class WrittenSplats:
    """What was written: the files, and what the person should know about it."""

    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    plan: ExportPlan


def suffix_of(path: Path) -> str:
    """The ending that says the format, such as .compressed.ply; "" where no format of splats has it."""
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")


def plan_splats(
    path: Path, clouds: Sequence[tuple[str, GaussianCloud]], options: ExportOptions = ExportOptions()
) -> ExportPlan:
    """Work out axes, unit, size and warnings without writing.

    Nothing is turned or scaled but by `up`, `unit` or a preset that names them. Raises InputError for an unknown
    ending, nothing to write, or clouds in different frames.
    """
    suffix = suffix_of(path)
    _check(path, suffix, clouds)
    frame = clouds[0][1].frame
    matrix, placed = _placement(suffix, clouds, options)
    corners = [_turned(cloud, matrix) for _, cloud in clouds]
    low, high = np.min([c[0] for c in corners], axis=0), np.max([c[1] for c in corners], axis=0)
    return ExportPlan(
        _files(path, suffix, clouds, options),
        _AS_UP_AND_BACK @ matrix if suffix in _Y_UP else matrix,
        _flipped(placed.up) if suffix in _Y_UP else placed.up,
        placed.unit,
        placed.patient_axes,
        high - low,
        sum(_estimated_bytes(suffix, _with_degree(cloud, suffix, options)) for _, cloud in clouds),
        tuple(_warnings(suffix, clouds, options)),
        _is_scale_unknown(frame, options),
    )


def write(
    path: Path,
    clouds: Sequence[tuple[str, GaussianCloud]],
    options: ExportOptions = ExportOptions(),
    provenance: Mapping[str, Any] | None = None,
    watch: Watch = lambda num_bytes: None,
) -> WrittenSplats:
    """Write named clouds in the format of the path's ending, one file each; all files whole, or none.

    provenance: more to say in the sidecar, as JSON values. watch: called with the bytes of each piece before it is
    written; what it raises ends the writing. Raises InputError as plan_splats does, OSError for a full disk.
    """
    plan = plan_splats(path, clouds, options)
    suffix = suffix_of(path)
    matrix, frame = _placement(suffix, clouds, options)
    with ExitStack() as stack:
        places = [stack.enter_context(replacing(file)) for file in plan.files]
        files = [stack.enter_context(WatchedFile(place, watch)) for place in places]
        for file, (_, cloud) in zip(files, clouds, strict=False):
            _writer(suffix, options)(file, _placed(_with_degree(cloud, suffix, options), matrix, frame))
        if options.sidecar:
            names = unique_names([name for name, _ in clouds])
            text = json.dumps(description(plan, names, provenance, "splats"), indent=2)
            files[-1].write(text.encode())
    return WrittenSplats(plan.files, plan.warnings, plan)


def _writer(suffix: str, options: ExportOptions) -> Any:
    if suffix == ".spz":
        return partial(spz.write_file, version=_SPZ_VERSIONS[options.spz_version])
    modules = {
        ".ply": gaussian_ply,
        ".compressed.ply": gaussian_compressed_ply,
        ".splat": splat_file,
        ".glb": gaussian_gltf,
    }
    return modules[suffix].write_file


def _check(path: Path, suffix: str, clouds: Sequence[tuple[str, GaussianCloud]]) -> None:
    if not suffix:
        ending = path.suffix or "a file without ending"
        raise InputError(f"Splats cannot be written as {ending}.", f"Choose one of {', '.join(SUFFIXES)}.")
    if not clouds or any(not len(cloud) for _, cloud in clouds):
        raise InputError("There is nothing to write: no Gaussians.", "Choose layers that hold splats.")
    if any(cloud.frame != clouds[0][1].frame for _, cloud in clouds):
        raise InputError("The splats have different units or axes.", "Write them one by one.")
    if suffix == ".spz" and not all(spz.holds_positions(cloud) for _, cloud in clouds):
        raise InputError(
            "SPZ cannot hold positions beyond eight million units.", "Choose PLY, or another unit."
        )


def _placement(
    suffix: str, clouds: Sequence[tuple[str, GaussianCloud]], options: ExportOptions
) -> tuple[np.ndarray, Frame]:
    """(4, 4) what is done to the project's numbers before the format's own axes, and the frame of the result."""
    project = clouds[0][1].frame
    preset = FRAME_PRESETS[options.frame]
    wanted: Axis | None = options.up or preset.up
    if wanted is not None and suffix in _Y_UP:
        wanted = _flipped(wanted)  # what the format flips back
    up = wanted or project.up
    unit = _unit(project, options)
    scale = _scale(project, unit, options)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_between(project.up, up) * scale
    if options.on_floor or preset.is_on_floor:
        corners = [_turned(cloud, matrix) for _, cloud in clouds]
        low, high = np.min([c[0] for c in corners], axis=0), np.max([c[1] for c in corners], axis=0)
        matrix[:3, 3] = -floor_offset(low, high, up)
    axes = project.patient_axes if up == project.up else None
    return matrix, Frame(up, unit, axes)


def _flipped(axis: Axis) -> Axis:
    """The axis after a half turn about X."""
    turned: dict[Axis, Axis] = {"+Y": "-Y", "-Y": "+Y", "+Z": "-Z", "-Z": "+Z"}
    return turned.get(axis, axis)


def _unit(project: Frame, options: ExportOptions) -> Unit:
    return options.unit or FRAME_PRESETS[options.frame].unit or project.unit


def _scale(project: Frame, unit: Unit, options: ExportOptions) -> float:
    """File units a project unit; one unit counts as a metre where nobody said how long it is."""
    if unit == project.unit or unit not in METRES_PER_UNIT:
        return 1.0
    return (project.metres_per_unit or options.metres_per_unit or 1.0) / METRES_PER_UNIT[unit]


def _is_scale_unknown(project: Frame, options: ExportOptions) -> bool:
    is_said = project.metres_per_unit is not None or options.metres_per_unit is not None
    return _unit(project, options) not in ("unit", project.unit) and not is_said


def _turned(cloud: GaussianCloud, matrix: np.ndarray) -> np.ndarray:
    """(2, 3) the corners of the means after quarter turns."""
    ends = cloud.bounds @ matrix[:3, :3].T + matrix[:3, 3]
    return np.stack([ends.min(0), ends.max(0)])


def _placed(cloud: GaussianCloud, matrix: np.ndarray, frame: Frame) -> GaussianCloud:
    if np.array_equal(matrix, np.eye(4)):
        return replace(cloud, frame=frame)
    scale = float(np.cbrt(np.linalg.det(matrix[:3, :3])))
    return cloud.transformed(Similarity3(matrix[:3, :3] / scale, matrix[:3, 3], scale), frame)


def _degree(cloud: GaussianCloud, suffix: str, options: ExportOptions) -> int:
    most = 3 if suffix == ".spz" and options.spz_version != "4" else _MOST_DEGREE.get(suffix, 4)
    return min(cloud.sh_degree, most, 4 if options.sh_degree is None else options.sh_degree)


def _with_degree(cloud: GaussianCloud, suffix: str, options: ExportOptions) -> GaussianCloud:
    count = (_degree(cloud, suffix, options) + 1) ** 2
    return cloud if count == cloud.sh.shape[1] else replace(cloud, sh=cloud.sh[:, :count])


def _files(
    path: Path, suffix: str, clouds: Sequence[tuple[str, GaussianCloud]], options: ExportOptions
) -> tuple[Path, ...]:
    stem, ending = path.name[: -len(suffix)], path.name[-len(suffix) :]
    files = [path]
    if len(clouds) > 1:
        plain = [re.sub(r"[^\w.-]+", "-", name).strip("-.") or "splats" for name, _ in clouds]
        files = [path.with_name(f"{stem}-{name}{ending}") for name in unique_names(plain)]
    if options.sidecar:
        files.append(path.with_name(f"{stem}.export.json"))
    return tuple(files)


def _warnings(suffix: str, clouds: Sequence[tuple[str, GaussianCloud]], options: ExportOptions) -> list[str]:
    """What of the clouds the format does not hold, and what other programs may take it for."""
    title = suffix.removeprefix(".").upper().replace("COMPRESSED.PLY", "Compressed PLY")
    all_clouds = [cloud for _, cloud in clouds]
    frame = all_clouds[0].frame
    found = []
    if _is_scale_unknown(frame, options):
        found.append("The scale is not set: one unit of the project is taken for one metre.")
    extra = sorted({name for cloud in all_clouds for name in cloud.extra})
    if extra and suffix not in _KEEPS_EXTRA:
        found.append(f"{title} keeps no further columns such as {extra[0]}; PLY does.")
    wanted = 4 if options.sh_degree is None else options.sh_degree
    lost = [c for c in all_clouds if _degree(c, suffix, options) < min(c.sh_degree, wanted)]
    if lost:
        kept = _degree(lost[0], suffix, options)
        found.append(
            f"{title} keeps colours of degree {kept} at most."
            if kept
            else f"{title} keeps no colours that depend on the direction."
        )
    if suffix == ".splat" and any(cloud.is_antialiased for cloud in all_clouds):
        found.append("SPLAT does not keep that the splats were trained with anti-aliasing.")
    low, high = _LOG_SCALES.get(suffix, (-np.inf, np.inf))
    num_clipped = sum(int(((c.log_scales < low) | (c.log_scales > high)).any(1).sum()) for c in all_clouds)
    if num_clipped:
        found.append(
            f"{num_clipped} Gaussians are smaller or larger than {title} can hold, and change their size."
        )
    preset = FRAME_PRESETS[options.frame]
    if suffix in _Y_UP and not (options.up or preset.up) and frame.up != "-Y":
        up = _flipped(frame.up)
        found.append(
            f"Other programs take +Y for up; in this file {up} is. Choose +Y as the up axis to turn it."
        )
    return found


def _estimated_bytes(suffix: str, cloud: GaussianCloud) -> int:
    """By what a Gaussian takes in the format; of SPZ as measured on captures."""
    count, higher = len(cloud), (cloud.sh_degree + 1) ** 2 - 1
    if suffix == ".ply":
        extra = sum(values.nbytes for values in cloud.extra.values())
        return 1500 + count * (68 + 12 * higher) + extra
    if suffix == ".compressed.ply":
        return 1500 + count * (16 + 3 * higher) + 72 * -(-count // 256)
    if suffix == ".splat":
        return 32 * count
    if suffix == ".spz":
        return 200 + int(count * (15 + 1.2 * higher))
    return 4000 + count * (64 + 12 * higher)
