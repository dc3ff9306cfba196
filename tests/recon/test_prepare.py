"""What is compiled ahead: steps that run as methods are now, in a folder that is gone after them."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest

import recon
from recon import prepare
from render.scene_data import SceneData


def test_each_step_runs_a_method_with_settings_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def check(
        method_id: str, inputs: dict[str, SceneData], settings: dict[str, Any], _: Path
    ) -> list[SceneData]:
        method = recon.method_by_id(method_id)
        assert set(inputs) <= {slot.name for slot in method.inputs}
        method.make_settings(settings)
        ran.append(method_id)
        return []

    monkeypatch.setattr(prepare, "run", check)
    with as_file(files("resources") / "samples") as samples:
        for name, step in prepare.steps(samples, tmp_path):
            if name not in ("parts", "pictures of radiance fields"):  # of what others made
                step()
    assert ran == ["dn2n", "dn2n", "splats", "nerf", "orex"]


def test_a_step_that_fails_keeps_no_other_from_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise ValueError("as it happens")

    place = tmp_path / "runs"
    place.mkdir()
    (place / "a run").mkdir()
    monkeypatch.setattr(
        prepare, "steps", lambda *_: [("first", fail), ("second", lambda: ran.append("second"))]
    )
    monkeypatch.setattr(prepare, "give_way", lambda: None)
    monkeypatch.setattr(prepare, "limit_threads", lambda: None)
    monkeypatch.setattr(prepare, "_end_with_input", lambda _: None)
    assert prepare.main([str(place)]) == 0
    assert ran == ["second"]
    assert "Cannot prepare first" in caplog.text
    assert not place.exists(), "nothing is left behind"
