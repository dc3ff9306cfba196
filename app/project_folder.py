"""A project on the disk: one folder with a small manifest, immutable layer files and runs.

    MyScan/
      MyScan.isokiln          manifest: JSON, opened by a double click
      MyScan.isokiln.bak1..3  the saves before
      layers/                 one .npz a revision of a layer's data, one .marks a revision of what is marked in it;
                              never overwritten
      runs/                   one folder a run
      preview.png             what it looks like, for lists of projects
      .lock                   who has it open

Save writes new layer files first and replaces the manifest last, so that a crash at any moment leaves the
old or the new project.
"""

from __future__ import annotations

import hashlib
import os
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app import image_places, marks_files
from app.layers import Layer, Missing, Origin, ProjectState, Source
from app.manifest import (
    FORMAT,
    SCHEMA,
    AssetRecord,
    FrameRecord,
    LayerRecord,
    Manifest,
    OriginRecord,
    PromptRecord,
    RunRecord,
    damaged,
    manifest_path,
    read_raw,
    upgraded,
)
from app.project_runs import copy_run, is_under_way, link_or_copy, run_folders
from recon import formats
from recon.errors import FormatError, ReconError
from recon.formats import native
from recon.formats.atomic_file import replacing
from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks
from render.scene_data import SceneData

NUM_BACKUPS = 3

PREVIEW = "preview.png"

Stored = SceneData | GaussianMarks

# Data is immutable, so a file written once for a value serves every later save: layers folder → file, the folder
# that was written to first comes first.
_FILES_OF_DATA: weakref.WeakKeyDictionary[Stored, dict[Path, Path]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Document:
    """What is saved. manifest: the last one read or written, which carries the keys we do not know."""

    state: ProjectState = ProjectState()
    hidden: frozenset[str] = frozenset()
    runs: tuple[RunRecord, ...] = ()
    session: Mapping[str, Any] = field(default_factory=dict)
    manifest: Manifest = field(default_factory=Manifest.new)
    prompts: tuple[PromptRecord, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A document and what the person should know about it."""

    document: Document
    path: Path
    notes: tuple[str, ...] = ()
    is_read_only: bool = False
    backup_used: Path | None = None


def fingerprint(path: Path) -> str:
    """Identity of a file's content: BLAKE2b of its first and last 64 KiB and its size."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(65536))
        if size > 65536:
            file.seek(max(65536, size - 65536))
            digest.update(file.read(65536))
    return digest.hexdigest()


def source_of(path: Path, options: Mapping[str, Any], *, is_embedded: bool = True) -> Source:
    """The record of a file that was just read; a folder counts by its files' names and sizes."""
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        listing = "\n".join(f"{p.relative_to(path)} {p.stat().st_size}" for p in files)
        digest = hashlib.blake2b(listing.encode(), digest_size=16).hexdigest()
        return Source(path, sum(p.stat().st_size for p in files), digest, options, is_embedded)
    return Source(path, path.stat().st_size, fingerprint(path), options, is_embedded)


def save(path: Path, document: Document) -> Document:
    """Write the project at the manifest `path`; returns the document with its new manifest.

    Raises ReconError with the reason when the disk refuses; the last save is then untouched.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        layers = [_layer_record(folder, layer, document.hidden) for layer in document.state.layers]
        manifest = _next_manifest(document, layers)
        content = manifest.to_bytes()
        _rotate_backups(path)
        with replacing(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise _not_saved(error) from error
    return replace(document, manifest=manifest)


def _not_saved(error: OSError) -> ReconError:
    return ReconError(
        f"The project could not be saved: {error.strerror or error}.",
        "The last save is untouched. Free some space or save the project elsewhere.",
        str(error),
    )


def save_as(path: Path, document: Document, old_folders: Iterable[Path] = ()) -> Document:
    """Save under another name with an identity of its own; runs go along, but for one that is under way.

    old_folders: where the runs are until now. Raises ReconError when the disk refuses.
    """
    try:
        for run in (run for folder in old_folders if folder != path.parent for run in run_folders(folder)):
            if not is_under_way(run):
                copy_run(run, path.parent / "runs" / run.name)
    except OSError as error:
        raise _not_saved(error) from error
    manifest = document.manifest.model_copy(
        update={
            "uuid": uuid.uuid4().hex,
            "title": path.stem,
            "lineage": [*document.manifest.lineage, document.manifest.uuid],
        }
    )
    return save(path, replace(document, manifest=manifest))


def open_project(
    path: Path, *, upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None
) -> Opened:
    """Read a project from its folder or manifest.

    A manifest that cannot be read falls back to the newest backup that can, and says so. Raises
    FormatError when none can.
    """
    path = manifest_path(path)
    candidates = [path, *_backups(path)]
    first_error: FormatError | None = None
    for candidate in candidates:
        try:
            raw, is_newer = upgraded(read_raw(candidate), candidate, upgrades)
            manifest = Manifest.model_validate(raw)
        except (FormatError, ValidationError) as error:
            wrong = error if isinstance(error, FormatError) else damaged(candidate, str(error))
            first_error = first_error or wrong
            continue
        document, notes = _load(path.parent, manifest)
        backup = candidate if candidate != path else None
        if backup is not None:
            notes = (f"The project file is damaged; the backup {backup.name} was opened.", *notes)
        return Opened(document, path, notes, is_newer, backup)
    assert first_error is not None
    raise first_error


def remove_unused_layer_files(path: Path) -> None:
    """Delete layer files that neither the manifest nor a backup names. Called after a clean open."""
    used: set[str] = set()
    for candidate in [path, *_backups(path)]:
        try:
            raw = read_raw(candidate)
        except FormatError:
            return  # A file that cannot be read may name anything: keep all.
        layers = [layer for layer in raw.get("layers", []) if isinstance(layer, dict)]
        used |= {str(layer.get(key)) for layer in layers for key in ("file", "marks")}
    for file in (path.parent / "layers").glob("*"):
        if file.suffix in (".npz", marks_files.SUFFIX) and f"layers/{file.name}" not in used:
            file.unlink()


def relinked(layer: Layer, path: Path) -> Layer:
    """A layer whose missing source was found at `path`; FormatError when it cannot be read."""
    options = dict(layer.source.options) if layer.source else {}
    data = formats.read(path, formats.ReadOptions.model_validate(options)).data
    marks = layer.marks if _fit(layer.marks, data) else None
    return replace(layer, data=data, marks=marks, source=source_of(path, options, is_embedded=False))


def difference(layer: Layer, path: Path) -> str:
    """How a file differs from the one a layer was read from; empty when it is the same."""
    if layer.source is None:
        return ""
    found = source_of(path, {})
    if found.fingerprint == layer.source.fingerprint:
        return ""
    if found.num_bytes != layer.source.num_bytes:
        return f"The size differs: {found.num_bytes:,} instead of {layer.source.num_bytes:,} bytes."
    return "The content differs."


# --- records ---------------------------------------------------------------------------------------------


def _next_manifest(document: Document, layers: list[LayerRecord]) -> Manifest:
    old = document.manifest
    frame = document.state.frame
    return old.model_copy(
        update={
            "format": FORMAT,
            "schema_": SCHEMA,
            "revision": uuid.uuid4().hex,
            "parent_revision": old.revision,
            "modified": datetime.now(UTC).isoformat(timespec="seconds"),
            "frame": (old.frame or FrameRecord()).model_copy(
                update={
                    "up": frame.up,
                    "unit": frame.unit,
                    "metres_per_unit": frame.metres_per_unit,
                    "patient_axes": frame.patient_axes,
                }
            ),
            "layers": layers,
            "runs": list(document.runs),
            "prompts": list(document.prompts),
            "session": dict(document.session),
        }
    )


def _layer_record(folder: Path, layer: Layer, hidden: frozenset[str]) -> LayerRecord:
    if isinstance(layer.data, Missing):
        kept = LayerRecord.model_validate(layer.data.record)
        marks = _store(folder, layer.marks) if layer.marks is not None else kept.marks
        return kept.model_copy(update={"name": layer.name, "visible": layer.id not in hidden, "marks": marks})
    is_embedded = layer.source is None or layer.source.is_embedded
    return LayerRecord(
        **{
            **layer.extra,
            "uuid": layer.id,
            "kind": native.kind_of(layer.data),
            "name": layer.name,
            "visible": layer.id not in hidden,
            "locked": layer.is_locked,
            "display": dict(layer.style),
            "origin": _origin_record(layer.origin),
            "source": _asset_record(folder, layer.source),
            "file": _store(folder, layer.data) if is_embedded else None,
            "marks": _store(folder, layer.marks) if layer.marks is not None else None,
            "version_of": layer.version_of,
            "pending": layer.is_pending,
            "meta": {"bytes": layer.data.num_bytes},
            "images": _images_record(folder, layer),
        }
    )


def _images_record(folder: Path, layer: Layer) -> dict[str, str]:
    """Where a layer's pictures are; what was said of them before, while they are not found."""
    if image_places.are_lost(layer.data) and "images" in layer.extra:
        return dict(layer.extra["images"])
    return image_places.hint_of(layer.data, folder)


def _store(folder: Path, data: Stored) -> str:
    """Write the value unless this folder has it already; returns its path relative to the manifest."""
    layers = folder / "layers"
    here = _FILES_OF_DATA.get(data, {}).get(layers)
    if here is not None and here.exists():
        return f"layers/{here.name}"
    suffix = marks_files.SUFFIX if isinstance(data, GaussianMarks) else ".npz"
    target = layers / f"{uuid.uuid4().hex}{suffix}"
    layers.mkdir(exist_ok=True)
    elsewhere = stored_file(data)
    if elsewhere is not None:
        with replacing(target) as beside:
            link_or_copy(elsewhere, beside)
    elif isinstance(data, GaussianMarks):
        marks_files.write(target, data)
    else:
        native.write(target, data)
    _note_file(data, target)
    return f"layers/{target.name}"


def _note_file(data: Stored, path: Path) -> None:
    _FILES_OF_DATA.setdefault(data, {})[path.parent] = path


def stored_file(data: Stored, folder: Path | None = None) -> Path | None:
    """Where data lie as a layer of the project in `folder`, or of any; None for data that lie nowhere."""
    files = _FILES_OF_DATA.get(data, {})
    found = (
        files.values() if folder is None else [files[folder / "layers"]] if folder / "layers" in files else []
    )
    return next((path for path in found if path.exists()), None)


def _origin_record(origin: Origin | None) -> OriginRecord | None:
    if origin is None:
        return None
    return OriginRecord(
        method=origin.method,
        settings=dict(origin.settings),
        seed=origin.seed,
        inputs=list(origin.inputs),
        run=origin.run,
        figures=dict(origin.figures),
    )


def _asset_record(folder: Path, source: Source | None) -> AssetRecord | None:
    if source is None:
        return None
    try:
        relative = Path(os.path.relpath(source.path, folder)).as_posix()
    except ValueError:  # Another drive on Windows.
        relative = source.path.as_posix()
    return AssetRecord(
        relpath=relative,
        abspath_hint=source.path.as_posix(),
        bytes=source.num_bytes,
        fingerprint=source.fingerprint,
        options=dict(source.options),
        embedded=source.is_embedded,
    )


# --- reading ---------------------------------------------------------------------------------------------


def _load(folder: Path, manifest: Manifest) -> tuple[Document, tuple[str, ...]]:
    layers, notes = [], []
    for record in manifest.layers:
        layer, note = _load_layer(folder, record)
        layers.append(layer)
        notes += [note] if note else []
    frame = manifest.frame or FrameRecord()
    hidden = frozenset(record.uuid for record in manifest.layers if not record.visible)
    state = ProjectState(tuple(layers), Frame(frame.up, frame.unit, frame.patient_axes))
    document = Document(
        state, hidden, tuple(manifest.runs), manifest.session, manifest, tuple(manifest.prompts)
    )
    return document, tuple(notes)


def _load_layer(folder: Path, record: LayerRecord) -> tuple[Layer, str]:
    layer, note = _load_data(folder, record)
    if record.marks is None:
        return layer, note
    try:
        marks = marks_files.read(folder / record.marks)
    except ReconError as error:
        return layer, note or f"“{record.name}”: what was marked in it is lost. {error.sentence}"
    if not isinstance(layer.data, Missing) and not _fit(marks, layer.data):
        return layer, note or f"“{record.name}”: what was marked in it is of other Gaussians."
    _note_file(marks, folder / record.marks)
    return replace(layer, marks=marks), note


def _fit(marks: GaussianMarks | None, data: SceneData | Missing) -> bool:
    return marks is not None and isinstance(data, GaussianCloud) and len(marks) == len(data)


def _load_data(folder: Path, record: LayerRecord) -> tuple[Layer, str]:
    source = _resolved_source(folder, record.source)
    missing = Missing(record.kind, record.model_dump(by_alias=True))
    layer = Layer(
        id=record.uuid,
        name=record.name,
        data=missing,
        style=record.display,
        is_locked=record.locked,
        origin=Origin(**_known(record.origin, Origin)) if record.origin else None,
        source=source,
        version_of=record.version_of,
        is_pending=record.pending,
        extra={**(record.model_extra or {}), **({"images": record.images} if record.images else {})},
    )
    try:
        if record.file is not None:
            path = folder / record.file
            data = native.read(path)
            _note_file(data, path)
            there = image_places.found_again(data, record.images, folder)
            lost = f"“{record.name}”: its images were not found." if image_places.are_lost(there) else ""
            return replace(layer, data=there), lost
        if source is not None and source.path.exists():
            data = formats.read(source.path, formats.ReadOptions.model_validate(source.options)).data
            changed = difference(layer, source.path)
            note = f"“{record.name}” was read again: {source.path.name} has changed since. {changed}"
            if changed:
                source = source_of(source.path, source.options, is_embedded=False)
            return replace(layer, data=data, source=source), note if changed else ""
    except (ReconError, OSError, ValidationError) as error:
        if not isinstance(error, ReconError):
            return layer, f"“{record.name}” could not be read: {error}"
        return layer, f"“{record.name}” could not be read: {error.sentence}"
    return layer, f"“{record.name}”: its file was not found."


def _known(record: OriginRecord, cls: type[Origin]) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in cls.__dataclass_fields__}
    return {**values, "inputs": tuple(values["inputs"])}


def _resolved_source(folder: Path, asset: AssetRecord | None) -> Source | None:
    """Where a source is now: at its relative path, at its old absolute path, or beside the project."""
    if asset is None:
        return None
    candidates = [folder / asset.relpath, Path(asset.abspath_hint)]
    name = Path(asset.abspath_hint).name
    candidates += [folder / name, folder.parent / name]
    found = next((p for p in candidates if p.exists()), candidates[0])
    return Source(
        Path(os.path.normpath(found)), asset.bytes, asset.fingerprint, asset.options, asset.embedded
    )


# --- files -----------------------------------------------------------------------------------------------


def _backups(path: Path) -> list[Path]:
    """The backups there are, newest first."""
    names = (path.with_name(f"{path.name}.bak{i}") for i in range(1, NUM_BACKUPS + 1))
    return [backup for backup in names if backup.exists()]


def _rotate_backups(path: Path) -> None:
    """Keep the last saves; at every moment the manifest itself stays in its place."""
    if not path.exists():
        return
    for i in range(NUM_BACKUPS - 1, 0, -1):
        older = path.with_name(f"{path.name}.bak{i}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.bak{i + 1}"))
    with replacing(path.with_name(f"{path.name}.bak1")) as beside:
        beside.write_bytes(path.read_bytes())
