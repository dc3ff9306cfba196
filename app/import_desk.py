"""The import inspector of the window: reads what is offered, shows what it is, and hands over what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.background import Background
from app.data_words import describe_data
from app.errors import describe_error
from app.file_desk import FileDesk, file_filter
from app.reframe import in_frame
from recon import formats
from recon.errors import ReconError
from recon.formats import FileKind, Reading
from recon.formats.as_points import as_points
from recon.formats.reading import Note, ReadOptions
from render.cross_sections import CrossSections
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from widgets.import_dialog import ImportDialog, ImportWish
from widgets.import_preview import ImportPreview
from widgets.import_rows import ImportProblem, ImportRow
from widgets.job_rows import bytes_text

# What a person is most likely to have to say, by format; the rest folds away.
_BASIC_OPTIONS = {
    "masks": ("spacing", "unit", "threshold", "read_as"),
    "dicom": ("series", "holes"),
    "csl": ("unit", "up"),
    "contours": (),
    "colmap": ("submodel", "image_folder", "invert_masks"),
    "transforms": ("image_folder", "depth_kind", "invert_masks"),
    "sdfstudio": ("depth_kind",),
    "monosdf": ("depth_kind", "first_pixel"),
    "replica": ("image_folder",),
    "scannet": ("image_folder",),
    "neural_rgbd": ("image_folder",),
    "photos": ("read_as", "invert_masks"),
    "video": (),
    "ply": ("unit", "up"),
    **dict.fromkeys(("splats", "compressed_splats", "spz", "splat", "splats_glb", "splats_gltf", "sog", "ksplat"),
                    ("unit", "up")),
}  # fmt: skip
# What else a file of some kind of data can be taken for: by how it is read, with a title.
_OTHER_READINGS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "gaussians": (("points", "Points, from the splats"),),
    "mesh": (("points", "Points, from the vertices"),),
    "posed_images": (("points", "Points, without the cameras"),),
}
_AS = ("points",)  # ways to read that the table offers beside the format
_LEAST_OPACITY, _MOST_DOTS = 0.1, 6000  # of splats in the preview
_VOLUME_OPTIONS = ("slice_axis", "threshold", "labels")


@dataclass(frozen=True)
class _Source:
    """A path with how it is to be read, and what came of it."""

    path: Path
    kind: FileKind | None = None
    options: ReadOptions = ReadOptions()
    reading: Reading | None = None
    error: Exception | None = None
    is_reading: bool = True


class ImportDesk(QObject):
    """At most one inspector at a time; it closes when its wish was carried out."""

    def __init__(self, window: QWidget, files: FileDesk, background: Background) -> None:
        super().__init__(window)
        self._window, self._files, self._background = window, files, background
        self._sources: dict[str, _Source] = {}
        self.dialog: ImportDialog | None = None
        self.pick_to_import = QFileDialog.getOpenFileNames  # where a test answers for the person

    def show(self, paths: Sequence[Path] = ()) -> ImportDialog | None:
        """Open the inspector with these paths; without any, ask for some first."""
        if not paths:
            names, _ = self.pick_to_import(
                self._window, "Import", str(self._files.last_folder), file_filter(with_projects=False)
            )
            paths = [Path(name) for name in names]
        if self.dialog is None and not paths:
            return None
        if self.dialog is None:
            self.dialog = self._make_dialog()
        self.add(paths)
        self.dialog.show()
        self.dialog.raise_()
        return self.dialog

    def add(self, paths: Sequence[Path]) -> None:
        """More sources for the open inspector."""
        for path in paths:
            source = _Source(path)
            try:
                source = replace(source, kind=formats.kind_of_file(path))
            except (ReconError, OSError) as error:
                source = replace(source, error=error, is_reading=False)
            self._sources[str(path)] = source
            if source.kind is not None:
                self._offer_options(str(path), source.kind)
                self._read(str(path))
        self._show_rows()

    # Inner life

    def _make_dialog(self) -> ImportDialog:
        self._preview = ImportPreview()
        dialog = ImportDialog(self._preview, parent=self._window)
        dialog.row_selected.connect(lambda _: self._show_preview())
        dialog.kind_changed.connect(self._take_kind)
        dialog.options_changed.connect(self._take_options)
        dialog.files_dropped.connect(self.add)
        dialog.import_wished.connect(self._import)
        dialog.finished.connect(lambda _: self._forget())
        frame = self._files.project.frame
        dialog.set_frame(frame.up, frame.unit, "as the project")
        dialog.set_copy(True)
        return dialog

    def _forget(self) -> None:
        self._sources.clear()
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _offer_options(self, row_id: str, kind: FileKind) -> None:
        if kind.uses_options and self.dialog is not None:
            basic = _BASIC_OPTIONS.get(kind.id, _VOLUME_OPTIONS)
            self.dialog.set_options(row_id, ReadOptions, {}, basic)

    def _take_options(self, row_id: str, values: dict[str, object]) -> None:
        try:
            options = ReadOptions.model_validate(values)
        except ValidationError:
            return  # The form says what is wrong.
        self._sources[row_id] = replace(self._sources[row_id], options=options)
        self._read(row_id)
        self._show_rows()

    def _take_kind(self, row_id: str, kind: str) -> None:
        """The person says what the source is to be taken for."""
        read_as = kind if kind in _AS else "auto"
        options = self._sources[row_id].options.model_copy(update={"read_as": read_as})
        self._sources[row_id] = replace(self._sources[row_id], options=options)
        self._read(row_id)
        self._show_rows()

    def _read(self, row_id: str) -> None:
        source = replace(self._sources[row_id], is_reading=True, error=None)
        self._sources[row_id] = source
        self._background.run(
            f"inspect {row_id}",
            lambda: formats.read(source.path, source.options),
            lambda reading: self._answer(row_id, reading=reading),
            lambda error: self._answer(row_id, error=error),
        )

    def _answer(self, row_id: str, reading: Reading | None = None, error: Exception | None = None) -> None:
        if row_id not in self._sources:
            return  # The inspector was closed meanwhile.
        self._sources[row_id] = replace(self._sources[row_id], reading=reading, error=error, is_reading=False)
        if reading is not None and self.dialog is not None and not self._files.project.layers:
            frame = reading.data.frame
            self.dialog.set_frame(frame.up, frame.unit, "as the file says")
        self._show_rows()

    def _show_rows(self) -> None:
        if self.dialog is not None:
            self.dialog.set_rows([_row(row_id, source) for row_id, source in self._sources.items()])
            self._show_preview()

    def _show_preview(self) -> None:
        """Picture the selected source."""
        source = self._sources.get(self.dialog.selected_id()) if self.dialog is not None else None
        if source is None:
            self._preview.set_data(None, "Select a source to see it here.")
        elif source.reading is None:
            words = "Reading…" if source.is_reading else "Nothing to see: it could not be read."
            self._preview.set_data(None, words)
        else:
            data = source.reading.data
            if isinstance(data, GaussianCloud):
                upright = replace(data.frame, up="+Z")  # as the preview looks at things
                data = in_frame(as_points(_visible(data)), upright)
            if isinstance(data, CrossSections | TriangleMesh | PosedImages | PointCloud):
                self._preview.set_data(data)
            else:
                self._preview.set_data(None, describe_data(data))

    def _import(self, wish: ImportWish) -> None:
        chosen = [self._sources[row_id] for row_id, _, _ in wish.sources]
        readings = [(s.path, s.reading, s.options) for s in chosen if s.reading is not None]
        stated = readings[0][1].data.frame if readings else Frame()
        frame = Frame(wish.up, wish.unit, stated.patient_axes)  # type: ignore[arg-type]
        self._files.add(readings, frame=frame, is_embedded=wish.copy)
        if self.dialog is not None:
            self.dialog.close()


def _row(row_id: str, source: _Source) -> ImportRow:
    data = source.reading.data if source.reading is not None else None
    return ImportRow(
        id=row_id,
        source=source.path.name,
        path=str(source.path),
        kind=_chosen_kind(source),
        kinds=_kinds(source),
        count=describe_data(data).partition(", SH")[0] if data is not None else "",  # there is little room
        size=bytes_text(source.path.stat().st_size) if source.path.is_file() else "",
        problems=_problems(source),
        is_reading=source.is_reading,
    )


def _kinds(source: _Source) -> tuple[tuple[str, str], ...]:
    """What a source may be taken for: the format that it was recognised as, and other ways to read that."""
    kind = source.kind
    if kind is None:
        return ()
    title = kind.title
    if kind.id == "ply" and source.reading is not None and not isinstance(source.reading.data, TriangleMesh):
        title = title if source.options.read_as in _AS else "Points (PLY)"
    others = _OTHER_READINGS.get(kind.data or "", ())
    data = source.reading.data if source.reading is not None else None
    if isinstance(data, PosedImages) and data.points is None:
        others = ()
    return ((kind.id, title), *(others if title == kind.title else ()))


def _chosen_kind(source: _Source) -> str:
    if source.kind is None:
        return ""
    return source.options.read_as if source.options.read_as in _AS else source.kind.id


def _visible(cloud: GaussianCloud) -> GaussianCloud:
    """Some of the Gaussians that can be seen, for a small picture."""
    rows = np.flatnonzero(cloud.opacities > _LEAST_OPACITY)
    return cloud.subset(rows[:: 1 + len(rows) // _MOST_DOTS]) if len(rows) else cloud


def _problems(source: _Source) -> tuple[ImportProblem, ...]:
    if source.error is not None:
        report = describe_error(source.error)
        return (ImportProblem("error", report.sentence, report.advice),)
    return tuple(_problem(note) for note in (source.reading.notes if source.reading else ()))


def _problem(note: Note) -> ImportProblem:
    where = f"Plane {note.plane + 1}: " if note.plane is not None else ""
    return ImportProblem(note.severity, f"{where}{note.sentence}")
