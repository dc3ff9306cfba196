"""One table of everything the menus, the tool bar, the keys and the command palette offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.action_spec import ActionSpec, entry
from app.edit_actions import EDIT_ACTIONS
from app.splat_actions import SPLAT_EDITING, SPLAT_SELECTING
from widgets.icons import icon

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
    "Edits",
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
    "editable": "Choose a part of splats, or a scene of photos, first.",
    "pending edit": "No edit waits to be accepted.",
    "pending edit with a seed": "No edit waits that another seed would change.",
    "versions": "There is nothing to compare: make an edit first.",
}


ACTIONS: tuple[ActionSpec, ...] = (
    entry("new", "New project", "File", "files.new", keys=("Ctrl+N",), icon="file-plus", words="create empty start"),
    entry("open", "Open…", "File", "files.open", keys=("Ctrl+O",), icon="folder-open", words="load project"),
    entry("close", "Close project", "File", "files.close", keys=("Ctrl+W",)),
    entry("save", "Save", "File", "files.save", keys=("Ctrl+S",), icon="save", starts_section=True, words="store write"),
    entry("save_as", "Save as…", "File", "files.save_as", keys=("Ctrl+Shift+S",), words="copy rename project"),
    entry("pack", "Pack project…", "File", "packs.show", needs=("any layer",), words="zip share send archive one file"),
    entry("import", "Import…", "File", "files.import_files", keys=("Ctrl+I",), icon="import", starts_section=True,
       words="add load file slices mesh dicom nifti csl"),
    entry("import_folder", "Import folder…", "File", "files.import_folder", keys=("Ctrl+Shift+O",), icon="folder-plus",
       words="photos images scene colmap masks dicom directory"),
    entry("relink", "Relink missing files…", "File", "files.relink", needs=("missing",), words="locate find moved"),
    entry("export", "Export…", "File", "files.export", keys=("Ctrl+E",), icon="upload", needs=("exportable",),
       words="save mesh stl obj glb ply 3mf print"),
    entry("screenshot", "Screenshot…", "File", "files.screenshot", keys=("F12",), icon="camera", needs=("viewport",),
       starts_section=True, words="picture image png capture"),
    entry("screenshot_clear", "Screenshot without background…", "File", "files.screenshot_transparent",
       keys=("Ctrl+F12",), needs=("viewport",), words="transparent picture image png alpha"),
    entry("film", "Film or turntable…", "File", "paths.film_turntable", icon="film", needs=("viewport",),
       words="video mp4 camera path animation turntable export"),
    entry("preferences", "Preferences…", "File", "shell.show_preferences", keys=("Ctrl+,",), icon="settings",
       starts_section=True, words="settings options theme scale device"),
    entry("quit", "Quit", "File", "close", keys=("Ctrl+Q",), words="exit"),
    entry("undo", "Undo", "Edit", "scene.undo", keys=("Ctrl+Z",), icon="undo-2", needs=("undo",), words="back revert"),
    entry("redo", "Redo", "Edit", "scene.redo", keys=("Ctrl+Shift+Z", "Ctrl+Y"), icon="redo-2", needs=("redo",),
       words="again forward"),
    entry("rename", "Rename", "Edit", "scene.rename_selected", keys=("F2",), needs=("layer",), starts_section=True),
    entry("duplicate", "Duplicate", "Edit", "splats.duplicate", keys=("Ctrl+D",), icon="copy", needs=("layer or splats",),
       words="copy clone layer selection"),
    entry("delete", "Delete", "Edit", "splats.delete", keys=("Del",), icon="trash-2", needs=("layer or splats",),
       words="remove layer selection"),
    entry("isolate", "Isolate", "Edit", "splats.isolate", keys=("Shift+H",), icon="scan", needs=("layer or splats",),
       starts_section=True, words="hide others only"),
    entry("show_all", "Show all", "Edit", "splats.show_all", keys=("Alt+H",), icon="eye", needs=("any layer",),
       words="visible unhide"),
    entry("hide", "Hide", "Edit", "splats.hide", keys=("H",), icon="eye-off", needs=("layer or splats",),
       words="invisible"),
    *SPLAT_SELECTING,
    entry("frame_all", "Frame all", "View", "scene.frame_all", keys=("Home",), icon="maximize", needs=("viewport",),
       words="zoom fit extents"),
    entry("frame_selected", "Frame selection", "View", "scene.frame_selected", keys=("F",), needs=("layer",),
       words="zoom focus"),
    entry("view_front", "Front", "View", "view.front", keys=("1",), needs=("viewport",), starts_section=True),
    entry("view_right", "Right", "View", "view.right", keys=("3",), needs=("viewport",)),
    entry("view_top", "Top", "View", "view.top", keys=("7",), needs=("viewport",)),
    entry("view_back", "Back", "View", "view.back", keys=("Ctrl+1",), needs=("viewport",)),
    entry("view_left", "Left", "View", "view.left", keys=("Ctrl+3",), needs=("viewport",)),
    entry("view_bottom", "Bottom", "View", "view.bottom", keys=("Ctrl+7",), needs=("viewport",)),
    entry("view_iso", "Isometric", "View", "view.iso", keys=("9",), needs=("viewport",), words="corner diagonal"),
    entry("ortho", "Orthographic", "View", "view.set_orthographic", keys=("5",), needs=("viewport",), is_checkable=True,
       words="parallel perspective projection"),
    entry("shading", "Next shading", "View", "view.cycle_shading", keys=("V",), needs=("viewport",), starts_section=True,
       words="wireframe normals shaded"),
    entry("uncertainty", "Colour by uncertainty", "View", "scene.set_uncertainty", needs=("uncertainty",),
       is_checkable=True, words="confidence spread undetermined values colours legend"),
    entry("xray", "X-ray", "View", "view.set_xray", keys=("Alt+Z",), needs=("viewport",), is_checkable=True,
       words="transparent see through"),
    entry("grid", "Grid", "View", "view.set_grid", keys=("G",), icon="grid-3x3", needs=("viewport",), is_checkable=True,
       words="floor ground"),
    entry("axes", "Axes", "View", "view.set_axes", keys=("A",), icon="axis-3d", needs=("viewport",), is_checkable=True),
    entry("frustums", "Cameras", "View", "view.set_frustums", keys=("C",), icon="layer-cameras", needs=("viewport",),
       is_checkable=True, words="frustums thumbnails photos poses"),
    entry("sparse_points", "Sparse points", "View", "view.set_sparse_points", keys=("Shift+C",), icon="layer-points",
       needs=("viewport",), is_checkable=True, words="cloud dots colmap"),
    entry("clip", "Clip plane", "View", "view.set_clip", keys=("K",), icon="scissors", needs=("viewport",),
       is_checkable=True, words="cut section inside"),
    entry("measure", "Measure distance", "View", "view.set_measuring", keys=("D",), icon="ruler", needs=("viewport",),
       is_checkable=True, words="length ruler"),
    entry("clear_measurements", "Clear measurements", "View", "view.clear_measurements", needs=("viewport",)),
    entry("slice_pane", "Slice pane", "View", "view.set_slice_pane", icon="layers-2", needs=("viewport",),
       is_checkable=True, starts_section=True, words="2d contour editor"),
    entry("camera_path", "Camera path", "View", "paths.show", icon="video", needs=("viewport",), starts_section=True,
       words="keyframes turntable fly film play animation"),
    entry("path_add_view", "Add view to camera path", "View", "paths.add_view", needs=("viewport",),
       words="keyframe camera path"),
    entry("full_screen", "Full screen", "View", "shell.set_full_screen", keys=("F11",), is_checkable=True),
    entry("look_through", "Look through camera", "Images", "images.look_through_current", keys=("0",), icon="video",
       needs=("posed images",), words="photo view frustum compare ground truth render"),
    entry("leave_camera", "Leave camera", "Images", "images.leave_camera", needs=("through camera",), words="back view"),
    entry("image_next", "Next image", "Images", "images.next_image", needs=("images",), starts_section=True),
    entry("image_previous", "Previous image", "Images", "images.previous_image", needs=("images",)),
    entry("image_toggle", "Use or leave out", "Images", "images.toggle_use", icon="square-check", needs=("images",),
       words="enable disable exclude photo"),
    entry("region_edit", "Edit region box", "Images", "scenes.edit_region", icon="box", needs=("posed images",),
       starts_section=True, words="crop bounds limit scene"),
    entry("region_fit", "Fit region to points", "Images", "scenes.fit_region", icon="scan", needs=("posed images",),
       words="crop box bounds"),
    entry("region_none", "Whole scene", "Images", "scenes.remove_region", needs=("posed images",), words="no box region"),
    entry("orient_points", "Orient by 3 points", "Images", "scenes.orient_points", icon="triangle", needs=("any layer",),
       starts_section=True, words="up axis floor level rotate"),
    entry("orient_floor", "Orient by the floor", "Images", "scenes.orient_floor", icon="layers", needs=("posed images",),
       words="up axis level plane rotate"),
    entry("set_scale", "Set scale from a length", "Images", "scenes.set_scale", icon="ruler", needs=("any layer",),
       words="unit metres known distance size"),
    entry("slice_next", "Next slice", "Slices", "view.next_slice", keys=("PgDown",), needs=("sections",)),
    entry("slice_previous", "Previous slice", "Slices", "view.previous_slice", keys=("PgUp",), needs=("sections",)),
    entry("slice_first", "First slice", "Slices", "view.first_slice", keys=("Ctrl+Home",), needs=("sections",)),
    entry("slice_last", "Last slice", "Slices", "view.last_slice", keys=("Ctrl+End",), needs=("sections",)),
    entry("slice_toggle", "Use this slice", "Slices", "view.toggle_slice", needs=("sections",), starts_section=True,
       words="enable disable plane leave out"),
    entry("slice_mesh", "Cut a mesh into slices…", "Slices", "meshes.slice", needs=("mesh",), starts_section=True,
       icon="layers", words="cross sections planes test"),
    entry("start", "Start", "Reconstruct", "runs.start_or_resume", keys=("F5",), icon="play", needs=("startable",),
       words="run compute reconstruct resume"),
    entry("pause", "Pause", "Reconstruct", "runs.pause", keys=("F6",), icon="pause", needs=("running",), words="hold"),
    entry("stop", "Stop and keep the result", "Reconstruct", "runs.stop", keys=("Shift+F5",), icon="square",
       needs=("running",), words="end finish"),
    entry("cancel", "Cancel run", "Reconstruct", "runs.cancel", needs=("running",), words="abort kill"),
    entry("checkpoint", "Checkpoint now", "Reconstruct", "runs.checkpoint", keys=("F8",), needs=("running",),
       starts_section=True),
    entry("preview", "Preview now", "Reconstruct", "runs.preview", keys=("F9",), needs=("running",)),
    entry("classic", "Compare with classic interpolation", "Reconstruct", "runs.start_classic", needs=("startable",),
       starts_section=True, icon="git-compare", words="linear cubic morphological rbf peer"),
    entry("clean", "Remove small parts…", "Mesh", "meshes.show_tool_components", needs=("mesh",),
       words="clean components islands debris"),
    entry("fill", "Fill holes…", "Mesh", "meshes.show_tool_holes", needs=("mesh",), words="close repair"),
    entry("smooth", "Smooth…", "Mesh", "meshes.show_tool_smooth", needs=("mesh",), words="taubin relax"),
    entry("decimate", "Decimate…", "Mesh", "meshes.show_tool_decimate", needs=("mesh",),
       words="reduce triangles simplify fewer faces"),
    entry("weld", "Weld seams…", "Mesh", "meshes.show_tool_weld", needs=("mesh",), words="merge vertices stitch repair"),
    entry("winding", "Make winding consistent…", "Mesh", "meshes.show_tool_winding", needs=("mesh",),
       words="orientation outward normals repair"),
    entry("flip", "Flip normals", "Mesh", "meshes.flip_normals", needs=("mesh",), words="invert inside out"),
    entry("compare", "Colour by distance to…", "Mesh", "meshes.compare", needs=("mesh", "two meshes"), starts_section=True,
       words="reference deviation error hausdorff"),
    entry("frame_settings", "Up axis and unit…", "Mesh", "shell.show_frame_settings", needs=("any layer",),
       words="scale metres millimetres orientation"),
    *SPLAT_EDITING,
    *EDIT_ACTIONS,
    entry("jobs", "Jobs", "Window", "shell.show_jobs", keys=("Ctrl+J",), words="runs queue"),
    entry("plots", "Plots", "Window", "shell.show_plots", words="loss curve"),
    entry("log", "Log", "Window", "shell.show_log", keys=("Ctrl+L",), words="messages"),
    entry("history", "History", "Window", "shell.show_history", words="undo list"),
    entry("workflow_surface", "Surface from photos", "Window", "workflows.choose_surface", keys=("Alt+1",), icon="aperture",
       is_checkable=True, group="workflow", starts_section=True, words="images debsdf workspace"),
    entry("workflow_slices", "Surface from slices", "Window", "workflows.choose_slices", keys=("Alt+2",), icon="layer-slices",
       is_checkable=True, group="workflow", words="contours orex workspace"),
    entry("workflow_splats", "Gaussian splats", "Window", "workflows.choose_splats", keys=("Alt+3",), icon="layer-splats",
       is_checkable=True, group="workflow", words="clean select edit workspace"),
    entry("workflow_text", "Edit a scene by words", "Window", "workflows.choose_text", keys=("Alt+4",),
       icon="wand-sparkles", is_checkable=True, group="workflow", words="prompt restyle dn2n nerf field workspace"),
    entry("reset_layout", "Reset layout", "Window", "shell.reset_layout", starts_section=True, words="panels docks"),
    entry("theme", "Switch between dark and light", "Window", "shell.switch_theme", icon="sun-moon", words="theme colours"),
    entry("palette", "Find a command…", "Help", "shell.show_palette", keys=("Ctrl+Shift+P",), icon="search",
       words="search palette"),
    entry("shortcuts", "Keyboard shortcuts", "Help", "shell.show_shortcuts", keys=("Ctrl+/",), words="keys help"),
    entry("start_page", "Start page", "Help", "shell.show_start_page", icon="house"),
    entry("system_info", "System information", "Help", "shell.show_system_info", starts_section=True,
       words="report problem version gpu"),
    entry("log_folder", "Show log folder", "Help", "shell.show_log_folder"),
    entry("about", "About Isokiln", "Help", "shell.show_about", icon="info"),
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
