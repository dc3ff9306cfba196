"""`isokiln clean` as a person calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.__main__ import main
from recon import formats
from recon.gaussian_edits import merged
from render.gaussians import GaussianCloud
from tests.recon.test_gaussian_cleaning import surfaces, with_floaters
from tests.recon.test_gaussian_finding import lattice

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clean(capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str, str]:
        try:
            status = main(["clean", *map(str, words)])
        except SystemExit as end:
            status = int(end.code or 0)
        output = capfd.readouterr()
        return status, output.out, output.err

    return run


def saved(path: Path, cloud: GaussianCloud) -> Path:
    formats.write(path, cloud)
    return path


def read(path: Path) -> GaussianCloud:
    data = formats.read(path, wanted="gaussians").data
    assert isinstance(data, GaussianCloud)
    return data


def test_a_crop_keeps_what_is_between_two_corners_where_it_was(clean: Run, tmp_path: Path) -> None:
    source = saved(tmp_path / "grid.ply", lattice(5, 5, 5))
    output = tmp_path / "out.ply"
    status, out, _ = clean(source, output, "--crop", -0.5, 0.5, 0.5, 1.5, 2.5, 3.5)
    assert status == 0
    assert out.splitlines() == [
        "crop: 113 removed, 12 left",
        f"{output}: 12 of 125 Gaussians, degree 0",
    ]
    assert np.allclose(read(output).bounds, [[0, 1, 1], [1, 2, 3]])


def test_steps_go_one_after_another_and_each_tells_its_count(clean: Run, tmp_path: Path) -> None:
    cloud = replace(lattice(10, 10, 10, 0.1), opacity_logits=np.where(np.arange(1000) < 100, -6.0, 1.0))
    source = saved(tmp_path / "grid.ply", replace(cloud, sh=np.ones((1000, 16, 3), np.float32)))
    output = tmp_path / "out.spz"
    words = [
        "--sh_degree",
        1,
        "--decimate",
        "50%",
        "--crop-sphere",
        0.45,
        0.45,
        0.45,
        2,
        "--min-opacity",
        0.1,
    ]
    status, out, _ = clean(source, output, *words)
    assert status == 0
    assert out.splitlines() == [
        "crop-sphere: 0 removed, 1000 left",
        "min-opacity: 100 removed, 900 left",
        "decimate: 450 removed, 450 left",
        "sh-degree: degree 3 to 1",
        f"{output}: 450 of 1000 Gaussians, degree 1",
    ]
    again = read(output)
    assert len(again) == 450 and again.sh_degree == 1


def test_floaters_go_and_the_scene_stays(clean: Run, tmp_path: Path) -> None:
    cloud, is_stray = with_floaters(surfaces(4000, 7), 80, 7)
    source = saved(tmp_path / "scene.ply", replace(cloud, extra={"stray": is_stray.astype(np.uint8)}))
    output = tmp_path / "out.ply"
    assert clean(source, output, "--remove-floaters")[0] == 0
    left = read(output).extra["stray"]
    assert left.sum() <= 16 and (left == 0).sum() >= 3990
    assert clean(source, output, "--remove-floaters", "--isolation", 1e9, "--max-size", 1e9)[0] == 0
    assert read(output).extra["stray"].sum() >= 70  # only what is nearly invisible is gone


def test_the_largest_pieces_stay(clean: Run, tmp_path: Path) -> None:
    blocks = [lattice(n, n, n, 0.1, 0.05) for n in (2, 4, 3)]
    cloud = merged([replace(each, means=each.means + np.float32(5 * i)) for i, each in enumerate(blocks)])
    source, output = saved(tmp_path / "blocks.ply", cloud), tmp_path / "out.ply"
    status, out, _ = clean(source, output, "--keep-largest", 2)
    assert status == 0 and out.startswith("keep-largest: 8 removed, 91 left\n")
    assert len(read(output)) == 91


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--decimate", "many"],
        ["--decimate", "0"],
        ["--decimate", "101%"],
        ["--min-opacity", 2],
        ["--crop", 1, 1, 1, 0, 2, 2],
        ["--crop-sphere", 0, 0, 0, 0],
        ["--keep-largest", 0],
        ["--sh-degree", 5],
        ["--remove-floaters", "--isolation", 0],
        ["--remove-floaters", "--max-size", -1],
        ["--min-opacity", "nan"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    clean: Run, tmp_path: Path, words: list[object]
) -> None:
    source, output = saved(tmp_path / "grid.ply", lattice(3, 3, 3)), tmp_path / "out.ply"
    status, out, err = clean(source, output, *words)
    assert status == 2 and not out and err.startswith("isokiln: ")
    assert not output.exists()


def test_a_file_of_other_things_and_a_crop_that_leaves_nothing_fail(clean: Run, tmp_path: Path) -> None:
    source, output = saved(tmp_path / "grid.ply", lattice(3, 3, 3)), tmp_path / "out.ply"
    status, _, err = clean(source, output, "--crop", 10, 10, 10, 11, 11, 11)
    assert status == 1 and "leave no splat" in err and not output.exists()
    assert clean(source, tmp_path / "out.stl", "--min-opacity", 0.1)[0] == 1
    assert clean(source, source, "--min-opacity", 0.1)[0] == 1
    assert clean(tmp_path / "none.ply", output, "--min-opacity", 0.1)[0] == 1


def test_a_real_capture_is_cleaned_from_one_format_into_another(
    clean: Run, tmp_path: Path, shared_data: Path
) -> None:
    source = shared_data / "splats" / "real" / "biker.compressed.ply"
    output = tmp_path / "biker.spz"
    status, out, _ = clean(source, output, "--min-opacity", 0.02, "--remove-floaters")
    assert status == 0
    left = len(read(output))
    assert 0.95 * 152_746 < left < 152_746
    assert out.endswith(f"{output}: {left} of 152746 Gaussians, degree 0\n")
