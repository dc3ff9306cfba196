from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from recon.method import RunContext
from recon.orex import OrexSettings
from recon.orex.agreement import check
from recon.orex.bridges import Handles, Neck, find_necks, mend
from recon.orex.grid import Field, Grid
from recon.orex.job import Job
from recon.orex.reconstruct import prepare, run
from recon.orex.saddles import loop_saddles
from recon.orex.stages import finest_grid
from recon.slicing import slice_mesh
from recon.surface import describe, extract_surface
from render.mesh import TriangleMesh
from tests.stepping import finish
from tests.synthetic import GEAR, TORUS, Distances, Points, Shape, field_of, mesh_of, slices_of

SETTINGS = OrexSettings(prior="none", resolution=97, uncertainty=False)
MIDDLE = np.array([0.0, 0.0, 0.25])  # between the prongs


def segment_distance(x: Points, start: tuple[float, ...], end: tuple[float, ...]) -> Distances:
    a, along = np.array(start), np.array(end) - np.array(start)
    share = np.clip((x - a) @ along / (along @ along), 0, 1)
    return np.asarray(np.linalg.norm(x - a - share[:, None] * along, axis=1))


def fork(x: Points) -> Distances:
    """Two upright prongs of radius 0.2, a fifth apart, on one foot: no handle."""
    foot = segment_distance(x, (-0.3, 0, -0.5), (0.3, 0, -0.5))
    prongs = [segment_distance(x, (side, 0, -0.5), (side, 0, 0.6)) for side in (-0.3, 0.3)]
    return np.minimum.reduce([foot, *prongs]) - 0.2


def bridged_fork(x: Points) -> Distances:
    """The fork, its prongs joined by an hourglass six thousandths deep in its middle: one handle."""
    away = (x - MIDDLE) ** 2
    hourglass = 2.5 * (away[:, 1] + away[:, 2]) - 1.5 * away[:, 0] - 0.006
    return np.where(np.abs(x[:, 0]) < 0.15, np.minimum(fork(x), hourglass), fork(x))


FORK = Shape("fork", fork, 0)
BRIDGED = Shape("bridged fork", bridged_fork, 1, is_exact=False)


@lru_cache
def job_of(shape: Shape, heights: tuple[float, ...], settings: OrexSettings = SETTINGS) -> Job:
    """A job for the shape cut at these heights."""
    normals = np.tile([0.0, 0.0, 1.0], (len(heights), 1))
    return prepare(slice_mesh(mesh_of(shape), (normals, np.array(heights))), settings, RunContext())


def sampled(shape: Shape, job: Job, grid: Grid) -> Field:
    """The shape's distances on the job's grid, in box units."""
    world = job.boxed.world_from_box
    values = shape.sdf(world.apply(grid.points(0, grid.shape[0]))) / world.scale
    return np.asarray(values.reshape(grid.shape), np.float32)


def necks_of(shape: Shape, job: Job) -> list[Neck]:
    grid = finest_grid(job)
    return find_necks(sampled(shape, job, grid), grid, job.contours[1], job.boxed.gap)


def wall(x: Points) -> Distances:
    return np.maximum(np.abs(x[:, 1]) - 0.1, np.abs(x[:, [0, 2]]).max(1) - 0.7)


def pierced_wall(x: Points) -> Distances:
    """The wall with an hourglass of a hole, half a hundredth wide, between two slices: one handle."""
    aside = ((x[:, [0, 2]] - MIDDLE[[0, 2]]) / (0.1 + x[:, 1:2] ** 2)) ** 2
    return np.maximum(wall(x), 0.005 + x[:, 1] ** 2 + 0.2 * (np.exp(-aside.sum(1)) - 1))


WALL = Shape("wall", wall, 0)
PIERCED = Shape("pierced wall", pierced_wall, 1, is_exact=False)

BESIDE = tuple(np.linspace(-0.65, 0.75, 8))  # the bridge lies halfway between two of them
THROUGH = (*BESIDE[:5], 0.25, *BESIDE[5:])


def test_the_thinnest_place_of_a_ring_is_where_its_loop_closes():
    thinned = Shape("", lambda x: TORUS.sdf(x) + 0.2 * np.exp(-(((x - [0.6, 0, 0]) / 0.3) ** 2).sum(1)), 1)
    field, origin, spacing = field_of(thinned, 65)
    (saddle,) = loop_saddles(field, -0.2)
    assert np.array(saddle.point) * spacing + origin == pytest.approx([0.6, 0, 0], abs=spacing)
    assert saddle.value == pytest.approx(-0.05, abs=0.01)


def test_a_solid_without_handles_closes_no_loop():
    field = field_of(FORK, 65)[0]
    assert loop_saddles(field, -0.1) == [] and len(loop_saddles(field_of(BRIDGED, 65)[0], -0.1)) == 1


def test_a_bridge_that_no_slice_shows_is_found_in_its_middle():
    job = job_of(FORK, BESIDE)
    (neck,) = necks_of(BRIDGED, job)
    grid = finest_grid(job)
    section = job.boxed.world_from_box.apply(grid.lower + grid.spacing * neck.points)
    assert not neck.is_gap and neck.value * job.boxed.world_from_box.scale == pytest.approx(-0.006, abs=1e-3)
    assert np.linalg.norm(section.mean(0) - MIDDLE) < 0.03
    assert np.abs(section[:, 0]).max() < 0.03


def test_a_bridge_that_a_slice_shows_stays():
    assert necks_of(BRIDGED, job_of(BRIDGED, THROUGH)) == []


def test_a_pinhole_that_no_slice_shows_is_filled():
    (neck,) = necks_of(PIERCED, job_of(WALL, BESIDE))
    assert neck.is_gap and neck.value < 0


def test_a_thin_ring_of_even_thickness_is_no_bridge():
    ring = Shape("ring", lambda x: np.hypot(np.hypot(x[:, 0], x[:, 2]) - 0.6, x[:, 1]) - 0.03, 1)
    job = job_of(ring, tuple(np.linspace(-0.55, 0.55, 6)))
    assert necks_of(ring, job) == []


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
def test_the_holes_of_a_gear_are_left_alone(kind: str):
    job = prepare(slices_of(GEAR, 20, kind), SETTINGS, RunContext())
    grid = finest_grid(job)
    field = sampled(GEAR, job, grid)
    assert describe(extract_surface(field, grid.lower, grid.spacing)).genus == 6
    assert necks_of(GEAR, job) == []


def test_a_cut_bridge_leaves_two_prongs_that_agree_with_every_slice():
    job = job_of(FORK, BESIDE)
    grid = finest_grid(job)
    fields = {1: sampled(BRIDGED, job, grid)}
    mended = finish(mend(job, fields, grid))
    before, after = (describe(job.mesh(job.solids(each, grid)[1], grid)) for each in (fields, mended.fields))
    assert (before.genus, after.genus) == (1, 0) and after.num_components == 1
    assert mended.handles == {1: Handles(cut=1)}
    assert min(plane.accuracy for plane in check(job, mended.fields, grid)) > 99.9
    far = np.abs(grid.points(0, grid.shape[0]) - job.boxed.world_from_box.inverse.apply(MIDDLE[None])).max(1)
    moved = np.abs(mended.fields[1] - fields[1]).reshape(-1)
    assert moved[far > 0.3].max() < 0.2 * grid.spacing


def test_what_was_done_is_told_in_a_sentence():
    assert str(Handles()) == ""
    assert str(Handles(1) + Handles(1, 1)) == "Shown by no slice: 2 bridges were cut, 1 pinhole was filled."


def test_a_run_tells_what_was_cut_and_cuts_nothing_where_that_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
):
    def bridged_fit(job: Job, priors: dict[int, Field], grid: Grid):
        yield from ()
        return {1: sampled(BRIDGED, job, grid)}

    monkeypatch.setattr("recon.orex.reconstruct.fit_planes", bridged_fit)
    sections = slice_mesh(mesh_of(FORK), (np.tile([0.0, 0, 1], (8, 1)), np.array(BESIDE)))
    quick = SETTINGS.model_copy(update={"agreement_rounds": 0})
    cut, left = (
        finish(run({"sections": sections}, quick.model_copy(update={"cut_bridges": on}), RunContext()))
        for on in (True, False)
    )
    assert [result.figures["solids"]["Label 1"]["genus"] for result in (cut, left)] == [0, 1]
    assert cut.figures["bridges"] == {"Label 1": {"cut": 1, "filled": 0}}
    assert "Shown by no slice: 1 bridge was cut." in cut.figures["note"]
    assert left.figures["bridges"] == {"Label 1": {"cut": 0, "filled": 0}} and not left.figures["note"]
    assert isinstance(cut.outputs[0].data, TriangleMesh)
