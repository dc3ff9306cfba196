"""The tools for splats over the picture: where their buttons stand, and what is said of each."""

from __future__ import annotations

from widgets.selection_tools import LARGEST_BRUSH, SMALLEST_BRUSH
from widgets.tool_options import ToolWords

STRIP = (
    ("splat_navigate",),
    ("select_rectangle", "select_lasso", "select_polygon", "select_brush"),
    ("select_flood", "select_eyedropper", "select_connected"),
    ("select_box", "select_sphere"),
    ("splat_move", "splat_rotate", "splat_scale"),
)
TOOL_OF_ACTION = {
    key: key.partition("_")[2] if key != "splat_navigate" else "" for group in STRIP for key in group
}
BAR = ("select_invert", "hide", "isolate", "splat_save_part", "duplicate", "delete", "select_none")
FILTERS = ("select_visible", "select_footprint")
_MODES = "Shift adds, Ctrl removes, both keep the overlap"
TOOLS: dict[str, ToolWords] = {
    "rectangle": ToolWords("Rectangle", f"Drag. {_MODES}.", has_filters=True),
    "lasso": ToolWords("Lasso", f"Draw around. {_MODES}.", has_filters=True),
    "polygon": ToolWords("Polygon", "Click corners, Enter closes. Shift adds, Ctrl removes.", has_filters=True),
    "brush": ToolWords(
        "Brush", "Paint. Shift adds, Ctrl removes.", "Size", " px", (SMALLEST_BRUSH, LARGEST_BRUSH),
        is_geometric=True, has_filters=True,
    ),
    "flood": ToolWords("Flood", "Click: like colour, all around.", "Tolerance", " ΔE", (1.0, 100.0), is_geometric=True),
    "eyedropper": ToolWords("Similar colour", "Click a colour.", "Tolerance", " ΔE", (1.0, 100.0), is_geometric=True),
    "connected": ToolWords("Connected", "Click: what hangs together.", "Gap", "×", (0.25, 8.0), is_geometric=True),
    "box": ToolWords("Box", "Drag its faces.", has_volume=True),
    "sphere": ToolWords("Sphere", "Drag its middle or rim.", has_volume=True),
    "move": ToolWords("Move", "Drag an arrow. X, Y, Z keep to an axis."),
    "rotate": ToolWords("Rotate", "Drag a ring. Ctrl: steps of 15°."),
    "scale": ToolWords("Scale", "Drag outwards."),
}  # fmt: skip
