"""The project in the viewport and the layer list: draws what changed, turns wishes into edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app import layer_trials
from app.layer_look import part_id, row_of, style_of
from app.layer_trials import Trial
from app.layers import Layer, Missing, changed, new_layer
from app.project import Project
from app.reframe import stated_in
from app.versions import without
from recon.formats import native
from render.cross_sections import CrossSections
from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks
from render.mesh import TriangleMesh
from render.scene_data import SceneData
from widgets.layer_list import LayerList, LayerRow
from widgets.slice_view import SliceView
from widgets.viewport import Viewport
from widgets.viewport_scene import is_drawn
from widgets.viewport_style import LayerStyle

PREVIEW = "preview"


class SceneView(QObject):
    """Keeps viewport, layer list and slice pane equal to the project.

    selection_changed: other layers are selected, or the selected ones have other data. part_wished: of a part that is
    listed below its layer: the layer, the part's number, "choose", "show", "lock", "name" or "delete", and a value.
    """

    selection_changed = Signal()
    part_wished = Signal(str, int, str, object)

    def __init__(
        self,
        project: Project,
        viewport: Viewport,
        layer_list: LayerList,
        slice_view: SliceView,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.project, self.viewport = project, viewport
        self.layer_list, self.slice_view = layer_list, slice_view
        self._selected: tuple[str, ...] = ()
        self._drawn: dict[str, tuple[SceneData, LayerStyle]] = {}
        self._visible: dict[str, bool] = {}
        self._preview: tuple[str, SceneData] | None = None
        self._trials: dict[str, Trial] = {}
        self._aside: frozenset[str] = frozenset()
        self.part_rows: Callable[[Layer], Sequence[LayerRow]] = lambda _: ()  # what is listed below a layer
        self._looks: dict[str, Mapping[str, Any]] = {}  # display values in place of layers' own
        self._sliced_id = ""  # the layer that the slice pane shows
        self._active_image: tuple[str, int | None] = ("", None)
        project.state_changed.connect(self.refresh)
        project.visibility_changed.connect(self.refresh)
        layer_list.selection_changed.connect(self._on_selected)
        layer_list.visibility_toggled.connect(self._set_visible)
        layer_list.lock_toggled.connect(self._set_locked)
        layer_list.renamed.connect(self.rename)
        layer_list.remove_requested.connect(self.remove)
        layer_list.reordered.connect(self._reorder)
        viewport.picked.connect(self._on_picked)
        viewport.plane_picked.connect(self.show_plane)
        slice_view.plane_changed.connect(lambda _: self._draw_layers())
        slice_view.edited.connect(self._edit_sections)

    # What is selected

    @property
    def selected(self) -> tuple[Layer, ...]:
        """The selected layers, the current one first."""
        found = (self.project.layer(layer_id) for layer_id in self._selected)
        return tuple(layer for layer in found if layer is not None)

    @property
    def current(self) -> Layer | None:
        return next(iter(self.selected), None)

    def select(self, layer_ids: Sequence[str]) -> None:
        """Select layers in the list."""
        self.layer_list.select(list(layer_ids))

    # Drawing

    def refresh(self) -> None:
        """Bring all views in line with the project; what did not change is not touched."""
        was_empty = not self._drawn
        self._show_slices()
        self._draw_layers()
        self.layer_list.set_rows(self._rows())
        if was_empty and self._drawn:
            self.viewport.set_up_axis(self.project.frame.up)
            self.viewport.frame_all(animated=False)
        self.selection_changed.emit()

    @property
    def aside(self) -> frozenset[str]:
        """Layers that are neither listed nor shown: versions in whose place another one stands."""
        return self._aside

    def set_aside(self, layer_ids: frozenset[str]) -> None:
        """List these layers no longer, and all others."""
        if layer_ids != self._aside:
            self._aside = layer_ids
            self.layer_list.set_rows(self._rows())

    def set_look(self, looks: Mapping[str, Mapping[str, Any]]) -> None:
        """Draw layers with these display values in place of their own; other layers as they are. No edit, as a camera."""
        if dict(looks) != self._looks:
            self._looks = dict(looks)
            self._draw_layers()

    def set_active_image(self, layer_id: str, image: int | None) -> None:
        """Bring out the frustum of an image."""
        if self._active_image != (layer_id, image):
            self._active_image = layer_id, image
            self._draw_layers()

    def show_preview(self, name: str, data: SceneData, style: LayerStyle | None = None) -> None:
        """Show what a run has so far, as a passing layer."""
        is_first = self._preview is None
        self._preview = (name, data)
        if is_drawn(data):
            self.viewport.show_layer(PREVIEW, data, style or LayerStyle())
        if is_first:
            self.layer_list.set_rows(self._rows())

    def end_preview(self) -> None:
        """Take the passing layer away."""
        if self._preview is not None:
            self._preview = None
            self.viewport.remove_layer(PREVIEW)
            self.layer_list.set_rows(self._rows())

    def show_in_place(self, layer_id: str, mesh: TriangleMesh | None) -> None:
        """Draw a mesh in place of a layer's own, as a trial; None shows the layer's own again."""
        layer = self.project.layer(layer_id)
        self._show_trials(
            {} if mesh is None or layer is None else {layer_id: layer_trials.of_data(layer, mesh)}
        )

    def show_clouds(self, clouds: Mapping[str, GaussianCloud], *, is_tinted: bool = True) -> None:
        """Draw splats in place of layers' own, as a trial; none shows the layers' own again.

        is_tinted: whether the selected ones are tinted."""
        found = [layer for layer in self.project.layers if layer.id in clouds]
        self._show_trials({x.id: layer_trials.of_data(x, clouds[x.id], is_tinted=is_tinted) for x in found})

    def show_marks(self, marks: Mapping[str, GaussianMarks]) -> None:
        """Draw layers with other marks than their own, as a trial; none shows their own again."""
        found = [layer for layer in self.project.layers if layer.id in marks]
        self._show_trials({layer.id: layer_trials.of_marks(layer, marks[layer.id]) for layer in found})

    def _show_trials(self, trials: dict[str, Trial]) -> None:
        if trials or self._trials:
            self._trials = trials
            self._draw_layers()

    # Slices

    @property
    def sliced(self) -> Layer | None:
        """The layer of cross-sections that the slice pane shows."""
        return self.project.layer(self._sliced_id)

    def show_plane(self, layer_id: str, plane: int) -> None:
        """Show one plane of a layer of cross-sections in the slice pane."""
        self.select([layer_id])
        self.slice_view.set_plane(plane)

    def show_slice(self, layer_id: str, plane: int) -> None:
        """Show a plane in the slice pane and leave the selection as it is."""
        self._sliced_id = layer_id
        self._show_slices()
        self.slice_view.set_plane(plane)

    def _show_slices(self) -> None:
        """The slice pane shows the selected cross-sections, else those it showed, else the first there are."""
        wanted = [*self.selected, self.sliced, *self.project.layers]
        layer = next((x for x in wanted if x is not None and isinstance(x.data, CrossSections)), None)
        self._sliced_id = layer.id if layer is not None else ""
        data = layer.data if layer is not None and isinstance(layer.data, CrossSections) else None
        if data is not self.slice_view.sections:
            self.slice_view.set_sections(data)

    def _edit_sections(self, text: str, sections: CrossSections) -> None:
        self.project.edit(text, changed(self.project.layers, self._sliced_id, data=sections))

    def redraw(self) -> None:
        """Draw what the slice pane or another view changed of the layers' looks."""
        self._draw_layers()

    def _draw_layers(self) -> None:
        unit = "" if self.project.frame.unit == "unit" else self.project.frame.unit
        wanted = {layer.id: layer for layer in self.project.layers if is_drawn(layer.data)}
        for gone in self._drawn.keys() - wanted.keys():
            self.viewport.remove_layer(gone)
            del self._drawn[gone]
            self._visible.pop(gone, None)
        for layer in wanted.values():
            self._draw(layer, self._style(layer, unit))

    def _draw(self, layer: Layer, style: LayerStyle) -> None:
        data, marks = layer_trials.drawn_of(layer, self._trials)
        assert is_drawn(data)
        style = replace(style, marks=marks)
        drawn = self._drawn.get(layer.id)
        if drawn is None or drawn[0] is not data or drawn[1] != style:
            self.viewport.show_layer(layer.id, data, style)
            self._drawn[layer.id] = (data, style)
        visible = self.project.is_visible(layer.id)
        if self._visible.get(layer.id, True) != visible:
            self.viewport.set_layer_visible(layer.id, visible)
        self._visible[layer.id] = visible

    def _style(self, layer: Layer, unit: str) -> LayerStyle:
        style = replace(style_of(layer, unit=unit), **self._looks.get(layer.id, {}))
        if layer.id == self._active_image[0]:
            style = replace(style, active_image=self._active_image[1])
        is_sliced = layer.id == self._sliced_id and not self.slice_view.isHidden()
        return replace(style, active_plane=self.slice_view.plane) if is_sliced else style

    def _rows(self) -> list[LayerRow]:
        rows: list[LayerRow] = []
        for layer in self.project.layers:
            if layer.id not in self._aside:
                is_visible = self.project.is_visible(layer.id)
                badges = ("pending",) if layer.is_pending else ()
                rows += [row_of(layer, is_visible=is_visible, badges=badges), *self.part_rows(layer)]
        if self._preview is not None:
            name, data = self._preview
            rows.append(LayerRow(PREVIEW, name, native.kind_of(data), badges=("preview",)))
        return rows

    # Wishes of the list

    def _on_selected(self, ids: list[str]) -> None:
        self._selected = tuple(dict.fromkeys(part_id(i)[0] for i in ids if i != PREVIEW))
        self._show_slices()
        self._draw_layers()
        self.selection_changed.emit()
        if ids:
            self._wish_part(ids[0], "choose", None)

    def _on_picked(self, layer_id: str, _point: tuple[float, ...]) -> None:
        if layer_id and layer_id != PREVIEW:
            self.select([layer_id])

    def _wish_part(self, row_id: str, wish: str, value: object) -> bool:
        """Pass on what is wished of a part; whether the row is one."""
        layer_id, number = part_id(row_id)
        if number is not None:
            self.part_wished.emit(layer_id, number, wish, value)
        return number is not None

    def _set_visible(self, row_id: str, visible: bool) -> None:
        if not self._wish_part(row_id, "show", visible):
            self.project.set_visible([row_id], visible)

    def rename(self, layer_id: str, name: str) -> None:
        if self._wish_part(layer_id, "name", name):
            return
        layer = self.project.layer(layer_id)
        if layer is not None and name.strip() and name != layer.name:
            self.project.edit(f"Rename “{layer.name}”", changed(self.project.layers, layer_id, name=name))

    def remove(self, layer_ids: Sequence[str]) -> None:
        """Delete layers; a locked one stays."""
        for row_id in layer_ids:
            self._wish_part(row_id, "delete", None)
        gone = [layer for layer in self.project.layers if layer.id in layer_ids and not layer.is_locked]
        if gone:
            names = f"“{gone[0].name}”" if len(gone) == 1 else f"{len(gone)} layers"
            self.project.edit(f"Delete {names}", without(self.project.layers, gone))

    def _set_locked(self, layer_id: str, locked: bool) -> None:
        if self._wish_part(layer_id, "lock", locked):
            return
        text = "Lock layer" if locked else "Unlock layer"
        self.project.edit(text, changed(self.project.layers, layer_id, is_locked=locked))

    def _reorder(self, order: list[tuple[str, str]]) -> None:
        places = {layer_id: place for place, (layer_id, _) in enumerate(order)}
        layers = sorted(self.project.layers, key=lambda layer: places.get(layer.id, len(places)))
        if tuple(layers) != self.project.layers:
            self.project.edit("Reorder layers", layers)

    def set_style(self, layer_id: str, values: dict[str, Any]) -> None:
        """Change display values of a layer; a dragged slider is one step."""
        layer = self.project.layer(layer_id)
        if layer is not None:
            style = {**layer.style, **values}
            key = f"style {layer_id} {sorted(values)}"
            self.project.edit(
                "Change display", changed(self.project.layers, layer_id, style=style), merge_key=key
            )

    # Actions

    def undo(self) -> None:
        self.project.undo_stack.undo()

    def redo(self) -> None:
        self.project.undo_stack.redo()

    def rename_selected(self) -> None:
        chosen = self.layer_list.selected_ids()
        if chosen and self.current is not None:
            self.layer_list.edit_name(chosen[0])

    def duplicate_selected(self) -> None:
        copies = [
            replace(
                new_layer(f"{layer.name} copy", layer.data),
                style=layer.style,
                origin=layer.origin,
                marks=layer.marks,
            )
            for layer in self.selected
            if not isinstance(layer.data, Missing)
        ]
        if copies:
            self.project.edit("Duplicate", [*self.project.layers, *copies])
            self.select([copy.id for copy in copies])

    def delete_selected(self) -> None:
        self.remove(self.layer_list.selected_ids())

    def isolate_selected(self) -> None:
        ids = {layer.id for layer in self.selected}
        self.project.set_visible(ids, True)
        self.project.set_visible([layer.id for layer in self.project.layers if layer.id not in ids], False)

    def hide_selected(self) -> None:
        self.project.set_visible([layer.id for layer in self.selected], False)

    def show_all(self) -> None:
        covered = {layer.version_of for layer in self.project.layers if layer.is_pending}
        self.project.set_visible(
            [x.id for x in self.project.layers if x.id not in self._aside and x.id not in covered], True
        )

    def frame_all(self) -> None:
        self.viewport.frame_all()

    def frame_selected(self) -> None:
        shown = [layer.id for layer in self.selected if layer.id in self.viewport.layer_ids]
        if shown:
            self.viewport.frame(shown)

    def value_names(self) -> tuple[str, ...]:
        """What the current layer can be coloured by."""
        data = self.current.data if self.current is not None else None
        return tuple(data.vertex_values) if isinstance(data, TriangleMesh) else ()

    def is_shown_by(self, value: str) -> bool:
        """Whether the current layer is coloured by this value."""
        style = self.current.style if self.current is not None else {}
        return style.get("shading") == "values" and style.get("value_name") == value

    def set_uncertainty(self, on: bool) -> None:
        """Colour the current layer by its uncertainty, or as before."""
        if self.current is not None:
            shown = {"shading": "values", "value_name": "uncertainty"}
            self.set_style(self.current.id, shown if on else {"shading": "shaded", "value_name": None})

    def set_frame(self, frame: Frame) -> None:
        """Say what the project's numbers mean; the numbers stay."""
        layers = [
            x if isinstance(x.data, Missing) else replace(x, data=stated_in(x.data, frame))
            for x in self.project.layers
        ]
        self.project.edit("Set up axis and unit", layers, frame=frame)
        self.viewport.set_up_axis(frame.up)
