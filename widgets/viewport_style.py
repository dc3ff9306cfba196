"""How one layer is drawn in a viewport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from render.gaussians import GaussianMarks
from widgets.colour_maps import ColorMap

Shading = Literal["shaded", "shaded+wire", "wire", "normals", "values", "points"]
SHADINGS: tuple[Shading, ...] = get_args(Shading)
SHADING_TITLES: dict[Shading, str] = {
    "shaded": "Shaded", "shaded+wire": "Shaded with edges", "wire": "Wireframe", "normals": "Normals",
    "values": "Values", "points": "Points",
}  # fmt: skip

SplatView = Literal["splats", "centers", "rings"]
SPLAT_VIEW_TITLES: dict[SplatView, str] = {"splats": "Splats", "centers": "Centres", "rings": "Rings"}
SplatColoring = Literal["color", "depth", "label", "value", "tint"]
FieldColoring = Literal["color", "depth"]
FieldVersion = Literal["edited", "original"]


@dataclass(frozen=True)
class LayerStyle:
    """Lengths are pixels of the design; the viewport scales them for dense screens.

    color: "#rrggbb", or None for the mesh's own colours (where own_colors) or the theme's clay. value_name: which of
    vertex_values the shading "values" shows; None is the first. value_range: None is all of it.
    marks: of Gaussians. splat_view: how one is drawn; splat_coloring: "label" and "value" show the column value_name,
    "tint" lays its labels over own colours, which stay where a label is below 0;
    splat_scale: times its size; sh_degree: no more than this of its colour's harmonics. label_colors: (label, "#rrggbb") pairs that differ from the usual ones. plane_opacity: of each plane's
    fill; 0 hides the planes and leaves the contours. active_plane, active_image: the one to bring out.
    field_view: of a field of views, as it is or as it was before its edit.
    """

    color: str | None = None
    opacity: float = 1.0
    shading: Shading = "shaded"
    value_name: str | None = None
    value_range: tuple[float, float] | None = None
    value_unit: str = ""
    color_map: ColorMap = "viridis"
    cull_backfaces: bool = False
    own_colors: bool = True
    line_width: float = 2.0
    point_size: float = 2.0
    label_colors: tuple[tuple[int, str], ...] = ()
    plane_opacity: float = 0.05
    active_plane: int | None = None
    active_image: int | None = None
    marks: GaussianMarks | None = None
    splat_view: SplatView = "splats"
    splat_coloring: SplatColoring = "color"
    splat_scale: float = 1.0
    sh_degree: int | None = None
    field_coloring: FieldColoring = "color"
    field_view: FieldVersion = "edited"
