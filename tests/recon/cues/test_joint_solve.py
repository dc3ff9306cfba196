"""Equations of coupled views."""

from __future__ import annotations

import numpy as np

from recon.cues.joint_solve import solve_coupled


def test_coupled_views_are_solved_as_by_one_dense_matrix() -> None:
    rng = np.random.default_rng(0)
    num_views, num_unknowns = 5, 4
    pairs = np.array([[0, 1], [1, 0], [2, 4], [3, 1]])
    cross = rng.normal(0, 0.5, (len(pairs), num_unknowns, num_unknowns)).astype(np.float32)
    root = rng.normal(size=(num_views, num_unknowns, num_unknowns))
    own = root @ np.swapaxes(root, 1, 2) + 6 * np.eye(num_unknowns)
    right = rng.normal(size=(num_views, num_unknowns))
    dense = np.zeros((num_views, num_unknowns, num_views, num_unknowns))
    for i in range(num_views):
        dense[i, :, i] += own[i]
    for (i, j), block in zip(pairs, cross, strict=True):
        dense[i, :, j] += block
        dense[j, :, i] += block.T
    expected = np.linalg.solve(dense.reshape(right.size, right.size), right.ravel()).reshape(right.shape)
    found = solve_coupled(own, pairs, cross, right)
    assert np.linalg.norm(found - expected) < 5e-3 * np.linalg.norm(expected)
    alone = solve_coupled(own, pairs[:0], cross[:0], right)
    assert np.allclose(alone, np.linalg.solve(own, right[..., None])[..., 0])
