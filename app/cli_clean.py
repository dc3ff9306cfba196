"""`isokiln clean`: crop, clean and thin out a file of splats."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.cli_options import add_model_options
from app.cli_outputs import check_output, tell_notes, write_outputs
from recon import formats
from recon.errors import InputError, SettingsError
from recon.formats.export import ExportOptions
from recon.gaussian_cleaning import (
    FloaterLimits,
    fainter_than,
    floaters,
    outside_box,
    outside_sphere,
    small_pieces,
)
from recon.gaussian_decimation import decimated
from recon.gaussian_edits import with_sh_degree, without
from recon.gaussian_neighbours import neighbour_graph
from recon.method import Output
from render.gaussians import GaussianCloud

Step = Callable[[GaussianCloud], GaussianCloud]


def main(arguments: Sequence[str]) -> int:
    """Run `isokiln clean ARGUMENTS`; returns the exit status."""
    options = _parser().parse_args(arguments)
    check_output(options.output, [options.input], "gaussians")
    steps = list(_steps(options))
    if not steps:
        raise SettingsError("Nothing was asked for.", "Name what to remove; --help tells what there is.")
    before = cloud = _read_cloud(options.input)
    for name, step in steps:
        cloud = _told(name, cloud, step(cloud))
    for file in write_outputs(options.output, [Output(options.input.stem, cloud)], options):
        print(f"{file}: {len(cloud)} of {len(before)} Gaussians, degree {cloud.sh_degree}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isokiln clean",
        description="Crop, clean and thin out a file of splats, in the order of the options below; each tells how many "
        "Gaussians it removed. The endings of the files say their formats.",
        allow_abbrev=False,
    )
    parser.add_argument("input", type=Path, metavar="IN", help="a file of splats, such as .ply or .spz")
    parser.add_argument("output", type=Path, metavar="OUT")
    _add_steps(parser.add_argument_group("cleaning"))
    add_model_options(parser, ExportOptions, "writing", "write-")
    return parser


def _add_steps(group: argparse._ArgumentGroup) -> None:
    limits = FloaterLimits()
    corners = ("X0", "Y0", "Z0", "X1", "Y1", "Z1")
    add = group.add_argument
    add("--crop", type=float, nargs=6, metavar=corners, help="keep what lies between two corners of a box")
    add("--crop-sphere", type=float, nargs=4, metavar=("X", "Y", "Z", "R"), help="keep what lies in a sphere")
    add("--min-opacity", type=float, metavar="X", help="remove what is fainter (0 to 1)")
    add("--remove-floaters", action="store_true", help="remove what is isolated, nearly invisible or giant")
    add(
        "--isolation",
        type=float,
        default=limits.isolation,
        metavar="X",
        help=f"of floaters: how many times as far from its neighbours as usual (default {limits.isolation:g})",
    )
    add(
        "--max-size",
        type=float,
        default=limits.max_size,
        metavar="X",
        help="of floaters: the largest standard deviation that is not giant, as a share of the extent "
        f"(default {limits.max_size:g})",
    )
    add("--keep-largest", type=int, metavar="N", help="keep only the N largest connected pieces")
    add("--decimate", metavar="N", help="merge neighbours until N are left; or a share, such as 20%%")
    add("--sh-degree", type=int, metavar="D", help="leave out colour above this degree (0 to 4)")


def _steps(options: argparse.Namespace) -> Iterator[tuple[str, Step]]:
    """What was asked for, by name, in the order in which it is done. Raises SettingsError for values out of range."""
    if options.crop is not None:
        box = _world_from_box(options.crop)
        yield "crop", lambda cloud: without(cloud, outside_box(cloud, box))
    if options.crop_sphere is not None:
        *center, radius = options.crop_sphere
        _check(radius > 0, "--crop-sphere", "a radius above 0")
        yield "crop-sphere", lambda cloud: without(cloud, outside_sphere(cloud, center, radius))
    if options.min_opacity is not None:
        _check(0 <= options.min_opacity <= 1, "--min-opacity", "0 to 1")
        yield "min-opacity", lambda cloud: without(cloud, fainter_than(cloud, options.min_opacity))
    if options.remove_floaters:
        _check(options.isolation > 0, "--isolation", "a number above 0")
        _check(options.max_size > 0, "--max-size", "a number above 0")
        limits = FloaterLimits(isolation=options.isolation, max_size=options.max_size)
        yield "remove-floaters", lambda cloud: without(cloud, floaters(cloud, neighbour_graph(cloud), limits))
    if options.keep_largest is not None:
        _check(options.keep_largest >= 1, "--keep-largest", "1 or more")
        count = options.keep_largest
        yield "keep-largest", lambda cloud: without(cloud, small_pieces(cloud, neighbour_graph(cloud), count))
    if options.decimate is not None:
        wanted = _count_or_share(options.decimate)
        yield "decimate", lambda cloud: decimated(cloud, wanted(len(cloud)))
    if options.sh_degree is not None:
        _check(0 <= options.sh_degree <= 4, "--sh-degree", "0 to 4")
        yield "sh-degree", lambda cloud: with_sh_degree(cloud, min(options.sh_degree, cloud.sh_degree))


def _check(is_good: bool, option: str, wanted: str) -> None:
    if not is_good:
        raise SettingsError(f"{option} is out of its range.", f"Give {wanted}.")


def _world_from_box(corners: Sequence[float]) -> NDArray[np.float64]:
    """(4, 4) from [-1, 1]³ to the box between two corners, given as x0 y0 z0 x1 y1 z1."""
    low, high = np.array(corners[:3]), np.array(corners[3:])
    _check(bool((low < high).all()), "--crop", "the lower corner first, then the upper one")
    world_from_box = np.diag([*(high - low) / 2, 1.0])
    world_from_box[:3, 3] = (low + high) / 2
    return world_from_box


def _count_or_share(text: str) -> Callable[[int], int]:
    """How many Gaussians are left of how many: "5000", or "20%" of them."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = 0.0
    is_share = text.endswith("%")
    _check(
        0 < number <= 100 if is_share else number >= 1,
        "--decimate",
        "a number, 1 or more, or a share such as 20%",
    )
    return lambda count: max(1, round(count * number / 100)) if is_share else int(number)


def _told(name: str, before: GaussianCloud, after: GaussianCloud) -> GaussianCloud:
    """Print what a step removed. Raises InputError when nothing is left."""
    if not len(after):
        raise InputError(f"--{name} would leave no splat.", "Ask for less to be removed.")
    if name == "sh-degree":
        print(f"{name}: degree {before.sh_degree} to {after.sh_degree}")
    else:
        print(f"{name}: {len(before) - len(after)} removed, {len(after)} left")
    return after


def _read_cloud(path: Path) -> GaussianCloud:
    reading = formats.read(path, wanted="gaussians")
    tell_notes(path, reading.notes)
    if not isinstance(reading.data, GaussianCloud):
        raise InputError(
            f"{path.name} holds {formats.in_words(reading.data)}, no splats.", "Give a file of splats."
        )
    return reading.data
