"""The scene that is reconstructed: its box, which way is up, how long a unit is, its poses and cues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from PySide6.QtCore import QObject

from app import part_strokes
from app.data_words import number, used_words
from app.layers import Layer, Missing, changed
from app.reframe import transformed
from recon import METHODS, orientation
from recon.errors import ReconError
from render.frame import Frame, Unit
from render.images import ImageSet, PosedImages
from render.transforms import Similarity3
from widgets.import_dialog import UNIT_NAMES
from widgets.region_box import fitted
from widgets.scene_panel import SectionState
from widgets.settings_form import SettingsForm

if TYPE_CHECKING:
    from app.main_window import MainWindow

Array = NDArray[np.float64]
_NO_POSES = "The images have no poses yet."


class KnownLength(BaseModel):
    """How far apart two points of the scene are."""

    length: float = Field(1.0, gt=0, le=1e9, title="Their distance", json_schema_extra={"basic": True})
    unit: Unit = Field("m", title="Unit", json_schema_extra={"basic": True, "choices": dict(UNIT_NAMES)})


class SceneDesk(QObject):
    """Does what the panel "Scene" wishes; every change of data is one undo step."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._purpose = ""  # what the points that are being clicked are for
        self._wishes: dict[str, Callable[[], None]] = {
            "compute_poses": lambda: self._offer_method("poses"),
            "fit_region": self.fit_region,
            "no_region": self.remove_region,
            "orient_floor": self.orient_floor,
            "show_images": lambda: window.show_bottom("Images"),
            "look_through": window.images.look_through_current,
            "compute_cues": lambda: self._offer_method("cues"),
            "use_files": window.files.import_folder,
            "no_cues": self.remove_cues,
        }
        self._tools = {
            "edit_region": self.edit_region, "orient_points": self.orient_points, "set_scale": self.set_scale,
        }  # fmt: skip
        tools = window.viewport.tools
        window.scene_panel.wished.connect(self._do)
        tools.region.edited.connect(lambda box: self._set_region("Change the region", box, "region drag"))
        tools.points.progressed.connect(lambda _: self._prompt())
        tools.points.picked.connect(self._take_points)
        window.viewport.tool_changed.connect(self._on_tool)

    # Region

    def edit_region(self) -> None:
        """Show handles on the box; where there is none yet, around most points."""
        posed = self._posed
        if posed is None:
            return
        if posed.world_from_region is None:
            self.fit_region()
        posed = self._posed
        assert posed is not None and posed.world_from_region is not None
        self._window.viewport.tools.begin_region(posed.world_from_region)

    def fit_region(self) -> None:
        """A box around most of the sparse points."""
        posed = self._posed
        if posed is not None:
            points = posed.points.points if posed.points is not None else np.zeros((0, 3))
            box = fitted(points, posed.cameras.positions)
            self._set_region("Fit the region to the points", box)
            if self._window.viewport.active_tool == "region":
                self._window.viewport.tools.begin_region(box)

    def remove_region(self) -> None:
        """Reconstruct the whole scene."""
        if self._window.viewport.active_tool == "region":
            self._window.viewport.end_tool()
        self._set_region("Use the whole scene", None)

    # Orientation and scale

    def orient_points(self) -> None:
        """Ask for three points on the floor."""
        self._ask_points("orient_points", 3)

    def set_scale(self) -> None:
        """Ask for two points whose distance is known."""
        self._ask_points("set_scale", 2)

    def orient_floor(self) -> None:
        """Lay the scene's lowest large plane on the ground."""
        posed, up = self._posed, self._window.project.frame.up
        if posed is None:
            return
        points = posed.points.points if posed.points is not None else np.zeros((0, 3))
        self._window.background.run(
            "floor",
            lambda: orientation.floor_up(points, posed.cameras, up),
            lambda motion: self._move("Orient by the floor", motion),
            self._window.shell.show_error,
        )

    def take_length(self, points: Array, length: float, unit: Unit) -> None:
        """Scale everything so that two points are that far apart."""
        apart = float(np.linalg.norm(points[1] - points[0]))
        frame = replace(self._window.project.frame, unit=unit)
        scale = Similarity3(np.eye(3), np.zeros(3), length / apart)
        self._move(f"Set scale: {length:g} {unit}", scale, frame)

    # Cues

    def remove_cues(self) -> None:
        """Reconstruct from the photos alone; undo brings the cues back."""
        posed = self._posed
        if posed is not None and (posed.depth is not None or posed.normals is not None):
            self._edit("Use no cues", replace(posed, depth=None, normals=None))

    # What the panel says

    def update(self) -> None:
        """Bring the panel up to date."""
        data = self._data
        posed = data if isinstance(data, PosedImages) else None
        nothing = "" if posed is not None else _NO_POSES if data is not None else "Import photos first."
        has_points = posed is not None and posed.points is not None and len(posed.points.points) > 0
        has_layers = bool(self._window.project.layers)
        has_cues = posed is not None and (posed.depth is not None or posed.normals is not None)
        methods = {method.id for method in METHODS}
        enabled = dict.fromkeys(("edit_region", "fit_region", "show_images", "look_through"), nothing)
        enabled |= {
            "compute_poses": "" if isinstance(data, ImageSet) and "poses" in methods else "There are no photos without poses.",
            "no_region": nothing or ("" if posed and posed.world_from_region is not None else "There is no box."),
            "orient_points": "" if has_layers else "There is nothing to orient yet.",
            "set_scale": "" if has_layers else "There is nothing to measure yet.",
            "orient_floor": nothing or ("" if has_points else "The scene has no sparse points."),
            "show_images": "" if data is not None else "Import photos first.",
            "compute_cues": nothing or ("" if "cues" in methods else "This needs the method for cues."),
            "use_files": "",
            "no_cues": nothing or ("" if has_cues else "There are no cues."),
        }  # fmt: skip
        self._window.scene_panel.set_states(self._states(data), enabled)

    def _states(self, data: PosedImages | ImageSet | None) -> dict[str, SectionState]:
        if not isinstance(data, PosedImages):
            words = _NO_POSES if data is not None else "Import photos first."
            poses = SectionState("They are needed for all that follows.", "warn", data is not None)
            others = ("region", "orientation", "images", "cues")
            return {"poses": poses, **dict.fromkeys(others, SectionState(words))}
        region = data.world_from_region
        sides = "" if region is None else _sides(region, data.frame.unit)
        frame = self._window.project.frame
        scale = "The scale is unknown." if frame.unit == "unit" else f"One unit is 1 {frame.unit}."
        return {
            "poses": SectionState(is_shown=False),
            "region": SectionState(sides or "No box: the whole scene is used.", "ok" if sides else ""),
            "orientation": SectionState(f"{frame.up} is up. {scale}", "ok" if frame.unit != "unit" else ""),
            "images": SectionState(f"{used_words(data)}.", "ok"),
            "cues": _cue_state(data),
        }

    # Inner life

    @property
    def _data(self) -> PosedImages | ImageSet | None:
        layer = self._window.images.layer
        data = layer.data if layer is not None else None
        return data if isinstance(data, PosedImages | ImageSet) else None

    @property
    def _posed(self) -> PosedImages | None:
        data = self._data
        return data if isinstance(data, PosedImages) else None

    def _do(self, wish: str, on: bool) -> None:
        if wish in self._wishes:
            self._wishes[wish]()
        elif on:
            self._tools[wish]()
        else:
            self._window.viewport.end_tool()

    def _offer_method(self, method: str) -> None:
        """Show a method that makes what is missing, with its settings; Start is one click away."""
        self._window.method_panel.set_method(method)
        self._window.show_task("Task")

    def _ask_points(self, purpose: str, count: int) -> None:
        self._purpose = purpose
        self._window.viewport.tools.begin_points(count)
        self._prompt()

    def _prompt(self) -> None:
        tool = self._window.viewport.tools.points
        if not tool.is_active:
            return
        what = (
            "three points on the floor"
            if self._purpose == "orient_points"
            else "two points a known length apart"
        )
        self._window.viewport.set_banner(f"Click {what}: {tool.num_points + 1} of {tool.num_wanted}")

    def _on_tool(self, tool: str) -> None:
        """Keep the buttons and the banner in step with the tool that is active."""
        names = {"region": "edit_region", "points": self._purpose}
        self._window.scene_panel.set_checked(names.get(tool, ""))
        if tool != "points":
            self._window.viewport.set_banner("")

    def _take_points(self, points: Array) -> None:
        if self._purpose == "set_scale":
            self._ask_length(points)
            return
        posed = self._posed
        above = (
            posed.cameras.positions.mean(0)
            if posed is not None
            else np.asarray(self._window.viewport.camera.position)
        )
        try:
            motion = orientation.turned_up(points, above, self._window.project.frame.up)
        except ReconError as error:
            self._window.shell.show_error(error)
            return
        self._move("Orient by three points", motion)

    def _ask_length(self, points: Array) -> None:
        now = float(np.linalg.norm(points[1] - points[0]))
        unit = self._window.project.frame.unit
        values = {"length": float(f"{now:.4g}"), "unit": "m" if unit == "unit" else unit}
        self._window.shell.ask_form(
            "dlg_scale",
            "Set scale",
            SettingsForm(KnownLength, values),
            "Set scale",
            lambda given: self.take_length(points, given["length"], given["unit"]),
        )

    def _move(self, text: str, motion: Similarity3, frame: Frame | None = None) -> None:
        """Everything in the project moves together."""
        project = self._window.project
        frame = frame or project.frame

        def moved(layer: Layer) -> Layer:
            return (
                layer
                if isinstance(layer.data, Missing)
                else replace(
                    layer,
                    data=transformed(layer.data, motion, frame),
                    extra=part_strokes.moved(layer.extra, motion),
                )
            )

        project.edit(text, [moved(layer) for layer in project.layers], frame=frame)
        self._window.viewport.set_measurements(())  # They lie where the scene was.
        self._window.scene.frame_all()

    def _set_region(self, text: str, box: Array | None, merge_key: str = "") -> None:
        posed = self._posed
        if posed is not None and not (box is None and posed.world_from_region is None):
            self._edit(text, replace(posed, world_from_region=box), merge_key)

    def _edit(self, text: str, posed: PosedImages, merge_key: str = "") -> None:
        layer = self._window.images.layer
        if layer is not None:
            layers = changed(self._window.project.layers, layer.id, data=posed)
            self._window.project.edit(text, layers, merge_key=merge_key)


def _sides(region: Array, unit: str) -> str:
    sides = 2 * np.linalg.norm(region[:3, :3], axis=0)
    words = " × ".join(f"{side:.3g}" for side in sides)
    return f"{words} {'units' if unit == 'unit' else unit}"


def _cue_state(data: PosedImages) -> SectionState:
    found = {
        name: cues for name, cues in (("depth", data.depth), ("normals", data.normals)) if cues is not None
    }
    if not found:
        return SectionState("None: walls without texture will be poor.", "warn")
    count = max(sum(bool(path) for path in cues.paths) for cues in found.values())
    sources = sorted({cues.source for cues in found.values() if cues.source})
    by = f", by {' and '.join(sources)}" if sources else ""
    what = " and ".join(found)
    return SectionState(f"{what[:1].upper()}{what[1:]} of {number(count)} images{by}.", "ok")
