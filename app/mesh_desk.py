"""Edits of a mesh layer: tried as a preview, applied as one undo step; and a mesh cut into slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field
from PySide6.QtCore import QObject

from app.layer_look import measured
from app.layers import Layer, changed, new_layer
from render.mesh import TriangleMesh
from widgets.mesh_figures import part_areas
from widgets.settings_form import SettingsForm

if TYPE_CHECKING:
    from app.main_window import MainWindow

Tool = Callable[[TriangleMesh, Mapping[str, Any]], TriangleMesh]


def _edits() -> ModuleType:
    """Edits of meshes; imported with the first one, for the window starts without a mesh."""
    from recon import mesh_edits

    return mesh_edits


# Tool → what the history calls it, and the edit with the panel's parameters.
TOOLS: dict[str, tuple[str, Tool]] = {
    "components": (
        "Remove small parts",
        lambda mesh, p: _edits().remove_small_components(mesh, min_share=p["min_share"]),
    ),
    "holes": ("Fill holes", lambda mesh, p: _edits().fill_holes(mesh, max_edges=p["max_edges"] or None)),
    "smooth": ("Smooth", lambda mesh, p: _edits().smooth(mesh, iterations=p["iterations"])),
    "decimate": ("Decimate", lambda mesh, p: _edits().decimate(mesh, target_faces=p["target_faces"])),
    "weld": ("Weld seams", lambda mesh, p: _edits().weld(mesh)),
    "winding": ("Make winding consistent", lambda mesh, p: _edits().make_winding_consistent(mesh)),
    "flip": ("Flip normals", lambda mesh, p: _edits().flip_normals(mesh)),
}


class CutSettings(BaseModel):
    """How a mesh is cut into cross-sections."""

    planes: int = Field(20, ge=1, le=1000, title="Planes", json_schema_extra={"basic": True})
    arrangement: Literal["parallel", "arbitrary"] = Field(
        "parallel", title="Arrangement", json_schema_extra={"basic": True}
    )
    seed: int = Field(0, ge=0, title="Seed", json_schema_extra={"basic": True})


class MeshDesk(QObject):
    """Works on the selected mesh layer; what takes long runs in the background."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._layer: Layer | None = None
        self._preview: TriangleMesh | None = None
        self._num_applied = 0
        panel = window.mesh_tools
        panel.tool_preview_requested.connect(self.preview)
        panel.tool_applied.connect(self.apply)
        panel.tool_cancelled.connect(self.cancel)
        panel.before_wished.connect(self.show_before)
        panel.parts_wished.connect(self.count_parts)

    def show_current(self, layer: Layer | None) -> None:
        """Follow the selection; a preview of another layer goes."""
        if layer is not None and self._layer is not None and layer.data is self._layer.data:
            return
        self._end_preview()
        self._layer = layer if layer is not None and isinstance(layer.data, TriangleMesh) else None
        self._window.mesh_tools.set_mesh(self._mesh)

    def preview(self, tool: str, parameters: Mapping[str, Any]) -> None:
        """Show what a tool would make of the mesh; nothing is changed yet."""
        mesh = self._mesh
        if mesh is None:
            return
        self._window.background.run(
            "preview of a mesh tool",
            lambda: TOOLS[tool][1](mesh, parameters),
            lambda preview: self._show_preview(preview) if self._mesh is mesh else None,
            self._window.shell.show_error,
        )

    def count_parts(self) -> None:
        """Tell the panel how large the parts of the mesh are."""
        mesh = self._mesh
        if mesh is None:
            return
        self._window.background.run(
            "parts of a mesh",
            lambda: part_areas(mesh),
            lambda areas: self._window.mesh_tools.set_part_areas(areas) if self._mesh is mesh else None,
            self._window.shell.show_error,
        )

    def apply(self, tool: str, parameters: Mapping[str, Any]) -> None:
        """Put the tool's result in place of the mesh, as one undo step."""
        mesh, layer = self._mesh, self._layer
        if mesh is None or layer is None:
            return

        def put(result: TriangleMesh) -> None:
            self._end_preview()
            project = self._window.project
            now = project.layer(layer.id)
            if result is mesh:
                self._window.shell.toast(f"{TOOLS[tool][0]}: there was nothing to do.")
                return
            if now is None or now.data is not mesh:
                self._window.shell.toast(f"{TOOLS[tool][0]}: {layer.name} has changed meanwhile.", "warning")
                return
            # What the run said of its result does not hold for the edited mesh.
            origin = replace(layer.origin, figures={}) if layer.origin is not None else None
            layers = changed(project.layers, layer.id, data=result, origin=origin)
            project.edit(f"{TOOLS[tool][0]}: {layer.name}", layers)

        self._num_applied += 1
        self._window.background.run(
            f"mesh tool {self._num_applied}",  # One wish does not void another.
            lambda: measured(TOOLS[tool][1](mesh, parameters)),
            put,
            self._window.shell.show_error,
        )

    def cancel(self) -> None:
        """Take the preview away."""
        self._end_preview()

    def show_before(self, on: bool) -> None:
        """Show the mesh without the previewed edit while `on`, to compare."""
        if self._layer is not None and self._preview is not None:
            self._window.scene.show_in_place(self._layer.id, None if on else self._preview)

    def flip_normals(self) -> None:
        self.apply("flip", {})

    def show_tool_weld(self) -> None:
        self._show_tool("weld")

    def show_tool_winding(self) -> None:
        self._show_tool("winding")

    def show_tool_components(self) -> None:
        self._show_tool("components")

    def show_tool_holes(self) -> None:
        self._show_tool("holes")

    def show_tool_smooth(self) -> None:
        self._show_tool("smooth")

    def show_tool_decimate(self) -> None:
        self._show_tool("decimate")

    def compare(self) -> None:
        """Offer the distance to another mesh, with the selected one chosen."""
        self._window.method_panel.set_method("distance")
        self._window.show_task("Task")

    def slice(self) -> None:
        """Ask how, then cut the mesh into cross-sections, which become a layer."""
        layer, mesh = self._layer, self._mesh
        if layer is None or mesh is None:
            return
        form = SettingsForm(CutSettings)
        self._window.shell.ask_form(
            "dlg_cut",
            "Cut a mesh into slices",
            form,
            "Cut",
            lambda values: self._cut(layer.name, mesh, CutSettings.model_validate(values)),
        )

    # Inner life

    @property
    def _mesh(self) -> TriangleMesh | None:
        data = self._layer.data if self._layer is not None else None
        return data if isinstance(data, TriangleMesh) else None

    def _cut(self, name: str, mesh: TriangleMesh, settings: CutSettings) -> None:
        def cut() -> Any:
            from recon import slicing

            if settings.arrangement == "parallel":
                planes = slicing.parallel_planes(mesh, settings.planes)
            else:
                planes = slicing.arbitrary_planes(mesh, settings.planes, settings.seed)
            return slicing.slice_mesh(mesh, planes)

        def add(sections: Any) -> None:
            layer = new_layer(f"Slices of {name}", sections)
            project = self._window.project
            project.edit(f"Cut “{name}” into slices", [*project.layers, layer])
            self._window.scene.select([layer.id])

        self._window.background.run("cut", cut, add, self._window.shell.show_error)

    def _show_tool(self, tool: str) -> None:
        self._window.show_task("Mesh")
        self._window.mesh_tools.open_tool(tool)

    def _show_preview(self, mesh: TriangleMesh) -> None:
        self._preview = mesh
        if self._layer is not None:
            self._window.scene.show_in_place(self._layer.id, mesh)
        self._window.mesh_tools.set_preview(mesh)

    def _end_preview(self) -> None:
        if self._preview is not None and self._layer is not None:
            self._preview = None
            self._window.scene.show_in_place(self._layer.id, None)
