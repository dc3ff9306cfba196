"""Telling files of splats from others by their first bytes alone."""

from __future__ import annotations

import zlib

_SPZ = b"NGSP"
_GZIP = b"\x1f\x8b"
_GLTF = b"KHR_gaussian_splatting"
_ZIP = b"PK\x03\x04"


def is_splat_ply(head: bytes) -> bool:
    """Whether a PLY file has the columns of Gaussians."""
    names = _property_names(head)
    return b"f_dc_0" in names or {b"scale_0", b"rot_0"} <= names


def is_compressed_ply(head: bytes) -> bool:
    """Whether a PLY file holds Gaussians packed in chunks (PlayCanvas)."""
    return {b"packed_position", b"packed_rotation"} <= _property_names(head)


def is_other_ply(head: bytes) -> bool:
    """Whether a file is PLY, but of no splats."""
    return head.startswith((b"ply\n", b"ply\r")) and not is_splat_ply(head) and not is_compressed_ply(head)


def is_spz(head: bytes) -> bool:
    """Whether a file is SPZ, packed as a whole or not."""
    if not head.startswith(_GZIP):
        return head.startswith(_SPZ)
    try:
        return zlib.decompressobj(31).decompress(head, len(_SPZ)) == _SPZ
    except zlib.error:
        return False


def is_sog(head: bytes) -> bool:
    """Whether a file is an archive that begins with what SOG archives hold, or the description beside its pictures."""
    if head.startswith(_ZIP):
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return name.endswith((b".webp", b"meta.json"))
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and all(
        word in text for word in (b'"means"', b'"quats"', b'"scales"', b'"sh0"')
    )


def is_splat_glb(head: bytes) -> bool:
    """Whether a binary glTF file says in its document that it holds Gaussians."""
    return head.startswith(b"glTF") and _GLTF in head


def is_splat_gltf(head: bytes) -> bool:
    """Whether a glTF file that is text says near its beginning that it holds Gaussians."""
    return head.lstrip().startswith(b"{") and b'"asset"' in head and _GLTF in head


def is_mesh_glb(head: bytes) -> bool:
    """Whether a file is binary glTF, but of no splats."""
    return head.startswith(b"glTF") and _GLTF not in head


def _property_names(head: bytes) -> set[bytes]:
    """The names in the header of a PLY file; none in another file."""
    if not head.startswith((b"ply\n", b"ply\r")):
        return set()
    lines = [line.split() for line in head.partition(b"end_header")[0].splitlines()]
    return {words[-1] for words in lines if len(words) > 2 and words[0] == b"property"}
