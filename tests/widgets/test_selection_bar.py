"""The bar with the count of the selection: it covers neither the axes nor the counts of the picture."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from widgets.selection_bar import SelectionBar
from widgets.viewport_overlays import Counts


@pytest.mark.parametrize("width", [420, 640, 830, 1600])
@pytest.mark.parametrize("line", ["12 splats", "674 724 triangles, 340 695 vertices"])
def test_the_bar_does_not_cover_the_counts(qtbot, width: int, line: str) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(width, 600)
    counts = Counts(host)
    counts.set_lines(("152 746 splats", line))
    size = counts.sizeHint()
    counts.setGeometry(width - size.width(), 600 - size.height(), size.width(), size.height())
    bar = SelectionBar(host, [QAction(f"Action {i}", host) for i in range(7)])
    host.show()
    bar.show_counts(46_038, 152_746, 60)
    assert bar.isVisible() and not bar.geometry().intersects(counts.geometry())
    assert host.rect().contains(bar.geometry())
    if width == 1600:
        assert bar.geometry().bottom() > counts.y(), "where there is room it stands at the foot"
