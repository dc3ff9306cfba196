"""Label volumes and mask stacks: the same physical contours whatever the file, axes stated, nothing guessed."""

from __future__ import annotations

import gzip
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from recon import formats
from recon.errors import FormatError
from recon.formats import ReadOptions
from render.cross_sections import CrossSections

SimpleITK = pytest.importorskip("SimpleITK")

SPACING = (0.5, 0.75, 2.0)
ORIGIN = (-20.0, 10.0, 3.0)


def ellipsoids() -> NDArray[np.uint8]:
    """(K, J, I) = (9, 40, 50): label 1 with a hole, label 2 beside it; unlike along every axis."""
    k, j, i = np.mgrid[:9, :40, :50].astype(float)
    body = ((k - 4) / 4.4) ** 2 + ((j - 22) / 15) ** 2 + ((i - 18) / 12) ** 2 < 1
    hole = ((k - 4) / 2.4) ** 2 + ((j - 24) / 5) ** 2 + ((i - 18) / 4) ** 2 < 1
    other = ((k - 5) / 3.4) ** 2 + ((j - 12) / 6) ** 2 + ((i - 40) / 7) ** 2 < 1
    return (np.where(body & ~hole, 1, 0) + np.where(other, 2, 0)).astype(np.uint8)


def volume(values: NDArray[np.uint8], direction: NDArray[np.float64] | None = None) -> object:
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    if direction is not None:
        image.SetDirection(direction.ravel().tolist())
    return image


def save(path: Path, values: NDArray[np.uint8], direction: NDArray[np.float64] | None = None) -> Path:
    SimpleITK.WriteImage(volume(values, direction), str(path))
    return path


def save_stack(folder: Path, values: NDArray[np.uint8]) -> Path:
    folder.mkdir()
    for number, picture in enumerate(values):
        Image.fromarray(picture).save(folder / f"slice {number + 1}.png")  # 1 … 9, 10 sorts after 9
    return folder


def sections(path: Path, **options: object) -> CrossSections:
    data = formats.read(path, ReadOptions.model_validate(options)).data
    assert isinstance(data, CrossSections)
    return data


def area(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(np.cross(points - points[0], np.roll(points, -1, 0) - points[0]).sum(0)) / 2)


def label_areas(data: CrossSections, label: int) -> NDArray[np.float64]:
    """Even-odd area a plane; holes here are the smaller loops within."""
    out = []
    for plane in data.planes():
        areas = sorted(area(loop.points) for loop in plane.loops if loop.label == label)
        out.append(areas[-1] - sum(areas[:-1]) if areas else 0.0)
    return np.array(out)


def assert_same_contours(a: CrossSections, b: CrossSections, turn: tuple[int, int, int] = (1, 1, 1)) -> None:
    assert a.num_planes == b.num_planes and np.array_equal(a.loop_starts, b.loop_starts)
    assert np.array_equal(a.loop_labels, b.loop_labels)
    assert np.allclose(a.vertices * turn, b.vertices, atol=1e-4)


def test_a_png_stack_and_its_nifti_nrrd_and_metaimage_twins_give_the_same_contours(tmp_path: Path) -> None:
    values = ellipsoids()
    stack = sections(save_stack(tmp_path / "stack", values), spacing=SPACING, origin=ORIGIN, unit="mm")
    assert stack.frame.unit == "mm" and stack.frame.patient_axes is None
    for ending in (".nii", ".nii.gz", ".nrrd", ".mha"):
        twin = sections(save(tmp_path / f"twin{ending}", values))
        assert twin.frame.patient_axes == "LPS" and twin.frame.unit == "mm", ending
        assert_same_contours(stack, twin)


def test_contours_lie_half_way_between_pixel_centres_in_physical_coordinates(tmp_path: Path) -> None:
    values = np.zeros((3, 8, 8), np.uint8)
    values[1, 2:5, 3:7] = 4
    data = sections(save(tmp_path / "a.nrrd", values))
    assert data.labels == (4,) and data.num_planes == 1
    low = np.array(ORIGIN) + np.array(SPACING) * [2.5, 1.5, 1]
    high = np.array(ORIGIN) + np.array(SPACING) * [6.5, 4.5, 1]
    assert np.allclose(data.bounds, [low, high])


def test_areas_are_those_of_the_pixels_with_the_hole_taken_out(tmp_path: Path) -> None:
    values = ellipsoids()
    data = sections(save(tmp_path / "a.nii.gz", values))
    for label in (1, 2):
        pixels = (values == label).sum((1, 2)) * SPACING[0] * SPACING[1]
        expected = pixels[(values > 0).any((1, 2))]
        assert np.allclose(label_areas(data, label), expected, atol=3.0)
    assert sum(loop.label == 1 for loop in data.plane(4).loops) == 2


def test_asking_for_ras_turns_the_signs_of_x_and_y(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ellipsoids())
    lps, ras = sections(path), sections(path, patient_axes="RAS")
    assert (lps.frame.patient_axes, ras.frame.patient_axes) == ("LPS", "RAS")
    assert_same_contours(lps, ras, (-1, -1, 1))


def test_the_numbers_in_a_nifti_header_are_ras(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ellipsoids())
    offsets = struct.unpack("<fff", path.read_bytes()[268:280])  # qoffset_x, y, z
    assert np.allclose(offsets, [-ORIGIN[0], -ORIGIN[1], ORIGIN[2]])
    reading = formats.read(path)
    assert any("RAS" in note.sentence and "LPS" in note.sentence for note in reading.notes)


def test_an_oblique_volume_gives_oblique_planes_where_the_voxels_are(tmp_path: Path) -> None:
    turn = np.linalg.qr(np.array([[0.9, -0.3, 0.2], [0.35, 0.9, -0.1], [-0.1, 0.2, 0.95]]))[0]
    turn *= np.sign(np.diag(turn))
    values = ellipsoids()
    data = sections(save(tmp_path / "a.nrrd", values, turn))
    straight = sections(save(tmp_path / "b.nrrd", values))
    assert np.allclose(np.abs(data.normals @ turn[:, 2]), 1)
    moved = (straight.vertices - ORIGIN) @ turn.T + ORIGIN
    assert np.allclose(moved, data.vertices, atol=1e-4)


def test_slices_are_taken_along_the_asked_axis(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nrrd", ellipsoids())
    for axis, direction in zip("ijk", np.eye(3), strict=True):
        data = sections(path, slice_axis=axis)
        assert np.allclose(data.normals, direction) and (np.diff(data.offsets) > 0).all()
    assert sections(path).num_planes == sections(path, slice_axis="k").num_planes  # widest spacing


def test_sparsely_drawn_slices_are_found_whatever_their_axis(tmp_path: Path) -> None:
    values = np.zeros_like(ellipsoids())
    values[:, :, 5::6] = ellipsoids()[:, :, 5::6]
    image = SimpleITK.GetImageFromArray(values)
    SimpleITK.WriteImage(image, str(tmp_path / "a.nrrd"))
    reading = formats.read(tmp_path / "a.nrrd")
    assert isinstance(reading.data, CrossSections)
    assert np.allclose(np.abs(reading.data.normals @ [1, 0, 0]), 1)
    assert any("not annotated" in note.sentence for note in reading.notes)


def test_bare_slices_are_left_out_or_kept_as_empty(tmp_path: Path) -> None:
    values = ellipsoids()
    values[3] = 0
    path = save(tmp_path / "a.nrrd", values)
    num_labelled = int((values > 0).any((1, 2)).sum())
    assert sections(path).num_planes == num_labelled
    kept = sections(path, unlabelled_slices="empty")
    assert kept.num_planes == num_labelled + 1
    assert not kept.plane(3).loops


def test_only_wanted_labels_are_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nrrd", ellipsoids())
    assert sections(path, labels=(2,)).labels == (2,)
    with pytest.raises(FormatError, match="label 9"):
        sections(path, labels=(9,))


def test_a_grey_volume_needs_a_threshold_and_is_traced_between_voxels(tmp_path: Path) -> None:
    k, j, i = np.mgrid[:9, :40, :50].astype(np.float32)
    radius = np.sqrt((k - 4) ** 2 + (j - 20) ** 2 + (i - 25) ** 2)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(100 - radius), str(tmp_path / "a.nrrd"))
    with pytest.raises(FormatError, match="grey values"):
        sections(tmp_path / "a.nrrd")
    data = sections(tmp_path / "a.nrrd", threshold=90, slice_axis="k")
    away = np.linalg.norm(data.vertices - [25, 20, 4], axis=1)
    assert abs(away - 10).max() < 0.02


def test_a_nifti_that_does_not_say_how_it_lies_is_not_guessed(tmp_path: Path) -> None:
    content = bytearray(save(tmp_path / "a.nii", ellipsoids()).read_bytes())
    content[252:256] = bytes(4)  # qform_code and sform_code
    (tmp_path / "b.nii").write_bytes(content)
    reading = formats.read(tmp_path / "b.nii")
    assert reading.data.frame.patient_axes is None
    assert any(note.severity == "warning" and "unknown" in note.sentence for note in reading.notes)


def test_an_nrrd_without_space_is_not_guessed(tmp_path: Path) -> None:
    values = ellipsoids()
    header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 50 40 9\nspacings: 0.5 0.75 2\nencoding: raw\nendian: little\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + values.tobytes())
    reading = formats.read(tmp_path / "a.nrrd")
    assert reading.data.frame.patient_axes is None
    said = formats.read(tmp_path / "a.nrrd", ReadOptions(patient_axes="RAS")).data
    assert said.frame.patient_axes == "RAS"
    assert isinstance(said, CrossSections) and isinstance(reading.data, CrossSections)
    assert np.array_equal(said.vertices, reading.data.vertices)


def test_an_nrrd_in_ras_lies_where_its_lps_twin_lies(tmp_path: Path) -> None:
    values = ellipsoids()
    header = (
        "NRRD0004\ntype: uint8\ndimension: 3\nspace: right-anterior-superior\nsizes: 50 40 9\n"
        "space directions: (-0.5,0,0) (0,-0.75,0) (0,0,2)\nkinds: domain domain domain\nencoding: raw\n"
        "space origin: (20,-10,3)\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(header.encode() + values.tobytes())
    assert_same_contours(sections(tmp_path / "a.nrrd"), sections(save(tmp_path / "b.nrrd", values)))


def test_stacks_without_spacing_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        sections(save_stack(tmp_path / "stack", ellipsoids()))
    assert "spacing" in caught.value.advice


def test_slice_ten_comes_after_slice_nine(tmp_path: Path) -> None:
    values = np.zeros((12, 20, 20), np.uint8)
    for k in range(12):
        values[k, 2 : 4 + k, 2 : 4 + k] = 1
    data = sections(save_stack(tmp_path / "stack", values), spacing=(1, 1, 1))
    assert (np.diff(label_areas(data, 1)) > 0).all()


def test_masks_chosen_one_by_one_are_put_in_order(tmp_path: Path) -> None:
    folder = save_stack(tmp_path / "stack", ellipsoids())
    chosen = [folder / f"slice {number}.png" for number in (3, 9, 1, 2, 8, 4, 7, 5, 6)]
    data = formats.read_masks(chosen, ReadOptions(spacing=SPACING)).data
    assert isinstance(data, CrossSections)
    assert_same_contours(data, sections(folder, spacing=SPACING))
    with pytest.raises(FormatError, match=r"gone\.png.*no such file"):
        formats.read_masks([*chosen, folder / "gone.png"], ReadOptions(spacing=SPACING))


def test_a_sheared_volume_is_refused_with_its_reason(tmp_path: Path) -> None:
    content = bytearray(save(tmp_path / "a.nii", ellipsoids()).read_bytes())
    content[252:256] = struct.pack("<2h", 0, 1)  # sform only
    content[280:328] = struct.pack("<12f", 0.5, 0.3, 0, 0, 0, 0.75, 0, 0, 0, 0, 2, 0)
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(FormatError, match="right angles"):
        formats.read(tmp_path / "a.nii")


def test_masks_of_255_are_label_one_and_a_tiff_of_many_pages_is_a_stack(tmp_path: Path) -> None:
    values = (ellipsoids() == 1).astype(np.uint8) * 255
    pages = [Image.fromarray(each) for each in values]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    from_tiff = sections(tmp_path / "a.tif", spacing=SPACING)
    assert from_tiff.labels == (1,)
    assert_same_contours(from_tiff, sections(save_stack(tmp_path / "stack", values), spacing=SPACING))


def test_masks_of_mixed_sizes_name_the_file(tmp_path: Path) -> None:
    folder = save_stack(tmp_path / "stack", ellipsoids())
    Image.fromarray(np.ones((7, 5), np.uint8)).save(folder / "slice 3.png")
    with pytest.raises(FormatError, match=r"slice 3\.png.*5 × 7.*slice 1\.png.*50 × 40"):
        sections(folder, spacing=SPACING)


def test_antialiased_masks_ask_for_a_threshold_and_then_are_smooth(tmp_path: Path) -> None:
    j, i = np.mgrid[:64, :64]
    edge = np.clip(20.0 - np.hypot(j - 32, i - 32), 0, 1) * 255
    soft = np.clip(127.5 + (20.0 - np.hypot(j - 32, i - 32)) * 40, 0, 255)
    save_stack(tmp_path / "stack", np.stack([soft, edge]).astype(np.uint8))
    with pytest.raises(FormatError, match="grey values") as caught:
        sections(tmp_path / "stack", spacing=(1, 1, 1))
    assert "threshold" in caught.value.advice
    data = sections(tmp_path / "stack", spacing=(1, 1, 1), threshold=127)
    away = np.linalg.norm(data.plane(0).loops[0].points[:, :2] - 32, axis=1)
    assert abs(away - 20).max() < 0.05


def test_coloured_masks_are_refused_and_palettes_are_labels(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    picture = Image.fromarray(ellipsoids()[4], mode=None).convert("P")
    picture.save(folder / "a.png")
    assert sections(folder, spacing=(1, 1, 1)).labels == (1, 2)
    Image.new("RGB", (50, 40), (10, 200, 3)).save(folder / "b.png")
    with pytest.raises(FormatError, match=r"b\.png.*colours"):
        sections(folder, spacing=(1, 1, 1))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_cut_off_volumes_and_garbage_are_one_sentence(tmp_path: Path, ending: str) -> None:
    path = save(tmp_path / f"a{ending}", np.random.default_rng(0).integers(0, 3, (9, 40, 50), np.uint8))
    content = path.read_bytes()
    for cut in (20, 200, 400, len(content) // 2, len(content) - 30):
        path.write_bytes(content[:cut])
        with pytest.raises(FormatError) as caught:
            formats.read(path)
        assert caught.value.advice and "\n" not in caught.value.sentence
    path.write_bytes(b"\x00\xff garbage \n" * 40)
    with pytest.raises(FormatError):
        formats.read(path)


def test_a_header_that_promises_far_too_much_fails_at_once(tmp_path: Path) -> None:
    header = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 100000 100000 100000\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(header + bytes(100))
    content = bytearray(save(tmp_path / "b.nii", ellipsoids()).read_bytes())
    content[42:48] = struct.pack("<3h", 1200, 1200, 1200)
    (tmp_path / "b.nii").write_bytes(content)
    (tmp_path / "c.nii.gz").write_bytes(gzip.compress(bytes(content)))
    start = time.process_time()
    for name in ("a.nrrd", "b.nii", "c.nii.gz"):
        with pytest.raises(FormatError, match="voxels"):
            formats.read(tmp_path / name)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"NDims = 3", b"NDims = 83", 2),  # ITK's parser would die of it
        (b"Offset = -20 10 3", b"Offset = -20 10", 7),
        (b"= RAI", b"= " + b"R" * 900, 9),
        (b"BinaryData = True", b"BinaryData " + b"x" * 2000, 3),
        (b"ElementSpacing = 0.5", b"ElementSpacing = nan", 10),
        (b"DimSize = 50", b"DimSize = 0", None),
    ],
)
def test_unsound_metaimage_headers_are_refused_by_line(
    tmp_path: Path, old: bytes, new: bytes, line: int
) -> None:
    content = save(tmp_path / "a.mha", ellipsoids()).read_bytes()
    assert old in content
    (tmp_path / "a.mha").write_bytes(content.replace(old, new))
    with pytest.raises(FormatError) as caught:
        formats.read(tmp_path / "a.mha")
    assert caught.value.line == line


def test_units_are_millimetres_unless_the_person_says_otherwise_of_a_file_that_is_silent(
    tmp_path: Path,
) -> None:
    assert sections(save(tmp_path / "a.nrrd", ellipsoids()), unit="um").frame.unit == "um"
    assert sections(save(tmp_path / "a.nii", ellipsoids()), unit="um").frame.unit == "mm"


def test_volumes_with_another_ending_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    for ending in (".nrrd", ".mha"):
        save(tmp_path / f"a{ending}", ellipsoids()).rename(tmp_path / "scan.labels")
        assert sections(tmp_path / "scan.labels").labels == (1, 2)


volumes = st.sampled_from([".nii", ".nii.gz", ".nrrd", ".mha"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_volumes_give_only_format_errors(tmp_path: Path, data: st.DataObject) -> None:
    path = save(tmp_path / f"a{data.draw(volumes)}", ellipsoids())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, min(len(content), 600) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(
        content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content
    )
    try:
        assert isinstance(formats.read(path).data, CrossSections)
    except FormatError as error:
        assert error.sentence and error.advice


def test_damaged_pictures_name_the_file(tmp_path: Path) -> None:
    folder = save_stack(tmp_path / "stack", ellipsoids())
    victim = folder / "slice 5.png"
    content = victim.read_bytes()
    for damaged in (content[:60], content[:-40], b"garbage" * 20):
        victim.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"slice 5\.png"):
            sections(folder, spacing=SPACING)
