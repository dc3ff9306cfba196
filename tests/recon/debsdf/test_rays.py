"""Rays go where the cameras look, targets are what the files say, and uncertain pixels are drawn more often."""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic_room import RoomScene, make_room

torch = pytest.importorskip("torch")

from recon.debsdf.photos import Photos, held_out, working_size  # noqa: E402
from recon.debsdf.rays import RayGuide, TrainingRays  # noqa: E402
from render.cameras import pixel_rays  # noqa: E402
from render.transforms import Similarity3  # noqa: E402

BOX = Similarity3(np.eye(3), np.array([0.1, -0.2, 1.2]), 2.4)


@pytest.fixture(scope="module")
def room() -> RoomScene:
    return make_room(6, 64, 48)


def photos_of(room: RoomScene, **changes) -> Photos:
    values = {
        "cameras": room.posed.cameras, "rgb": room.rgb, "is_used": np.ones(room.rgb.shape[:3], bool),
        "depth": room.depth, "normals": room.normals.astype(np.float16),
    }  # fmt: skip
    return Photos(**{**values, **changes})


def test_rays_and_depths_lead_to_the_same_points_as_the_cameras(room: RoomScene) -> None:
    photos = photos_of(room)
    rays = TrainingRays(photos, BOX, "cpu", 1.0)
    pixels = np.random.default_rng(0).integers(0, photos.is_used.size, 300)
    cast, targets = rays.rays(pixels), rays.targets(pixels)
    in_box = cast.origins + cast.directions * (targets.depth / cast.depth_factor)[:, None]
    image, rest = np.divmod(pixels, 64 * 48)
    row, column = np.divmod(rest, 64)
    rays_o, rays_d = pixel_rays(room.posed.cameras, image, np.stack([column + 0.5, row + 0.5], 1))
    forward = room.posed.cameras.cam_from_world[image, 2, :3]
    depth = room.depth[image, row, column] / (rays_d * forward).sum(1)
    np.testing.assert_allclose(BOX.apply(in_box.numpy()), rays_o + rays_d * depth[:, None], atol=2e-5)
    np.testing.assert_array_equal(targets.rgb.numpy() * 255, room.rgb[image, row, column])


def test_a_normal_in_camera_axes_turns_with_the_rotation_of_its_ray(room: RoomScene) -> None:
    rays = TrainingRays(photos_of(room), BOX, "cpu", 1.0)
    pixels = np.arange(0, 6 * 64 * 48, 97)
    cast, targets = rays.rays(pixels), rays.targets(pixels)
    in_box = torch.einsum("rij,ri->rj", cast.rotations, targets.normals)
    assert bool(((in_box * cast.directions).sum(1) < 0).all())
    # Walls, floor and ceiling: one axis of the world and nothing else.
    flat = (in_box.abs().max(1).values > 0.999).float().mean()
    assert float(flat) > 0.7


def test_unknown_cues_weigh_nothing_and_contradicted_ones_are_not_trusted(room: RoomScene) -> None:
    depth, normals = room.depth.copy(), room.normals.astype(np.float16)
    depth[0], normals[1] = np.nan, np.nan
    trusted = np.ones(depth.shape, bool)
    trusted[2] = False
    rays = TrainingRays(photos_of(room, depth=depth, normals=normals, is_trusted=trusted), BOX, "cpu", 1.0)
    views = [rays.targets(np.arange(view * 3072, view * 3072 + 50)) for view in range(4)]
    assert not views[0].depth_weight.any() and bool((views[0].normal_weight == 1).all())
    assert not views[1].normal_weight.any() and bool((views[1].depth_weight == 1).all())
    assert not views[2].trust.any() and bool((views[3].trust == 1).all())
    assert all(bool(torch.isfinite(v.depth).all() and torch.isfinite(v.normals).all()) for v in views)


def test_masked_and_kept_back_pixels_are_never_drawn(room: RoomScene) -> None:
    used = np.ones(room.rgb.shape[:3], bool)
    used[:, :, :32] = False
    photos = photos_of(room, is_used=used, is_held_out=held_out(6, 3))
    assert photos.is_held_out.tolist() == [False, True, False, False, True, False]
    rays, rng = TrainingRays(photos, BOX, "cpu", 0.5), np.random.default_rng(0)
    drawn = np.concatenate([rays.draw(500, is_guided, rng) for is_guided in (False, True) for _ in range(5)])
    assert (drawn % 64 >= 32).all()
    assert set(np.unique(drawn // 3072)) == {0, 2, 3, 5}


def test_uncertain_cells_are_drawn_more_often_and_every_view_alike(room: RoomScene) -> None:
    guide = RayGuide(photos_of(room))
    every = np.arange(6 * 3072)
    uncertainty = np.where((every % 64 < 8), 0.9, 0.1).astype(np.float32)
    for _ in range(30):
        guide.update(every, uncertainty)
    drawn = guide.draw(20_000, np.random.default_rng(0))
    assert (drawn % 64 < 8).mean() == pytest.approx(0.9 / (0.9 + 7 * 0.1), abs=0.02)
    assert np.bincount(drawn // 3072).min() > 0.9 * 20_000 / 6


def test_the_working_size_keeps_the_shape_and_never_enlarges(room: RoomScene) -> None:
    assert working_size(room.posed, 0, "cpu") == (64, 48)
    assert working_size(room.posed, 32, "cpu") == (32, 24)
    large = room.posed.cameras.resized(np.tile([4000, 3000], (6, 1)))
    posed = type(room.posed)(room.posed.images, large)
    width, height = working_size(posed, 0, "cpu")
    assert width / height == pytest.approx(4 / 3, abs=0.01) and width * height <= 50_000
    assert working_size(posed, 0, "cuda")[0] > width


def test_a_hundred_images_of_a_megapixel_fit_into_memory() -> None:
    """At most 25 bytes a pixel are held: 3 of colour, 1 of mask, 4 of depth, 6 of normals, 1 of trust, 8 of indices."""
    size = (1000, 1000)
    room = make_room(2, 16, 12)
    cameras = room.posed.cameras.resized(np.tile(size, (2, 1)))
    names = tuple(f"{i}.png" for i in range(100))
    images = type(room.posed.images)("/nowhere", names)
    posed = type(room.posed)(images, cameras.select(np.zeros(100, int)))
    for device in ("cpu", "cuda"):
        width, height = working_size(posed, 0, device)
        assert 25 * 100 * width * height < 2.5e9
