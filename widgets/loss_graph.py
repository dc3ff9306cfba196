"""The picture of losses over steps: curves, marks at checkpoints, and a cross-hair that reads a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QPen

from widgets.loss_series import Values
from widgets.theme import active_theme, interface_font

CurveKey = tuple[str, str]  # run, quantity


class LossGraph(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Curves by run and quantity. pointed: the step under the pointer, or None once it left."""

    pointed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.curves: dict[CurveKey, pg.PlotDataItem] = {}
        self.marks: list[pg.InfiniteLine] = []
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setFrameShape(self.Shape.NoFrame)
        self.setMouseEnabled(x=True, y=False)
        self.scene().sigMouseMoved.connect(self._on_moved)
        self.scene().sigMouseClicked.connect(self._on_clicked)
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._cross.hide()
        self.addItem(self._cross, ignoreBounds=True)
        self.restyle()

    def draw(self, key: CurveKey, steps: Values, values: Values, pen: QPen, *, is_log: bool) -> None:
        """Draw a curve, new or in its place; values that cannot be drawn are left out."""
        keep = np.isfinite(values) & (values > 0) if is_log else np.isfinite(values)
        if key not in self.curves:
            curve = self.plot(antialias=True)
            curve.setDownsampling(auto=True, method="peak")
            curve.setClipToView(True)
            self.curves[key] = curve
        self.curves[key].setPen(pen)
        self.curves[key].setData(steps[keep], np.log10(values[keep]) if is_log else values[keep])
        self.getAxis("left").setLogMode(False, is_log)

    def keep_only(self, keys: Iterable[CurveKey]) -> None:
        """Remove every other curve."""
        for key in self.curves.keys() - set(keys):
            self.removeItem(self.curves.pop(key))

    def mark(self, steps: Sequence[float]) -> None:
        """Mark where checkpoints were saved, and nothing else."""
        for mark in self.marks[len(steps) :]:
            self.removeItem(mark)
        del self.marks[len(steps) :]
        while len(self.marks) < len(steps):
            self.marks.append(pg.InfiniteLine(angle=90, movable=False, pen=_mark_pen()))
            self.marks[-1].setToolTip("Checkpoint")
            self.addItem(self.marks[-1], ignoreBounds=True)
        for mark, step in zip(self.marks, steps, strict=True):
            mark.setValue(step)

    def restyle(self) -> None:
        """Take over the theme's colours and sizes."""
        theme = active_theme()
        self.setBackground(theme.color("panel"))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(theme.color("line")))
            axis.setTextPen(pg.mkPen(theme.color("text_second")))
            axis.setTickFont(interface_font(theme, 12))
            axis.setStyle(tickLength=-4)
        self.getAxis("left").setWidth(theme.px(52))
        self.getAxis("bottom").setHeight(theme.px(24))
        self.showGrid(x=True, y=True, alpha=0.16)
        self._cross.setPen(pg.mkPen(theme.color("text_second"), width=1))
        for mark in self.marks:
            mark.setPen(_mark_pen())

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        super().leaveEvent(event)

    def _on_moved(self, place: QPointF) -> None:
        box = self.plotItem.vb
        is_inside = box.sceneBoundingRect().contains(place)
        self._point_at(max(0.0, round(box.mapSceneToView(place).x())) if is_inside else None)

    def _point_at(self, step: float | None) -> None:
        self._cross.setVisible(step is not None)
        if step is not None:
            self._cross.setValue(step)
        self.pointed.emit(step)

    def _on_clicked(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.enableAutoRange()


def _mark_pen() -> QPen:
    pen = QPen(active_theme().color("text_disabled"), 1, Qt.PenStyle.DotLine)
    pen.setCosmetic(True)
    return pen
