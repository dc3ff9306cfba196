"""Fields on the command line: trained, drawn from cameras with depth, refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon import formats
from render.field_pictures import field_picture
from render.radiance_field import RadianceField
from tests.recon.splats.scenes import room
from tests.render.test_fields import make_radiance_field, make_view_field
from tests.scene_writers import write_transforms

Run = Callable[..., tuple[int, str, str]]
TINY = [
    "--steps",
    "4",
    "--rays",
    "64",
    "--samples",
    "4",
    "--levels",
    "2",
    "--table-size",
    "10",
    "--width",
    "8",
    "--held-out",
    "0",
]


def test_a_field_is_trained_and_drawn_from_the_cameras_of_a_scene(isokiln: Run, tmp_path: Path) -> None:
    posed = room(tmp_path / "photos", views=3, width=32, height=24)
    file = write_transforms(tmp_path / "photos", posed, per_frame=True)
    saved, out = tmp_path / "field.npz", tmp_path / "pictures"
    status, _, errors = isokiln("run", "nerf", file, "-o", saved, *TINY)
    assert status == 0, errors
    field = formats.read(saved).data
    assert isinstance(field, RadianceField)
    for kind, ending in (("npy", "npy"), ("png", "png")):
        status, text, errors = isokiln("render", saved, "--cameras", file, "-o", out, "--depth", kind)
        assert status == 0, errors
        assert "3 pictures of" in text
        assert len(list(out.glob(f"*-depth.{ending}"))) == 3
    picture = field_picture(
        field, posed.cameras.cam_from_world[0], posed.cameras.focal[0], posed.cameras.center[0], (32, 24)
    )
    name = Path(posed.images.paths[0]).stem
    with Image.open(out / f"{name}.png") as drawn:
        assert np.abs(np.asarray(drawn) / 255 - picture.over((0, 0, 0))).max() < 0.01
    depth = np.load(out / f"{name}-depth.npy")
    np.testing.assert_allclose(depth, picture.depth, rtol=1e-3, atol=1e-3)
    with Image.open(out / f"{name}-depth.png") as sixteen:
        np.testing.assert_allclose(np.asarray(sixteen) / 1000, depth, atol=6e-4)


def test_a_field_of_views_is_drawn_too(isokiln: Run, tmp_path: Path) -> None:
    formats.write(tmp_path / "views.npz", make_view_field())
    posed = room(tmp_path / "photos", views=2, width=16, height=12)
    file = write_transforms(tmp_path / "photos", posed, per_frame=True)
    status, text, errors = isokiln(
        "render", tmp_path / "views.npz", "--cameras", file, "-o", tmp_path / "out"
    )
    assert status == 0, errors
    assert "2 pictures of" in text


@pytest.mark.parametrize("ending", [".ply", ".png", ""])
def test_a_field_is_only_written_to_a_file_that_can_hold_it(
    isokiln: Run, tmp_path: Path, ending: str
) -> None:
    posed = room(tmp_path / "photos", views=2, width=16, height=12)
    file = write_transforms(tmp_path / "photos", posed, per_frame=True)
    status, _, errors = isokiln("run", "nerf", file, "-o", tmp_path / f"field{ending}", *TINY)
    assert status == 1
    assert ".npz" in errors and "Traceback" not in errors


def test_what_cannot_be_drawn_is_told(isokiln: Run, tmp_path: Path) -> None:
    formats.write(tmp_path / "strange.npz", make_radiance_field())
    posed = room(tmp_path / "photos", views=2, width=16, height=12)
    file = write_transforms(tmp_path / "photos", posed, per_frame=True)
    formats.write(tmp_path / "scene.npz", posed)
    for shown, words in (("strange.npz", "cannot be drawn"), ("scene.npz", "neither splats nor a field")):
        status, _, errors = isokiln("render", tmp_path / shown, "--cameras", file, "-o", tmp_path / "out")
        assert status == 1
        assert words in errors and "Traceback" not in errors
