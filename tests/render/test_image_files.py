"""Pixels of scenes from files: sizes, undistortion, masks, depth and normals in every way of storing them."""

from __future__ import annotations

import contextlib
import struct
import time
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from render.cameras import CameraSet
from render.image_files import image_size, read_array, read_depth, read_image, read_mask, read_normals
from render.images import NUM_LENS_PARAMETERS, DepthCues, ImageSet, NormalCues, PosedImages
from render.lenses import distort
from tests.synthetic_room import make_room, write_images

W, H = 160, 120
SMOOTH = np.stack(
    [
        *np.meshgrid(np.linspace(20, 230, W), np.linspace(30, 220, H)),
        np.full((H, W), 77.0),
    ],
    -1,
).astype(np.uint8)


def _posed(folder: Path, *names: str, model: str = "PINHOLE", params: tuple[float, ...] = ()) -> PosedImages:
    count = len(names)
    cameras = CameraSet(
        np.tile(np.eye(4), (count, 1, 1)),
        np.full((count, 2), 120.0),
        np.tile([82.0, 58.5], (count, 1)),
        np.tile([W, H], (count, 1)),
    )
    lens = np.zeros((count, NUM_LENS_PARAMETERS))
    lens[:, : len(params)] = params
    return PosedImages(ImageSet(str(folder), names), cameras, (model,) * count, lens)


def test_a_picture_comes_back_as_stored_and_smaller_as_means_of_blocks(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).save(tmp_path / "a.png")
    posed = _posed(tmp_path, "a.png")
    assert np.array_equal(read_image(posed, 0, None), SMOOTH)
    means = SMOOTH.reshape(H // 4, 4, W // 4, 4, 3).mean((1, 3))
    assert np.abs(read_image(posed, 0, (W // 4, H // 4)) - means).max() <= 1
    assert image_size(tmp_path / "a.png") == (W, H) and read_mask(posed, 0, None).all()


def test_grey_palette_transparent_and_16_bit_pictures_are_colours(tmp_path: Path) -> None:
    grey = Image.fromarray(SMOOTH[..., 0])
    grey.save(tmp_path / "grey.png")
    grey.convert("P").save(tmp_path / "palette.png")
    grey.convert("RGBA").save(tmp_path / "rgba.png")
    Image.fromarray(SMOOTH[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    names = ("grey.png", "palette.png", "rgba.png", "deep.png")
    posed = _posed(tmp_path, *names)
    for i in range(len(names)):
        pixels = read_image(posed, i, None)
        assert pixels.shape == (H, W, 3) and np.array_equal(pixels[..., 2], SMOOTH[..., 0])


def test_the_orientation_tag_does_not_turn_the_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(SMOOTH).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert read_image(_posed(tmp_path, "a.jpg"), 0, None).shape == (H, W, 3)
    assert image_size(tmp_path / "a.jpg") == (W, H)


def test_a_jpeg_of_20_megapixels_is_read_small_in_a_fraction_of_the_time(tmp_path: Path) -> None:
    large = cv2.resize(SMOOTH, (5472, 3648))
    Image.fromarray(large).save(tmp_path / "a.jpg", quality=90)
    images = ImageSet(str(tmp_path), ("a.jpg",))
    started = time.process_time()
    small = read_image(images, 0, (384, 256))
    quick = time.process_time() - started
    started = time.process_time()
    whole = read_image(images, 0, None)
    slow = time.process_time() - started
    assert whole.shape == (3648, 5472, 3) and quick < 0.6 * slow
    exact = cv2.resize(large, (384, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - exact).max() <= 4
    started = time.process_time()
    for _ in range(20):
        image_size(tmp_path / "a.jpg")
    assert (time.process_time() - started) / 20 < 1e-3


@pytest.mark.parametrize("size", [(W, H), (W // 2, H // 2)])
@pytest.mark.parametrize(
    ("model", "params"),
    [("OPENCV", (-0.2, 0.05, 0.003, -0.002)), ("OPENCV_FISHEYE", (0.02, -0.01, 0.0, 0.0))],
)
def test_a_distorted_picture_becomes_the_pinholes(
    tmp_path: Path, model: str, params: tuple[float, ...], size: tuple[int, int]
) -> None:
    # The raw picture shows, at each raw pixel, a smooth function of the undistorted direction.
    posed = _posed(tmp_path, "a.png", model=model, params=params)
    x, y = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
    raw = (np.stack([x, y], -1) - [82.0, 58.5]) / 120
    directions = raw.copy()
    for _ in range(100):
        directions += raw - distort(model, params, directions)
    assert np.abs(distort(model, params, directions) - raw).max() < 1e-6
    picture = 128 + 100 * np.sin(2 * directions)
    Image.fromarray(np.dstack([picture, picture[..., :1]]).round().astype(np.uint8)).save(tmp_path / "a.png")
    factor = size[0] / W
    u, v = np.meshgrid((np.arange(size[0]) + 0.5) / factor, (np.arange(size[1]) + 0.5) / factor)
    expected = 128 + 100 * np.sin(2 * np.stack([(u - 82) / 120, (v - 58.5) / 120], -1))
    pixels, is_used = read_image(posed, 0, size), read_mask(posed, 0, size)
    assert is_used.mean() > 0.6
    inner = cv2.erode(is_used.astype(np.uint8), np.ones((3, 3))) > 0
    assert np.abs(pixels[..., :2] - expected)[inner].max() < 3.5


def test_masks_come_from_files_inverted_or_not_and_from_transparency(tmp_path: Path) -> None:
    is_left = np.zeros((H, W), bool)
    is_left[:, : W // 2] = True
    Image.fromarray(np.dstack([SMOOTH, np.where(is_left, 255, 0).astype(np.uint8)])).save(tmp_path / "a.png")
    Image.fromarray(SMOOTH).save(tmp_path / "b.png")
    mask = np.zeros((H // 2, W // 2), np.uint8)
    mask[: H // 4] = 1
    Image.fromarray(mask).save(tmp_path / "m.png")
    posed = _posed(tmp_path, "a.png", "b.png")
    assert np.array_equal(read_mask(posed, 0, None), is_left)
    masked = replace(posed, images=replace(posed.images, mask_paths=("", "m.png")))
    assert np.array_equal(read_mask(masked, 1, None), np.arange(H)[:, None].repeat(W, 1) < H // 2)
    inverted = replace(posed, images=replace(posed.images, mask_paths=("", "m.png"), are_masks_inverted=True))
    assert np.array_equal(read_mask(inverted, 1, None), np.arange(H)[:, None].repeat(W, 1) >= H // 2)


def _write_depth(path: Path, depth: np.ndarray) -> float:
    """Returns the scale."""
    if path.suffix == ".png":
        Image.fromarray(np.round(depth * 1000).astype(np.uint16)).save(path)
        return 0.001
    if path.suffix == ".exr":
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        with OpenEXR.File(header, {"Y": depth.astype(np.float32)}) as file:
            file.write(str(path))
    elif path.suffix == ".tif":
        Image.fromarray(depth.astype(np.float32)).save(path)
    else:
        np.save(path, depth[None] if path.stem == "channel" else depth)
    return 1.0


@pytest.mark.parametrize("name", ["a.png", "a.npy", "channel.npy", "a.exr", "a.tif"])
def test_depth_is_read_from_every_kind_of_file(tmp_path: Path, name: str) -> None:
    depth = np.linspace(0.5, 4, H * W).reshape(H, W)
    depth[3, 4] = 0
    scale = _write_depth(tmp_path / name, depth)
    posed = replace(_posed(tmp_path, "x.png"), depth=DepthCues((name,), "metric", scale))
    back = read_depth(posed, 0, None)
    assert back.dtype == np.float32 and np.isnan(back[3, 4]) and np.isnan(back).sum() == 1
    assert np.nanmax(np.abs(back - depth)) < 1e-3
    half = read_depth(posed, 0, (W // 2, H // 2))
    assert half.shape == (H // 2, W // 2) and np.nanmax(np.abs(half - depth[1::2, 1::2])) < 1e-3
    assert image_size(tmp_path / name) == (W, H)


@pytest.mark.parametrize("name", ["a.png", "deep.png", "a.npy", "first.npy", "signed.exr", "world.npy"])
def test_normals_are_read_from_every_kind_of_file(tmp_path: Path, name: str) -> None:
    normals = np.random.default_rng(0).normal(0, 1, (H, W, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    turn = cv2.Rodrigues(np.array([0.3, -0.2, 0.9]))[0]
    cues = NormalCues(
        (name,), is_zero_to_one=name != "signed.exr", space="world" if "world" in name else "camera"
    )
    stored = (normals @ turn if "world" in name else normals + 0) * (0.5 if cues.is_zero_to_one else 1.0)
    stored = stored + 0.5 if cues.is_zero_to_one else stored
    if name == "a.png":
        Image.fromarray(np.round(stored * 255).astype(np.uint8)).save(tmp_path / name)
    elif name == "deep.png":
        cv2.imwrite(str(tmp_path / name), np.round(stored[..., ::-1] * 65535).astype(np.uint16))
    elif name.endswith(".exr"):
        with OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": stored.astype(np.float32)}) as file:
            file.write(str(tmp_path / name))
    else:
        np.save(tmp_path / name, np.moveaxis(stored, -1, 0) if name == "first.npy" else stored)
    posed = _posed(tmp_path, "x.png")
    pose = np.eye(4)
    pose[:3, :3] = turn
    cameras = CameraSet(pose[None], posed.cameras.focal, posed.cameras.center, posed.cameras.size)
    back = read_normals(replace(posed, cameras=cameras, normals=cues), 0, None)
    assert np.abs(back - normals).max() < (0.01 if name == "a.png" else 1e-4)
    flipped = replace(posed, cameras=cameras, normals=replace(cues, signs=(1, -1, -1)))
    if "world" not in name:
        assert np.abs(read_normals(flipped, 0, None) * [1, -1, -1] - back).max() < 1e-6


def test_a_normal_of_no_length_is_unknown(tmp_path: Path) -> None:
    pixels = np.full((H, W, 3), 128, np.uint8)
    pixels[0, 0] = [255, 128, 128]
    Image.fromarray(pixels).save(tmp_path / "n.png")
    normals = read_normals(replace(_posed(tmp_path, "x.png"), normals=NormalCues(("n.png",))), 0, None)
    assert np.isfinite(normals[0, 0]).all() and np.isnan(normals[0, 1:]).all()


def test_cues_of_a_distorted_picture_are_undistorted_with_it(tmp_path: Path) -> None:
    params = (-0.2, 0.05, 0.0, 0.0)
    x, y = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
    np.save(tmp_path / "d.npy", (x + 1000 * y).astype(np.float64))
    np.save(tmp_path / "n.npy", np.dstack([x / W, y / H, np.zeros_like(x)]))
    posed = _posed(tmp_path, "x.png", model="OPENCV", params=params)
    posed = replace(posed, depth=DepthCues(("d.npy",), "depth"), normals=NormalCues(("n.npy",)))
    depth, normals = read_depth(posed, 0, None), read_normals(posed, 0, None)
    xy = (np.stack([x, y], -1).reshape(-1, 2) - [82, 58.5]) / 120
    raw = distort("OPENCV", params, xy) * 120 + [82, 58.5]
    expected = (np.floor(raw) + 0.5).reshape(H, W, 2)
    seen = np.isfinite(depth)
    is_close = np.abs(depth - (expected[..., 0] + 1000 * expected[..., 1])) < 0.6
    assert seen.mean() > 0.9 and is_close[seen].mean() > 0.999
    assert np.array_equal(np.isfinite(normals).all(-1), seen)
    assert posed.depth is not None and posed.normals is not None
    made_from_pinhole = replace(
        posed,
        depth=replace(posed.depth, are_undistorted=True),
        normals=replace(posed.normals, are_undistorted=True),
    )
    assert np.array_equal(read_depth(made_from_pinhole, 0, None), (x + 1000 * y).astype(np.float32))
    assert np.isfinite(read_normals(made_from_pinhole, 0, None)).all()


def test_the_rooms_cues_come_back(tmp_path: Path) -> None:
    scene = make_room(3)
    posed = write_images(scene, tmp_path, with_cues=True)
    for i in range(3):
        assert np.abs(read_depth(posed, i, None) - scene.depth[i]).max() < 6e-4
        assert np.abs(read_normals(posed, i, None) - scene.normals[i]).max() < 0.01
        assert np.array_equal(read_image(posed, i, None), scene.rgb[i])


def test_what_is_damaged_or_no_picture_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).save(tmp_path / "whole.png")
    Image.fromarray(SMOOTH).save(tmp_path / "whole.jpg")
    np.save(tmp_path / "whole.npy", np.ones((H, W)))
    for name in ("whole.png", "whole.jpg", "whole.npy"):
        data = (tmp_path / name).read_bytes()
        cut = tmp_path / f"cut{name[5:]}"
        cut.write_bytes(data[: len(data) // 2])
        with pytest.raises((OSError, ValueError), match="cut"):
            read_array(cut) if cut.suffix == ".npy" else read_image(_posed(tmp_path, cut.name), 0, None)
    for name in ("none.png", "none.npy", "none.exr", "none.jpg"):
        with pytest.raises(OSError):
            image_size(tmp_path / name)
    for name in ("bad.png", "bad.npy", "bad.exr", "bad.jpg", "empty.png"):
        (tmp_path / name).write_bytes(b"" if "empty" in name else b"no picture at all" * 9)
        with pytest.raises(OSError, match=name):
            image_size(tmp_path / name)
        with pytest.raises(OSError, match=name):
            read_array(tmp_path / name)
    np.save(tmp_path / "text.npy", np.array(["a"]))
    with pytest.raises(OSError, match=r"text\.npy"):
        read_array(tmp_path / "text.npy")


def test_a_file_that_promises_too_many_pixels_takes_no_memory(tmp_path: Path) -> None:
    Image.new("1", (8, 8)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = struct.pack(">II", 28_000, 28_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "a.png").write_bytes(content)
    tracemalloc.start()
    for attempt in (image_size, read_array):
        with pytest.raises(OSError, match=r"a\.png"):
            attempt(tmp_path / "a.png")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.npy", "a.exr", "a.bmp"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused_as_unreadable(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    whole = tmp_path / f"whole{Path(name).suffix}"
    if not whole.exists():
        _write_any(whole)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place, word = data.draw(st.integers(0, min(len(content), 300) - 1)), data.draw(st.binary(max_size=4))
        content[place : place + len(word)] = word
    (tmp_path / name).write_bytes(content[: data.draw(st.integers(1, len(content)))])
    images = ImageSet(str(tmp_path), (name,))
    for attempt in (
        lambda: image_size(tmp_path / name),
        lambda: read_array(tmp_path / name),
        lambda: read_image(images, 0, (8, 6)),
        lambda: read_mask(images, 0, (8, 6)),
    ):
        with contextlib.suppress(OSError, ValueError):
            attempt()


def _write_any(path: Path) -> None:
    small = SMOOTH[::6, ::6]
    if path.suffix == ".npy":
        np.save(path, small.astype(np.float32))
    elif path.suffix == ".exr":
        _write_depth(path, small[..., 0].astype(np.float64))
    else:
        Image.fromarray(small).save(path)


def test_a_colour_map_is_no_depth_and_a_missing_cue_says_so(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).save(tmp_path / "d.png")
    posed = replace(_posed(tmp_path, "x.png"), depth=DepthCues(("d.png",), "depth"))
    with pytest.raises(ValueError, match="in colours"):
        read_depth(posed, 0, None)
    with pytest.raises(ValueError, match="no such cue"):
        read_depth(replace(posed, depth=DepthCues(("",), "depth")), 0, None)
    with pytest.raises(ValueError, match="no such cue"):
        read_normals(posed, 0, None)
