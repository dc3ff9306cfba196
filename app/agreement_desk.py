"""How well a result agrees with each slice that it was made from: the table, and the way from a row to its plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from app.layers import Layer, Missing
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from widgets.agreement_list import AgreementRow

if TYPE_CHECKING:
    from app.main_window import MainWindow


class AgreementDesk(QObject):
    """Shows the agreement that a run reported, and the result's own contours in the slice pane."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._shown: Layer | None = None

    def has_table(self, layer: Layer) -> bool:
        return bool(_table(layer))

    def show(self, layer: Layer | None) -> None:
        """The table of a result, or of nothing."""
        self._shown = layer
        rows = [_row(entry) for entry in _table(layer)] if layer is not None else []
        self._window.agreement_list.set_rows(rows)
        self._show_contours(layer)

    def go_to(self, plane: int) -> None:
        """Show a plane of the slices that the shown result was made from."""
        sections = self._sections()
        if sections is not None:
            self._window.slice_view.show()
            self._window.scene.show_slice(sections.id, plane)

    def _show_contours(self, layer: Layer | None) -> None:
        """Cut the result by the planes of its slices, in the background, and draw it over them."""
        sections = self._sections()
        if layer is None or sections is None or not isinstance(layer.data, TriangleMesh):
            self._window.slice_view.set_result(None)
            return
        mesh, planes = layer.data, sections.data
        assert isinstance(planes, CrossSections)
        self._window.background.run(
            "cut result",
            lambda: _cut(mesh, planes),
            self._window.slice_view.set_result,
            lambda error: self._window.slice_view.set_result(None),
        )

    def _sections(self) -> Layer | None:
        """The cross-sections that the shown layer was made from, while they are in the project."""
        inputs: Sequence[str] = (
            self._shown.origin.inputs if self._shown is not None and self._shown.origin else ()
        )
        layers = (self._window.project.layer(layer_id) for layer_id in inputs)
        return next((x for x in layers if x is not None and isinstance(x.data, CrossSections)), None)


def _cut(mesh: TriangleMesh, planes: CrossSections) -> CrossSections:
    """The result's own contours on the planes."""
    from recon.slicing import slice_mesh

    return slice_mesh(mesh, (planes.normals, planes.offsets))


def _table(layer: Layer | None) -> Sequence[Mapping[str, Any]]:
    """The rows that the run of a layer reported, one a plane."""
    if layer is None or layer.origin is None or isinstance(layer.data, Missing):
        return ()
    rows = layer.origin.figures.get("agreement", ())
    return rows if isinstance(rows, Sequence) else ()


def _row(entry: Mapping[str, Any]) -> AgreementRow:
    return AgreementRow(
        plane=int(entry["plane"]),
        accuracy=float(entry["accuracy"]) / 100,
        iou=float(entry["iou"]),
        note=str(entry.get("why", "")),
        agrees=bool(entry["reached"]) if "reached" in entry else None,
    )
