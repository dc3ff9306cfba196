"""Similarities between frames."""

from __future__ import annotations

import numpy as np
import pytest

from render.transforms import Similarity3


def some_similarity(rng: np.random.Generator) -> Similarity3:
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    return Similarity3(rotation, rng.normal(size=3) * 10, float(rng.uniform(0.1, 5)))


@pytest.mark.parametrize("seed", range(5))
def test_points_and_their_moved_copies_tell_the_similarity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = some_similarity(rng)
    points = rng.normal(size=(3 + seed, 3))
    found = Similarity3.from_points(points, truth.apply(points))
    assert np.allclose(found.matrix, truth.matrix, atol=1e-9)


def test_points_in_a_plane_are_enough_and_mirrored_ones_give_no_mirror() -> None:
    rng = np.random.default_rng(0)
    flat = np.concatenate([rng.normal(size=(8, 2)), np.zeros((8, 1))], 1)
    truth = some_similarity(rng)
    assert np.allclose(Similarity3.from_points(flat, truth.apply(flat)).matrix, truth.matrix, atol=1e-9)
    solid = rng.normal(size=(30, 3))
    found = Similarity3.from_points(solid, solid * [1, 1, -1])
    assert np.linalg.det(found.rotation) == pytest.approx(1)


def test_no_other_similarity_comes_nearer_to_noisy_points() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=(20, 3))
    b = some_similarity(rng).apply(a) + rng.normal(size=(20, 3)) * 0.1
    best = Similarity3.from_points(a, b)
    least = ((best.apply(a) - b) ** 2).sum()
    for _ in range(50):
        turn, _ = np.linalg.qr(np.eye(3) + rng.normal(size=(3, 3)) * 0.01)
        turn *= np.sign(np.diag(turn))
        nearby = Similarity3(
            turn @ best.rotation, best.translation + rng.normal(size=3) * 0.01, best.scale * 1.01
        )
        assert ((nearby.apply(a) - b) ** 2).sum() > least


def test_points_on_a_line_are_refused() -> None:
    line = np.outer(np.arange(4.0), [1, 2, 3])
    with pytest.raises(ValueError, match="turn open"):
        Similarity3.from_points(line, line)
    with pytest.raises(ValueError, match="partner"):
        Similarity3.from_points(line, line[:3])
