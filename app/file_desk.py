"""Projects and files of the window: new, open, save, import, relink, pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from app import image_places, project_folder, relinking
from app.background import Background
from app.cli_files import sample_folders
from app.directories import data_directory, projects_directory
from app.document import OpenDocument
from app.layer_look import measured
from app.layers import Layer, Missing, changed, new_layer
from app.manifest import SUFFIX, is_project
from app.project import Project
from app.project_pack import PACK_SUFFIX
from app.reframe import in_frame, stated_in
from app.relinking import Found
from recon import formats
from recon.errors import InputError, ReconError
from recon.formats.reading import Note, Reading, ReadOptions
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.points import PointCloud

PickFile = Callable[..., tuple[str, str]]
_Read = tuple[Path, Reading, ReadOptions]
_SAMPLES = {"text": "surface"}  # workflows that try another's sample


class FileDesk(QObject):
    """Asks for paths, reads and writes in the background, and puts what was read into the project.

    Signals: imported (layers); noted (title, notes) about what was read; failed (exception);
    leave_wished (what to do once the person has decided about unsaved work).
    """

    imported = Signal(object)
    noted = Signal(str, object)
    failed = Signal(object)
    leave_wished = Signal(object)
    inspect_wished = Signal(object)  # paths to look at closely; none asks for some
    export_wished = Signal()
    sample_begun = Signal(str)  # workflow whose sample is about to be read
    unpack_wished = Signal(object)  # path
    picture_wished = Signal(object, bool)  # path, whether without background

    def __init__(
        self, window: QWidget, document: OpenDocument, background: Background, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._window, self.document, self._background = window, document, background
        self._reading = 0
        self.last_folder = Path.home()
        # Where a test answers for the person.
        self.pick_to_open: PickFile = QFileDialog.getOpenFileName
        self.pick_to_save: PickFile = QFileDialog.getSaveFileName
        self.pick_folder: Callable[..., str] = QFileDialog.getExistingDirectory

    @property
    def project(self) -> Project:
        return self.document.project

    # Projects

    def new(self) -> None:
        self.leave_wished.emit(self.document.new)

    def close(self) -> None:
        self.leave_wished.emit(self.document.new)

    def open(self) -> None:
        title = "Open a project or a file"
        path, _ = self.pick_to_open(
            self._window, title, str(self.last_folder), file_filter(with_projects=True)
        )
        if path:
            self.open_path(Path(path))

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open what was given on the command line or dropped: a project, or files to import."""
        projects = [path for path in paths if is_project(path) or path.suffix == PACK_SUFFIX]
        if projects:
            self.open_path(projects[0])
        elif paths:
            self.read(paths)

    def open_sample(self, name: str) -> None:
        """Begin a project with the bundled sample of a workflow."""
        folders = [Path(str(folder)) for folder in sample_folders()]
        sample = next(folder for folder in folders if folder.name.startswith(_SAMPLES.get(name, name)))

        def begin() -> None:
            self.document.new(f"Sample {sample.name}")
            self.sample_begun.emit(name)
            self.read([_sample_file(sample)])

        self.leave_wished.emit(begin)

    def open_path(self, path: Path) -> None:
        """Open a project, or import any other file."""
        if path.suffix == PACK_SUFFIX:
            self.unpack_wished.emit(path)
        elif is_project(path):
            self.leave_wished.emit(lambda: self.document.open(path))
        else:
            self.read([path])

    def save(self) -> None:
        if self.document.path is None or self.document.is_read_only:
            self.save_as()
        else:
            self.document.save()

    def save_as(self) -> None:
        path = self.pick_project_path()
        if path is not None:
            self.document.save(path)

    def open_copy(self, path: Path) -> None:
        """Ask where, and open a project as a copy of its own there; what it was made from stays as it is."""
        target = self.pick_project_path(f"{path.stem} copy")
        if target is not None:
            self.document.open_copy(path, target)

    def pick_project_path(self, suggested: str = "") -> Path | None:
        """Ask where the project shall lie: a folder of that name with the manifest in it."""
        suggestion = projects_directory() / (suggested or self.document.title)
        projects_directory().mkdir(parents=True, exist_ok=True)
        name, _ = self.pick_to_save(
            self._window, "Save project as", str(suggestion), f"Isokiln project (*{SUFFIX})"
        )
        return project_path(Path(name)) if name else None

    # Files

    def import_files(self) -> None:
        self.inspect_wished.emit(())

    def import_folder(self) -> None:
        """Ask for a folder: photos, a scene with poses, masks or DICOM files."""
        name = self.pick_folder(self._window, "Import a folder", str(self.last_folder))
        if name:
            self.read([Path(name)])

    def read(self, paths: Iterable[Path], options: ReadOptions = ReadOptions()) -> None:
        """Read files in the background; each becomes a layer of one undo step.

        Where one cannot be read, or is read with a warning, nothing is imported before a person has looked.
        """
        paths = tuple(paths)
        self.last_folder = paths[0].parent
        self._reading += 1
        self._background.run(
            f"read {self._reading}",
            lambda: [_read(path, options) for path in paths],
            lambda readings: self._take(paths, readings),
            self.failed.emit,
        )

    def _take(self, paths: Sequence[Path], readings: Sequence[_Read | None]) -> None:
        clean = [read for read in readings if read is not None and not _has_warning(read)]
        if len(clean) == len(readings):
            self.add(clean)
        else:
            self.inspect_wished.emit(paths)

    def add(
        self,
        readings: Sequence[tuple[Path, Reading, ReadOptions]],
        *,
        frame: Frame | None = None,
        is_embedded: bool = True,
    ) -> None:
        """Put what was read into the project, in its frame; the first layer of all decides the frame.

        frame: what a person said the numbers mean, where the project has no layers yet.
        """
        if not readings:
            return
        is_first = not self.project.layers
        target = (frame or readings[0][1].data.frame) if is_first else self.project.frame
        if not is_first:
            readings = [(path, in_axes(reading, target), options) for path, reading, options in readings]
        layers = [_layer_of(path, reading, options, is_embedded) for path, reading, options in readings]
        if is_first:  # What the person said is what the numbers mean; nothing is turned.
            layers = [replace(x, data=stated_in(x.data, target)) for x in layers]  # type: ignore[arg-type]
        else:
            layers = [replace(x, data=in_frame(x.data, target)) for x in layers]  # type: ignore[arg-type]
        text = f"Import “{layers[0].name}”" if len(layers) == 1 else f"Import {len(layers)} files"
        self.project.edit(text, [*self.project.layers, *layers], frame=target)
        self.imported.emit(layers)
        self._tell(readings)

    def _tell(self, readings: Sequence[tuple[Path, Reading, ReadOptions]]) -> None:
        for path, reading, _ in readings:
            if reading.notes:
                self.noted.emit(path.name, [note.sentence for note in reading.notes])

    def relink(self) -> None:
        """Ask for the file of the first layer that lacks it, and look for the others beside it."""
        lost = self.missing_layers()
        if not lost:
            return
        images = image_places.images_of(lost[0].data)
        if images is not None:
            title = f"Where are the images of “{lost[0].name}”?"
            name = self.pick_folder(self._window, title, str(self.last_folder))
        else:
            hint = lost[0].source.path.name if lost[0].source else lost[0].name
            title = f"Where is {hint}?"
            name, _ = self.pick_to_open(self._window, title, str(self.last_folder), "All files (*)")
        if name:
            self.relink_from(Path(name))

    def relink_from(self, path: Path) -> None:
        """Give missing layers their files again: the first this one, the others those beside it."""
        lost = self.missing_layers()
        self._background.run("relink", lambda: _found(lost, path), self._put_back, self.failed.emit)

    def missing_layers(self) -> tuple[Layer, ...]:
        """Layers whose file was not found, or whose pictures were not."""
        return tuple(layer for layer in self.project.layers if relinking.is_lost(layer))

    def export(self) -> None:
        self.export_wished.emit()

    def screenshot(self) -> None:
        self._ask_picture(is_transparent=False)

    def screenshot_transparent(self) -> None:
        self._ask_picture(is_transparent=True)

    def show_in_files(self) -> None:
        self.show_folder(self.document.folder)

    def show_folder(self, path: Path) -> None:
        """Show a folder in the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    # Inner life

    def _put_back(self, found: Sequence[Found]) -> None:
        layers = self.project.layers
        for each in found:
            layers = changed(layers, each.layer.id, data=each.layer.data, source=each.layer.source)
        self.project.edit("Relink files", layers)
        differences = [f"{each.place.name}: {each.difference}" for each in found if each.difference]
        if differences:
            self.noted.emit("Relinked files", differences)

    def _ask_picture(self, *, is_transparent: bool) -> None:
        suggestion = self.last_folder / f"{self.document.title}.png"
        name, _ = self.pick_to_save(self._window, "Save picture as", str(suggestion), "Picture (*.png)")
        if name:
            self.picture_wished.emit(Path(name).with_suffix(".png"), is_transparent)


def _read(path: Path, options: ReadOptions) -> _Read | None:
    """What a file holds; None where it cannot be read, of which the import inspector tells."""
    try:
        reading = formats.read(path, options)
        measured(reading.data)
        return path, reading, options
    except (ReconError, OSError):
        return None


def in_axes(reading: Reading, frame: Frame) -> Reading:
    """What was read, its numbers taken to be in the axes of `frame` where nobody said which way is up in them.

    Splats and cameras without a word on it come from the same capture more often than not, and must not part.
    """
    if not reading.is_up_assumed or reading.data.frame.up == frame.up:
        return reading
    if not isinstance(reading.data, GaussianCloud | PosedImages | PointCloud):
        return reading
    sentence = f"The file does not say which way is up; {frame.up} is taken, as in the project."
    notes = [note for note in reading.notes if "which way is up" not in note.sentence]
    data = stated_in(reading.data, replace(reading.data.frame, up=frame.up))
    return replace(reading, data=data, notes=(*notes, Note("info", sentence)))


def _has_warning(read: _Read) -> bool:
    return any(note.severity == "warning" for note in read[1].notes)


def project_path(chosen: Path) -> Path:
    """The manifest for a chosen name: `Scans/Bone` → `Scans/Bone/Bone.isokiln`, unless it is in its folder."""
    stem = chosen.stem if chosen.suffix == SUFFIX else chosen.name
    folder = chosen.parent if chosen.parent.name == stem else chosen.parent / stem
    return folder / f"{stem}{SUFFIX}"


def file_filter(*, with_projects: bool) -> str:
    """The filter of a file dialog, made from the table of formats."""
    kinds = [kind for kind in formats.FILE_KINDS if kind.is_readable]
    project = [f"*{SUFFIX}", f"*{PACK_SUFFIX}"] if with_projects else []
    patterns = [*project, *(pattern for kind in kinds for pattern in kind.patterns)]
    rows = [f"Everything that can be opened ({' '.join(dict.fromkeys(patterns))})"]
    rows += [f"{kind.title} ({' '.join(kind.patterns)})" for kind in kinds]
    return ";;".join([*rows, "All files (*)"])


def _layer_of(path: Path, reading: Reading, options: ReadOptions, is_embedded: bool) -> Layer:
    name = path.name if path.is_dir() else path.name.removesuffix("".join(path.suffixes[-2:])) or path.stem
    stored = options.model_dump(mode="json", exclude_defaults=True)
    # Poses, points and cues are small and edited here; the pictures stay where they are in any case.
    is_embedded = is_embedded or image_places.images_of(reading.data) is not None
    source = project_folder.source_of(path, stored, is_embedded=is_embedded)
    return new_layer(name, reading.data, source=source)


def _sample_file(sample: Path) -> Path:
    """What to read of a bundled sample; photos are unpacked first, since projects go on referring to them."""
    files = sorted(path for path in sample.iterdir() if path.suffix == ".csl")
    if files:
        return files[0]
    unpacked = data_directory() / "samples" / sample.name
    shutil.copytree(sample, unpacked, dirs_exist_ok=True)
    return unpacked


def _found(lost: Sequence[Layer], path: Path) -> list[Found]:
    """The lost layers that a chosen file or folder gives back. Raises InputError where it is not the first's."""
    first, *others = lost
    places = [(first, path)]
    for layer in others:
        is_pictures = not isinstance(layer.data, Missing)
        places.append((layer, path if is_pictures else path.parent / relinking.wanted(layer).name))
    found = [each for layer, place in places if (each := relinking.find(layer, [place])) is not None]
    of_first = next((each for each in found if each.layer.id == first.id), None)
    if of_first is None or of_first.problem:
        why = of_first.problem if of_first is not None else f"“{first.name}” is not there."
        raise InputError(why, "Choose the file or folder that the layer was read from.")
    return [each for each in found if not each.problem]
