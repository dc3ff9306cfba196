from __future__ import annotations

import numpy as np

from recon.debsdf.visibility import seen_faces, with_neighbours
from render.cameras import CameraSet
from render.mesh import TriangleMesh


def plate(
    depth: float, half: float, is_facing: bool = True, cells: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """A square across the viewing axis; counter-clockwise from the camera at the origin where it faces it."""
    axis = np.linspace(-half, half, cells + 1)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.full(x.size, depth)], 1)
    i, j = np.meshgrid(np.arange(cells), np.arange(cells), indexing="ij")
    a = (i * (cells + 1) + j).ravel()
    b, c, d = a + cells + 1, a + cells + 2, a + 1
    faces = np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)])
    return vertices, faces if is_facing else faces[:, ::-1]


def joined(*parts: tuple[np.ndarray, np.ndarray]) -> TriangleMesh:
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in parts[:-1]])
    faces = np.concatenate([part[1] + start for part, start in zip(parts, starts, strict=True)])
    return TriangleMesh(np.concatenate([part[0] for part in parts]), faces)


def looking_along_z(focal: float = 60.0) -> CameraSet:
    each = np.ones((1, 2))
    return CameraSet(np.eye(4)[None], each * focal, each * [50, 40], np.array([[100, 80]]))


def look(mesh: TriangleMesh, cameras: CameraSet, tolerance: float) -> np.ndarray:
    steps = seen_faces(mesh, cameras, tolerance)
    views = []
    while True:
        try:
            views.append(next(steps))
        except StopIteration as end:
            assert views == list(range(len(cameras)))
            return end.value


def test_a_plate_hides_its_shadow_and_nothing_else():
    mesh = joined(plate(2.0, 0.5), plate(4.0, 2.2, cells=60))
    is_seen = look(mesh, looking_along_z(), 0.02)
    centers = mesh.vertices[mesh.faces].mean(1)
    behind = centers[:, 2] > 3
    assert is_seen[~behind].all()
    size = np.abs(centers[:, :2]).max(1)
    # The shadow reaches to twice the plate; a pixel is 1/15 wide there.
    assert not is_seen[behind & (size < 0.85)].any()
    in_view = (np.abs(centers[:, 0]) < 3.2) & (np.abs(centers[:, 1]) < 2.6)
    assert is_seen[behind & (size > 1.05) & in_view].all()


def test_what_is_behind_by_less_than_the_tolerance_counts_as_seen():
    mesh = joined(plate(2.0, 0.5), plate(2.03, 0.4))
    is_near = mesh.vertices[mesh.faces][:, 0, 2] < 2.01
    assert look(mesh, looking_along_z(), 0.05).all()
    assert not look(mesh, looking_along_z(), 0.01)[~is_near].any()


def test_the_back_of_a_plate_is_not_seen_and_hides_what_is_behind_it():
    mesh = joined(plate(2.0, 1.0, is_facing=False), plate(4.0, 0.5))
    assert not look(mesh, looking_along_z(), 0.05).any()


def test_what_is_beside_or_behind_the_camera_is_not_seen_and_every_camera_counts():
    mesh = joined(plate(2.0, 3.0, cells=60))
    one = looking_along_z(200.0)
    is_seen = look(mesh, one, 0.02)
    centers = mesh.vertices[mesh.faces].mean(1)
    inside = (np.abs(centers[:, 0]) < 0.45) & (np.abs(centers[:, 1]) < 0.35)
    outside = (np.abs(centers[:, 0]) > 0.7) | (np.abs(centers[:, 1]) > 0.6)
    assert is_seen[inside].all() and not is_seen[outside].any()
    beside = one.cam_from_world.copy()
    beside[0, 0, 3] = -1.5  # One and a half to the right.
    both = CameraSet(
        np.concatenate([one.cam_from_world, beside]),
        one.focal.repeat(2, 0),
        one.center.repeat(2, 0),
        one.size.repeat(2, 0),
    )
    more = look(mesh, both, 0.02)
    assert (more & is_seen).sum() == is_seen.sum() and more[np.abs(centers - [1.5, 0, 2]).max(1) < 0.3].all()
    assert not look(joined(plate(-2.0, 3.0, is_facing=False)), one, 0.02).any()


def test_neighbours_are_the_faces_that_share_a_vertex():
    mesh = joined(plate(2.0, 0.5, cells=6), plate(3.0, 0.5, cells=6))
    one = np.zeros(len(mesh.faces), bool)
    one[0] = True
    grown = with_neighbours(mesh, one, rings=1)
    shared = np.isin(mesh.faces, mesh.faces[0]).any(1)
    np.testing.assert_array_equal(grown, shared)
    assert with_neighbours(mesh, one, rings=50).sum() == len(mesh.faces) // 2
