"""Files on the command line: converted, cut, validated, compared; the samples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app.cli_files import sample_folders
from recon import formats
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.app.command_line import Run, write_true_bean
from tests.make_samples import BEAN, BEAN_FILE, bean_mesh, bean_slices


def test_files_convert_both_ways(isokiln: Run, tmp_path: Path) -> None:
    contours = tmp_path / "bean.json"
    assert isokiln("convert", BEAN_FILE, contours)[0] == 0
    sections = formats.read(contours).data
    assert isinstance(sections, CrossSections)
    assert sections.num_planes == 12
    again = formats.read(BEAN_FILE).data
    assert isinstance(again, CrossSections)
    assert sections.vertices == pytest.approx(again.vertices, abs=1e-9)
    stl = tmp_path / "bean.stl"
    assert isokiln("convert", write_true_bean(tmp_path), stl, "--write-unit", "mm")[0] == 0
    mesh = formats.read(stl).data
    assert isinstance(mesh, TriangleMesh)
    assert len(mesh.faces) == len(bean_mesh().faces)


def test_a_mesh_is_sliced_and_validated(isokiln: Run, tmp_path: Path) -> None:
    mesh = write_true_bean(tmp_path)
    for extra in ((), ("--arbitrary", "--seed", 4), ("--axis", "z")):
        output = tmp_path / "cut.csl"
        assert isokiln("slice", mesh, "-n", 7, *extra, "-o", output)[0] == 0
        sections = formats.read(output).data
        assert isinstance(sections, CrossSections)
        assert sections.num_planes == 7
        is_parallel = bool((abs(sections.normals @ sections.normals[0]) > 0.999).all())
        assert is_parallel == ("--arbitrary" not in extra)
    status, text, _ = isokiln("validate", output, "--json")
    facts = json.loads(text)
    assert (status, facts["kind"], facts["planes"]) == (0, "cross-sections", 7)
    status, text, _ = isokiln("validate", mesh)
    assert re.search(r"faces +\d+", text)


def test_a_damaged_file_is_told_with_its_line(isokiln: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csl"
    bad.write_text("".join(BEAN_FILE.read_text().splitlines(keepends=True)[:40]))
    status, _, errors = isokiln("validate", bad)
    assert status == 1
    assert errors.startswith("isokiln: bad.csl")
    assert "Traceback" not in errors


def test_a_mesh_is_compared_in_the_reference_s_axes(isokiln: Run, tmp_path: Path) -> None:
    mesh = write_true_bean(tmp_path)
    glb = tmp_path / "true.glb"
    isokiln("convert", mesh, glb)
    _, text, _ = isokiln("evaluate", glb, mesh, "--json")
    assert json.loads(text)["iou"] > 0.999
    _, text, _ = isokiln("evaluate", glb, mesh, "--json", "--as-is")
    assert json.loads(text)["iou"] < 0.9


def test_samples_are_bundled_small_and_as_their_formula_says(isokiln: Run, tmp_path: Path) -> None:
    _, text, _ = isokiln("samples")
    assert "slices-bean: bean.csl" in text
    assert sum(file.stat().st_size for file in BEAN_FILE.parent.iterdir()) <= 200_000
    assert isokiln("samples", "slices-bean", "-o", tmp_path / "bean")[0] == 0
    assert (tmp_path / "bean" / "bean.csl").read_bytes() == BEAN_FILE.read_bytes()
    assert isokiln("samples", "slices-bean", "-o", tmp_path / "bean")[0] == 1
    assert [folder.name for folder in sample_folders()] == ["slices-bean", "surface-room"]
    stored = formats.read(BEAN_FILE).data
    assert isinstance(stored, CrossSections)
    assert stored.normals == pytest.approx(bean_slices().normals)
    assert len(stored.vertices) == len(bean_slices().vertices)
    assert abs(BEAN.sdf(stored.vertices)).max() < 0.005
    facing = abs(stored.normals @ stored.normals.T)[~np.eye(12, dtype=bool)]
    assert facing.max() < 0.9999
