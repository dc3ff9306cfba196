"""One table of everything the menus, the tool bar, the keys and the command palette offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from widgets.icons import icon


@dataclass(frozen=True)
class ActionSpec:
    """One entry.

    function: dotted name of a method below the window, for example "files.save"; it is called without
    arguments, or with the new state when is_checkable. words: what else a person may call it. needs: names of
    conditions (see `Conditions`), all of which must hold. group: entries of which one is checked at a time.
    """

    id: str
    text: str
    menu: str
    function: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    words: str = ""
    needs: tuple[str, ...] = ()
    is_checkable: bool = False
    group: str = ""
    starts_section: bool = False


MENUS = (
    "File",
    "Edit",
    "Select",
    "View",
    "Images",
    "Slices",
    "Reconstruct",
    "Mesh",
    "Splats",
    "Window",
    "Help",
)

# Why an action is off, by the condition that does not hold.
REASONS = {
    "layer": "Select a layer first.",
    "layer or splats": "Select a layer or splats first.",
    "splats": "Select a layer of splats first.",
    "selected splats": "Select some splats first, for example with the rectangle (M).",
    "locked splats": "No splat is locked.",
    "deleted splats": "No splat of this layer was deleted.",
    "two splat layers": "Select two or more layers of splats first.",
    "mesh": "Select a mesh layer first.",
    "sections": "Select cross-sections first.",
    "parallel planes": "Select cross-sections first.",
    "any layer": "There is nothing in the project yet.",
    "exportable": "There is nothing to export yet.",
    "uncertainty": "Select a result that was made with Uncertainty on (All parameters).",
    "two meshes": "This compares two meshes: there must be a second one.",
    "writable": "This project is open read-only. Save it under another name.",
    "undo": "Nothing to undo.",
    "redo": "Nothing to redo.",
    "startable": "Open cross-sections first.",
    "running": "No run is active.",
    "missing": "No file of this project is missing.",
    "viewport": "Open a project first.",
    "images": "Open photos first.",
    "posed images": "Open photos with poses first.",
    "through camera": "Look through the camera of an image first.",
}


def _a(id: str, text: str, menu: str, function: str, **more: Any) -> ActionSpec:
    return ActionSpec(id, text, menu, function, **more)


# fmt: off
SPLAT_SELECTING: tuple[ActionSpec, ...] = (
    _a("select_all", "All", "Select", "splats.select_all", keys=("Ctrl+A",), needs=("splats",),
       tip="Select all splats", words="select everything splats"),
    _a("select_none", "None", "Select", "splats.select_none", keys=("Ctrl+Shift+A",), icon="x", needs=("splats",),
       tip="Select nothing", words="deselect clear selection"),
    _a("select_invert", "Invert", "Select", "splats.invert", keys=("Ctrl+Shift+I",), icon="contrast", needs=("splats",),
       tip="Invert the selection", words="opposite selection"),
    _a("select_grow", "Grow", "Select", "splats.grow", icon="expand", needs=("selected splats",),
       tip="Grow the selection to its neighbours", words="expand dilate selection"),
    _a("select_shrink", "Shrink", "Select", "splats.shrink", icon="shrink", needs=("selected splats",),
       tip="Shrink the selection by its rim", words="contract erode selection"),
    _a("splat_navigate", "Move the camera", "Select", "splat_tools.on.none", icon="mouse-pointer-2", needs=("splats",),
       is_checkable=True, starts_section=True, tip="Move the camera (Esc leaves a tool)", words="leave tool navigate"),
    _a("select_rectangle", "Rectangle", "Select", "splat_tools.on.rectangle", keys=("M",), icon="square-dashed",
       needs=("splats",), is_checkable=True, tip="Select with a rectangle", words="marquee box region"),
    _a("select_lasso", "Lasso", "Select", "splat_tools.on.lasso", keys=("L",), icon="lasso", needs=("splats",),
       is_checkable=True, tip="Select with a lasso", words="free hand draw region"),
    _a("select_polygon", "Polygon", "Select", "splat_tools.on.polygon", keys=("P",), icon="pentagon",
       needs=("splats",), is_checkable=True, tip="Select with a polygon", words="corners region"),
    _a("select_brush", "Brush", "Select", "splat_tools.on.brush", keys=("B",), icon="brush", needs=("splats",),
       is_checkable=True, tip="Select with a brush", words="paint region"),
    _a("select_flood", "Flood", "Select", "splat_tools.on.flood", icon="droplet", needs=("splats",), is_checkable=True,
       tip="Select what is of like colour all around a click", words="fill magic wand colour"),
    _a("select_eyedropper", "Similar colour", "Select", "splat_tools.on.eyedropper", icon="pipette", needs=("splats",),
       is_checkable=True, tip="Select all splats of a like colour", words="eyedropper pick color match"),
    _a("select_connected", "Connected", "Select", "splat_tools.on.connected", keys=("O",), icon="link",
       needs=("splats",), is_checkable=True, tip="Select what hangs together with a click", words="island piece"),
    _a("select_box", "Box", "Select", "splat_tools.on.box", keys=("Shift+B",), icon="cuboid", needs=("splats",),
       is_checkable=True, tip="Select with a box in space", words="cube volume"),
    _a("select_sphere", "Sphere", "Select", "splat_tools.on.sphere", icon="globe", needs=("splats",),
       is_checkable=True, tip="Select with a sphere in space", words="ball volume"),
    _a("brush_smaller", "Smaller brush", "Select", "splat_tools.smaller_brush", keys=("[",), needs=("splats",),
       words="size"),
    _a("brush_larger", "Larger brush", "Select", "splat_tools.larger_brush", keys=("]",), needs=("splats",),
       words="size"),
    _a("select_visible", "Visible only", "Select", "splat_tools.set_only_visible", keys=("N",), icon="eye",
       needs=("splats",), is_checkable=True, starts_section=True, tip="Select only what is not hidden behind others",
       words="through front depth occluded"),
    _a("select_footprint", "By footprint", "Select", "splat_tools.set_by_footprint", keys=("Shift+N",), icon="target",
       needs=("splats",), is_checkable=True, tip="Select by any part of a splat, not only by its middle",
       words="ellipse rings touch centres"),
    _a("select_values", "By property…", "Select", "splat_panels.show_histogram", icon="chart-column",
       needs=("splats",), starts_section=True, words="histogram opacity size colour distance range"),
    _a("splat_lock", "Lock", "Select", "splats.lock", icon="lock", needs=("selected splats",), starts_section=True,
       tip="Keep the selected splats from being selected and edited", words="freeze protect"),
    _a("splat_unlock", "Unlock all", "Select", "splats.unlock_all", icon="lock-open", needs=("locked splats",),
       words="unfreeze"),
    _a("splat_save_part", "Save as part", "Select", "splats.save_part", icon="puzzle", needs=("selected splats",),
       tip="Number the selected splats as a part", words="label group segment"),
)
SPLAT_EDITING: tuple[ActionSpec, ...] = (
    _a("splat_move", "Move", "Splats", "splat_tools.on.move", keys=("W",), icon="move-3d", needs=("splats",),
       is_checkable=True, tip="Move the selection", words="translate gizmo transform"),
    _a("splat_rotate", "Rotate", "Splats", "splat_tools.on.rotate", keys=("E",), icon="rotate-3d", needs=("splats",),
       is_checkable=True, tip="Rotate the selection", words="turn gizmo transform"),
    _a("splat_scale", "Scale", "Splats", "splat_tools.on.scale", keys=("R",), icon="scale-3d", needs=("splats",),
       is_checkable=True, tip="Scale the selection", words="size gizmo transform"),
    _a("splat_transform", "Transform by numbers…", "Splats", "splat_panels.show_transform", needs=("splats",),
       words="move rotate scale exact"),
    _a("splat_floaters", "Clean floaters…", "Splats", "splat_panels.show_floaters", icon="wind", needs=("splats",),
       starts_section=True, words="noise outliers remove isolated faint giant"),
    _a("splat_crop", "Crop to box…", "Splats", "splat_panels.show_crop", icon="crop", needs=("splats",),
       words="cut bounds region"),
    _a("splat_decimate", "Decimate splats…", "Splats", "splat_panels.show_decimate", needs=("splats",),
       words="reduce fewer gaussians lower count"),
    _a("splat_degree", "Reduce colour detail…", "Splats", "splat_panels.show_degree", needs=("splats",),
       words="sh degree spherical harmonics smaller"),
    _a("splat_recolor", "Recolour…", "Splats", "splat_panels.show_recolor", icon="palette", needs=("splats",),
       words="tint hue saturation brightness contrast opacity color"),
    _a("splat_split", "Split off the selection", "Splats", "splats.split", icon="ungroup", needs=("selected splats",),
       starts_section=True, words="separate layer cut"),
    _a("splat_merge", "Merge layers", "Splats", "splats.merge", icon="combine", needs=("two splat layers",),
       words="join unite one layer"),
    _a("splat_restore", "Restore deleted splats", "Splats", "splats.restore", icon="history", needs=("deleted splats",),
       words="undelete bring back"),
)
# fmt: on

ACTIONS: tuple[ActionSpec, ...] = (
    _a("new", "New project", "File", "files.new", keys=("Ctrl+N",), icon="file-plus", words="create empty start"),
    _a("open", "Open…", "File", "files.open", keys=("Ctrl+O",), icon="folder-open", words="load project"),
    _a("close", "Close project", "File", "files.close", keys=("Ctrl+W",)),
    _a("save", "Save", "File", "files.save", keys=("Ctrl+S",), icon="save", starts_section=True, words="store write"),
    _a("save_as", "Save as…", "File", "files.save_as", keys=("Ctrl+Shift+S",), words="copy rename project"),
    _a("pack", "Pack project…", "File", "packs.show", needs=("any layer",), words="zip share send archive one file"),
    _a("import", "Import…", "File", "files.import_files", keys=("Ctrl+I",), icon="import", starts_section=True,
       words="add load file slices mesh dicom nifti csl"),
    _a("import_folder", "Import folder…", "File", "files.import_folder", keys=("Ctrl+Shift+O",), icon="folder-plus",
       words="photos images scene colmap masks dicom directory"),
    _a("relink", "Relink missing files…", "File", "files.relink", needs=("missing",), words="locate find moved"),
    _a("export", "Export…", "File", "files.export", keys=("Ctrl+E",), icon="upload", needs=("exportable",),
       words="save mesh stl obj glb ply 3mf print"),
    _a("screenshot", "Screenshot…", "File", "files.screenshot", keys=("F12",), icon="camera", needs=("viewport",),
       starts_section=True, words="picture image png capture"),
    _a("screenshot_clear", "Screenshot without background…", "File", "files.screenshot_transparent",
       keys=("Ctrl+F12",), needs=("viewport",), words="transparent picture image png alpha"),
    _a("preferences", "Preferences…", "File", "shell.show_preferences", keys=("Ctrl+,",), icon="settings",
       starts_section=True, words="settings options theme scale device"),
    _a("quit", "Quit", "File", "close", keys=("Ctrl+Q",), words="exit"),
    _a("undo", "Undo", "Edit", "scene.undo", keys=("Ctrl+Z",), icon="undo-2", needs=("undo",), words="back revert"),
    _a("redo", "Redo", "Edit", "scene.redo", keys=("Ctrl+Shift+Z", "Ctrl+Y"), icon="redo-2", needs=("redo",),
       words="again forward"),
    _a("rename", "Rename", "Edit", "scene.rename_selected", keys=("F2",), needs=("layer",), starts_section=True),
    _a("duplicate", "Duplicate", "Edit", "splats.duplicate", keys=("Ctrl+D",), icon="copy", needs=("layer or splats",),
       words="copy clone layer selection"),
    _a("delete", "Delete", "Edit", "splats.delete", keys=("Del",), icon="trash-2", needs=("layer or splats",),
       words="remove layer selection"),
    _a("isolate", "Isolate", "Edit", "splats.isolate", keys=("Shift+H",), icon="scan", needs=("layer or splats",),
       starts_section=True, words="hide others only"),
    _a("show_all", "Show all", "Edit", "splats.show_all", keys=("Alt+H",), icon="eye", needs=("any layer",),
       words="visible unhide"),
    _a("hide", "Hide", "Edit", "splats.hide", keys=("H",), icon="eye-off", needs=("layer or splats",),
       words="invisible"),
    *SPLAT_SELECTING,
    _a("frame_all", "Frame all", "View", "scene.frame_all", keys=("Home",), icon="maximize", needs=("viewport",),
       words="zoom fit extents"),
    _a("frame_selected", "Frame selection", "View", "scene.frame_selected", keys=("F",), needs=("layer",),
       words="zoom focus"),
    _a("view_front", "Front", "View", "view.front", keys=("1",), needs=("viewport",), starts_section=True),
    _a("view_right", "Right", "View", "view.right", keys=("3",), needs=("viewport",)),
    _a("view_top", "Top", "View", "view.top", keys=("7",), needs=("viewport",)),
    _a("view_back", "Back", "View", "view.back", keys=("Ctrl+1",), needs=("viewport",)),
    _a("view_left", "Left", "View", "view.left", keys=("Ctrl+3",), needs=("viewport",)),
    _a("view_bottom", "Bottom", "View", "view.bottom", keys=("Ctrl+7",), needs=("viewport",)),
    _a("view_iso", "Isometric", "View", "view.iso", keys=("9",), needs=("viewport",), words="corner diagonal"),
    _a("ortho", "Orthographic", "View", "view.set_orthographic", keys=("5",), needs=("viewport",), is_checkable=True,
       words="parallel perspective projection"),
    _a("shading", "Next shading", "View", "view.cycle_shading", keys=("V",), needs=("viewport",), starts_section=True,
       words="wireframe normals shaded"),
    _a("uncertainty", "Colour by uncertainty", "View", "scene.set_uncertainty", needs=("uncertainty",),
       is_checkable=True, words="confidence spread undetermined values colours legend"),
    _a("xray", "X-ray", "View", "view.set_xray", keys=("Alt+Z",), needs=("viewport",), is_checkable=True,
       words="transparent see through"),
    _a("grid", "Grid", "View", "view.set_grid", keys=("G",), icon="grid-3x3", needs=("viewport",), is_checkable=True,
       words="floor ground"),
    _a("axes", "Axes", "View", "view.set_axes", keys=("A",), icon="axis-3d", needs=("viewport",), is_checkable=True),
    _a("frustums", "Cameras", "View", "view.set_frustums", keys=("C",), icon="layer-cameras", needs=("viewport",),
       is_checkable=True, words="frustums thumbnails photos poses"),
    _a("sparse_points", "Sparse points", "View", "view.set_sparse_points", keys=("Shift+C",), icon="layer-points",
       needs=("viewport",), is_checkable=True, words="cloud dots colmap"),
    _a("clip", "Clip plane", "View", "view.set_clip", keys=("K",), icon="scissors", needs=("viewport",),
       is_checkable=True, words="cut section inside"),
    _a("measure", "Measure distance", "View", "view.set_measuring", keys=("D",), icon="ruler", needs=("viewport",),
       is_checkable=True, words="length ruler"),
    _a("clear_measurements", "Clear measurements", "View", "view.clear_measurements", needs=("viewport",)),
    _a("slice_pane", "Slice pane", "View", "view.set_slice_pane", icon="layers-2", needs=("viewport",),
       is_checkable=True, starts_section=True, words="2d contour editor"),
    _a("full_screen", "Full screen", "View", "shell.set_full_screen", keys=("F11",), is_checkable=True),
    _a("look_through", "Look through camera", "Images", "images.look_through_current", keys=("0",), icon="video",
       needs=("posed images",), words="photo view frustum compare ground truth render"),
    _a("leave_camera", "Leave camera", "Images", "images.leave_camera", needs=("through camera",), words="back view"),
    _a("image_next", "Next image", "Images", "images.next_image", needs=("images",), starts_section=True),
    _a("image_previous", "Previous image", "Images", "images.previous_image", needs=("images",)),
    _a("image_toggle", "Use or leave out", "Images", "images.toggle_use", icon="square-check", needs=("images",),
       words="enable disable exclude photo"),
    _a("region_edit", "Edit region box", "Images", "scenes.edit_region", icon="box", needs=("posed images",),
       starts_section=True, words="crop bounds limit scene"),
    _a("region_fit", "Fit region to points", "Images", "scenes.fit_region", icon="scan", needs=("posed images",),
       words="crop box bounds"),
    _a("region_none", "Whole scene", "Images", "scenes.remove_region", needs=("posed images",), words="no box region"),
    _a("orient_points", "Orient by 3 points", "Images", "scenes.orient_points", icon="triangle", needs=("any layer",),
       starts_section=True, words="up axis floor level rotate"),
    _a("orient_floor", "Orient by the floor", "Images", "scenes.orient_floor", icon="layers", needs=("posed images",),
       words="up axis level plane rotate"),
    _a("set_scale", "Set scale from a length", "Images", "scenes.set_scale", icon="ruler", needs=("any layer",),
       words="unit metres known distance size"),
    _a("slice_next", "Next slice", "Slices", "view.next_slice", keys=("PgDown",), needs=("sections",)),
    _a("slice_previous", "Previous slice", "Slices", "view.previous_slice", keys=("PgUp",), needs=("sections",)),
    _a("slice_first", "First slice", "Slices", "view.first_slice", keys=("Ctrl+Home",), needs=("sections",)),
    _a("slice_last", "Last slice", "Slices", "view.last_slice", keys=("Ctrl+End",), needs=("sections",)),
    _a("slice_toggle", "Use this slice", "Slices", "view.toggle_slice", needs=("sections",), starts_section=True,
       words="enable disable plane leave out"),
    _a("slice_mesh", "Cut a mesh into slices…", "Slices", "meshes.slice", needs=("mesh",), starts_section=True,
       icon="layers", words="cross sections planes test"),
    _a("start", "Start", "Reconstruct", "runs.start_or_resume", keys=("F5",), icon="play", needs=("startable",),
       words="run compute reconstruct resume"),
    _a("pause", "Pause", "Reconstruct", "runs.pause", keys=("F6",), icon="pause", needs=("running",), words="hold"),
    _a("stop", "Stop and keep the result", "Reconstruct", "runs.stop", keys=("Shift+F5",), icon="square",
       needs=("running",), words="end finish"),
    _a("cancel", "Cancel run", "Reconstruct", "runs.cancel", needs=("running",), words="abort kill"),
    _a("checkpoint", "Checkpoint now", "Reconstruct", "runs.checkpoint", keys=("F8",), needs=("running",),
       starts_section=True),
    _a("preview", "Preview now", "Reconstruct", "runs.preview", keys=("F9",), needs=("running",)),
    _a("classic", "Compare with classic interpolation", "Reconstruct", "runs.start_classic", needs=("startable",),
       starts_section=True, icon="git-compare", words="linear cubic morphological rbf peer"),
    _a("clean", "Remove small parts…", "Mesh", "meshes.show_tool_components", needs=("mesh",),
       words="clean components islands debris"),
    _a("fill", "Fill holes…", "Mesh", "meshes.show_tool_holes", needs=("mesh",), words="close repair"),
    _a("smooth", "Smooth…", "Mesh", "meshes.show_tool_smooth", needs=("mesh",), words="taubin relax"),
    _a("decimate", "Decimate…", "Mesh", "meshes.show_tool_decimate", needs=("mesh",),
       words="reduce triangles simplify fewer faces"),
    _a("weld", "Weld seams…", "Mesh", "meshes.show_tool_weld", needs=("mesh",), words="merge vertices stitch repair"),
    _a("winding", "Make winding consistent…", "Mesh", "meshes.show_tool_winding", needs=("mesh",),
       words="orientation outward normals repair"),
    _a("flip", "Flip normals", "Mesh", "meshes.flip_normals", needs=("mesh",), words="invert inside out"),
    _a("compare", "Colour by distance to…", "Mesh", "meshes.compare", needs=("mesh", "two meshes"), starts_section=True,
       words="reference deviation error hausdorff"),
    _a("frame_settings", "Up axis and unit…", "Mesh", "shell.show_frame_settings", needs=("any layer",),
       words="scale metres millimetres orientation"),
    *SPLAT_EDITING,
    _a("jobs", "Jobs", "Window", "shell.show_jobs", keys=("Ctrl+J",), words="runs queue"),
    _a("plots", "Plots", "Window", "shell.show_plots", words="loss curve"),
    _a("log", "Log", "Window", "shell.show_log", keys=("Ctrl+L",), words="messages"),
    _a("history", "History", "Window", "shell.show_history", words="undo list"),
    _a("workflow_surface", "Surface from photos", "Window", "workflows.choose_surface", keys=("Alt+1",), icon="aperture",
       is_checkable=True, group="workflow", starts_section=True, words="images debsdf workspace"),
    _a("workflow_slices", "Surface from slices", "Window", "workflows.choose_slices", keys=("Alt+2",), icon="layer-slices",
       is_checkable=True, group="workflow", words="contours orex workspace"),
    _a("workflow_splats", "Gaussian splats", "Window", "workflows.choose_splats", keys=("Alt+3",), icon="layer-splats",
       is_checkable=True, group="workflow", words="clean select edit workspace"),
    _a("reset_layout", "Reset layout", "Window", "shell.reset_layout", starts_section=True, words="panels docks"),
    _a("theme", "Switch between dark and light", "Window", "shell.switch_theme", icon="sun-moon", words="theme colours"),
    _a("palette", "Find a command…", "Help", "shell.show_palette", keys=("Ctrl+Shift+P",), icon="search",
       words="search palette"),
    _a("shortcuts", "Keyboard shortcuts", "Help", "shell.show_shortcuts", keys=("Ctrl+/",), words="keys help"),
    _a("start_page", "Start page", "Help", "shell.show_start_page", icon="house"),
    _a("system_info", "System information", "Help", "shell.show_system_info", starts_section=True,
       words="report problem version gpu"),
    _a("log_folder", "Show log folder", "Help", "shell.show_log_folder"),
    _a("about", "About Isokiln", "Help", "shell.show_about", icon="info"),
)  # fmt: skip


@dataclass
class ActionTable:
    """The QActions of a window by id, with their menus; conditions switch them on and off."""

    actions: dict[str, QAction] = field(default_factory=dict)
    menus: dict[str, QMenu] = field(default_factory=dict)
    specs: dict[str, ActionSpec] = field(default_factory=dict)

    def __getitem__(self, action_id: str) -> QAction:
        return self.actions[action_id]

    def update(self, holds: Callable[[str], bool]) -> None:
        """Enable what may be done now; a disabled action's tip says why it is off."""
        for action_id, spec in self.specs.items():
            missing = next((need for need in spec.needs if not holds(need)), None)
            action = self.actions[action_id]
            action.setEnabled(missing is None)
            tip = spec.tip or spec.text.rstrip("…")
            keys = f" ({action.shortcut().toString()})" if spec.keys else ""
            action.setToolTip(f"{tip}{keys}" if missing is None else f"{tip}: {REASONS[missing]}")
            action.setProperty("reason", "" if missing is None else REASONS[missing])


def build(window: QWidget, menu_bar: QMenuBar, specs: Iterable[ActionSpec] = ACTIONS) -> ActionTable:
    """Make every action of the table, put it into its menu and connect it to the window's method."""
    table = ActionTable(menus={name: menu_bar.addMenu(name) for name in MENUS})
    groups: dict[str, QActionGroup] = {}
    for spec in specs:
        action = _make(window, spec)
        if spec.group:
            groups.setdefault(spec.group, QActionGroup(window)).addAction(action)
        menu = table.menus[spec.menu]
        if spec.starts_section:
            menu.addSeparator()
        menu.addAction(action)
        window.addAction(action)
        table.actions[spec.id], table.specs[spec.id] = action, spec
    return table


def _make(window: QWidget, spec: ActionSpec) -> QAction:
    action = QAction(spec.text, window)
    action.setObjectName(spec.id)
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    action.setProperty("keywords", spec.words)
    if spec.icon:
        action.setIcon(icon(spec.icon))
    function = attrgetter(spec.function)
    if spec.is_checkable:
        action.setCheckable(True)
        action.triggered.connect(lambda checked: function(window)(checked))
    else:
        action.triggered.connect(lambda: function(window)())
    return action
