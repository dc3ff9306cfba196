"""Losses as they come in: what is drawn, read, smoothed and written."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from widgets.loss_series import LossSeries, smoothed
from widgets.plots import Plots


@pytest.fixture
def plots(qtbot: QtBot) -> Plots:
    plots = Plots()
    qtbot.addWidget(plots)
    plots.resize(800, 260)
    plots.show()
    qtbot.waitExposed(plots)
    return plots


def train(plots: Plots, run: str, steps: int = 50) -> None:
    plots.add_run(run, run.upper())
    for step in range(1, steps + 1):
        plots.append(run, step, {"data": 1 / step, "hinge": 0.01})
    plots.redraw()


def curves(plots: Plots) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    return {key: curve.getOriginalDataset() for key, curve in plots.graph.curves.items()}


def test_an_empty_plot_says_what_it_is_for_and_offers_a_start(plots: Plots, qtbot: QtBot) -> None:
    plots.redraw()
    with qtbot.waitSignal(plots.start_wished):
        qtbot.mouseClick(plots.currentWidget().findChild(QPushButton), Qt.MouseButton.LeftButton)
    train(plots, "a")
    assert plots.findChild(QPushButton).isVisible() is False


def test_every_quantity_of_a_run_is_a_curve_on_a_log_axis(plots: Plots) -> None:
    train(plots, "a")
    drawn = curves(plots)
    assert set(drawn) == {("a", "data"), ("a", "hinge")}
    steps, values = drawn["a", "data"]
    np.testing.assert_array_equal(steps, np.arange(1, 51))
    np.testing.assert_allclose(values, np.log10(1 / np.arange(1, 51)))
    plots.set_log(False)
    np.testing.assert_allclose(curves(plots)["a", "data"][1], 1 / np.arange(1, 51))


def test_values_that_have_no_logarithm_are_left_out(plots: Plots) -> None:
    plots.add_run("a", "A")
    for step, value in enumerate([1.0, 0.0, -1.0, float("nan"), 0.1], 1):
        plots.append("a", step, {"data": value})
    plots.redraw()
    np.testing.assert_allclose(curves(plots)["a", "data"][1], [0, -1])


def test_runs_are_drawn_over_each_other_and_chosen(plots: Plots) -> None:
    train(plots, "a")
    train(plots, "b")
    pens = {run: plots.graph.curves[run, "data"].opts["pen"].style() for run in "ab"}
    assert len(curves(plots)) == 4 and pens["a"] != pens["b"]
    plots.show_runs(["b"])
    plots.redraw()
    assert {run for run, _ in curves(plots)} == {"b"}


def test_points_are_drawn_within_a_moment_without_asking(plots: Plots, qtbot: QtBot) -> None:
    train(plots, "a", 3)
    plots.append("a", 4, {"data": 0.5})
    qtbot.waitUntil(lambda: len(curves(plots)["a", "data"][0]) == 4, timeout=3000)


def test_the_pointer_reads_every_curve_at_its_step(plots: Plots, qtbot: QtBot) -> None:
    train(plots, "a")
    qtbot.waitUntil(plots.graph.isVisible)
    assert plots.reading(10) == "step 10   data 0.1   hinge 0.01"
    plots.grab()  # which lays everything out
    box = plots.graph.plotItem.vb
    place = box.mapViewToScene(QPointF(25, -1))
    plots.graph.scene().sigMouseMoved.emit(place)
    assert plots.findChild(QLabel, "plot_reading").text().startswith("step 25   data 0.04")


def test_checkpoints_are_marked_where_they_were_saved(plots: Plots) -> None:
    train(plots, "a")
    plots.mark_checkpoint("a", 20)
    plots.mark_checkpoint("a", 40)
    plots.redraw()
    assert [mark.value() for mark in plots.graph.marks] == [20, 40]
    plots.remove_run("a")
    plots.add_run("b", "B")
    plots.append("b", 1, {"data": 1.0})
    plots.redraw()
    assert plots.graph.marks == []


def test_stages_whose_steps_begin_anew_have_curves_of_their_own(plots: Plots) -> None:
    plots.add_run("a", "A")
    for stage in ("Grid", "Network"):
        for step in (1, 2, 3):
            plots.append("a", step, {"residual": step}, stage)
    plots.redraw()
    assert {name: len(steps) for (_, name), (steps, _) in curves(plots).items()} == {
        "residual": 3,
        "residual, network": 3,
    }


def test_a_resumed_run_replaces_what_its_lost_attempt_had_drawn() -> None:
    series = LossSeries()
    for step in (*range(1, 11), *range(6, 9)):
        series.append(step, step + (100 if len(series) < 6 and step > 5 else 0))
    np.testing.assert_array_equal(series.steps, np.arange(1, 9))


def test_the_table_holds_every_shown_point_unsmoothed(plots: Plots, tmp_path: Path) -> None:
    train(plots, "a")
    plots.set_smoothing(0.9)
    plots.save_csv(tmp_path / "losses.csv")
    rows = list(csv.DictReader((tmp_path / "losses.csv").read_text().splitlines()))
    assert len(rows) == 100 and rows[0] == {"run": "A", "quantity": "data", "step": "1", "value": "1.0"}
    assert float(rows[49]["value"]) == 1 / 50


def test_the_picture_is_written_as_shown(plots: Plots, tmp_path: Path) -> None:
    train(plots, "a")
    plots.save_png(tmp_path / "losses.png")
    assert (tmp_path / "losses.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_smoothing_keeps_a_constant_and_starts_at_the_first_value() -> None:
    np.testing.assert_allclose(smoothed(np.full(30, 2.0), 0.9), 2.0)
    noisy = np.array([1.0, 3.0, 1.0, 3.0])
    assert smoothed(noisy, 0.5)[0] == 1 and np.ptp(smoothed(noisy, 0.9)[1:]) < 1
    assert smoothed(noisy, 0) is noisy
    assert np.isnan(smoothed(np.array([1.0, np.nan, 1.0]), 0.5)[1])


def test_a_hundred_thousand_points_come_in_and_are_drawn_quickly(plots: Plots) -> None:
    plots.add_run("a", "A")
    start = time.process_time()
    for step in range(100_000):
        plots.append("a", step, {"data": 1.0 + step % 7})
    assert time.process_time() - start < 2.0
    start = time.process_time()
    plots.redraw()
    plots.grab()
    assert time.process_time() - start < 1.0
