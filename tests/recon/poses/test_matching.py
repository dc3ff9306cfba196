"""Matching features, choosing pairs, and working in threads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pycolmap
import pytest

from recon.poses.features import Features
from recon.poses.in_threads import in_threads
from recon.poses.matching import guided_matches, is_verified, match_features, verify_pair
from recon.poses.pairing import all_pairs, choose_pairing, look_alikes, neighbour_pairs
from tests.synthetic_room import make_room


def random_features(count: int, rng: np.random.Generator) -> Features:
    """Descriptors of COLMAP's length, 512, at random points."""
    values = rng.random((count, 128)) ** 4
    values *= 512 / np.linalg.norm(values, axis=1, keepdims=True)
    points = rng.random((count, 2)) * [320, 240]
    return Features(points.astype(np.float32), values.round().clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("counts", [(40, 60), (1500, 700), (5, 0), (0, 5), (1, 1)])
def test_matches_are_those_of_a_plain_search(counts: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    first = random_features(counts[0], rng)
    second = random_features(counts[1], rng)
    shared = min(counts) // 2
    noisy = first.descriptors[:shared].astype(int) + rng.integers(-9, 10, (shared, 128))
    second.descriptors[:shared] = noisy.clip(0, 255)
    found = {tuple(pair) for pair in match_features(first, second, 0.8).tolist()}
    assert found == plain_matches(first, second, 0.8)
    assert len(found) >= shared


def plain_matches(first: Features, second: Features, max_ratio: float) -> set[tuple[int, int]]:
    cosine = (first.descriptors / 512.0) @ (second.descriptors / 512.0).T
    angle = np.arccos(np.clip(cosine, -1, 1))
    matches = set()
    for i, row in enumerate(angle):
        if not len(row):
            continue
        j = int(row.argmin())
        others = np.delete(row, j)
        following = others.min() if len(others) else np.pi
        if angle[:, j].argmin() == i and row[j] <= 0.7 and row[j] < max_ratio * following:
            matches.add((i, j))
    return matches


def two_views() -> tuple[Features, Features, object]:
    """Points of the room in two of its views, with the same descriptors in pairs, and the camera."""
    scene = make_room(12, 320, 240)
    cameras, points = scene.posed.cameras, scene.posed.points.points
    rng = np.random.default_rng(0)
    pixels = []
    for i in (0, 1):
        in_cam = points @ cameras.cam_from_world[i, :3, :3].T + cameras.cam_from_world[i, :3, 3]
        pixels.append(in_cam[:, :2] / in_cam[:, 2:] * cameras.focal[i] + cameras.center[i])
    seen = [scene.posed.observations[scene.posed.observations[:, 0] == i, 1] for i in (0, 1)]
    both = np.intersect1d(*seen)
    assert len(both) > 60
    descriptors = random_features(len(both), rng).descriptors
    views = [Features(each[both].astype(np.float32), descriptors) for each in pixels]
    focal, center = cameras.focal[0, 0], cameras.center[0]
    camera = pycolmap.Camera(model="SIMPLE_PINHOLE", width=320, height=240, params=[focal, *center])
    return views[0], views[1], camera


def test_a_pair_is_verified_and_false_matches_are_left_out() -> None:
    first, second, camera = two_views()
    count = len(first.points)
    matches = np.stack([np.arange(count)] * 2, 1).astype(np.uint32)
    wrong = matches.copy()
    wrong[:20, 1] = np.roll(wrong[:20, 1], 7)
    geometry = verify_pair((camera, camera), (first, second), wrong, 15, 2.0, seed=0)
    assert is_verified(geometry, 15)
    assert len(geometry.inlier_matches) >= count - 20
    kept = geometry.inlier_matches
    assert (kept[:, 0] == kept[:, 1]).mean() > 0.95
    nonsense = np.stack([np.arange(count), np.random.default_rng(0).permutation(count)], 1)
    assert not is_verified(
        verify_pair((camera, camera), (first, second), nonsense.astype(np.uint32), 30, 2.0, seed=0), 30
    )


def test_guided_matching_finds_what_was_too_ambiguous() -> None:
    first, second, camera = two_views()
    count = len(first.points)
    matches = np.stack([np.arange(count)] * 2, 1).astype(np.uint32)
    geometry = verify_pair((camera, camera), (first, second), matches, 15, 2.0, seed=0)
    twins = 20  # features whose descriptor occurs twice
    descriptors = first.descriptors.copy()
    descriptors[:twins] = descriptors[twins : 2 * twins]
    ambiguous = [Features(each.points, descriptors) for each in (first, second)]
    plain = match_features(ambiguous[0], ambiguous[1], 0.8)
    guided = guided_matches(ambiguous[0], ambiguous[1], geometry, 0.8, 2.0)
    assert len(plain) <= count - 2 * twins
    assert len(guided) > len(plain) + twins
    assert (guided[:, 0] == guided[:, 1]).mean() > 0.97


def test_the_way_of_pairing_follows_the_number_of_images() -> None:
    assert choose_pairing("auto", 80, is_video=True) == "all"
    assert choose_pairing("auto", 81, is_video=True) == "neighbours"
    assert choose_pairing("auto", 81, is_video=False) == "look-alike"
    assert choose_pairing("all", 500, is_video=False) == "all"
    assert len(all_pairs(range(6))) == 15
    pairs = neighbour_pairs(range(0, 200, 2))
    assert len(set(pairs)) == len(pairs)
    assert {(0, 2), (0, 20), (0, 32), (100, 120)} <= set(pairs)
    assert max(b - a for a, b in pairs) == 128


def test_images_that_look_alike_are_found_at_a_glance() -> None:
    rng = np.random.default_rng(0)
    scenes = [random_features(60, rng) for _ in range(3)]
    views = []
    for view in range(12):
        scene = scenes[view % 3]
        noise = rng.integers(-6, 7, scene.descriptors.shape)
        changed = (scene.descriptors.astype(int) + noise).clip(0, 255).astype(np.uint8)
        views.append(Features(scene.points, changed))
    images = [10 * i for i in range(12)]
    *waits, found = look_alikes(images, views, "look-alike", [])
    assert waits == [None] * 12
    assert {(a // 10 % 3 == b // 10 % 3) for a, b in found} == {True}
    assert len(found) == 3 * 6
    *_, rest = look_alikes(images, views, "neighbours", [(0, 30)])
    assert (0, 30) not in rest
    assert len(rest) == 3 * 6 - 1


def test_work_in_threads_comes_back_in_order_and_ends_when_closed() -> None:
    def work(task: int) -> int:
        time.sleep(0.02 * (task % 3))
        return task * task

    answers = [step for step in in_threads(work, range(10), 3) if step is not None]
    assert answers == [(i, i * i) for i in range(10)]
    taken = []

    def tasks():  # type: ignore[no-untyped-def]
        for i in range(1000):
            taken.append(i)
            yield i

    steps = in_threads(work, tasks(), 2)
    next(steps)
    steps.close()
    assert len(taken) < 10
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("poses") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    def fail(task: int) -> int:
        raise OSError(f"task {task}")

    with pytest.raises(OSError, match="task 0"):
        list(in_threads(fail, range(3), 2))
