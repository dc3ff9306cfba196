"""`isokiln render`: pictures of splats or of a field from the cameras of a scene."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cli_options import add_model_options, model_from
from app.cli_outputs import tell_notes
from app.run_progress import RunProgress
from recon import formats
from recon.errors import FormatError, InputError, SettingsError
from recon.formats.atomic_file import replacing
from recon.formats.reading import ReadOptions
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.view_field import ViewField

Color = tuple[float, float, float]
Shown = GaussianCloud | RadianceField | ViewField
Picture = tuple[NDArray[np.float32], NDArray[Any] | None]  # colours, and depth where it is wished
Draw = Callable[..., Picture]  # of cam_from_world, focal, center, size
LEAST_ALPHA = 0.5  # of splats that have a depth
THOUSANDTHS = 1000  # of the scene's unit, in PNG


def main(arguments: Sequence[str]) -> int:
    """Run `isokiln render ARGUMENTS`; returns the exit status."""
    options = _parser().parse_args(arguments)
    background = background_color(options.background)
    shown, scene = _read_shown(options.shown), _read_cameras(options.cameras, options)
    if not len(scene):
        raise InputError(f"{options.cameras.name} holds no cameras.", "Give a scene that has some.")
    files = [options.output / name for name in picture_names(scene.images.names)]
    _make_folders({file.parent for file in files})
    draw = (
        _with_depth(shown, background, options.depth) if options.depth else _without_depth(shown, background)
    )
    _draw_all(draw, scene, files)
    count = f"{len(files)} pictures" if len(files) > 1 else "1 picture"
    what = f"{len(shown)} Gaussians" if isinstance(shown, GaussianCloud) else formats.in_words(shown)
    print(f"{options.output}: {count} of {what}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isokiln render",
        description="Draw splats or a field from the cameras of a scene: one PNG a camera, named as its photo. The "
        "photos need not be there. Coordinates are taken as they stand in both files; cameras are pinholes, thus "
        "pictures are without the distortion of a lens.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "shown",
        type=Path,
        metavar="CLOUD|FIELD",
        help="a file of splats, such as .ply or .spz, or of a field (.npz)",
    )
    parser.add_argument(
        "--cameras",
        type=Path,
        required=True,
        metavar="SCENE",
        help="a scene's folder, or its file of cameras",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to fill")
    parser.add_argument(
        "--background",
        default="0,0,0",
        metavar="R,G,B",
        help="colour behind what is drawn, each within 0 … 1, or, where one is above 1, within 0 … 255 (default 0,0,0)",
    )
    parser.add_argument(
        "--depth",
        choices=("npy", "png"),
        help="write depth beside each picture, as NAME-depth.npy (float32, in the scene's unit) or NAME-depth.png "
        "(16 bits, thousandths of the scene's unit); 0 where nothing is",
    )
    add_model_options(parser, ReadOptions, "reading the scene", "read-")
    return parser


def background_color(text: str) -> Color:
    """Three numbers within 0 and 1; where one of them is above 1, all count to 255. Raises SettingsError."""
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not all(0 <= number <= 255 for number in numbers):
        sentence = f"--background cannot be {text!r}."
        raise SettingsError(sentence, "Give red, green and blue, such as 255,255,255 or 1,1,1 for white.")
    largest = 255 if max(numbers) > 1 else 1
    red, green, blue = (number / largest for number in numbers)
    return red, green, blue


def picture_names(names: Iterable[str]) -> list[Path]:
    """Where the picture of each photo goes in the folder: its name with .png.

    Photos of the same name in several folders keep their folders; of the same name but for the ending, the ending.
    """
    photos = [PurePosixPath(name) for name in names]
    flat = [Path(photo.stem) for photo in photos]
    in_folders = [Path(*_folders(photo), photo.stem) for photo in photos]
    whole = [Path(*_folders(photo), photo.name) for photo in photos]
    numbered = [path.with_name(f"{path.name}-{i + 1}") for i, path in enumerate(whole)]
    chosen = next((each for each in (flat, in_folders, whole) if _are_distinct(each)), numbered)
    return [path.with_name(path.name + ".png") for path in chosen]


def _folders(photo: PurePosixPath) -> tuple[str, ...]:
    """Folders below the scene's; none for a photo that lies elsewhere."""
    return () if photo.is_absolute() or ".." in photo.parts else photo.parts[:-1]


def _are_distinct(paths: Sequence[Path]) -> bool:
    """Whether no two are the same file, also where capitals do not count."""
    return max(Counter(str(path).casefold() for path in paths).values(), default=0) <= 1


def _read_shown(path: Path) -> Shown:
    # Up is named so that nobody is told that it was not; coordinates stay as they are.
    reading = formats.read(path, ReadOptions(up="-Y"), wanted="gaussians")
    if not isinstance(reading.data, GaussianCloud | RadianceField | ViewField):
        raise InputError(
            f"{path.name} holds neither splats nor a field: it holds {formats.in_words(reading.data)}.",
            "Give a file of Gaussian splats (.ply, .spz, .splat, .sog, …) or a field (.npz).",
        )
    tell_notes(path, reading.notes)
    return reading.data


def _read_cameras(path: Path, options: argparse.Namespace) -> PosedImages:
    wishes = model_from(options, ReadOptions, "read-").model_copy(
        update={"read_as": "scene", "missing_images": "keep"}
    )
    reading = formats.read(path, wishes)
    tell_notes(path, reading.notes)
    if not isinstance(reading.data, PosedImages):
        raise InputError(
            f"{path.name} holds no cameras.", "Give a scene with transforms.json, COLMAP's sparse, …"
        )
    return reading.data


def _make_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sentence = "The folder cannot be made."
            raise FormatError(
                folder, sentence, "Choose another place with -o.", details=str(error)
            ) from error


def _without_depth(shown: Shown, background: Color) -> Draw:
    """How a camera sees it."""

    def draw(*camera: Any) -> Picture:
        if isinstance(shown, GaussianCloud):
            from render.splat_pictures import splat_picture

            pose, focal, center, size = camera
            return splat_picture(shown, pose, focal, center, size, background), None
        from render.field_pictures import field_picture

        return field_picture(shown, *camera).over(background), None

    return _readable(draw)


def _with_depth(shown: Shown, background: Color, ending: str) -> Draw:
    """How a camera sees it, and how deep."""
    plain = _without_depth(shown, background)

    def draw(*camera: Any) -> Picture:
        if isinstance(shown, GaussianCloud):
            from render.splat_pictures import splat_depth

            depth, alpha = splat_depth(shown, *camera)
            return plain(*camera)[0], np.where(alpha >= LEAST_ALPHA, depth, 0)
        from render.field_pictures import field_picture

        picture = field_picture(shown, *camera)
        return picture.over(background), picture.depth

    def draw_as_wished(*camera: Any) -> Picture:
        rgb, depth = draw(*camera)
        assert depth is not None
        if ending == "png":
            return rgb, np.clip(np.round(depth * THOUSANDTHS), 0, 65535).astype(np.uint16)
        return rgb, depth.astype(np.float32)

    return _readable(draw_as_wished)


def _readable(draw: Draw) -> Draw:
    """The same, with a sentence for fields that cannot be drawn."""

    def told(*camera: Any) -> Picture:
        try:
            return draw(*camera)
        except ValueError as error:
            raise InputError(
                f"The field cannot be drawn: {error}.",
                "It may come from another version of this program; make it anew.",
            ) from error

    return told


def _draw_all(draw: Draw, scene: PosedImages, files: Sequence[Path]) -> None:
    cameras = scene.cameras
    tell = _teller(len(files))
    for i, file in enumerate(files):
        width, height = cameras.size[i].tolist()
        picture, depth = draw(cameras.cam_from_world[i], cameras.focal[i], cameras.center[i], (width, height))
        _write(file, (picture * 255 + 0.5).astype(np.uint8))
        if depth is not None:
            ending = ".png" if depth.dtype == np.uint16 else ".npy"
            _write(file.with_name(f"{file.stem}-depth{ending}"), depth)
        tell(i + 1)


def _write(file: Path, picture: NDArray[Any]) -> None:
    from PIL import Image

    try:
        with replacing(file) as beside:
            if file.suffix == ".npy":
                np.save(beside, picture)
            else:
                Image.fromarray(picture).save(beside)
    except OSError as error:
        advice = "Check that there is room on the disk and that you may write there."
        raise FormatError(file, "The picture cannot be written.", advice, details=str(error)) from error


def _teller(total: int) -> Callable[[int], None]:
    """A function that shows how many pictures are done."""
    progress, start = RunProgress(sys.stderr), time.monotonic()

    def tell(done: int) -> None:
        now = time.monotonic()
        speed = done / max(1e-9, now - start)
        event = {
            "event": "progress",
            "stage": "Rendering",
            "step": done,
            "total": total,
            "time": now,
            "it_s": speed,
        }
        progress.show(event)
        if done == total:
            progress.close()

    return tell
