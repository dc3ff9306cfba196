"""Which weights a network has: so that a result can name them, and that damaged or other ones are noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from recon.errors import InputError

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


def weights_sha256(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of weights of a network, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in _WEIGHTS)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def check_weights(name: str, found: Mapping[str, str], published: Mapping[str, str]) -> None:
    """Raise InputError where a file of a network is missing or not the published one.

    found, published: SHA-256 by the file's path in the network's folder; what is not published is not compared.
    """
    for file, digest in published.items():
        if found.get(file) != digest:
            what = "is missing" if file not in found else "is not the one that was published"
            raise InputError(
                f"The file {file} of the network {name} {what}.",
                "Fetch the network again, or choose its folder as the network to use it as it is.",
                f"SHA-256 {found.get(file, 'none')}, expected {digest}",
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
