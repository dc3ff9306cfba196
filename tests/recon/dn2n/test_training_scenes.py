"""Procedural scenes, their clean edits, and what makes edited views differ: exact, repeatable, consistent."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from recon.dn2n.perturbation import perturbed
from recon.dn2n.training.edits import COLOR_EDITS, TEXTURE_EDITS, named_edit, random_edit
from recon.dn2n.training.scenes import ProceduralScene, make_scene
from recon.dn2n.world_noise import fractal_noise

TOLERANCE = 0.01  # relative difference of depth up to which two pixels show the same place


@pytest.fixture(scope="module")
def scene() -> ProceduralScene:
    return make_scene(7, num_views=5, size=(64, 48))


def seen_from(
    scene: ProceduralScene, a: int, b: int, pictures: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(H, W, 3) colours of picture b where the places of view a are, and where these are seen in b."""
    pose = scene.cameras.cam_from_world[b]
    in_cam = scene.points[a] @ pose[:3, :3].T + pose[:3, 3]
    pixels = in_cam[..., :2] / in_cam[..., 2:] * scene.cameras.focal[b] + scene.cameras.center[b] - 0.5
    places = [pixels[..., 1], pixels[..., 0]]
    found = np.stack([map_coordinates(pictures[b][..., c], places, order=1, cval=-9) for c in range(3)], -1)
    depth = map_coordinates(scene.depth[b], places, order=1, cval=-9)
    return found, np.abs(depth / in_cam[..., 2] - 1) < TOLERANCE


def test_a_seed_gives_the_same_scene_each_time_and_another_seed_another(scene: ProceduralScene) -> None:
    again, other = make_scene(7, 5, (64, 48)), make_scene(8, 5, (64, 48))
    np.testing.assert_array_equal(again.rgb, scene.rgb)
    np.testing.assert_array_equal(again.depth, scene.depth)
    assert np.abs(other.depth - scene.depth).mean() > 0.1


def test_a_larger_picture_shows_the_same_scene_from_the_same_place(scene: ProceduralScene) -> None:
    large = make_scene(7, 5, (128, 96))
    small = large.rgb.reshape(5, 48, 2, 64, 2, 3).mean((2, 4))
    assert np.abs(small - scene.rgb).mean() < 6
    np.testing.assert_allclose(large.cameras.cam_from_world, scene.cameras.cam_from_world)


def test_depth_takes_colours_of_one_view_to_another(scene: ProceduralScene) -> None:
    colors = scene.rgb.astype(np.float32) / np.float32(255)
    for a, b in ((0, 1), (2, 3), (4, 0)):
        found, is_seen = seen_from(scene, a, b, colors)
        assert is_seen.mean() > 0.2
        assert np.median(np.abs(found - colors[a])[is_seen]) < 0.02
        by_chance = np.abs(colors[b] - colors[a])[is_seen].mean()
        assert np.abs(found - colors[a])[is_seen].mean() < 0.5 * by_chance


def test_normals_are_the_slope_of_the_depth_and_look_at_the_camera(scene: ProceduralScene) -> None:
    points = scene.points
    np.testing.assert_allclose(np.linalg.norm(scene.normals, axis=-1), 1, atol=1e-5)
    away = points - scene.cameras.positions[:, None, None].astype(np.float32)
    assert ((away * scene.normals).sum(-1) < 1e-4).all()
    slopes = np.cross(points[:, 1:-1, 2:] - points[:, 1:-1, :-2], points[:, 2:, 1:-1] - points[:, :-2, 1:-1])
    slopes /= np.linalg.norm(slopes, axis=-1, keepdims=True)
    assert np.median(np.abs((slopes * scene.normals[:, 1:-1, 1:-1]).sum(-1))) > 0.999


def test_clean_edits_are_the_same_from_all_sides(scene: ProceduralScene) -> None:
    original = scene.rgb.astype(np.float32) / np.float32(255)
    edits = [named_edit(name, scene) for name in (*COLOR_EDITS, *TEXTURE_EDITS)]
    edits += [random_edit(scene, np.random.default_rng(seed)) for seed in range(8)]
    for edit in edits:
        pictures = edit.apply(scene)
        assert pictures.dtype == np.float32 and pictures.min() >= 0 and pictures.max() <= 1
        found, is_seen = seen_from(scene, 0, 1, pictures)
        assert np.median(np.abs(found - pictures[0])[is_seen]) < 0.03, edit.name
        assert edit.kind == "none" or np.abs(pictures - original).mean() > 0.01, edit.name


def test_random_edits_are_of_every_kind_and_repeat_by_seed(scene: ProceduralScene) -> None:
    kinds = {random_edit(scene, np.random.default_rng(seed)).kind for seed in range(30)}
    assert kinds == {"none", "color", "texture", "style"}
    first, second = (random_edit(scene, np.random.default_rng(3)).apply(scene) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_world_noise_is_smooth_and_fills_its_range() -> None:
    points = np.random.default_rng(0).uniform(-20, 20, (20_000, 3)).astype(np.float32)
    values = fractal_noise(points)
    assert 0 <= values.min() < 0.2 and 0.8 < values.max() <= 1 and abs(values.mean() - 0.5) < 0.01
    assert np.abs(fractal_noise(points + np.float32(1e-3)) - values).max() < 0.02
    assert np.corrcoef(fractal_noise(points, seed=1), values)[0, 1] < 0.05


def test_without_perturbation_edited_views_stay_as_they_are(scene: ProceduralScene) -> None:
    original = scene.rgb.astype(np.float32) / np.float32(255)
    edited = named_edit("sunset", scene).apply(scene)
    result = perturbed(original, edited, np.random.default_rng(0), 0)
    np.testing.assert_array_equal(result.views, edited)
    assert (result.sizes == 0).all()


def test_more_perturbation_is_further_from_the_clean_edit_and_its_size_is_told(
    scene: ProceduralScene,
) -> None:
    original = scene.rgb.astype(np.float32) / np.float32(255)
    edited = named_edit("bronze", scene).apply(scene)
    levels = [perturbed(original, edited, np.random.default_rng(1), level) for level in (0.25, 0.5, 1.0)]
    means = [result.sizes.mean() for result in levels]
    assert 0.005 < means[0] < means[1] < means[2] < 0.2
    strong = levels[2]
    for i in range(len(edited)):
        assert strong.sizes[i] == pytest.approx(np.abs(strong.views[i] - edited[i]).mean(), rel=1e-4)
    differences = strong.views - edited
    assert np.abs(differences[0] - differences[1]).mean() > 0.02  # each view is wrong in its own way
    again = perturbed(original, edited, np.random.default_rng(1), 1.0)
    np.testing.assert_array_equal(again.views, strong.views)
