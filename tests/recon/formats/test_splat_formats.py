"""Splats survive files: bit for bit in PLY, within each format's steps in the others; other programs read them alike."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings

from recon import formats
from recon.errors import FormatError
from recon.formats import spz
from recon.formats.export import ExportOptions
from recon.formats.gaussian_compressed_ply import hilbert_order
from recon.formats.reading import ReadOptions
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.spherical_harmonics import SH_C0, sh_basis
from tests.recon.formats.splat_examples import any_clouds, apart, held_clouds, turn_apart, usual_cloud

FLOAT = 1e-6  # rounding of 32-bit numbers, of their size
FEW = settings(max_examples=20, deadline=None, derandomize=True, database=None)
BYTE = 0.5 / 255  # half a step


def read(path: Path, **options: object) -> GaussianCloud:
    data = formats.read(path, ReadOptions.model_validate(options)).data
    assert isinstance(data, GaussianCloud)
    return data


def there_and_back(cloud: GaussianCloud, factory: pytest.TempPathFactory, name: str) -> GaussianCloud:
    path = factory.getbasetemp() / name
    formats.write(path, cloud)
    return read(path)


@given(cloud=any_clouds())
@FEW
def test_ply_gives_back_every_bit_and_every_column(
    cloud: GaussianCloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    back = there_and_back(cloud, tmp_path_factory, "any.ply")
    for name in ("means", "quats", "log_scales", "opacity_logits", "sh"):
        assert np.array_equal(getattr(back, name), getattr(cloud, name)), name
    assert len(back.extra) == len(cloud.extra)
    for stored, given_ in zip(back.extra.values(), cloud.extra.values(), strict=True):
        assert stored.dtype == given_.dtype and np.array_equal(stored, given_)
    assert back.comments == tuple(" ".join(line.split()) for line in cloud.comments)
    assert back.is_antialiased == cloud.is_antialiased and back.frame == cloud.frame


@pytest.mark.parametrize("frame", [Frame("+Z", "m"), Frame("-Y", "mm"), Frame("+Y")])
@pytest.mark.parametrize("name", ["a.ply", "a.compressed.ply", "a.glb"])
def test_a_frame_other_than_the_usual_is_told_and_numbers_stay(
    name: str, frame: Frame, tmp_path: Path
) -> None:
    cloud = replace(usual_cloud(), frame=frame)
    formats.write(tmp_path / name, cloud)
    reading = formats.read(tmp_path / name)
    assert reading.data.frame == frame and not reading.is_up_assumed
    assert np.allclose(reading.data.bounds, cloud.bounds, atol=1e-5)


def test_a_file_that_says_nothing_is_minus_y_up_until_the_person_says_otherwise(tmp_path: Path) -> None:
    formats.write(tmp_path / "a.ply", replace(usual_cloud(), frame=Frame("-Y")))
    reading = formats.read(tmp_path / "a.ply")
    assert reading.is_up_assumed and reading.data.frame == Frame("-Y")
    assert [note.sentence for note in reading.notes] == [
        "The file does not say which way is up; -Y is taken, as is usual for splats."
    ]
    said = formats.read(tmp_path / "a.ply", ReadOptions(up="+Z", unit="m"))
    assert not said.is_up_assumed and said.data.frame == Frame("+Z", "m") and not said.notes


@given(cloud=held_clouds())
@FEW
def test_compressed_ply_errs_by_half_a_step_between_the_bounds_of_a_chunk(
    cloud: GaussianCloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    back = there_and_back(cloud, tmp_path_factory, "any.compressed.ply")
    cloud = cloud.subset(hilbert_order(cloud.means))
    steps = np.array([2047, 1023, 2047])
    for name in ("means", "log_scales"):
        given_, stored = getattr(cloud, name), getattr(back, name)
        bound = np.ptp(given_, axis=0) / steps / 2 + FLOAT * np.abs(given_).max(0) + 1e-30
        assert (np.abs(stored - given_) <= bound).all()
    assert turn_apart(cloud, back) < 3.5 * np.sqrt(2) / 1023 / 2
    assert apart(cloud.opacities, back.opacities) <= BYTE + FLOAT
    assert apart(cloud.sh[:, 0], back.sh[:, 0]) <= np.ptp(cloud.sh[:, 0], axis=0).max() * BYTE + 1e-5
    assert apart(cloud.sh[:, 1:], back.sh[:, 1:]) <= 4 / 256 + FLOAT
    assert back.is_antialiased == cloud.is_antialiased


@given(cloud=held_clouds())
@FEW
def test_splat_keeps_places_and_sizes_and_gives_a_byte_to_the_rest(
    cloud: GaussianCloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    back = there_and_back(cloud, tmp_path_factory, "any.splat")
    assert np.array_equal(back.means, cloud.means)
    assert apart(back.log_scales, cloud.log_scales) < 1e-5
    assert turn_apart(cloud, back) < 2 / 256 + 1 / 128
    assert apart(cloud.opacities, back.opacities) <= BYTE + FLOAT
    assert back.sh_degree == 0 and apart(cloud.sh[:, :1], back.sh) <= BYTE / SH_C0 + 1e-5


@pytest.mark.parametrize("version", [2, 3, 4])
@given(cloud=held_clouds(most_degree=4))
@FEW
def test_spz_errs_by_half_a_step_of_its_fixed_point_numbers(
    version: spz.SpzVersion, cloud: GaussianCloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.spz"
    with path.open("wb") as file:
        spz.write_file(file, cloud, version)
    back = read(path)
    assert apart(back.means, cloud.means) <= max(2**-13, float(np.abs(cloud.means).max()) * 2**-22)
    assert apart(back.log_scales, cloud.log_scales) <= 1 / 32
    # xyz in bytes leave w, which is the root of what is missing, badly known near zero.
    assert turn_apart(cloud, back) < (0.13 if version == 2 else 3.5 / (2 * 511 * np.sqrt(2)))
    assert apart(cloud.opacities, back.opacities) <= BYTE + FLOAT
    assert apart(cloud.sh[:, 0], back.sh[:, 0]) <= BYTE / 0.15 + 1e-5
    assert back.sh_degree == (cloud.sh_degree if version == 4 else min(3, cloud.sh_degree))
    held = back.sh.shape[1]
    assert apart(cloud.sh[:, 1:4], back.sh[:, 1:4]) <= 4.5 / 128 + FLOAT
    assert apart(cloud.sh[:, 4:held], back.sh[:, 4:]) <= 8.5 / 128 + FLOAT
    assert back.is_antialiased == cloud.is_antialiased


@given(cloud=held_clouds(most_degree=4))
@FEW
def test_glb_keeps_everything_but_further_columns(
    cloud: GaussianCloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    back = there_and_back(cloud, tmp_path_factory, "any.glb")
    assert np.array_equal(back.means, cloud.means) and np.array_equal(back.sh, cloud.sh)
    assert apart(back.log_scales, cloud.log_scales) < 1e-5 and turn_apart(cloud, back) < FLOAT
    assert apart(cloud.opacities, back.opacities) < 2e-6
    assert back.is_antialiased == cloud.is_antialiased


@pytest.mark.parametrize("name", ["a.spz", "a.glb"])
def test_flipped_axes_flip_turns_and_colours_with_them(name: str, tmp_path: Path) -> None:
    """What a ray meets in the file's own axes is what it meets in the cloud's."""
    cloud = usual_cloud(degree=3)
    formats.write(tmp_path / name, cloud)
    path = tmp_path / name
    if name.endswith("spz"):
        raw = spz.gaussians_in(path, path.read_bytes())
        means, sh, quats = raw.means, raw.sh, raw.quats
        tolerance = 9 / 128
    else:
        import trimesh

        scene = trimesh.load_scene(path)
        means = np.concatenate([np.asarray(part.vertices) for part in scene.geometry.values()])
        return_to = np.array([1, -1, -1])
        assert apart(means * return_to, cloud.means) < 1e-5
        return
    flip = np.array([1, -1, -1])
    assert apart(means * flip, cloud.means) < 2**-12
    direction = np.array([0.48, -0.6, 0.64])
    seen = np.einsum("nkc,k->nc", cloud.sh, sh_basis(direction, 3))
    seen_in_file = np.einsum("nkc,k->nc", sh, sh_basis(direction * flip, 3))
    assert apart(seen, seen_in_file) < 16 * tolerance * 0.5
    axes, axes_in_file = _rotations(cloud.quats), _rotations(quats)
    outer = np.einsum("nij,nkj->nik", axes * cloud.scales[:, None] ** 2, axes)
    outer_in_file = np.einsum("nij,nkj->nik", axes_in_file * cloud.scales[:, None] ** 2, axes_in_file)
    turned = outer_in_file * flip[:, None] * flip
    assert apart(turned, outer) < 0.01 * np.abs(outer).max()


def _rotations(quats: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(np.asarray(quats)[:, [1, 2, 3, 0]]).as_matrix()


def test_many_chunks_stay_small_so_that_places_are_kept_to_a_ten_thousandth(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    direction = rng.standard_normal((20_000, 3))
    on_sphere = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    cloud = replace(
        usual_cloud(20_000, 0),
        means=(on_sphere * [1, 2, 1] + 0.01 * rng.standard_normal((20_000, 3))).astype("f4"),
    )
    formats.write(tmp_path / "a.compressed.ply", cloud)
    back = read(tmp_path / "a.compressed.ply")
    given_ = cloud.subset(hilbert_order(cloud.means))
    assert apart(given_.means, back.means) < 3e-4 * 4
    assert float(np.median(np.abs(given_.means - back.means))) < 5e-5 * 4


def test_the_curve_that_orders_a_grid_steps_to_a_neighbour_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recon.formats.gaussian_compressed_ply._CELL_BITS", 3)
    cells = np.stack(np.meshgrid(*[np.arange(8)] * 3), -1).reshape(-1, 3).astype(np.float32)
    steps = np.abs(np.diff(cells[hilbert_order(cells)], axis=0)).sum(1)
    assert (steps == 1).all()


def test_the_same_capture_from_two_formats_is_the_same(shared_data: Path) -> None:
    """152 746 Gaussians that other programs packed from one file."""
    folder = shared_data / "splats" / "real"
    started = time.process_time()
    a, b = read(folder / "biker.compressed.ply"), read(folder / "biker.spz")
    assert time.process_time() - started < 2
    assert len(a) == len(b) == 152_746
    size = float(np.linalg.norm(np.ptp(a.bounds, axis=0)))
    assert apart(a.means, b.means) < 2e-4 * size
    assert apart(np.clip(a.log_scales, -10, 5.9), b.log_scales) < 1 / 32 + 1e-4  # what SPZ can hold
    assert apart(a.opacities, b.opacities) < FLOAT
    assert apart(np.clip(a.sh, -3.3, 3.3), np.clip(b.sh, -3.3, 3.3)) < BYTE / 0.15 + 1e-4
    round_ones = np.ptp(a.log_scales, axis=1) > 0.3
    assert turn_apart(a.subset(round_ones), b.subset(round_ones)) < 0.01


@pytest.mark.parametrize("name", ["minimal-raw.spz", "minimal-v2.spz", "minimal-v3.spz", "minimal-v4.spz"])
def test_small_files_of_other_programs_are_read_in_every_version(name: str, shared_data: Path) -> None:
    cloud = read(shared_data / "splats" / "real" / name)
    is_old = name in ("minimal-raw.spz", "minimal-v2.spz")
    depth = 1.0 if is_old else -1.0  # the two pairs were made with Z the other way round
    expected = [[-1, 0, depth], [0, 0, depth], [-1, 0, 0], [0, 0, 0]]
    assert np.array_equal(cloud.means, expected)
    assert np.allclose(cloud.scales, 0.1, rtol=0.04) and np.allclose(cloud.opacities, 0.9, atol=BYTE + 1e-6)
    assert np.array_equal(np.sign(cloud.sh[:, 0, :2]), [[-1, -1], [1, -1], [-1, 1], [1, 1]])


def test_a_sogs_older_cousins_are_read_too(shared_data: Path) -> None:
    folder = shared_data / "splats" / "real"
    for name in ("minimal.splat", "minimal.ksplat"):
        cloud = read(folder / name)
        assert np.array_equal(cloud.means, [[-1, 0, -1], [0, 0, -1], [-1, 0, 0], [0, 0, 0]])
        assert np.allclose(cloud.scales, 0.1) and np.allclose(cloud.opacities, 0.9, atol=BYTE + 1e-6)
        assert np.allclose(0.5 + SH_C0 * cloud.sh[0, 0], [1 / 3, 1 / 3, 0.502], atol=BYTE + 1e-3)


@pytest.mark.slow  # compiles for twenty seconds where it was never used before
@pytest.mark.filterwarnings("ignore:The TBB threading layer")  # of what else was loaded before
@pytest.mark.parametrize("degree", [0, 3])
def test_another_library_reads_what_is_written(degree: int, tmp_path: Path) -> None:
    gsply = pytest.importorskip("gsply")
    cloud = usual_cloud(300, degree)
    for name in ("a.ply", "a.compressed.ply"):
        formats.write(tmp_path / name, cloud)
        theirs = gsply.plyread(str(tmp_path / name))
        ours = read(tmp_path / name)
        higher = np.zeros((len(ours), 0, 3)) if theirs.shN is None else theirs.shN
        assert apart(theirs.means, ours.means) < 1e-5 and apart(theirs.scales, ours.log_scales) < 1e-5
        assert apart(theirs.sh0, ours.sh[:, 0]) < 1e-4 and apart(theirs.opacities, ours.opacity_logits) < 2e-3
        assert higher.shape == ours.sh[:, 1:].shape and apart(higher, ours.sh[:, 1:]) <= 1 / 64
        assert turn_apart(replace(ours, quats=theirs.quats), ours) < 1e-4
    for version in (2, 3, 4):
        with (tmp_path / "a.spz").open("wb") as file:
            spz.write_file(file, cloud, version)
        theirs = gsply.read_spz(str(tmp_path / "a.spz"))
        ours = spz.gaussians_in(tmp_path / "a.spz", (tmp_path / "a.spz").read_bytes())
        assert apart(theirs.means, ours.means) < 1e-6 and apart(theirs.scales, ours.log_scales) < 1e-6
        assert apart(theirs.sh0, ours.sh[:, 0]) < 1e-5
        if degree:
            assert apart(theirs.shN, ours.sh[:, 1:]) < 1e-6
        assert apart(np.abs(theirs.quats), np.abs(ours.quats)) < 1e-4


@pytest.mark.parametrize("name", ["a.ply", "a.compressed.ply", "a.splat", "a.spz", "a.glb"])
def test_a_damaged_file_gives_a_cloud_or_a_format_error_and_nothing_else(name: str, tmp_path: Path) -> None:
    formats.write(tmp_path / name, usual_cloud(3, 1, extra=True))
    whole = (tmp_path / name).read_bytes()
    rng = np.random.default_rng(0)
    lengths = {*range(0, 60), *range(60, len(whole), 29), len(whole) - 1}
    variants = [whole[:n] for n in sorted(lengths)]
    for place in (*range(0, min(len(whole), 64)), *rng.integers(0, len(whole), 160)):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        variants.append(bytes(changed))
    variants += [whole + b"\0" * 5, whole[: len(whole) // 2] + bytes(rng.integers(0, 256, 99, np.uint8))]
    num_refused = 0
    for variant in variants:
        (tmp_path / name).write_bytes(variant)
        try:
            data = formats.read(tmp_path / name).data
        except FormatError as error:
            num_refused += 1
            assert error.advice and name in error.sentence
        else:
            assert isinstance(data, GaussianCloud | TriangleMesh | PointCloud)
    assert num_refused >= len(lengths) * (0.9 if name != "a.splat" else 0.6)


@pytest.mark.parametrize("name", ["a.ply", "a.glb", "a.splat"])
def test_gaussians_that_are_no_numbers_are_left_out_and_counted(name: str, tmp_path: Path) -> None:
    formats.write(tmp_path / name, usual_cloud(9, 0, extra=True))
    whole = (tmp_path / name).read_bytes()
    place = (
        whole.rindex(b"end_header\n") + 11
        if name == "a.ply"
        else 0
        if name == "a.splat"
        else 28 + len(_json(whole))
    )
    nothing = np.float32(np.nan).tobytes()
    (tmp_path / name).write_bytes(whole[:place] + nothing + whole[place + 4 :])
    reading = formats.read(tmp_path / name)
    assert len(reading.data) == 8
    assert reading.notes[0].severity == "warning" and reading.notes[0].sentence.startswith(
        "1 Gaussian has values"
    )
    if name == "a.ply":
        assert np.array_equal(reading.data.extra["part"], np.arange(1, 9))


def _json(glb: bytes) -> bytes:
    return glb[20 : 20 + int.from_bytes(glb[12:16], "little")]


def test_a_file_of_nothing_but_nan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.splat").write_bytes(np.full(16, np.nan, "<f4").tobytes())
    with pytest.raises(FormatError):
        formats.read(tmp_path / "a.splat")
    formats.write(tmp_path / "b.ply", usual_cloud(2, 0))
    whole = (tmp_path / "b.ply").read_bytes()
    start = whole.index(b"end_header\n") + 11
    (tmp_path / "b.ply").write_bytes(
        whole[:start] + np.full((len(whole) - start) // 4, np.nan, "<f4").tobytes()
    )
    with pytest.raises(FormatError, match="No Gaussian of the file has numbers"):
        formats.read(tmp_path / "b.ply")


def test_a_thousand_to_one_bomb_is_not_unpacked(tmp_path: Path) -> None:
    head = b"NGSP" + (3).to_bytes(4, "little") + (10**8).to_bytes(4, "little") + bytes([3, 12, 0, 0])
    (tmp_path / "a.spz").write_bytes(gzip.compress(head + bytes(2**20)))
    with pytest.raises(FormatError, match="more Gaussians than it holds"):
        formats.read(tmp_path / "a.spz")


@pytest.mark.parametrize("version", ["2", "3"])
def test_a_spz_that_lacks_its_last_bytes_is_refused_though_only_its_checksum_is_gone(
    version: Literal["2", "3"], tmp_path: Path
) -> None:
    path = tmp_path / "a.spz"
    formats.write(path, usual_cloud(9, 1), ExportOptions(spz_version=version))
    whole = path.read_bytes()
    for missing in range(1, 12):
        path.write_bytes(whole[:-missing])
        with pytest.raises(FormatError, match="ends in the middle"):
            formats.read(path)


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_spz_that_names_fewer_gaussians_than_it_holds_is_refused(is_packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.spz"
    formats.write(path, usual_cloud(9, 1), ExportOptions(spz_version="3"))
    whole = gzip.decompress(path.read_bytes())
    fewer = whole[:8] + (8).to_bytes(4, "little") + whole[12:]
    path.write_bytes(gzip.compress(fewer) if is_packed else fewer)
    with pytest.raises(FormatError, match="holds more than its header names"):
        formats.read(path)
    extended = whole[:14] + bytes([whole[14] | 2]) + whole[15:] + b"an extension"
    path.write_bytes(gzip.compress(extended) if is_packed else extended)
    assert len(formats.read(path).data) == 9  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.spz", "a.compressed.ply"])
def test_colours_that_no_byte_can_hold_end_at_the_largest_one(name: str, tmp_path: Path) -> None:
    cloud = usual_cloud(3, 1)
    far = replace(cloud, sh=np.where(cloud.sh > 0, 3e38, -3e38).astype(np.float32))
    formats.write(tmp_path / name, far)
    cloud_again = formats.read(tmp_path / name).data
    assert isinstance(cloud_again, GaussianCloud)
    found = cloud_again.sh[:, 1:]
    assert np.isfinite(found).all() and np.abs(found).min() > 0.9
    signs = np.sort(np.sign(far.sh[:, 1:]).reshape(3, -1), axis=0)
    assert np.array_equal(np.sort(np.sign(found).reshape(3, -1), axis=0), signs)


def test_what_a_file_holds_is_told_by_its_content_whatever_was_asked(tmp_path: Path) -> None:
    cloud = usual_cloud(5, 1)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    formats.write(tmp_path / "mesh.ply", TriangleMesh(corners, np.array([[0, 1, 2]], np.int32)))
    formats.write(tmp_path / "points.ply", PointCloud(corners))  # type: ignore[arg-type]
    formats.write(tmp_path / "cloud.ply", cloud)
    formats.write(tmp_path / "packed.compressed.ply", cloud)
    (tmp_path / "packed.compressed.ply").rename(tmp_path / "packed.ply")
    kinds = {"mesh": TriangleMesh, "points": PointCloud, "cloud": GaussianCloud, "packed": GaussianCloud}
    for name, kind in kinds.items():
        assert isinstance(formats.read(tmp_path / f"{name}.ply").data, kind)
    with pytest.raises(FormatError, match="This file holds a mesh, not splats") as caught:
        formats.read(tmp_path / "mesh.ply", wanted="gaussians")
    assert caught.value.advice
    with pytest.raises(FormatError, match="This file holds points, not splats"):
        formats.read(tmp_path / "points.ply", ReadOptions(read_as="splats"))
    with pytest.raises(FormatError, match="This file holds Gaussian splats, not a mesh"):
        formats.read(tmp_path / "cloud.ply", ReadOptions(read_as="mesh"))


def test_endless_opacities_and_empty_rotations_are_mended_and_told(tmp_path: Path) -> None:
    formats.write(tmp_path / "a.ply", replace(usual_cloud(2, 0), frame=Frame("-Y")))
    whole = bytearray((tmp_path / "a.ply").read_bytes())
    first = whole.index(b"end_header\n") + 11  # nine columns stand before the opacity, three scales behind it
    whole[first + 36 : first + 40] = np.float32(np.inf).tobytes()
    whole[first + 40 : first + 44] = np.float32(-np.inf).tobytes()
    whole[first + 52 : first + 68] = bytes(16)
    (tmp_path / "a.ply").write_bytes(whole)
    reading = formats.read(tmp_path / "a.ply")
    cloud = reading.data
    assert isinstance(cloud, GaussianCloud) and len(cloud) == 2
    assert cloud.opacities[0] == pytest.approx(1 - 1e-6) and cloud.scales[0, 0] < 1e-12
    assert np.array_equal(cloud.quats[0], [1, 0, 0, 0])
    assert [note.sentence for note in reading.notes][:2] == [
        "Opacities and scales without end, taken as the ends there are: 2.",
        "Gaussians with no rotation, taken as not turned: 1.",
    ]


def test_sparse_points_of_a_scene_are_points_where_points_are_wanted(shared_data: Path) -> None:
    folder = shared_data / "multiview" / "room-synth" / "sparse" / "0"
    points = formats.read(folder / "points3D.txt", ReadOptions(read_as="points")).data
    assert isinstance(points, PointCloud) and len(points.points) == 1707 and points.colors is not None
    assert isinstance(formats.read(folder.parent.parent, ReadOptions(read_as="points")).data, PointCloud)


def test_splats_are_points_where_points_are_wanted(tmp_path: Path) -> None:
    cloud = usual_cloud(5, 1)
    formats.write(tmp_path / "cloud.ply", cloud)
    points = formats.read(tmp_path / "cloud.ply", ReadOptions(read_as="points")).data
    assert isinstance(points, PointCloud) and points.colors is not None
    assert np.array_equal(points.points, cloud.means) and points.frame == cloud.frame
    expected = np.clip(np.round(255 * (0.5 + SH_C0 * cloud.sh[:, 0].astype(float))), 0, 255)
    assert np.array_equal(points.colors, expected)
