"""The pictures of one image that can be compared: photo, rendering, depth, normals, uncertainty, error, cues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from render import image_files
from render.images import PosedImages
from render.rendered_views import RenderedViews
from widgets.colour_maps import map_colors
from widgets.compare_canvas import ComparePicture

Picture = NDArray[np.uint8]
Number = TypeVar("Number", bound=np.generic)
_LONGEST = 1600  # pixels of a photo that is shown; more are decoded for nobody
_UNKNOWN = 128  # grey of pixels without a value

PHOTO, RENDER, ERROR = "Photo", "Render", "Error to photo"


def pictures_of(posed: PosedImages, index: int, views: RenderedViews | None) -> list[ComparePicture]:
    """Everything that there is to see of an image. Files that cannot be read are left out."""
    found: list[ComparePicture] = []
    for make in (_photo, _cues):
        found += make(posed, index)
    name = posed.images.names[index]
    if views is not None and name in views.names:
        view = views.names.index(name)
        found[1:1] = list(_rendered(views, view, posed.frame.unit))
        found += _error(posed, index, views, view)
    return found


def figures_of(name: str, views: RenderedViews | None) -> str:
    """How well an image is rendered: "PSNR 27.3 dB, held out"; "" where it is not."""
    if views is None or name not in views.names:
        return ""
    view = views.names.index(name)
    held_out = ", held out" if views.is_held_out[view] else ""
    return f"PSNR {float(views.psnr[view]):.1f} dB{held_out}"


def _photo(posed: PosedImages, index: int) -> list[ComparePicture]:
    width, height = (int(n) for n in posed.cameras.size[index])
    scale = min(1.0, _LONGEST / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = _read(lambda: image_files.read_image(posed, index, size))
    return [] if pixels is None else [ComparePicture(PHOTO, pixels)]


def _rendered(views: RenderedViews, view: int, unit: str) -> Iterator[ComparePicture]:
    yield ComparePicture(RENDER, views.rgb[view])
    hit = views.depth[view] > 0
    yield _coloured("Depth", np.where(hit, views.depth[view], np.nan), unit)
    yield ComparePicture("Normals", _normal_colors(views.normals[view], hit))
    if views.uncertainty[view].any():
        yield _coloured("Uncertainty", np.where(hit, views.uncertainty[view], np.nan), "")


def _error(posed: PosedImages, index: int, views: RenderedViews, view: int) -> list[ComparePicture]:
    """Mean difference of the colour channels, of 255."""
    height, width = views.rgb.shape[1:3]
    photo = _read(lambda: image_files.read_image(posed, index, (width, height)))
    if photo is None:
        return []
    error = np.abs(photo.astype(np.float32) - views.rgb[view]).mean(2)
    return [_coloured(ERROR, error, "", from_zero=True)]


def _cues(posed: PosedImages, index: int) -> list[ComparePicture]:
    found = []
    if posed.depth is not None and posed.depth.paths[index]:
        depth = _read(lambda: image_files.read_depth(posed, index))
        unit = posed.frame.unit if posed.depth.kind == "metric" else ""
        title = "Disparity cue" if posed.depth.kind == "disparity" else "Depth cue"
        found += [] if depth is None else [_coloured(title, depth, unit)]
    if posed.normals is not None and posed.normals.paths[index]:
        normals = _read(lambda: image_files.read_normals(posed, index))
        if normals is not None:
            known = np.asarray(np.isfinite(normals).all(-1))
            found.append(ComparePicture("Normal cue", _normal_colors(np.nan_to_num(normals), known)))
    return found


def _coloured(
    name: str, values: NDArray[np.float32], unit: str, *, from_zero: bool = False
) -> ComparePicture:
    """Values (H, W) in viridis between their 1st and 99th percentile."""
    finite = values[np.isfinite(values)]
    low, high = (float(x) for x in np.quantile(finite, [0.01, 0.99])) if len(finite) else (0.0, 1.0)
    low = 0.0 if from_zero else low
    high = high if high > low else low + 1.0
    colors = map_colors(values.reshape(-1), "viridis", (low, high)).reshape(*values.shape, 3)
    return ComparePicture(name, colors, (low, high), "" if unit == "unit" else unit)


def _normal_colors(normals: NDArray[np.float32], known: NDArray[np.bool_]) -> Picture:
    """Normals in camera axes as they are usually painted: right red, up green, towards the viewer blue."""
    colors = (normals * np.array([1, -1, -1], np.float32) + 1) * 127.5
    return np.where(known[..., None], colors.round().clip(0, 255), _UNKNOWN).astype(np.uint8)


def _read(read: Callable[[], NDArray[Number]]) -> NDArray[Number] | None:
    try:
        return read()
    except (OSError, ValueError):
        return None
