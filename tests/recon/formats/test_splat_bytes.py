"""Files of splats put together byte by byte from the formats' descriptions, so that reader and writer cannot be wrong
together."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zstandard
from PIL import Image

from recon import formats
from recon.errors import FormatError
from recon.formats import splat_file, spz
from recon.formats.reading import ReadOptions
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0

HALF = 0.5**0.5


def read(path: Path) -> GaussianCloud:
    data = formats.read(path).data
    assert isinstance(data, GaussianCloud)
    return data


def one(degree: int = 1) -> GaussianCloud:
    """One Gaussian: a quarter turn about z, a third visible."""
    sh = np.linspace(-0.5, 0.5, 3 * (degree + 1) ** 2).reshape(1, -1, 3)
    return GaussianCloud(
        np.array([[1, -2, 0.5]]), np.array([[2, 0, 0, 2]]), np.log([[0.1, 0.2, 0.4]]), np.array([0.0]), sh
    )  # type: ignore[arg-type]


def test_an_inria_ply_as_text_with_columns_in_any_order_and_type(tmp_path: Path) -> None:
    columns = "double z|float x|float y|int part|float opacity|float rot_3|float rot_0|float rot_1|float rot_2|float scale_1"
    columns += "|float scale_0|float scale_2|float f_dc_2|float f_dc_1|float f_dc_0|float confidence"
    columns += "".join(f"|float f_rest_{i}" for i in range(9))
    header = [
        "ply",
        "format ascii 1.0",
        "comment SplatRenderMode: mip",
        "comment by hand",
        "element vertex 2",
    ]
    header += [f"property {column}" for column in columns.split("|")] + ["end_header"]
    row = "3 1 2 7 -1.5 .4 .1 .2 .3 -2 -1 -3 .6 .5 .4 .25 " + " ".join(f".{i}" for i in range(1, 10))
    (tmp_path / "a.ply").write_text("\n".join([*header, row, row.replace("7", "8", 1)]) + "\n")
    cloud = read(tmp_path / "a.ply")
    assert (
        np.array_equal(cloud.means[0], [1, 2, 3]) and cloud.is_antialiased and cloud.comments == ("by hand",)
    )
    assert np.allclose(cloud.quats[0], [0.1, 0.2, 0.3, 0.4]) and np.allclose(
        cloud.log_scales[0], [-1, -2, -3]
    )
    assert cloud.opacity_logits[0] == -1.5 and np.allclose(cloud.sh[0, 0], [0.4, 0.5, 0.6])
    # Channel by channel: red .1 .2 .3, green .4 .5 .6, blue .7 .8 .9.
    assert np.allclose(cloud.sh[0, 1:], [[0.1, 0.4, 0.7], [0.2, 0.5, 0.8], [0.3, 0.6, 0.9]])
    assert list(cloud.extra["part"]) == [7, 8] and np.allclose(cloud.extra["confidence"], 0.25)


def test_a_big_endian_ply_of_doubles_with_normals_and_a_face_element(tmp_path: Path) -> None:
    names = [
        "x",
        "y",
        "z",
        "nx",
        "ny",
        "nz",
        "f_dc_0",
        "f_dc_1",
        "f_dc_2",
        "opacity",
        "scale_0",
        "scale_1",
        "scale_2",
        "rot_0",
        "rot_1",
        "rot_2",
        "rot_3",
    ]
    header = [
        "ply",
        "format binary_big_endian 1.0",
        "element vertex 1",
        *(f"property double {n}" for n in names),
    ]
    header += ["element face 0", "property list uchar int vertex_indices", "end_header", ""]
    values = [1, 2, 3, 0, 0, 1, 0.1, 0.2, 0.3, 0.5, -1, -2, -3, 1, 0, 0, 0]
    (tmp_path / "a.ply").write_bytes("\n".join(header).encode() + struct.pack(">17d", *values))
    cloud = read(tmp_path / "a.ply")
    assert np.array_equal(cloud.means, [[1, 2, 3]]) and np.array_equal(cloud.quats, [[1, 0, 0, 0]])
    assert list(cloud.extra) == ["nx", "ny", "nz"] and cloud.extra["nz"][0] == 1


def test_surfels_without_a_third_scale_are_thin(tmp_path: Path) -> None:
    names = [
        "x",
        "y",
        "z",
        "f_dc_0",
        "f_dc_1",
        "f_dc_2",
        "opacity",
        "scale_0",
        "scale_1",
        "rot_0",
        "rot_1",
        "rot_2",
        "rot_3",
    ]
    header = [
        "ply",
        "format binary_little_endian 1.0",
        "element vertex 1",
        *(f"property float {n}" for n in names),
    ]
    values = [1, 2, 3, 0.1, 0.2, 0.3, 0.5, -1, -2, 1, 0, 0, 0]
    (tmp_path / "a.ply").write_bytes(
        "\n".join([*header, "end_header", ""]).encode() + struct.pack("<13f", *values)
    )
    cloud = read(tmp_path / "a.ply")
    assert np.allclose(cloud.log_scales, [[-1, -2, np.log(1e-6)]])


def test_a_ply_that_lacks_a_column_or_has_odd_colours_says_so(tmp_path: Path) -> None:
    names = [
        "x",
        "y",
        "z",
        "f_dc_0",
        "f_dc_1",
        "f_dc_2",
        "opacity",
        "scale_0",
        "scale_1",
        "scale_2",
        "rot_0",
        "rot_1",
        "rot_2",
        "rot_3",
    ]

    def write(names: list[str]) -> Path:
        header = [
            "ply",
            "format binary_little_endian 1.0",
            "element vertex 1",
            *(f"property float {n}" for n in names),
        ]
        (tmp_path / "a.ply").write_bytes(
            "\n".join([*header, "end_header", ""]).encode() + bytes(4 * len(names))
        )
        return tmp_path / "a.ply"

    with pytest.raises(FormatError, match="The splats have no opacity"):
        formats.read(write([name for name in names if name != "opacity"]))
    with pytest.raises(FormatError, match="have 6 coefficients above degree 0"):
        formats.read(write([*names, *(f"f_rest_{i}" for i in range(6))]))
    with pytest.raises(FormatError, match="have 9 coefficients"):
        formats.read(write([*names, *(f"f_rest_{i}" for i in range(1, 10))]))


def test_the_bytes_of_an_inria_ply(tmp_path: Path) -> None:
    formats.write(tmp_path / "a.ply", one())
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n")
    names = [line.split()[-1] for line in header.decode().splitlines() if line.startswith("property float")]
    rest = [f"f_rest_{i}" for i in range(9)]
    expected = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", *rest]
    assert names == [
        *expected,
        "opacity",
        "scale_0",
        "scale_1",
        "scale_2",
        "rot_0",
        "rot_1",
        "rot_2",
        "rot_3",
    ]
    sh = one().sh[0]
    values = [1, -2, 0.5, 0, 0, 0, *sh[0], *sh[1:].T.ravel(), 0, *one().log_scales[0], 2, 0, 0, 2]
    assert body == struct.pack("<26f", *values)


@pytest.mark.parametrize("has_colors", [True, False])
def test_a_compressed_ply_by_hand(has_colors: bool, tmp_path: Path) -> None:
    ends = [f"{end}_{axis}" for end in ("min", "max") for axis in "xyz"]
    ends += [f"{end}_scale_{axis}" for end in ("min", "max") for axis in "xyz"]
    bounds = [-1, -2, -3, 1, 2, 3, -8, -8, -8, 0, 0, 0]
    if has_colors:
        ends += [f"{end}_{channel}" for end in ("min", "max") for channel in "rgb"]
        bounds += [0, 0, 0, 2, 2, 2]
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        "element chunk 1",
        *(f"property float {x}" for x in ends),
    ]
    lines += [
        "element vertex 1",
        *(f"property uint packed_{x}" for x in ("position", "rotation", "scale", "color")),
    ]
    lines += ["element sh 1", *(f"property uchar f_rest_{i}" for i in range(9)), "end_header", ""]
    position = 2047 << 21 | 0 << 11 | 2047  # highest x, lowest y, highest z
    rotation = 3 << 30 | 1023 << 20 | 512 << 10 | 512  # z is the largest; w = √½, x and y nearly 0
    scale = 0 << 21 | 1023 << 11 | 0
    color = 255 << 24 | 128 << 16 | 0 << 8 | 51
    body = struct.pack(f"<{len(bounds)}f4I", *bounds, position, rotation, scale, color)
    (tmp_path / "a.ply").write_bytes("\n".join(lines).encode() + body + bytes([0, 128, 255, *[127] * 6]))
    cloud = read(tmp_path / "a.ply")
    assert np.allclose(cloud.means, [[1, -2, 3]]) and np.allclose(cloud.log_scales, [[-8, 0, -8]])
    assert np.allclose(cloud.quats, [[HALF, 0, 0, HALF]], atol=1e-3)
    assert cloud.opacities[0] == pytest.approx(0.2)
    top = 2 if has_colors else 1
    assert np.allclose(0.5 + SH_C0 * cloud.sh[0, 0], [top, top * 128 / 255, 0], atol=1e-5)
    assert np.allclose(cloud.sh[0, 1:, 0], [-4, 1 / 64, 4]) and np.allclose(cloud.sh[0, 1:, 1:], -1 / 64)


def test_a_splat_by_hand_and_the_bytes_that_are_written(tmp_path: Path) -> None:
    row = struct.pack("<6f8B", 1, -2, 0.5, 0.1, 0.2, 0.4, 255, 128, 0, 51, 219, 128, 128, 219)
    (tmp_path / "a.splat").write_bytes(row)
    cloud = read(tmp_path / "a.splat")
    assert np.array_equal(cloud.means, [[1, -2, 0.5]]) and np.allclose(cloud.scales, [[0.1, 0.2, 0.4]])
    assert np.allclose(cloud.quats, [[91 / 128, 0, 0, 91 / 128]]) and cloud.opacities[0] == pytest.approx(0.2)
    assert np.allclose(0.5 + SH_C0 * cloud.sh[0, 0], [1, 128 / 255, 0], atol=1e-6)
    file = io.BytesIO()
    splat_file.write_file(file, cloud)
    assert file.getvalue()[:12] == row[:12] and file.getvalue()[24:] == row[24:]
    assert np.allclose(struct.unpack("<3f", file.getvalue()[12:24]), [0.1, 0.2, 0.4], rtol=1e-6)


def spz_parts(version: int) -> list[bytes]:
    """One Gaussian at (1, 2, -0.5) right, up, back; a quarter turn about its x; degree 1."""
    positions = b"".join((value & 0xFFFFFF).to_bytes(3, "little") for value in (4096, 8192, -2048))
    if version < 3:
        rotation = bytes([round(HALF * 127.5 + 127.5), 128, 128])
    else:  # x y z w; the last of the two equal ones is left out; x = √½ is all nine bits
        rotation = (3 << 30 | 511 << 20).to_bytes(4, "little")
    colors = bytes([round((0.15 * dc + 0.5) * 255) for dc in (1, 0, -1)])
    scales = bytes([16 * 8, 16 * 9, 16 * 10])
    higher = bytes([128 + 64, 128, 128 - 64, 128 + 32, 128, 128, 128, 128, 128 - 32])
    return [positions, bytes([51]), colors, scales, rotation, higher]


@pytest.mark.parametrize("version", [2, 3, 4])
def test_an_spz_by_hand(version: int, tmp_path: Path) -> None:
    parts = spz_parts(version)
    head = b"NGSP" + struct.pack("<IIBBBB", version, 1, 1, 12, 1, 0)
    if version == 4:
        packed = [zstandard.compress(part) for part in parts]
        table = b"".join(struct.pack("<QQ", len(a), len(b)) for a, b in zip(packed, parts, strict=True))
        extension = struct.pack("<III", 0x12345678, 4, 99)  # of somebody else
        head = head[:12] + struct.pack("<BBBBI12x", 1, 12, 1 | 2, 6, 32 + len(extension))
        data = head + extension + table + b"".join(packed)
    else:
        data = gzip.compress(head + b"".join(parts))
    (tmp_path / "a.bin").write_bytes(data)  # told by its bytes
    cloud = read(tmp_path / "a.bin")
    assert np.allclose(cloud.means, [[1, -2, 0.5]]) and cloud.is_antialiased and cloud.sh_degree == 1
    assert np.allclose(cloud.quats, [[HALF, HALF, 0, 0]], atol=6e-3)
    assert np.allclose(cloud.log_scales, [[-2, -1, 0]]) and cloud.opacities[0] == pytest.approx(0.2)
    assert np.allclose(cloud.sh[0, 0], [1, 0, -1], atol=0.014)
    # Band 1 is (-y, z, -x): with y and z turned round the first two change sign.
    assert np.allclose(cloud.sh[0, 1:], [[-0.5, 0, 0.5], [-0.25, 0, 0], [0, 0, -0.25]])


def test_the_first_version_of_spz_has_half_floats(tmp_path: Path) -> None:
    parts = spz_parts(1)
    parts[0] = np.array([1, 2, -0.5], "<f2").tobytes()
    head = b"NGSP" + struct.pack("<IIBBBB", 1, 1, 1, 12, 0, 0)
    (tmp_path / "a.spz").write_bytes(gzip.compress(head + b"".join(parts)))
    assert np.allclose(read(tmp_path / "a.spz").means, [[1, -2, 0.5]])


def test_an_spz_may_name_other_axes(tmp_path: Path) -> None:
    parts = spz_parts(4)
    packed = [zstandard.compress(part) for part in parts]
    table = b"".join(struct.pack("<QQ", len(a), len(b)) for a, b in zip(packed, parts, strict=True))
    for value, expected in ((6, [1, 2, -0.5]), (4, [1, -2, 0.5]), (0, [1, -2, 0.5]), (7, [-1, -2, -0.5])):
        extension = struct.pack("<III", 0xADBE0003, 4, value)  # RDF, RUB, none, LUF
        head = b"NGSP" + struct.pack("<IIBBBBI12x", 4, 1, 1, 12, 2, 6, 32 + len(extension))
        (tmp_path / "a.spz").write_bytes(head + extension + table + b"".join(packed))
        assert np.allclose(read(tmp_path / "a.spz").means, [expected])


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_bytes_of_an_spz(version: spz.SpzVersion) -> None:
    quats = np.array([[-1, -1, 0, 0]])  # a quarter turn about x, written with its largest component positive
    sh = np.array([[[1, 0, -1], [-0.5, 0, 0.5], [-0.25, 0, 0], [0, 0, -0.25]]])
    opacity = np.array([np.log(0.2 / 0.8)])
    cloud = GaussianCloud(
        np.array([[1, -2, 0.5]]), quats, np.array([[-2, -1, 0]]), opacity, sh, is_antialiased=True
    )  # type: ignore[arg-type]
    file = io.BytesIO()
    spz.write_file(file, cloud, version)
    data = file.getvalue()
    if version < 4:
        data = gzip.decompress(data)
        assert data[:16] == b"NGSP" + struct.pack("<IIBBBB", version, 1, 1, 12, 1, 0)
        found = data[16:]
    else:
        assert data[:32] == b"NGSP" + struct.pack("<IIBBBBI12x", 4, 1, 1, 12, 1, 6, 32)
        sizes = struct.unpack_from("<12Q", data, 32)
        ends = 32 + 96 + np.cumsum([0, *sizes[::2]])
        found = b"".join(zstandard.decompress(data[a:b]) for a, b in itertools.pairwise(ends))
        assert ends[-1] == len(data)
    expected = b"".join(spz_parts(version))
    if version >= 3:  # of the equal components the first, x, is left out here, and w is all nine bits
        first = b"".join(spz_parts(version)[:4])
        expected = first + (0 << 30 | 511).to_bytes(4, "little") + spz_parts(version)[5]
    assert found == expected


def glb_of(attributes: dict[str, np.ndarray], node: dict[str, object]) -> bytes:
    kinds = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
    views, accessors, body = [], [], b""
    for values in attributes.values():
        component, normalized = {"f": (5126, False), "u": (5121, True)}[values.dtype.kind]
        views.append({"buffer": 0, "byteOffset": len(body), "byteLength": values.nbytes})
        accessors.append(
            {"bufferView": len(views) - 1, "componentType": component, "normalized": normalized, "count": len(values),
             "type": kinds[values.shape[1]]}
        )  # fmt: skip
        body += values.tobytes().ljust(-(-values.nbytes // 4) * 4, b"\0")
    extension = {"KHR_gaussian_splatting": {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}}
    primitive = {
        "attributes": {name: i for i, name in enumerate(attributes)},
        "mode": 0,
        "extensions": extension,
    }
    document = {
        "asset": {"version": "2.0"}, "extensionsUsed": list(extension), "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **node}], "meshes": [{"primitives": [primitive]}], "accessors": accessors,
        "bufferViews": views, "buffers": [{"byteLength": len(body)}],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(body), b"BIN\0") + body
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def glb_attributes() -> dict[str, np.ndarray]:
    prefix = "KHR_gaussian_splatting:"
    first = {
        "POSITION": np.array([[1, 2, -0.5]], "<f4"),
        f"{prefix}ROTATION": np.array([[HALF, 0, 0, HALF]], "<f4"),  # x y z w
        f"{prefix}SCALE": np.array([[0.1, 0.2, 0.4]], "<f4"),
        f"{prefix}OPACITY": np.array([[51]], "u1"),
        f"{prefix}SH_DEGREE_0_COEF_0": np.array([[0.1, 0.2, 0.3]], "<f4"),
    }
    higher = {f"{prefix}SH_DEGREE_1_COEF_{i}": np.array([[i + 1, 0, -i - 1]], "<f4") for i in range(3)}
    return {**first, **higher}


def test_a_glb_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(glb_of(glb_attributes(), {}))
    cloud = read(tmp_path / "a.glb")
    assert np.allclose(cloud.means, [[1, -2, 0.5]]) and np.allclose(cloud.scales, [[0.1, 0.2, 0.4]])
    assert np.allclose(cloud.quats, [[HALF, HALF, 0, 0]]) and cloud.opacities[0] == pytest.approx(0.2)
    assert np.allclose(cloud.sh[0, 0], [0.1, 0.2, 0.3])
    assert np.allclose(cloud.sh[0, 1:, 0], [-1, -2, 3]) and np.allclose(cloud.sh[0, 1:, 2], [1, 2, -3])


def test_a_node_of_a_glb_moves_turns_and_grows_its_splats(tmp_path: Path) -> None:
    node = {"translation": [10, 0, 0], "rotation": [0, 0, HALF, HALF], "scale": [2, 2, 2]}  # x to y
    (tmp_path / "a.glb").write_bytes(glb_of(glb_attributes(), node))
    cloud = read(tmp_path / "a.glb")
    assert np.allclose(cloud.means, [[10 - 4, -2, 1]], atol=1e-6)
    assert np.allclose(cloud.scales, [[0.2, 0.4, 0.8]])
    # -y + 2 z - 3 x of the file becomes x + 2 z - 3 y by the turn, and x - 2 z + 3 y in our axes.
    assert np.allclose(cloud.sh[0, 1:, 0], [-3, -2, -1], atol=1e-5)
    stretched = {"scale": [1, 2, 1]}
    (tmp_path / "b.glb").write_bytes(glb_of(glb_attributes(), stretched))
    with pytest.raises(FormatError, match="stretches"):
        formats.read(tmp_path / "b.glb")


def webp(pixels: list[list[int]], width: int = 2) -> bytes:
    """A lossless picture of RGBA pixels, row by row."""
    rows = np.array(pixels, np.uint8).reshape(-1, width, 4)
    file = io.BytesIO()
    Image.fromarray(rows, "RGBA").save(file, "WEBP", lossless=True, exact=True)
    return file.getvalue()


def sog_files() -> dict[str, bytes]:
    """Three Gaussians in pictures of two by two, colours of degree 1 from a palette of two."""
    codebook = [float(i) / 100 for i in range(256)]
    meta = {
        "version": 2, "count": 3, "antialias": True,
        "means": {"mins": [0, -1, 0], "maxs": [1, 1, 2], "files": ["means_l.webp", "means_u.webp"]},
        "scales": {"codebook": [x - 2 for x in codebook], "files": ["scales.webp"]},
        "quats": {"files": ["quats.webp"]},
        "sh0": {"codebook": codebook, "files": ["sh0.webp"]},
        "shN": {"count": 2, "bands": 1, "codebook": codebook, "files": ["centroids.webp", "labels.webp"]},
    }  # fmt: skip
    palette = np.zeros((1, 64 * 3, 4), np.uint8)
    palette[..., 3] = 255
    palette[0, 3:6, :3] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]  # the second entry
    file = io.BytesIO()
    Image.fromarray(palette, "RGBA").save(file, "WEBP", lossless=True, exact=True)
    none = [0, 0, 0, 255]
    return {
        "meta.json": json.dumps(meta).encode(),
        "means_l.webp": webp([[0, 0, 0, 255], [255, 255, 255, 255], [0, 0, 0, 255], none]),
        "means_u.webp": webp([[0, 0, 0, 255], [255, 255, 255, 255], [128, 128, 128, 255], none]),
        "scales.webp": webp([[0, 100, 200, 255]] * 3 + [none]),
        "quats.webp": webp([[128, 128, 128, 252], [255, 128, 128, 253], [128, 128, 255, 255], none]),
        "sh0.webp": webp([[10, 20, 30, 51], [0, 0, 0, 255], [0, 0, 0, 128], none]),
        "centroids.webp": file.getvalue(),
        "labels.webp": webp([[1, 0, 0, 255], [0, 0, 0, 255], [1, 0, 0, 255], none]),
    }


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_sog_by_hand(is_packed: bool, tmp_path: Path) -> None:
    files = sog_files()
    path = tmp_path / ("a.sog" if is_packed else "meta.json")
    if is_packed:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
    cloud = read(path)
    e = np.e
    half = 128 * 256 / 65535
    third = [np.exp(half) - 1, np.sign(2 * half - 1) * (np.exp(abs(2 * half - 1)) - 1), np.exp(2 * half) - 1]
    assert np.allclose(cloud.means, [[0, 1 - e, 0], [e - 1, e - 1, e**2 - 1], third], atol=1e-5)
    assert np.allclose(cloud.log_scales, [[-2, -1, 0]] * 3, atol=1e-6) and cloud.is_antialiased
    assert np.allclose(cloud.quats, [[1, 0, 0, 0], [HALF, HALF, 0, 0], [0, 0, HALF, HALF]], atol=6e-3)
    assert np.allclose(
        cloud.sh[0], [[0.1, 0.2, 0.3], [0.01, 0.02, 0.03], [0.04, 0.05, 0.06], [0.07, 0.08, 0.09]]
    )
    assert np.allclose(cloud.sh[1], 0) and np.allclose(cloud.sh[2, 1:], cloud.sh[0, 1:])
    assert np.allclose(cloud.opacities, [0.2, 1, 128 / 255], atol=1e-5)


def test_damaged_sog_and_ksplat_give_a_format_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.sog", "w") as archive:
        for name, data in sog_files().items():
            archive.writestr(name, data)
    (tmp_path / "b.ksplat").write_bytes(ksplat_of(1))
    rng = np.random.default_rng(1)
    for name in ("a.sog", "b.ksplat"):
        whole = (tmp_path / name).read_bytes()
        for n in (*range(1, 60, 7), *rng.integers(60, len(whole), 40)):
            (tmp_path / name).write_bytes(whole[: int(n)])
            with pytest.raises(FormatError):
                formats.read(tmp_path / name)
        for place in (*rng.integers(0, len(whole), 80), *range(4096, 4096 + 44)):
            changed = bytearray(whole)
            changed[int(place) % len(whole)] ^= 1 << int(rng.integers(8))
            (tmp_path / name).write_bytes(changed)
            try:
                assert isinstance(formats.read(tmp_path / name).data, GaussianCloud)
            except FormatError as error:
                assert error.advice


def test_a_sog_whose_pictures_are_no_pictures_is_called_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.sog", "w") as archive:
        for name, data in sog_files().items():
            archive.writestr(name, data if name == "meta.json" else bytes(2000))
    with pytest.raises(FormatError, match="A picture of the file is damaged"):
        formats.read(tmp_path / "a.sog")


def test_the_first_version_of_sog_is_refused_with_advice(tmp_path: Path) -> None:
    meta = json.loads(sog_files()["meta.json"])
    del meta["version"]
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(FormatError, match="SOG of version 1; version 2 can be read"):
        formats.read(tmp_path / "meta.json")


def test_writing_sog_says_which_endings_there_are(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="SOG is read here, but not written") as caught:
        formats.write(tmp_path / "a.sog", one())
    assert ".spz" in caught.value.advice


def ksplat_of(compression: int) -> bytes:
    """Two Gaussians in buckets of their own, the second not full; degree 1."""
    header = bytearray(4096)
    header[0:2] = bytes([0, 1])
    struct.pack_into("<4I", header, 4, 1, 1, 2, 2)
    struct.pack_into("<H", header, 20, compression)
    struct.pack_into("<2f", header, 36, -2, 2)
    section = bytearray(1024)
    struct.pack_into("<4IfHHI", section, 0, 2, 2, 1, 2, 5.0, 12, 0, 32767)
    struct.pack_into("<2IH", section, 32, 1, 1, 1)
    kinds = [("<f4", "<f4", "<f4"), ("<u2", "<f2", "<f2"), ("<u2", "<f2", "u1")][compression]
    rows = np.zeros(
        2, [("m", kinds[0], 3), ("s", kinds[1], 3), ("q", kinds[1], 4), ("c", "u1", 4), ("h", kinds[2], 9)]
    )
    rows["m"] = [[1, 2, 3], [4, 5, 6]] if compression == 0 else [[32767, 32767, 65534], [0, 32767, 32767]]
    rows["s"], rows["q"], rows["c"] = [0.5, 1, 2], [HALF, 0, HALF, 0], [255, 0, 0, 51]
    rows["h"] = [255] * 3 + [0] * 6 if compression == 2 else [2] * 3 + [-2] * 6
    centers = np.array([[10, 0, 0], [20, 0, 0]], "<f4")
    return (
        bytes(header) + bytes(section) + np.array([1], "<u4").tobytes() + centers.tobytes() + rows.tobytes()
    )


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_a_ksplat_by_hand(compression: int, tmp_path: Path) -> None:
    (tmp_path / "a.ksplat").write_bytes(ksplat_of(compression))
    cloud = read(tmp_path / "a.ksplat")
    expected = [[1, 2, 3], [4, 5, 6]] if compression == 0 else [[10, 0, 2.5], [17.5, 0, 0]]
    assert np.allclose(cloud.means, expected) and np.allclose(cloud.scales, [[0.5, 1, 2]] * 2)
    assert np.allclose(cloud.quats, [[HALF, 0, HALF, 0]] * 2, atol=1e-3)
    # Channel by channel: red is 2 in all of degree 1.
    assert np.allclose(cloud.sh[:, 1:, 0], 2) and np.allclose(cloud.sh[:, 1:, 1:], -2)
    assert np.allclose(0.5 + SH_C0 * cloud.sh[:, 0], [[1, 0, 0]] * 2, atol=1e-6)


def test_what_the_person_says_counts_where_the_file_is_silent(tmp_path: Path) -> None:
    (tmp_path / "a.ksplat").write_bytes(ksplat_of(0))
    said = formats.read(tmp_path / "a.ksplat", ReadOptions(up="+Z", unit="m"))
    assert said.data.frame == Frame("+Z", "m")
