"""The table of formats: complete, unambiguous, light to import, deaf to lies about sizes."""

from __future__ import annotations

import gzip
import importlib
import pickle
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon import formats
from recon.errors import FormatError
from recon.formats import FILE_KINDS, FileKind, ReadOptions
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.render.test_gaussians import make_cloud

SECTIONS = CrossSections.from_planes(
    [([0, 0, 1], z, [([[0, 0, z], [4, 0, z], [4, 4, z], [0, 4, z]], 1)]) for z in (0.0, 1.0)]
)
TETRAHEDRON = TriangleMesh(
    np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32),
)


def test_ids_and_suffixes_of_a_kind_of_data_are_unique_and_lower_case() -> None:
    ids = [kind.id for kind in FILE_KINDS]
    suffixes = [(suffix, kind.data) for kind in FILE_KINDS for suffix in kind.suffixes]
    assert len(set(ids)) == len(ids) and len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix, _ in suffixes)
    names = [name for kind in FILE_KINDS for name in kind.names]
    assert len(set(names)) == len(names)
    assert all(kind.patterns for kind in FILE_KINDS)


@pytest.mark.parametrize("kind", FILE_KINDS, ids=lambda kind: kind.id)
def test_every_kinds_module_does_what_the_table_says(kind: FileKind) -> None:
    if kind.module.endswith("volume"):
        pytest.importorskip("SimpleITK")
    if kind.module.endswith("dicom"):
        pytest.importorskip("pydicom")
    module = importlib.import_module(kind.module)
    assert callable(module.read) or not kind.is_readable
    assert not kind.is_writable or callable(module.write)


@pytest.mark.parametrize(
    "kind", [k for k in FILE_KINDS if k.is_writable and k.suffixes], ids=lambda kind: kind.id
)
def test_what_is_written_is_told_by_its_bytes_or_its_suffix_and_read_back(
    tmp_path: Path, kind: FileKind
) -> None:
    data = {"mesh": TETRAHEDRON, "gaussians": make_cloud(9)}.get(kind.data or "", SECTIONS)
    path = tmp_path / f"Ä file{kind.suffixes[0].upper()}"
    formats.write(path, data)
    assert formats.kind_of_file(path) is kind
    back = formats.read(path).data
    assert type(back) is type(data)
    assert kind.data == "mesh" or np.allclose(np.ptp(back.bounds, 0), np.ptp(data.bounds, 0), atol=1e-3)


def test_importing_the_formats_imports_none_of_the_heavy_libraries() -> None:
    heavy = ["torch", "trimesh", "SimpleITK", "pydicom", "shapely", "skimage", "scipy", "PIL", "PySide6"]
    code = f"import recon.formats, sys; print([name for name in {heavy} if name in sys.modules])"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_refuse_nonsense_and_describe_themselves() -> None:
    for wrong in (
        {"spacing": (1, 0, 1)},
        {"spacing": (1, 1)},
        {"labels": (0,)},
        {"holes": "x"},
        {"threshold": np.nan},
    ):
        with pytest.raises(ValueError):
            ReadOptions.model_validate(wrong)
    assert ReadOptions.model_validate(ReadOptions().model_dump()) == ReadOptions()
    for name, field in ReadOptions.model_fields.items():
        assert field.title and field.description and field.description.endswith("."), name


def test_errors_survive_the_way_out_of_a_worker(tmp_path: Path) -> None:
    (tmp_path / "a.csl").write_text("CSLC\n1 2\n1 1 1 0 0\n")
    with pytest.raises(FormatError) as caught:
        formats.read(tmp_path / "a.csl")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.sentence, again.advice, again.line) == (caught.value.sentence, caught.value.advice, 3)


LIES = {
    "planes.csl": b"CSLC\n1000000000 2\n1 0 0 0 0 1 0\n",
    "vertices.csl": b"CSLC\n1 2\n1 1000000000 1 0 0 1 0\n0 0 0\n",
    "ring.csl": b"CSLC\n1 2\n1 1 1 0 0 1 0\n0 0 0\n1000000000 1 0 0 0\n",
    "deep.json": b'{"format": "isokiln.contours", "x_": ' + b"[" * 300_000,
    "volume.nrrd": b"NRRD0004\ntype: int16\ndimension: 3\nsizes: 50000 50000 50000\nencoding: raw\n\n",
    "volume.mha": b"ObjectType = Image\nNDims = 3\nDimSize = 50000 50000 50000\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
    "garbage.npz": b"PK\x03\x04" + bytes(range(256)) * 40,
    "garbage.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "splats.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 900000000\n"
    + b"".join(b"property float %s\n" % name for name in b"x y z f_dc_0 opacity scale_0 rot_0".split())
    + b"end_header\n",
    "count.spz": b"NGSP" + struct.pack("<IIBBBB", 3, 2**31, 3, 12, 0, 0) + bytes(100),
    "bomb.spz": gzip.compress(b"NGSP" + struct.pack("<IIBBBB", 3, 10**7, 3, 12, 0, 0) + bytes(10**6)),
    "streams.spz": b"NGSP" + struct.pack("<IIBBBBI12x", 4, 2**30, 0, 12, 0, 5, 32) + bytes(100),
    "odd.splat": bytes(33),
    "garbage.dcm": bytes(128) + b"DICM" + bytes(range(256)) * 40,
}


@pytest.mark.parametrize("name", LIES)
def test_files_that_lie_about_their_size_are_refused_without_taking_memory(tmp_path: Path, name: str) -> None:
    if name.endswith((".nrrd", ".mha")):
        pytest.importorskip("SimpleITK")
    (tmp_path / name).write_bytes(LIES[name])
    with pytest.raises(FormatError):
        formats.read(tmp_path / name, ReadOptions(spacing=(1, 1, 1)))  # imports what it needs
    tracemalloc.start()
    with pytest.raises(FormatError) as caught:
        formats.read(tmp_path / name, ReadOptions(spacing=(1, 1, 1)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25 and caught.value.advice and name in caught.value.sentence


def test_a_picture_far_too_large_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match="too large"):
        formats.read(tmp_path / "a.png", ReadOptions(spacing=(1, 1, 1)))


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csl"
    path.write_text("CSLC")

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so permissions alone prove nothing
    with pytest.raises(FormatError, match="may not read"):
        formats.read(path)
