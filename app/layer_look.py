"""How a layer of the project looks in the viewport and in the list."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from app.data_words import describe_data
from app.layers import Layer, Missing
from app.relinking import is_lost
from recon.formats import native
from render.mesh import TriangleMesh
from render.scene_data import SceneData
from widgets.layer_list import LayerRow
from widgets.viewport_style import LayerStyle

_STYLE_FIELDS = frozenset(field.name for field in fields(LayerStyle))
_VALUE_MAPS = {"distance": "diverging"}  # what has a meaningful zero in its middle


def style_of(layer: Layer, *, unit: str = "") -> LayerStyle:
    """The viewport's style from the layer's stored display values; unknown ones are left alone."""
    values: dict[str, Any] = {k: _as_stored(v) for k, v in layer.style.items() if k in _STYLE_FIELDS}
    style = LayerStyle(**values)
    if isinstance(layer.data, TriangleMesh):
        name = style.value_name or next(iter(layer.data.vertex_values), None)
        style = replace(style, value_unit=style.value_unit or unit)
        if name in _VALUE_MAPS and "color_map" not in values:
            style = replace(style, color_map=_VALUE_MAPS[name])  # type: ignore[arg-type]
    return style


def kind_of(layer: Layer) -> str:
    """The kind of a layer, also of one whose data are missing."""
    return layer.data.kind if isinstance(layer.data, Missing) else native.kind_of(layer.data)


def row_of(layer: Layer, *, is_visible: bool, badges: tuple[str, ...] = ()) -> LayerRow:
    """What the layer list shows of a layer."""
    missing = ("missing",) if is_lost(layer) else ()
    return LayerRow(
        id=layer.id,
        name=layer.name,
        kind=kind_of(layer),
        visible=is_visible,
        locked=layer.is_locked,
        swatch=str(layer.style.get("color") or ""),
        badges=(*missing, *badges),
        tooltip=describe(layer),
    )


def part_row(layer: Layer, part: LayerRow) -> LayerRow:
    """A part as a row below its layer. part: its number as the id."""
    return replace(part, id=f"{layer.id}#{part.id}", kind="part", parent=layer.id)


def part_id(row_id: str) -> tuple[str, int | None]:
    """The layer of a row, and the number of the part that it stands for, None for the layer itself."""
    layer_id, _, number = row_id.partition("#")
    return layer_id, int(number) if number else None


def describe(layer: Layer) -> str:
    """The counts of a layer, in words."""
    return (
        "Its file was not found."
        if isinstance(layer.data, Missing)
        else describe_data(layer.data, layer.marks)
    )


def measured(data: SceneData) -> SceneData:
    """The same data with what panels will ask of a mesh already known; for work off the window's thread."""
    if isinstance(data, TriangleMesh):
        _ = data.area, data.volume, data.bounds  # each keeps its answer
    return data


def _as_stored(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(_as_stored(v) for v in value) if isinstance(value, list) else value
