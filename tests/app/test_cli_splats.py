"""Splats on the command line: converted between all formats, told about, refused with advice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon import formats
from recon.formats import mesh
from render.frame import Frame
from render.gaussians import GaussianCloud
from tests.recon.formats.splat_examples import usual_cloud
from tests.synthetic import TORUS, mesh_of

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cloud_file(tmp_path: Path) -> Path:
    formats.write(tmp_path / "cloud.ply", replace(usual_cloud(300, 3, extra=True), frame=Frame("-Y")))
    return tmp_path / "cloud.ply"


def test_splats_convert_between_all_formats(isokiln: Run, cloud_file: Path, tmp_path: Path) -> None:
    names = ["a.compressed.ply", "a.spz", "a.splat", "a.glb", "a.npz", "b.ply"]
    for name in names:
        assert isokiln("convert", cloud_file, tmp_path / name)[0] == 0
        for other in names:
            status, text, _ = isokiln("convert", tmp_path / name, tmp_path / f"again-{other}")
            assert (status, text.strip()) == (0, str(tmp_path / f"again-{other}"))
            data = formats.read(tmp_path / f"again-{other}").data
            assert isinstance(data, GaussianCloud) and len(data) == 300 and data.frame == Frame("-Y")
    assert (tmp_path / "b.ply").read_bytes() == cloud_file.read_bytes()


def test_what_a_format_cannot_hold_is_told(isokiln: Run, cloud_file: Path, tmp_path: Path) -> None:
    _, _, errors = isokiln("convert", cloud_file, tmp_path / "a.splat")
    assert "SPLAT keeps no further columns such as part; PLY does." in errors
    assert "SPLAT keeps no colours that depend on the direction." in errors
    status, _, errors = isokiln("convert", cloud_file, tmp_path / "a.sog")
    assert status == 1 and "SOG is read here, but not written." in errors and ".spz" in errors
    status, _, errors = isokiln("convert", cloud_file, tmp_path / "a.obj")
    assert status == 1 and ".compressed.ply" in errors
    status, _, errors = isokiln("convert", cloud_file, cloud_file)
    assert status == 1 and "is the input" in errors
    status, _, errors = isokiln("convert", cloud_file, tmp_path / "m.ply", "--read-read-as", "mesh")
    assert status == 1 and "This file holds Gaussian splats, not a mesh." in errors


def test_options_of_splats_reach_the_file(isokiln: Run, cloud_file: Path, tmp_path: Path) -> None:
    words = ("--write-sh-degree", 1, "--write-spz-version", 3, "--write-sidecar")
    assert isokiln("convert", cloud_file, tmp_path / "a.spz", *words)[0] == 0
    assert (tmp_path / "a.spz").read_bytes()[:2] == b"\x1f\x8b"
    data = formats.read(tmp_path / "a.spz").data
    assert isinstance(data, GaussianCloud) and data.sh_degree == 1
    sidecar = json.loads((tmp_path / "a.export.json").read_text())
    assert sidecar["splats"] == ["cloud"] and np.array_equal(
        np.diag(sidecar["file_from_project"]), [1, -1, -1, 1]
    )


def test_facts_and_notes_of_splats(isokiln: Run, cloud_file: Path) -> None:
    status, text, _ = isokiln("validate", cloud_file, "--json")
    facts, cloud = json.loads(text), formats.read(cloud_file).data
    assert isinstance(cloud, GaussianCloud)
    assert (status, facts["kind"], facts["gaussians"], facts["sh_degree"]) == (0, "Gaussian splats", 300, 3)
    assert facts["further_columns"] == "part" and facts["antialiased"] is False and facts["up"] == "-Y"
    assert facts["opacity_max"] == pytest.approx(float(cloud.opacities.max()))
    assert facts["scale_min"] == pytest.approx(float(cloud.scales.min()))
    assert "which way is up" in facts["notes"][0]["sentence"]
    status, text, _ = isokiln("info", cloud_file)
    assert status == 0 and "opacity median" in text and "further columns          part" in text


def test_a_method_that_wants_splats_says_that_it_got_a_mesh(isokiln: Run, tmp_path: Path) -> None:
    formats.write(tmp_path / "mesh.ply", mesh_of(TORUS, 16))
    status, _, errors = isokiln("run", "splats.mesh", tmp_path / "mesh.ply", "-o", tmp_path / "out.ply")
    assert status == 1 and "it holds a mesh" in errors and "isokiln validate mesh.ply" in errors


def test_a_mesh_of_splats_is_compared_with_a_silent_reference_in_its_own_numbers(
    isokiln: Run, tmp_path: Path
) -> None:
    torus = mesh_of(TORUS, 16)
    mesh.write(tmp_path / "stated.ply", [("torus", replace(torus, frame=Frame("-Y")))])
    whole = (tmp_path / "stated.ply").read_bytes()
    silent = b"\n".join(line for line in whole.split(b"\n") if not line.startswith(b"comment isokiln"))
    (tmp_path / "silent.ply").write_bytes(silent)
    _, text, _ = isokiln("evaluate", tmp_path / "stated.ply", tmp_path / "silent.ply", "--json")
    assert json.loads(text)["iou"] > 0.999
