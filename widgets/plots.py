"""Losses over steps, live: several quantities of several runs, smoothed, logarithmic, read under the pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QHideEvent, QIcon, QPainter, QPen, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from widgets.colour_maps import label_color
from widgets.loss_series import LossSeries, smoothed, write_csv
from widgets.parts import EmptyPlace, column_in, icon_button, row_of, text_button
from widgets.theme import active_theme, secondary_label

if TYPE_CHECKING:
    from widgets.loss_graph import CurveKey, LossGraph

_REFRESH_MS = 120
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


@dataclass(eq=False)
class PlottedRun:
    """What is known of one run: its curves by quantity, its checkpoints, and where each quantity came first."""

    name: str
    stages: dict[str, str] = field(default_factory=dict)
    series: dict[str, LossSeries] = field(default_factory=dict)
    checkpoints: list[float] = field(default_factory=list)


class Plots(QStackedWidget):
    """The plots of the runs that are chosen. start_wished: from the empty state.

    Points come in one by one or all at once; drawing waits for a timer, so that a thousand points a second
    cost no more than ten.
    """

    start_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plots")
        self._runs: dict[str, PlottedRun] = {}
        self._shown: list[str] = []
        self._hidden: set[str] = set()
        self._graph: LossGraph | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.redraw)
        start = text_button("Start", "play")
        start.clicked.connect(self.start_wished)
        self._empty = EmptyPlace(
            "chart-line", "No losses to plot. They are drawn here while a run trains.", start
        )
        self._content = self._build()
        self.addWidget(self._empty)
        self.addWidget(self._content)

    def add_run(self, run: str, name: str) -> None:
        """Make a run known, and show it beside those that are shown."""
        self._runs.setdefault(run, PlottedRun(name)).name = name
        if run not in self._shown:
            self._shown.append(run)
        self._soon()

    def append(self, run: str, step: float, losses: Mapping[str, float], stage: str = "") -> None:
        """Add a point to each quantity's curve of a run. Raises KeyError for an unknown run.

        A quantity that comes again in another stage, whose steps begin anew, has a curve of its own there; within
        a stage, a step that comes again (after resuming from a checkpoint) takes the place of what followed it.
        """
        one = self._runs[run]
        for name, value in losses.items():
            first = one.stages.setdefault(name, stage)
            key = name if stage == first else f"{name}, {stage.lower()}"
            one.series.setdefault(key, LossSeries()).append(step, float(value))
        self._soon()

    def mark_checkpoint(self, run: str, step: float) -> None:
        """Mark where a run saved a checkpoint."""
        self._runs[run].checkpoints.append(step)
        self._soon()

    def remove_run(self, run: str) -> None:
        """Forget a run."""
        self._runs.pop(run, None)
        self.show_runs([shown for shown in self._shown if shown != run])

    def show_runs(self, runs: Sequence[str]) -> None:
        """Draw only these runs, over each other; unknown ones are left out."""
        self._shown = [run for run in runs if run in self._runs]
        self._soon()

    def set_smoothing(self, weight: float) -> None:
        """Weight of the past in the running mean, 0 to 0.99."""
        self._smoothing.setValue(round(100 * weight))

    def set_log(self, is_log: bool) -> None:
        """Draw values on a logarithmic axis."""
        self._log.setChecked(is_log)

    def reading(self, step: float) -> str:
        """What the shown curves say at a step, in words."""
        parts = [f"step {step:.0f}"]
        for run, name, series in self._visible():
            value = series.at(step)
            if value is not None:
                who = f"{self._runs[run].name}: {name}" if len(self._shown) > 1 else name
                parts.append(f"{who} {value:.4g}")
        return "   ".join(parts)

    def save_png(self, path: Path) -> None:
        """Write the picture as it is shown."""
        self.graph.grab().save(str(path), "PNG")

    def save_csv(self, path: Path) -> None:
        """Write the shown curves, not smoothed, as a table."""
        write_csv(path, ((self._runs[run].name, name, series) for run, name, series in self._visible()))

    def redraw(self) -> None:
        """Bring the picture up to date now."""
        self._timer.stop()
        has_points = any(len(series) for _, _, series in self._all())
        self.setCurrentWidget(self._content if has_points else self._empty)
        if not has_points or not self.isVisible():
            return
        self._fill_quantities()
        wanted = {(run, name): series for run, name, series in self._visible()}
        self.graph.keep_only(wanted)
        for key, series in wanted.items():
            self._draw(key, series)
        self.graph.mark([step for run in self._shown for step in self._runs[run].checkpoints])

    @property
    def graph(self) -> LossGraph:
        """The curves; made when there is something to draw, for what draws them takes long to import."""
        if self._graph is None:
            from widgets.loss_graph import LossGraph

            self._graph = LossGraph()
            self._graph.pointed.connect(self._on_pointed)
            self._column.addWidget(self._graph, 1)
        return self._graph

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._soon()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_content"):
            self._restyle()

    def _build(self) -> QWidget:
        content = QWidget()
        self._column = column_in(content, spacing=4)
        self._column.setContentsMargins(*(4 * [active_theme().px(8)]))
        self._column.addLayout(self._build_bar())
        return content

    def _build_bar(self) -> QHBoxLayout:
        self._quantities = icon_button("list-checks", "Quantities", "Which quantities to draw")
        self._quantities.set_worded("Quantities")
        self._quantities.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._quantities.setMenu(QMenu(self._quantities))
        self._legend = QLabel()
        self._legend.setObjectName("plot_legend")
        # Words give way before buttons do.
        self._legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._reading = secondary_label("")
        self._reading.setObjectName("plot_reading")
        self._reading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._reading.hide()
        self._log = QCheckBox("Log")
        self._log.setChecked(True)
        self._log.setToolTip("Values on a logarithmic axis")
        self._log.toggled.connect(lambda _: self.redraw())
        self._smoothing = QSlider(Qt.Orientation.Horizontal)
        self._smoothing.setObjectName("plot_smoothing")
        self._smoothing.setAccessibleName("Smoothing")
        self._smoothing.setRange(0, 99)
        self._smoothing.setFixedWidth(active_theme().px(80))
        self._smoothing.valueChanged.connect(lambda _: self._soon())
        words = secondary_label("Smooth")
        words.setToolTip("Weight of the past in the running mean")
        row = row_of(
            self._quantities,
            self._legend,
            self._reading,
            self._log,
            words,
            self._smoothing,
            self._build_save(),
        )
        row.setStretchFactor(self._legend, 1)
        row.setStretchFactor(self._reading, 1)
        return row

    def _build_save(self) -> QToolButton:
        save = icon_button("download", "Save the plot")
        save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(save)
        menu.addAction("Save picture (PNG)…").triggered.connect(lambda: self._ask("plot.png", self.save_png))
        menu.addAction("Save table (CSV)…").triggered.connect(lambda: self._ask("plot.csv", self.save_csv))
        save.setMenu(menu)
        return save

    def _ask(self, name: str, write: object) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the plot", name)
        if path:
            write(Path(path))  # type: ignore[operator]

    def _all(self) -> list[tuple[str, str, LossSeries]]:
        return [(run, name, series) for run in self._shown for name, series in self._runs[run].series.items()]

    def _visible(self) -> list[tuple[str, str, LossSeries]]:
        return [(run, name, series) for run, name, series in self._all() if name not in self._hidden]

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for _, name, _ in self._all()))

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _draw(self, key: CurveKey, series: LossSeries) -> None:
        values = smoothed(series.values, self._smoothing.value() / 100)
        self.graph.draw(key, series.steps, values, self._pen(*key), is_log=self._log.isChecked())

    def _fill_quantities(self) -> None:
        menu, names = self._quantities.menu(), self._names()
        if [action.text() for action in menu.actions()] != names:
            menu.clear()
            for name in names:
                action = menu.addAction(_swatch(self._color(name)), name)
                action.setCheckable(True)
                action.setChecked(name not in self._hidden)
                action.toggled.connect(lambda on, name=name: self._on_quantity(name, on))
        self._show_legend(names)

    def _show_legend(self, names: Sequence[str]) -> None:
        shown = [name for name in names if name not in self._hidden]
        parts = [f'<span style="color:{self._color(name).name()}">■</span>&nbsp;{name}' for name in shown[:6]]
        if len(self._shown) > 1:
            parts += [
                f"{_DASHES[i % 4]}&nbsp;{self._runs[run].name}" for i, run in enumerate(self._shown[:4])
            ]
        self._legend.setText("&nbsp;&nbsp; ".join(parts))

    def _on_quantity(self, name: str, is_shown: bool) -> None:
        self._hidden = self._hidden - {name} if is_shown else self._hidden | {name}
        self.graph.enableAutoRange()
        self.redraw()

    def _on_pointed(self, step: float | None) -> None:
        self._legend.setVisible(step is None)
        self._reading.setVisible(step is not None)
        if step is not None:
            self._reading.setText(self.reading(step))

    def _color(self, name: str) -> QColor:
        names = self._names()
        return QColor(label_color(1 + (names.index(name) if name in names else 0), active_theme().is_dark))

    def _pen(self, run: str, name: str) -> QPen:
        style = _STYLES[self._shown.index(run) % len(_STYLES)]
        # One pixel wide is drawn many times faster than wider in Qt's raster engine; wide lines only on HiDPI.
        pen = QPen(self._color(name), max(1.0, active_theme().ui_scale) * self.devicePixelRatioF(), style)
        pen.setCosmetic(True)
        return pen

    def _restyle(self) -> None:
        if self._graph is not None:
            self._graph.restyle()
        self._quantities.menu().clear()
        self._soon()


_DASHES = ("——", "– –", "· · ·", "–·–")


def _swatch(color: QColor) -> QIcon:
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 6))
    painter.drawLine(4, 16, 28, 16)
    painter.end()
    return QIcon(pixmap)
