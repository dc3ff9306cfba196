"""Structure sets and segmentations made on the spot: positions in millimetres, oblique too, holes, mixed folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recon import formats
from recon.errors import FormatError
from recon.formats import ReadOptions
from render.cross_sections import CrossSections

pytest.importorskip("pydicom")
import pydicom.data
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from recon.formats import dicom

Points = NDArray[np.float64]
SQUARE = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], float)


def square(z: float) -> Points:
    return SQUARE + np.array([0, 0, z])


def item(**values: Any) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, Sequence(value) if name.endswith("Sequence") else value)
    return made


def save(path: Path, modality: str, series: str = "", **values: Any) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.7"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset(str(path), item(**values), file_meta=meta, preamble=b"\0" * 128)
    made.Modality = modality
    made.SeriesInstanceUID = series or "1.2.826.0.1.3680043.8.498.7"
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.save_as(path, enforce_file_format=True)
    return path


def save_structures(
    path: Path, regions: dict[str, list[Any]], kind: str = "CLOSED_PLANAR", **more: Any
) -> Path:
    """regions: name → contours (M, 3)."""
    contours = [
        item(
            ReferencedROINumber=number,
            ContourSequence=[
                item(
                    ContourGeometricType=kind,
                    NumberOfContourPoints=len(points),
                    ContourData=[f"{value:.6f}" for value in np.ravel(points)],
                )
                for points in drawn
            ],
        )
        for number, drawn in enumerate(regions.values(), 1)
    ]
    names = [item(ROINumber=number, ROIName=name) for number, name in enumerate(regions, 1)]
    return save(path, "RTSTRUCT", StructureSetROISequence=names, ROIContourSequence=contours, **more)


def sections(path: Path, **options: Any) -> CrossSections:
    data = formats.read(path, ReadOptions(**options)).data
    assert isinstance(data, CrossSections)
    return data


def circle(radius: float, center: tuple[float, float, float], num: int = 40) -> Points:
    angle = np.arange(num) / num * 2 * np.pi
    return np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1) * radius + np.array(center)


def turn() -> Points:
    matrix = np.linalg.qr(np.array([[0.8, -0.5, 0.3], [0.5, 0.85, -0.2], [-0.2, 0.3, 0.9]]))[0]
    return matrix * np.sign(np.diag(matrix))


def test_contours_stay_in_millimetres_at_uneven_heights(tmp_path: Path) -> None:
    heights = [0.0, 3.0, 5.5, 12.0]
    path = save_structures(tmp_path / "a.dcm", {"Heart": [square(z) for z in heights]})
    data = sections(path)
    assert np.allclose(data.offsets, heights) and np.allclose(data.normals, [0, 0, 1])
    assert data.frame.unit == "mm" and data.frame.patient_axes == "LPS"
    assert data.label_name(1) == "Heart"
    assert np.allclose(data.plane(2).loops[0].points, square(5.5), atol=1e-6)


def test_a_structure_set_without_preamble_is_read_with_the_names_of_what_has_contours() -> None:
    data = sections(Path(pydicom.data.get_testdata_file("rtstruct.dcm")))
    assert (data.num_planes, data.num_loops) == (3, 3) and dict(data.label_names) == {1: "patient"}
    assert np.allclose(data.bounds, [[-200, -150, -200], [200, 150, -180]])


def test_regions_numbered_from_zero_are_labels_from_one(tmp_path: Path) -> None:
    path = save_structures(tmp_path / "a.dcm", {"A": [square(0), square(2)], "B": [square(0)]})
    dataset = pydicom.dcmread(path)
    for number, (region, name) in enumerate(
        zip(dataset.ROIContourSequence, dataset.StructureSetROISequence, strict=True)
    ):
        region.ReferencedROINumber = name.ROINumber = number
    dataset.save_as(path)
    assert dict(sections(path).label_names) == {1: "A", 2: "B"}


def test_oblique_contours_get_oblique_planes(tmp_path: Path) -> None:
    rings = [circle(20 - z, (3, 4, z)) for z in (0.0, 2.5, 5.0, 7.5)]
    small = [circle(0.8, (40, 0, z), 6) for z in (0.0, 2.5)]
    path = save_structures(
        tmp_path / "a.dcm", {"Big": [r @ turn().T for r in rings], "Small": [r @ turn().T for r in small]}
    )
    data = sections(path)
    assert data.num_planes == 4 and data.num_loops == 6
    assert np.allclose(np.abs(data.normals @ turn()[:, 2]), 1, atol=1e-6)
    assert np.allclose(np.diff(np.sort(np.abs(data.offsets))), 2.5, atol=1e-3)
    assert [len(plane.loops) for plane in data.planes()].count(2) == 2


def test_contours_in_two_directions_are_kept_apart(tmp_path: Path) -> None:
    upright = circle(9, (0, 0, 0))[:, [0, 2, 1]]
    path = save_structures(tmp_path / "a.dcm", {"A": [circle(9, (0, 0, z)) for z in (-1, 1)] + [upright]})
    data = sections(path)
    assert data.num_planes == 3
    assert sorted(np.abs(data.normals).argmax(1).tolist()) == [1, 2, 2]


def test_nested_contours_are_holes_and_islands(tmp_path: Path) -> None:
    rings = [circle(radius, (0, 0, z)) for z in (0, 2) for radius in (9, 6, 3)]
    data = sections(save_structures(tmp_path / "a.dcm", {"A": rings}, kind="CLOSEDPLANAR_XOR"))
    assert data.num_planes == 2 and data.num_loops == 6


def test_a_keyhole_becomes_an_outer_contour_and_a_hole(tmp_path: Path) -> None:
    outer, inner = circle(9, (0, 0, 0)), circle(4, (0, 0, 0))[::-1]
    inner = np.roll(inner, 1, axis=0)  # starts at angle 0 again
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    data = sections(save_structures(tmp_path / "a.dcm", {"A": [keyhole, keyhole + np.array([0, 0, 3])]}))
    assert data.num_loops == 4
    radii = sorted(
        round(float(np.linalg.norm(loop.points[:, :2], axis=1).mean()), 3) for loop in data.plane(0).loops
    )
    assert radii == [4.0, 9.0]


def test_points_and_lines_are_left_out_and_told(tmp_path: Path) -> None:
    rings = [SQUARE, square(2), SQUARE[:1], SQUARE[:2]]
    reading = formats.read(save_structures(tmp_path / "a.dcm", {"A": rings}))
    assert isinstance(reading.data, CrossSections) and reading.data.num_planes == 2
    assert any("2 points or lines" in note.sentence for note in reading.notes)


def test_heights_that_differ_by_rounding_are_one_plane(tmp_path: Path) -> None:
    rings = [square(4.00004), SQUARE * 0.2 + [30, 0, 4.0], square(7)]
    reading = formats.read(save_structures(tmp_path / "a.dcm", {"A": rings}))
    assert isinstance(reading.data, CrossSections) and reading.data.num_planes == 2
    assert not [note for note in reading.notes if note.severity == "warning"]


def test_ras_turns_x_and_y(tmp_path: Path) -> None:
    path = save_structures(tmp_path / "a.dcm", {"A": [SQUARE, square(2)]})
    ras = sections(path, patient_axes="RAS")
    assert ras.frame.patient_axes == "RAS"
    assert np.allclose(ras.vertices, sections(path).vertices * [-1, -1, 1])


def test_an_open_contour_is_named(tmp_path: Path) -> None:
    path = save_structures(
        tmp_path / "a.dcm", {"A": [circle(9, (0, 0, 2)), circle(9, (0, 0, 0))[:30]]}, kind="OPEN_PLANAR"
    )
    with pytest.raises(FormatError, match="Plane 1, contour 1 is open"):
        sections(path)


def test_a_folder_with_one_structure_set_among_images_is_read(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"ct{number}.dcm", "CT", "1.2.3")
    save_structures(tmp_path / "rs.dcm", {"A": [SQUARE, square(2)]})
    (tmp_path / "notes.txt").write_text("none of it")
    assert sections(tmp_path).num_planes == 2


def test_a_folder_with_two_series_lists_both_and_one_can_be_chosen(tmp_path: Path) -> None:
    save_structures(tmp_path / "a.dcm", {"A": [SQUARE, square(2)]}, series="1.2.3", SeriesDescription="First")
    rings = [SQUARE, square(2), square(4)]
    save_structures(tmp_path / "b.dcm", {"A": rings}, series="1.2.4", SeriesDescription="Second")
    with pytest.raises(FormatError) as caught:
        sections(tmp_path)
    assert "2 series" in caught.value.sentence
    assert "First" in caught.value.sentence and "1.2.4" in caught.value.sentence
    assert sections(tmp_path, series="1.2.4").num_planes == 3
    found = dicom.series_in(tmp_path)
    assert [(each.uid, each.description, each.has_contours) for each in found] == [
        ("1.2.3", "First", True),
        ("1.2.4", "Second", True),
    ]
    with pytest.raises(FormatError, match=r"no series 1\.2\.9"):
        sections(tmp_path, series="1.2.9")


def test_a_folder_of_images_alone_says_what_is_missing(tmp_path: Path) -> None:
    save(tmp_path / "ct.dcm", "CT", "1.2.3")
    with pytest.raises(FormatError, match="no structure set and no segmentation, but CT images"):
        sections(tmp_path)


def save_segments(path: Path, masks: dict[int, list[tuple[Points, NDArray[np.bool_]]]], axes: Points) -> Path:
    """masks: segment → (position, (H, W) mask) of each frame."""
    frames, pixels = [], []
    for segment, drawn in masks.items():
        for position, mask in drawn:
            frames.append(
                item(
                    PlanePositionSequence=[item(ImagePositionPatient=[f"{x:.6f}" for x in position])],
                    SegmentIdentificationSequence=[item(ReferencedSegmentNumber=segment)],
                )
            )
            pixels.append(mask)
    bits = np.packbits(np.array(pixels).ravel(), bitorder="little").tobytes()
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[f"{x:.9f}" for x in axes.T[:2].ravel()])],
        PixelMeasuresSequence=[item(PixelSpacing=[0.5, 2.0], SliceThickness=1)],
    )
    height, width = pixels[0].shape
    return save(
        path,
        "SEG",
        SegmentationType="BINARY",
        SegmentSequence=[item(SegmentNumber=number, SegmentLabel=f"Part {number}") for number in masks],
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=frames,
        NumberOfFrames=len(frames),
        Rows=height,
        Columns=width,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        SamplesPerPixel=1,
        PixelRepresentation=0,
        PhotometricInterpretation="MONOCHROME2",
        PixelData=bits + b"\0" * (len(bits) % 2),
    )


@pytest.mark.parametrize("axes", [np.eye(3), turn()])
def test_frames_of_a_segmentation_lie_where_each_says(tmp_path: Path, axes: Points) -> None:
    mask = np.zeros((9, 11), bool)
    mask[2:5, 3:9] = True
    heights = [0.0, 1.0, 4.0]
    places = [axes @ np.array([5.0, -3.0, z]) for z in heights]
    path = save_segments(tmp_path / "a.dcm", {1: [(p, mask) for p in places], 2: [(places[1], ~mask)]}, axes)
    data = sections(path)
    assert data.num_planes == 3 and data.labels == (1, 2) and data.label_name(2) == "Part 2"
    assert np.allclose(np.diff(data.offsets), [1, 3], atol=1e-4)
    loops = [loop for loop in data.plane(2).loops if loop.label == 1]
    local = loops[0].points @ axes
    assert np.allclose(local.min(0), [5 + 2.5 * 2, -3 + 1.5 * 0.5, 4], atol=1e-4)
    assert np.allclose(local.max(0), [5 + 8.5 * 2, -3 + 4.5 * 0.5, 4], atol=1e-4)


def test_cut_off_dicom_is_one_sentence(tmp_path: Path) -> None:
    mask = np.ones((16, 16), bool)
    path = save_segments(
        tmp_path / "a.dcm", {1: [(np.array([0.0, 0, z]), mask) for z in range(9)]}, np.eye(3)
    )
    content = path.read_bytes()
    for cut in range(140, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:cut])
        with pytest.raises(FormatError) as caught:
            sections(path)
        assert caught.value.advice and "\n" not in caught.value.sentence


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_dicom_gives_only_format_errors(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.dcm"
    if data.draw(st.booleans()):
        save_structures(path, {"A": [circle(9, (0, 0, z)) for z in (0, 1)]})
    else:
        save_segments(
            path, {1: [(np.array([0.0, 0, z]), np.eye(16, dtype=bool)) for z in range(3)]}, np.eye(3)
        )
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        assert isinstance(formats.read(path).data, CrossSections)
    except FormatError as error:
        assert error.sentence and error.advice
