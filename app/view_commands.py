"""What menus and keys do to the view: sides, projection, shading, overlays, tools, the plane that is shown."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from widgets.slice_view import SliceView
from widgets.viewport import Viewport


class ViewCommands(QObject):
    """The commands of the action table that change only what is looked at.

    redraw: called when the slice pane came or went, which the layers in the viewport show.
    """

    def __init__(
        self, viewport: Viewport, slices: SliceView, redraw: Callable[[], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewport, self._slices, self._redraw = viewport, slices, redraw

    def front(self) -> None:
        self._viewport.set_view("front")

    def back(self) -> None:
        self._viewport.set_view("back")

    def right(self) -> None:
        self._viewport.set_view("right")

    def left(self) -> None:
        self._viewport.set_view("left")

    def top(self) -> None:
        self._viewport.set_view("top")

    def bottom(self) -> None:
        self._viewport.set_view("bottom")

    def iso(self) -> None:
        self._viewport.set_view("iso")

    def set_orthographic(self, on: bool) -> None:
        self._viewport.set_orthographic(on)

    def cycle_shading(self) -> None:
        self._viewport.cycle_shading()

    def set_xray(self, on: bool) -> None:
        self._viewport.set_xray(on)

    def set_grid(self, on: bool) -> None:
        self._viewport.set_shown("grid", on)

    def set_frustums(self, on: bool) -> None:
        self._viewport.images.set_shown(on)

    def set_sparse_points(self, on: bool) -> None:
        self._viewport.images.set_points_shown(on)

    def set_axes(self, on: bool) -> None:
        self._viewport.set_shown("axes", on)

    def set_clip(self, on: bool) -> None:
        if on:
            self._viewport.begin_clipping()
        else:
            self._viewport.end_tool()
            self._viewport.set_clip(None)

    def set_measuring(self, on: bool) -> None:
        if on:
            self._viewport.begin_measuring()
        else:
            self._viewport.end_tool()

    def clear_measurements(self) -> None:
        self._viewport.set_measurements(())

    def set_slice_pane(self, on: bool) -> None:
        self._slices.setVisible(on)
        self._redraw()

    def next_slice(self) -> None:
        self._slices.set_plane(self._slices.plane + 1)

    def previous_slice(self) -> None:
        self._slices.set_plane(self._slices.plane - 1)

    def first_slice(self) -> None:
        self._slices.set_plane(0)

    def last_slice(self) -> None:
        sections = self._slices.sections
        if sections is not None:
            self._slices.set_plane(sections.num_planes - 1)

    def toggle_slice(self) -> None:
        self._slices.toggle_plane()
