"""Compiles kernels before somebody waits for them: `python -m recon.prepare [FOLDER]`.

The window starts it, with the lowest priority, after its first start on a machine. It runs methods on a bundled sample,
tiny and for a few steps, in FOLDER, and throws the results away with the folder: what numba compiled meanwhile is kept
for all later runs. It ends when its standard input does, so never later than the window.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

import recon
from recon import formats
from recon.method import RunContext
from recon.worker import limit_threads
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.scene_data import SceneData

_LOG = logging.getLogger(__name__)
_PHOTOS, _SLICES = "surface-room", "slices-bean/bean.csl"
_TINY = {"image_size": 48}
Step = Callable[[], object]


def main(arguments: Sequence[str]) -> int:
    """Prepare what can be prepared; returns 0 when all was tried. arguments: the folder for files of runs, if any."""
    place = Path(arguments[0] if arguments else tempfile.mkdtemp())
    threading.Thread(target=_end_with_input, args=(place,), daemon=True, name="standard input").start()
    limit_threads()
    give_way()
    try:
        with as_file(files("resources") / "samples") as samples:
            _try_all(steps(samples, place))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return 0


def _try_all(given: Iterable[tuple[str, Step]]) -> None:
    for name, step in given:
        try:
            step()
        except Exception:  # a run that needs it will say what is wrong, to somebody who can act
            _LOG.warning("Cannot prepare %s", name, exc_info=True)


def give_way() -> None:
    """Let everything else on the machine go first."""
    psutil.Process().nice(
        getattr(psutil, "IDLE_PRIORITY_CLASS", 19)
    )  # the class is Windows', the number others'


def steps(samples: Path, place: Path) -> Iterator[tuple[str, Step]]:
    """What is run, what the window waits for longest first. place: an empty folder for files of runs."""
    posed = formats.read(samples / _PHOTOS, wanted="posed_images").data
    assert isinstance(posed, PosedImages)
    words = {"prompt": "a night scene with snow", **_TINY}
    yield "edits of scenes", lambda: run("dn2n", {"scene": posed}, words, place)
    yield (
        "edits that change texture",
        lambda: run("dn2n", {"scene": posed}, {"prompt": "oil painting", "depth": "photos", **_TINY}, place),
    )
    made: list[SceneData] = []
    yield "splats", lambda: made.extend(run("splats", {"scene": posed}, _few_steps("splats"), place))
    yield "parts", lambda: _find_part(made, posed, place)
    yield "radiance fields", lambda: made.extend(run("nerf", {"scene": posed}, _few_steps("nerf"), place))
    yield "pictures of radiance fields", lambda: _draw(made, posed)
    slices = formats.read(samples / _SLICES, wanted="cross_sections").data
    yield "surfaces from slices", lambda: run("orex", {"sections": slices}, _few_steps("orex"), place)


def run(
    method_id: str, inputs: dict[str, SceneData], settings: dict[str, Any], place: Path
) -> list[SceneData]:
    """Run a method to its end; returns what it made."""
    method = recon.method_by_id(method_id)
    given = {slot.name: inputs.get(slot.name) for slot in method.inputs}
    folder = Path(tempfile.mkdtemp(dir=place))
    under_way = method.load()(given, method.make_settings(settings), RunContext(folder=folder))
    try:
        while True:
            next(under_way)
    except StopIteration as end:
        return [output.data for output in end.value.outputs]


def _few_steps(method_id: str) -> dict[str, Any]:
    known = recon.method_by_id(method_id).settings.model_fields
    few = {
        "steps": 10,
        "resolution": 33,
        "held_out": 4,
        "max_gaussians": 400,
        "rays": 256,
        "table_size": 12,
        **_TINY,
    }
    return {name: value for name, value in few.items() if name in known}


def _find_part(made: list[SceneData], posed: PosedImages, place: Path) -> None:
    """Half of a picture is the part, once by masks and once by strokes."""
    cloud = next(data for data in made if isinstance(data, GaussianCloud))
    for kind in ("masks", "scribbles"):
        folder = place / kind
        folder.mkdir()
        width, height = posed.cameras.size[0].tolist()
        labels = np.zeros((height, width), np.uint8)
        labels[:, width // 2 :] = 1
        Image.fromarray(labels).save((folder / Path(posed.images.names[0]).name).with_suffix(".png"))
        run("romap.part", {"cloud": cloud, "cameras": posed}, {kind: str(folder), **_TINY}, place)


def _draw(made: list[SceneData], posed: PosedImages) -> None:
    from render.field_pictures import field_picture

    field = next(data for data in made if isinstance(data, RadianceField))
    field_picture(field, posed.cameras.cam_from_world[0], (40.0, 40.0), (24.0, 18.0), (48, 36))


def _end_with_input(place: Path) -> None:
    """The window is gone when its end of the pipe is closed: then nobody needs this."""
    while os.read(0, 4096):
        pass
    shutil.rmtree(place, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
