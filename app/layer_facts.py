"""What the properties panel says about a layer of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from app.data_words import count_rows
from app.edit_words import provenance_rows
from app.image_places import are_lost
from app.layer_look import kind_of
from app.layers import Layer, Missing
from app.result_words import result_rows
from recon import METHODS
from render.field_pictures import Field
from render.gaussians import GaussianCloud
from render.images import ImageSet
from render.mesh import TriangleMesh
from render.radiance_field import RadianceField
from render.rendered_views import RenderedViews
from render.sdf_field import SdfField
from render.view_field import ViewField
from widgets.layer_list import KIND_ICONS
from widgets.properties_panel import LayerDisplay, LayerFacts
from widgets.theme import active_theme
from widgets.viewport_mesh_layer import clay_color
from widgets.viewport_splats_layer import label_names, value_names
from widgets.viewport_style import SHADING_TITLES, SHADINGS, SPLAT_VIEW_TITLES, FieldVersion

_OWN, _PLAIN = "", "plain"  # coloured by the mesh's own colours or the layer's one, always by the latter
_BOTH, _FRONT = "both", "front"
_ROUNDING = 1e-9  # of the largest coordinate: less is what rounding leaves of nothing
_SPLATS = "splats:"  # begins what splats are coloured by: what kind of thing, and its name
_FIELD = "field:"  # the same for fields
_DEGREES = ("Same from all sides", "Simple (SH 1)", "Finer (SH 2)", "Finest (SH 3)", "All (SH 4)")
_OF_SPLATS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "view": lambda value: {"field_view" if value in get_args(FieldVersion) else "splat_view": value},
    "degree": lambda value: {"sh_degree": int(value)},
}


def facts_of(layer: Layer) -> LayerFacts:
    """Counts, bounds, display and origin of a layer, in words."""
    return LayerFacts(
        id=layer.id,
        name=layer.name,
        kind_icon=KIND_ICONS.get(kind_of(layer), "box"),
        counts=tuple(_counts(layer)),
        bounds=tuple(_bounds(layer)),
        display=_display(layer),
        provenance=tuple(_provenance(layer)),
        locked=layer.is_locked,
        result=tuple(result_rows(layer)),
    )


def style_change(field: str, value: Any) -> dict[str, Any]:
    """The stored display values for a change in the panel."""
    if field in _OF_SPLATS:
        return _OF_SPLATS[field](value)
    if field == "color_by" and str(value).startswith(_SPLATS):
        coloring, _, name = str(value).removeprefix(_SPLATS).partition(":")
        return {"splat_coloring": coloring, "value_name": name or None, "value_range": None}
    if field == "color_by" and str(value).startswith(_FIELD):
        return {"field_coloring": str(value).removeprefix(_FIELD)}
    if field == "sides":
        return {"cull_backfaces": value == _FRONT}
    if field == "color_by" and value in (_OWN, _PLAIN):
        return {"shading": "shaded", "value_name": None, "own_colors": value != _PLAIN}
    if field == "color_by":
        return {"shading": "values", "value_name": value}
    return {field: value}


def _counts(layer: Layer) -> list[tuple[str, str]]:
    data = layer.data
    if isinstance(data, Missing):
        return [("State", "Its file was not found")]
    rows = count_rows(data, layer.marks)
    if isinstance(data, TriangleMesh):
        unit = data.frame.unit if data.frame.unit != "unit" else ""
        rows += [("Area", _amount(data.area, unit, "²")), ("Volume", _amount(data.volume, unit, "³"))]
    if are_lost(data):
        rows.insert(0, ("State", "Its images were not found"))
    return rows


def _bounds(layer: Layer) -> list[tuple[str, str]]:
    if isinstance(layer.data, Missing | ImageSet | RenderedViews):  # Pictures are nowhere.
        return []
    low, high = layer.data.bounds
    far = np.abs([low, high]).max(initial=0)
    low, high, extent = (np.where(np.abs(x) < _ROUNDING * far, 0.0, x) for x in (low, high, high - low))
    unit = layer.data.frame.unit if layer.data.frame.unit != "unit" else ""
    size = " × ".join(_number(float(x)) for x in extent)
    return [("Size", f"{size} {unit}".strip()), ("From", _point(low)), ("To", _point(high))]


def _display(layer: Layer) -> LayerDisplay | None:
    data = layer.data
    if isinstance(data, Missing | ImageSet | RenderedViews | SdfField):  # They are not drawn among the rest.
        return None
    style: Mapping[str, Any] = layer.style
    if isinstance(data, RadianceField | ViewField):
        return _field_display(data, style)
    if isinstance(data, GaussianCloud):
        return _splat_display(data, style)
    if not isinstance(data, TriangleMesh):
        return LayerDisplay(opacity=float(style.get("opacity", 1.0)))
    is_by_value = style.get("shading") == "values"
    values = tuple((name, name.capitalize()) for name in data.vertex_values)
    own = (
        ((_OWN, "Photo colours"), (_PLAIN, "One colour"))
        if data.colors is not None
        else ((_OWN, "One colour"),)
    )
    plain = _PLAIN if data.colors is not None and not style.get("own_colors", True) else _OWN
    titles = tuple((s, SHADING_TITLES[s]) for s in SHADINGS if s != "values")
    return LayerDisplay(
        color=str(style.get("color") or clay_color(active_theme())),
        opacity=float(style.get("opacity", 1.0)),
        shading="" if is_by_value else str(style.get("shading", "shaded")),
        shadings=titles,
        color_by=str(style.get("value_name") or next(iter(data.vertex_values), "")) if is_by_value else plain,
        color_bys=(*own, *values) if values or data.colors is not None else (),
        sides=_FRONT if style.get("cull_backfaces") else _BOTH,
        sides_choices=((_BOTH, "Both sides"), (_FRONT, "Front sides only")),
    )


def _splat_display(cloud: GaussianCloud, style: Mapping[str, Any]) -> LayerDisplay:
    name, degree = style.get("value_name"), style.get("sh_degree")
    coloring = str(style.get("splat_coloring", "color"))
    of_values = [(f"{_SPLATS}label:{each}", f"Labels: {each}") for each in label_names(cloud)]
    of_values += [(f"{_SPLATS}value:{each}", each.capitalize()) for each in value_names(cloud)]
    by = f"{_SPLATS}{coloring}" + (f":{name}" if name and coloring in ("label", "value") else "")
    degrees = [(str(each), _DEGREES[each]) for each in range(cloud.sh_degree + 1)]
    return LayerDisplay(
        opacity=float(style.get("opacity", 1.0)),
        color_by=next((choice for choice, _ in of_values if choice.startswith(by)), by),
        color_bys=((f"{_SPLATS}color", "Own colours"), (f"{_SPLATS}depth", "Depth"), *of_values),
        view=str(style.get("splat_view", "splats")),
        views=tuple(SPLAT_VIEW_TITLES.items()),
        degree=str(cloud.sh_degree if degree is None else min(degree, cloud.sh_degree)),
        degrees=tuple(degrees) if cloud.sh_degree else (),
        splat_scale=float(style.get("splat_scale", 1.0)),
    )


def _field_display(field: Field, style: Mapping[str, Any]) -> LayerDisplay:
    views = (("edited", "As edited"), ("original", "As it was")) if isinstance(field, ViewField) else ()
    return LayerDisplay(
        opacity=float(style.get("opacity", 1.0)),
        color_by=f"{_FIELD}{style.get('field_coloring', 'color')}",
        color_bys=((f"{_FIELD}color", "Own colours"), (f"{_FIELD}depth", "Depth")),
        view=str(style.get("field_view", "edited")) if views else "",
        views=views,
    )


def _provenance(layer: Layer) -> list[tuple[str, str]]:
    rows = []
    if layer.source is not None:
        rows.append(("File", layer.source.path.name))
    if layer.origin is not None:
        titles = {method.id: method.title for method in METHODS}
        rows.append(("Made by", titles.get(layer.origin.method, layer.origin.method)))
        rows += provenance_rows(layer.origin)
        rows.append(("Seed", str(layer.origin.seed)))
    return rows


def _number(x: float) -> str:
    return f"{x:.4g}" if abs(x) < 10_000 else f"{x:,.0f}".replace(",", "\u202f")


def _amount(x: float, unit: str, power: str) -> str:
    return f"{_number(x)} {unit}{power}" if unit else _number(x)


def _point(values: NDArray[np.float64]) -> str:
    return "  ".join(_number(float(x)) for x in values)
