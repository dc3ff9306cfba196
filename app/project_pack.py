"""A project as one file to hand on: an uncompressed zip with everything that the project needs.

A pack holds the manifest, its layers, the files that it reads from elsewhere (under assets/) and its runs; not
the earlier saves, previews or unused layers. Packs come from strangers: nothing of one is written before every
name in it was found harmless. Needs no Qt.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import unicodedata
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from app import image_places
from app.manifest import SUFFIX, Manifest, manifest_path, parsed, read_raw, upgraded
from recon.errors import FormatError, InputError, ReconError
from recon.formats import native
from recon.formats.atomic_file import replacing

PACK_SUFFIX = ".isokilnz"
_CHECKPOINTS, _PREVIEWS = "checkpoints", "previews"
_MAX_FILES = 100_000
_CHUNK = 2**20
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{i}" for name in ("com", "lpt") for i in range(1, 10))}


def pack(project: Path, target: Path, *, with_checkpoints: bool = False) -> Path:
    """Write the last save of a project as one file; returns its path.

    project: its folder or manifest. Raises ReconError; what stood at `target` is then untouched.
    """
    manifest = manifest_path(project)
    raw = read_raw(manifest)
    assets = _assets(manifest.parent, raw)
    members = {**assets, **_members(manifest.parent, raw, with_checkpoints)}
    target = target if target.suffix == PACK_SUFFIX else target.with_name(target.name + PACK_SUFFIX)
    content = json.dumps(_with_assets(raw, manifest.parent, assets), indent=1, ensure_ascii=False)
    with _said("packed", "Free some space or choose another place. The project is untouched."):
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(manifest.name, content)
            for name, path in members.items():
                _add(archive, name, path)
    return target


def packed_size(project: Path, *, with_checkpoints: bool = False) -> int:
    """About how many bytes a pack of this project has."""
    manifest = manifest_path(project)
    raw = read_raw(manifest)
    folder = manifest.parent
    files = [*_assets(folder, raw).values(), *_members(folder, raw, with_checkpoints).values()]
    return sum(path.stat().st_size for path in files if path.exists())


def unpack(path: Path, into: Path) -> Path:
    """Make the folder `into` a project from a pack; returns its manifest.

    The new project has an identity of its own, so that it can live beside the one that was packed. Raises
    FormatError for a file that is no sound pack, InputError when the folder is not empty; nothing is then left.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise InputError(f"{into} is not empty.", "Choose a new folder for the project.")
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _checked_manifest(path, archive)
            with _said("unpacked", "Free some space or choose another place."):
                _extract(archive, manifest, into)
    except OSError as error:
        raise FormatError(path, f"The file cannot be read: {error.strerror}.", "Check the path.") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _broken(path, str(error)) from error
    return into / next(name for name in manifest)


# --- packing ---------------------------------------------------------------------------------------------


def _members(folder: Path, raw: Mapping[str, Any], with_checkpoints: bool) -> dict[str, Path]:
    """Name in the pack → file: layers that the manifest names, the picture, and the runs."""
    names = [str(layer.get(key) or "") for layer in _layers(raw) for key in ("file", "marks")]
    found = {
        name: folder / name for name in names if name.startswith("layers/") and (folder / name).is_file()
    }
    if (folder / "preview.png").is_file():
        found["preview.png"] = folder / "preview.png"
    left_out = {_PREVIEWS} if with_checkpoints else {_PREVIEWS, _CHECKPOINTS}
    for path in sorted((folder / "runs").rglob("*")):
        parts = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in parts)
        if path.is_file() and not path.is_symlink() and not is_hidden and not left_out & set(parts[2:3]):
            found["/".join(parts)] = path
    return found


def _assets(folder: Path, raw: Mapping[str, Any]) -> dict[str, Path]:
    """Name in the pack → file outside the project that a layer without a file of its own is read from."""
    found: dict[str, Path] = {}
    for layer in _layers(raw):
        source = layer.get("source")
        if layer.get("file") or not isinstance(source, dict):
            continue
        path = _source_path(folder, source)
        if path is None:
            continue
        base = f"assets/{layer['uuid']}/{path.name}"
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            inner = "" if file == path else "/" + file.relative_to(path).as_posix()
            found[base + inner] = file
    return found | _pictures(folder, raw)


def _pictures(folder: Path, raw: Mapping[str, Any]) -> dict[str, Path]:
    """Name in the pack → picture that layers of images refer to, once for each folder of them."""
    found: dict[str, Path] = {}
    for _, (place, paths) in _image_layers(folder, raw):
        for path in paths:
            if (place / path).is_file() and not any(part == ".." for part in PurePosixPath(path).parts):
                found.setdefault(f"{_pictures_name(place)}/{path}", place / path)
    return found


def _image_layers(
    folder: Path, raw: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any], tuple[Path, tuple[str, ...]]]]:
    """The layers that refer to pictures, each with the folder of these and their paths below it."""
    for layer in _layers(raw):
        hint, file = layer.get("images"), str(layer.get("file") or "")
        if hint and isinstance(hint, dict) and (folder / file).is_file():
            data = image_places.found_again(native.read(folder / file), hint, folder)
            yield layer, image_places.files_of(data)


def _pictures_name(place: Path) -> str:
    """Where a folder of pictures lies in the pack."""
    digest = hashlib.blake2b(str(place).encode(), digest_size=6).hexdigest()
    return f"assets/{digest}/{place.name}"


def _with_assets(raw: dict[str, Any], folder: Path, assets: Mapping[str, Path]) -> dict[str, Any]:
    """The manifest with its packed sources named by their place in the pack."""
    changed = json.loads(json.dumps(raw))
    for layer in _layers(changed):
        source = layer.get("source")
        if not isinstance(source, dict):
            continue
        path = _source_path(folder, source)
        if path is not None and any(name.startswith(f"assets/{layer['uuid']}/") for name in assets):
            source["relpath"] = f"assets/{layer['uuid']}/{path.name}"
    for layer, (place, _) in _image_layers(folder, changed):
        if any(name.startswith(f"{_pictures_name(place)}/") for name in assets):
            layer["images"]["relpath"] = _pictures_name(place)
    return dict(changed)


def _source_path(folder: Path, source: Mapping[str, Any]) -> Path | None:
    candidates = (folder / str(source.get("relpath", "")), Path(str(source.get("abspath_hint", ""))))
    return next((path for path in candidates if path.exists() and path.name), None)


def _layers(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    layers = raw.get("layers")
    return [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Add a file; one that a run has replaced meanwhile is left out."""
    try:
        archive.write(path, name)
    except FileNotFoundError:
        return


# --- unpacking -------------------------------------------------------------------------------------------


def _checked_manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    """The manifest's name and content, once everything in the pack was found harmless. Raises FormatError."""
    entries = archive.infolist()
    if len(entries) > _MAX_FILES:
        raise _broken(path, f"{len(entries)} files")
    folded = [_folded(entry.filename) for entry in entries]
    for entry in entries:
        if wrong := _harm(entry):
            raise _broken(path, f"{entry.filename!r} {wrong}")
    if len(set(folded)) < len(folded):
        raise _broken(path, "two files of one name")
    manifests = [e for e in entries if "/" not in e.filename and e.filename.endswith(SUFFIX)]
    if len(manifests) != 1:
        raise _broken(path, f"{len(manifests)} manifests")
    return {manifests[0].filename: _with_new_identity(path, archive.read(manifests[0]))}


def _folded(name: str) -> str:
    """A name as file systems that mind neither case nor accents' spelling see it."""
    return unicodedata.normalize("NFC", name).casefold()


def _harm(entry: zipfile.ZipInfo) -> str:
    """What is wrong with an entry; empty when nothing is."""
    name = entry.filename
    parts = PurePosixPath(name).parts
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is no plain file"
    if not parts or name.startswith("/") or "\\" in name or ":" in name or "\0" in name or name.endswith("/"):
        return "is no plain name"
    if any(
        p in ("..", ".") or p.startswith(".") or p[-1] in ". " or _is_reserved(p)
        for p in name.split("/")
        if p
    ):
        return "is no plain name"
    if "" in name.split("/") or len(name) > 1000:
        return "is no plain name"
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        return "is compressed"
    return "is encrypted" if entry.flag_bits & 1 else ""


def _is_reserved(part: str) -> bool:
    """Names that mean a device on Windows."""
    return part.split(".")[0].casefold() in _RESERVED


def _with_new_identity(path: Path, content: bytes) -> bytes:
    """The manifest of a project of its own that comes from the packed one; unknown keys stay."""
    raw = parsed(content, path)
    manifest = Manifest.model_validate(upgraded(raw, path)[0])
    lineage = [*manifest.lineage, manifest.uuid]
    return json.dumps(
        {**raw, "uuid": uuid.uuid4().hex, "lineage": lineage}, indent=1, ensure_ascii=False
    ).encode()


def _extract(archive: zipfile.ZipFile, manifest: Mapping[str, bytes], into: Path) -> None:
    """Write everything beside `into`, then give it its name."""
    beside = into.with_name(f".{into.name}.{uuid.uuid4().hex[:8]}")
    try:
        for entry in archive.infolist():
            target = beside.joinpath(*entry.filename.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            if entry.filename in manifest:
                target.write_bytes(manifest[entry.filename])
                continue
            with archive.open(entry) as source, target.open("xb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
        if into.exists():
            into.rmdir()  # Empty: it was looked at.
        beside.replace(into)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def _said(done: str, advice: str) -> Iterator[None]:
    """Turn what the system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise ReconError(
            f"The project could not be {done}: {error.strerror or error}.", advice, str(error)
        ) from error


def _broken(path: Path, details: str) -> FormatError:
    return FormatError(path, "This is no sound project pack.", "Ask for it again.", details=details)
