"""Training goes on exactly where it left off, learns where cues lie, and does not lose a surface that travels."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from tests.synthetic_room import RoomScene, make_room, room_sdf

torch = pytest.importorskip("torch")

from recon.debsdf import DebsdfSettings  # noqa: E402
from recon.debsdf.color_network import ColorNetwork  # noqa: E402
from recon.debsdf.network_layout import NetworkLayout  # noqa: E402
from recon.debsdf.objective import rank_correlation  # noqa: E402
from recon.debsdf.photos import Photos  # noqa: E402
from recon.debsdf.rays import TrainingRays  # noqa: E402
from recon.debsdf.schedule import Schedule  # noqa: E402
from recon.debsdf.sdf_network import SdfNetwork  # noqa: E402
from recon.debsdf.train import Trainer  # noqa: E402
from recon.hash_grid import HashGridLayout  # noqa: E402
from render.transforms import Similarity3  # noqa: E402

BOX = Similarity3(np.eye(3), np.array([0.0, 0.0, 1.25]), 2.3)
SMALL = {"rays": 128, "levels": 4, "finest": 64, "table_size": 13, "cache_resolution": 48}


@pytest.fixture(scope="module")
def room() -> RoomScene:
    return make_room(10, 64, 48)


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that spin while they wait make steps this small twenty times slower."""
    threads = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(threads[0])
    numba.set_num_threads(threads[1])


def make_trainer(room: RoomScene, start: str = "sphere", depth=None, **settings) -> Trainer:
    chosen = DebsdfSettings(**{**SMALL, **settings})
    depth = room.depth if depth is None else depth
    used = np.ones(room.rgb.shape[:3], bool)
    photos = Photos(room.posed.cameras, room.rgb, used, depth, room.normals.astype(np.float16))
    generator = torch.Generator().manual_seed(1)
    base = None
    if start == "depth":
        axis = np.linspace(-1, 1, 49)
        points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
        base = (room_sdf(BOX.apply(points)) / BOX.scale).astype(np.float32)
    encoding = HashGridLayout.between(16, chosen.finest, chosen.levels, 2, chosen.table_size)
    network = NetworkLayout(grid=encoding, base_resolution=0 if base is None else 49)
    field = SdfNetwork(network, base, generator)
    color = ColorNetwork(network.num_features, 10, chosen.image_codes, generator)
    rays = TrainingRays(photos, BOX, "cpu", chosen.uniform_share)
    return Trainer(field, color, rays, chosen, Schedule(chosen, start), seed=3)


def surface_error(trainer: Trainer, room: RoomScene) -> float:
    """Median |sdf| in metres at the true surface points of every tenth pixel."""
    pixels = np.arange(0, room.depth.size, 10)
    rays = trainer.rays.rays(pixels)
    way = torch.tensor(room.depth.ravel()[pixels] / BOX.scale) / rays.depth_factor
    points = rays.origins + way[:, None] * rays.directions
    return float(np.median(np.abs(trainer.sdf(points.numpy()))) * BOX.scale)


def test_an_interrupted_training_ends_bit_for_bit_like_an_uninterrupted_one(room: RoomScene) -> None:
    settings = {"steps": 40, "exclusion_start": 0.3, "bias_start": 0.5, "bias_end": 0.7}
    whole = make_trainer(room, "depth", **settings)
    first = make_trainer(room, "depth", **settings)
    for trainer in (whole, first):
        trainer.objective.calibration["normals"] = 0.9  # Exclusion and guided rays take part.
    for _ in range(40):
        whole.step()
    for _ in range(26):
        first.step()
    second = make_trainer(room, "depth", **settings)
    second.load({name: array.copy() for name, array in first.state().items()})
    for _ in range(14):
        second.step()
    expected, got = whole.state(), second.state()
    assert expected.keys() == got.keys() and len(expected) > 40
    for name, array in expected.items():
        np.testing.assert_array_equal(got[name], array, err_msg=name)


def test_the_state_goes_through_a_file_of_plain_arrays(room: RoomScene, tmp_path) -> None:
    trainer = make_trainer(room, steps=4)
    trainer.step()
    state = trainer.state()
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as kept:
        loaded = {name: kept[name] for name in kept.files}
    other = make_trainer(room, steps=4)
    other.load(loaded)
    assert other.step().losses == trainer.step().losses


def test_the_same_seed_gives_the_same_training_and_another_another(room: RoomScene) -> None:
    a, b = make_trainer(room, steps=5), make_trainer(room, steps=5)
    losses = [[trainer.step().losses for _ in range(3)] for trainer in (a, b)]
    assert losses[0] == losses[1]
    b.rng.random()
    assert a.step().losses != b.step().losses


@pytest.mark.slow
def test_training_from_a_sphere_finds_the_room_and_does_not_diverge(room: RoomScene) -> None:
    trainer = make_trainer(room, steps=300)
    errors = [surface_error(trainer, room)]
    for _ in range(240):
        trainer.step()
        if trainer.step_count % 80 == 0:
            errors.append(surface_error(trainer, room))
    assert errors[2] < errors[1] < errors[0]
    assert max(errors[2:]) < 0.2 * errors[0]


def test_the_sphere_is_read_whole_again_and_again_and_a_coarse_field_only_once() -> None:
    settings = DebsdfSettings(steps=1000)
    sphere = [Schedule(settings, "sphere").refresh(step) for step in range(1000)]
    depth = [Schedule(settings, "depth").refresh(step) for step in range(1000)]
    assert sphere.count("all") == 10 and depth.count("all") == 1
    assert depth.count("near") > 30


def test_uncertainty_grows_where_cues_lie_and_those_cues_are_excluded(room: RoomScene) -> None:
    """The cue of the ball's depth is 40 cm off in every view; elsewhere it is exact."""
    depth = room.depth.copy()
    pixels = np.arange(depth.size)
    trainer = make_trainer(room, "depth", steps=300)
    rays = trainer.rays.rays(pixels)
    way = torch.tensor(depth.ravel() / BOX.scale) / rays.depth_factor
    points = BOX.apply((rays.origins + way[:, None] * rays.directions).numpy())
    on_ball = np.linalg.norm(points - [0.6, 0.3, 0.45], axis=1) < 0.47
    depth.ravel()[on_ball] += 0.4
    trainer = make_trainer(room, "depth", depth, steps=300, exclusion_start=0.3, excluded_share=0.15)
    trainer.objective.calibration["normals"] = 0.9  # Few steps teach little; what is tested comes after.
    for _ in range(150):
        report = trainer.step()
    wrong, right = (np.flatnonzero(chosen)[::7] for chosen in (on_ball, ~on_ball))
    uncertain, certain = (trainer.look(chosen[:600]).depth_uncertainty for chosen in (wrong, right))
    assert float(uncertain.median()) > 1.5 * float(certain.median())
    assert trainer.objective.calibration["depth"] > 0.15
    assert report.excluded_depth > 0
    kept = (
        trainer.objective.depth_cutoff.keeps(uncertain).float().mean(),
        trainer.objective.depth_cutoff.keeps(certain).float().mean(),
    )
    assert float(kept[0]) < 0.7 < 0.9 < float(kept[1])


def test_each_idea_can_be_switched_off(room: RoomScene) -> None:
    names = ("uncertainty", "exclusion", "bias_aware", "guided_rays", "adaptive_smoothness", "correct_depth")
    for name in names:
        trainer = make_trainer(
            room, "depth", steps=4, exclusion_start=0.0, bias_start=0.0, bias_end=0.1, **{name: False}
        )
        trainer.objective.calibration["normals"] = 0.9
        losses = [trainer.step().losses for _ in range(4)][-1]
        assert np.isfinite(list(losses.values())).all()
        assert ("Depth uncertainty" in losses) == (name != "uncertainty")
        assert ("Depth correction" in losses) == (name != "correct_depth")
    assert Schedule(DebsdfSettings(bias_aware=False), "depth").bias(10_000) == 0


def test_depth_that_is_bent_smoothly_is_straightened(room: RoomScene) -> None:
    """One view's depth is 8 % too far; the surface stays where all others see it."""
    depth = room.depth.copy()
    depth[3] *= 1.08
    trainer = make_trainer(room, "depth", depth, steps=160, exclusion=False)
    for _ in range(140):
        trainer.step()
    factors = np.exp(trainer.objective.corrections.log_factors.detach().numpy()).mean((1, 2))
    assert factors[3] < 0.985
    assert np.abs(np.delete(factors, 3) - 1).max() < 0.5 * (1 - factors[3])


def test_ranks_correlate_or_not() -> None:
    rng = np.random.default_rng(0)
    a = rng.random(2000)
    assert rank_correlation(a, a**3) == pytest.approx(1)
    assert abs(rank_correlation(a, rng.random(2000))) < 0.06
    assert rank_correlation(a, np.ones(2000)) == 0
