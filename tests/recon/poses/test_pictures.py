"""What photos tell of themselves: size, lens, which way is up, and which pixels count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from recon.errors import InputError
from recon.poses import METHOD, PosesSettings
from recon.poses.pictures import Photo, assign_lenses, focal_length, look_at, read_grey
from render.images import ImageSet


def settings(**values: object) -> PosesSettings:
    made = METHOD.make_settings(values)
    assert isinstance(made, PosesSettings)
    return made


def write_photo(path: Path, size: tuple[int, int] = (400, 300), **tags: object) -> ImageSet:
    """A JPEG with EXIF tags by their names."""
    exif = Image.Exif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    for name, value in tags.items():
        target = inner if name.startswith("Focal") else exif
        target[ExifTags.Base[name].value] = value
    Image.new("RGB", size, (90, 120, 200)).save(path, exif=exif)
    return ImageSet(str(path.parent), (path.name,))


def test_exif_data_tell_the_focal_length_and_which_way_is_up(tmp_path: Path) -> None:
    images = write_photo(
        tmp_path / "a.jpg", FocalLengthIn35mmFilm=36, FocalLength=6.5, Orientation=6, Make="M", Model="N"
    )
    photo = look_at(images, 0)
    assert photo.size == (400, 300)
    assert photo.focal == pytest.approx(36 / np.hypot(36, 24) * 500)
    assert photo.up == (-1, 0)
    assert "M" in photo.camera
    assert focal_length([photo], settings()) == (photo.focal, True)
    known, is_known = focal_length([photo], settings(field_of_view=90.0))
    assert (known, is_known) == (pytest.approx(200), True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_up_is_where_the_picture_shown_upright_has_its_top(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    write_photo(tmp_path / "a.jpg", Orientation=orientation)
    up = look_at(ImageSet(str(tmp_path), ("a.jpg",)), 0).up
    stored = np.zeros((30, 40), np.uint8)
    x, y = (1 + up[0]) / 2 * 39, (1 + up[1]) / 2 * 29
    stored[max(0, round(y) - 3) : round(y) + 4, max(0, round(x) - 3) : round(x) + 4] = 255
    picture = Image.fromarray(stored)
    picture.getexif()[ExifTags.Base.Orientation.value] = orientation
    shown = np.asarray(ImageOps.exif_transpose(picture))
    assert shown[: len(shown) // 3].sum() > 0.9 * shown.sum()


def test_a_photo_that_tells_nothing_has_a_usual_lens(tmp_path: Path) -> None:
    photo = look_at(write_photo(tmp_path / "a.jpg"), 0)
    assert (photo.focal, photo.up) == (0.0, (0, -1))
    assert focal_length([photo], settings()) == (pytest.approx(480), False)


def test_photos_share_a_lens_where_they_are_alike() -> None:
    photos = [
        Photo(0, (400, 300), ("A",)),
        Photo(1, (400, 300), ("B",)),
        Photo(2, (400, 300), ("A",)),
        Photo(3, (300, 400), ("A",)),
    ]
    alike = assign_lenses(photos, settings())
    assert [[photo.index for photo in group] for group in alike] == [[0, 2], [1], [3]]
    assert len(assign_lenses(photos, settings(lenses="each"))) == 4
    assert len(assign_lenses(photos[:3], settings(lenses="one"))) == 1
    with pytest.raises(InputError, match="2 sizes"):
        assign_lenses(photos, settings(lenses="one"))


def test_alpha_and_mask_both_leave_pixels_out_and_large_images_are_scaled(tmp_path: Path) -> None:
    pixels = np.full((300, 400, 4), 255, np.uint8)
    pixels[:, :100, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    mask = np.full((300, 400), 255, np.uint8)
    mask[200:] = 0
    Image.fromarray(mask).save(tmp_path / "m.png")
    images = ImageSet(str(tmp_path), ("a.png",), ("m.png",))
    grey, used = read_grey(images, look_at(images, 0), 200)
    assert grey.shape == (150, 200)
    assert used is not None
    assert used[:98, 52:].all()
    assert not used[:, :48].any()
    assert not used[102:].any()
    whole = write_photo(tmp_path / "b.jpg")
    assert read_grey(whole, look_at(whole, 0), 1600)[1] is None
