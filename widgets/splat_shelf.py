"""Where the layers' Gaussians lie in the textures, and what of them has still to be put there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.gaussians import GaussianCloud
from widgets import splat_packing as packing
from widgets.splat_order import Sample, reaches_of, sample_of
from widgets.splat_program import ROW, VIEWS
from widgets.splat_sides import WHOLE, Sides
from widgets.viewport_splats_layer import SplatsLayer

PIECE = 64 * ROW  # Gaussians packed at a time
Texels = list[tuple[str, int, NDArray[Any]]]  # texture, row, values
_COLORINGS = {"color": 0, "depth": 1, "label": 2, "value": 3, "tint": 2}


@dataclass(eq=False)
class Place:
    """One layer's rows. held: for each part, the values that are in the textures or on their way there.

    generation: rises with other places or sizes of its Gaussians. num_filled: of how many the textures once held all.
    missing: pieces that are not there yet, by part and first Gaussian; in the order in which they are packed.
    """

    layer: SplatsLayer
    row: int
    num_rows: int
    held: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    missing: dict[tuple[str, int], None] = field(default_factory=dict)
    generation: int = 0
    num_filled: int = 0
    log_range: tuple[float, float] = (0.0, 1.0)
    sample: Sample | None = None
    reaches: tuple[NDArray[np.float64], NDArray[np.float64]] | None = (
        None  # of Gaussians as they are, and grown
    )

    @property
    def first(self) -> int:
        """The index of the layer's first Gaussian among all."""
        return self.row * ROW

    @property
    def cloud(self) -> GaussianCloud:
        assert self.layer.data is not None
        return self.layer.data

    @property
    def num_ready(self) -> int:
        """How many of the first Gaussians can be drawn; what is only replaced is drawn as it was until then."""
        starts = [start for part, start in self.missing if part != "paint"]
        return max(min(starts, default=len(self.cloud)), min(self.num_filled, len(self.cloud)))


class Shelf:
    """Rows for each layer; a layer keeps its place while its number of rows stays."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.num_rows, self.band_stride = 0, 0

    def put(self, layers: Mapping[str, SplatsLayer]) -> bool:
        """Have these layers and no others. True when new textures are needed, which hold nothing yet."""
        stride = max((_stride(layer) for layer in layers.values()), default=0)
        for layer_id in tuple(self.places):
            place, layer = self.places[layer_id], layers.get(layer_id)
            if layer is not place.layer or _rows_of(layer) != place.num_rows:
                del self.places[layer_id]
        is_new = stride > self.band_stride or 2 * sum(map(_rows_of, layers.values())) < self.num_rows
        for layer_id, layer in layers.items():
            if layer_id not in self.places and not is_new:
                row = self._gap(_rows_of(layer))
                is_new = row is None
                if row is not None:
                    self.places[layer_id] = Place(layer, row, _rows_of(layer))
        if is_new:
            self._lay_out(layers, stride)
        for place in self.places.values():
            _note_changes(place)
        return is_new

    @property
    def plan(self) -> tuple[tuple[str, int, int], ...]:
        """Which Gaussians an index stands for: id, first row and number of Gaussians of each layer."""
        return tuple((layer_id, each.row, len(each.cloud)) for layer_id, each in self.places.items())

    @property
    def is_complete(self) -> bool:
        """Whether all is in the textures."""
        return not any(place.missing for place in self.places.values())

    def next_piece(self) -> tuple[Place, str, int] | None:
        """What is to be packed next."""
        for place in self.places.values():
            for part, start in place.missing:
                return place, part, start
        return None

    def rows_of_layers(self, shown: Collection[str], sides: Sides = WHOLE) -> NDArray[np.float32]:
        """(rows, 12) float32: for each row of Gaussians how its layer is drawn, see the shader.

        shown: the visible layers. sides: where in the picture they are. Where they have one opacity it dims the finished picture, not each splat.
        """
        table = np.zeros((self.num_rows, 12), np.float32)
        is_common = len({self.places[name].layer.style.opacity for name in shown}) == 1
        for layer_id, place in self.places.items():
            style, cloud = place.layer.style, place.cloud
            degree = cloud.sh_degree if style.sh_degree is None else min(style.sh_degree, cloud.sh_degree)
            is_explained = place.layer.column_name() is not None
            coloring = _COLORINGS[style.splat_coloring]
            table[place.row : place.row + place.num_rows] = [
                1.0 if is_common else style.opacity, style.splat_scale, degree, VIEWS.index(style.splat_view),
                *place.log_range, coloring if coloring < 2 or is_explained else 0, style.point_size / 2,
                cloud.is_antialiased, sides.code(layer_id), sides.shift(layer_id), sides.is_plain,
            ]  # fmt: skip
        return table

    def _gap(self, num_rows: int) -> int | None:
        """The first free rows, so many together."""
        row = 0
        for place in sorted(self.places.values(), key=lambda each: each.row):
            if place.row - row >= num_rows:
                return row
            row = place.row + place.num_rows
        return row if self.num_rows - row >= num_rows else None

    def _lay_out(self, layers: Mapping[str, SplatsLayer], stride: int) -> None:
        self.places, row = {}, 0
        for layer_id, layer in layers.items():
            self.places[layer_id] = Place(layer, row, _rows_of(layer))
            row += _rows_of(layer)
        self.num_rows, self.band_stride = row, stride


def pack(place: Place, part: str, start: int, band_stride: int) -> Texels:
    """The texels of one part of some Gaussians; for a thread of its own."""
    cloud, row = place.cloud, place.row + start // ROW
    rows = slice(start, start + PIECE)
    if part == "means":
        return [("means", row, cloud.means[rows])]
    if part == "shapes":
        if start == 0:
            place.sample = sample_of(cloud.log_scales, cloud.opacity_logits)
            place.reaches = reaches_of(cloud.means, cloud.log_scales)
        texels = packing.pack_shapes(
            cloud.quats[rows], cloud.log_scales[rows], cloud.opacity_logits[rows], place.log_range
        )
        return [("shapes", row, texels)]
    if part == "colors":
        base, bands = packing.pack_colors(cloud.sh[rows], band_stride)
        return [("base", row, base), ("bands", row, bands)]
    if part == "paint":
        return [("paint", row, place.layer.paint(rows))]
    return [("marks", row, packing.pack_marks(place.layer.style.marks, len(cloud)))]


def _note_changes(place: Place) -> None:
    for part, values in _values_of(place.layer):
        before = place.held.get(part)
        if before is not None and _are_same(before, values):
            continue
        place.held[part] = values
        place.generation += part in ("means", "shapes")
        if part == "means":
            place.reaches = None
            place.held.pop("shapes", None)  # they know how far the Gaussians reach
        if part == "shapes":
            place.log_range = packing.log_range_of(place.cloud.log_scales)
        for key in [key for key in place.missing if key[0] == part]:
            del place.missing[key]
        pieces = range(0, len(place.cloud), PIECE) if values and part != "marks" else (0,) if values else ()
        place.missing.update({(part, start): None for start in pieces})


def _values_of(layer: SplatsLayer) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What each part is made of; the same values mean the same texels."""
    cloud = layer.data
    assert cloud is not None
    yield "marks", (layer.style.marks,)
    yield "means", (cloud.means,)
    yield "shapes", (cloud.quats, cloud.log_scales, cloud.opacity_logits)
    yield "colors", (cloud.sh,)
    by = layer.colors_from()
    column = cloud.extra.get(layer.column_name() or "")
    yield "paint", (by, column, cloud.opacity_logits, cloud.log_scales) if by else ()


def _are_same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return len(a) == len(b) and all(
        x is y or (isinstance(x, tuple) and isinstance(y, tuple) and x == y)
        for x, y in zip(a, b, strict=True)
    )


def _rows_of(layer: SplatsLayer | None) -> int:
    return 0 if layer is None or layer.data is None else -(-len(layer.data) // ROW)


def _stride(layer: SplatsLayer) -> int:
    return 0 if layer.data is None else packing.band_texels(layer.data.sh_degree)
