"""Parts on the command line: found from masks, edited by words, written, read again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app import cli
from recon import formats
from tests.recon.romap.romap_runs import are_same_rows, spoilt_masks
from tests.synthetic_parts import PARTS, make_part_scene, view_ious, write_part_scene


def main(arguments: list[str]) -> int:
    """`isokiln` with these arguments, without a window."""
    return cli.main(arguments, open_window=lambda options: pytest.fail("opened a window"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("parts")
    scene = make_part_scene(3000, 96, 12, 3, seed=1)
    write_part_scene(folder, scene, spoilt_masks(scene, 1))
    formats.write(folder / "scene.ply", scene.plain)
    for photo in list((folder / "images").iterdir())[:6]:
        photo.unlink()  # Cameras are enough.
    return scene, folder


def test_parts_are_found_edited_and_read_again(folder, capfd) -> None:
    scene, place = folder
    found, edited = place / "found.ply", place / "edited.ply"
    status = main(
        ["run", "romap.part", str(place / "scene.ply"), "--cameras", str(place), "--masks", str(place / "masks"),
         "-o", str(found), "--json"]
    )  # fmt: skip
    assert status == 0
    figures = json.loads(capfd.readouterr().out)["figures"]
    cloud = formats.read(found).data
    part = cloud.extra["part"]
    assert part.dtype.kind == "i" and figures["parts"] == len(PARTS)
    assert view_ious(scene, part).mean() > 0.8

    scarf = str(PARTS.index("scarf"))
    words = "make the scarf dark green with sequins"
    arguments = ["run", "romap.edit", str(found), "--part", scarf, "--instruction", words, "-o", str(edited)]
    assert main(arguments) == 0
    assert "Not understood and left out: “sequins”." in capfd.readouterr().err
    changed = formats.read(edited).data
    rest = np.flatnonzero(part != int(scarf))
    assert are_same_rows(changed, cloud, rest) and changed.sh.tobytes() != cloud.sh.tobytes()
    assert changed.extra["part"].tobytes() == part.tobytes()


def test_the_masks_folder_may_be_named_from_where_one_stands(folder, monkeypatch, tmp_path) -> None:
    _, place = folder
    monkeypatch.chdir(place)
    output = tmp_path / "found.ply"
    assert (
        main(["run", "romap.part", "scene.ply", "--cameras", ".", "--masks", "masks", "-o", str(output)]) == 0
    )
    assert output.exists()


def test_an_instruction_that_means_nothing_writes_nothing(folder, tmp_path, capfd) -> None:
    scene, _ = folder
    formats.write(tmp_path / "labelled.ply", scene.cloud)
    output = tmp_path / "edited.ply"
    arguments = [
        "run",
        "romap.edit",
        str(tmp_path / "labelled.ply"),
        "--part",
        "2",
        "--instruction",
        "croissant",
    ]
    status = main([*arguments, "-o", str(output)])
    assert status == 1 and not output.exists()
    assert "croissant" in capfd.readouterr().err
