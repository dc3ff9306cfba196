"""DICOM structure sets and segmentations → cross-sections, in LPS millimetres as DICOM has them.

Positions never go through voxel indices or averaged spacings: a structure set's contours stay where they were drawn,
on planes fitted to them, and a segmentation's frames lie where each frame says.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError

from recon.errors import FormatError
from recon.formats import segmentation, structure_set
from recon.formats.reading import Reading, ReadOptions, check_size
from recon.formats.tracing import LARGEST_VOLUME

_ADVICE = "Export it again from the program that made it."
_READERS = {"RTSTRUCT": structure_set.to_reading, "SEG": segmentation.to_reading}
_WORDS = {"RTSTRUCT": "structure set", "SEG": "segmentation"}
_MOST_FILES = 20_000


@dataclass(frozen=True)
class Series:
    """The files of a folder that belong together; `has_contours` when it can be read as cross-sections."""

    uid: str
    modality: str
    description: str
    paths: tuple[Path, ...]

    @property
    def has_contours(self) -> bool:
        return self.modality in _READERS

    def in_words(self) -> str:
        """E.g. "segmentation “Liver” (2 files, series 1.2.3)"."""
        what = _WORDS.get(self.modality, f"{self.modality or 'unknown'} images")
        name = f" “{self.description}”" if self.description else ""
        files = "1 file" if len(self.paths) == 1 else f"{len(self.paths)} files"
        return f"{what}{name} ({files}, series {self.uid})"


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read an RTSTRUCT or SEG file, or the one such series of a folder. Raises FormatError."""
    chosen = _only_file(path, options) if path.is_dir() else path
    check_size(chosen, LARGEST_VOLUME)
    with _decoding(chosen):
        dataset = _dataset(chosen)
        modality = str(dataset.get("Modality", ""))
        if modality in _READERS:
            return _READERS[modality](chosen, dataset, options)
    raise FormatError(
        chosen,
        f"The file holds {modality or 'unknown'} data, not contours.",
        "Choose a structure set (RTSTRUCT) or a segmentation (SEG).",
    )


def _dataset(path: Path) -> Any:
    """The whole file, also when it lacks the preamble, as some programs' structure sets do."""
    # From memory, where a damaged length cannot ask for more bytes than there are.
    content = BytesIO(path.read_bytes())
    try:
        return pydicom.dcmread(content)
    except InvalidDicomError:
        content.seek(0)
        dataset = pydicom.dcmread(content, force=True)
        if "Modality" not in dataset:
            raise
        return dataset


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn what pydicom raises for damaged files into a FormatError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of values that it reads nonetheless.
        try:
            yield
        except InvalidDicomError as error:
            raise FormatError(path, "This is no DICOM file.", _ADVICE, details=str(error)) from error
        except OSError:
            raise
        except (
            ValueError, TypeError, KeyError, AttributeError, IndexError, NotImplementedError, RuntimeError, EOFError,
            ArithmeticError, MemoryError, LookupError, struct.error, BytesLengthException,
        ) as error:  # fmt: skip
            details = f"{type(error).__name__}: {error}"
            raise FormatError(path, "The file is damaged or incomplete.", _ADVICE, details=details) from error


def _only_file(folder: Path, options: ReadOptions) -> Path:
    """The one file of the folder with contours; several are listed, for one to be chosen by `options.series`."""
    found = series_in(folder)
    if options.series is not None:
        found = [each for each in found if each.uid == options.series]
        if not found:
            raise FormatError(
                folder, f"The folder has no series {options.series}.", "Choose one of its series."
            )
    usable = [each for each in found if each.has_contours]
    if not usable:
        held = "; ".join(each.in_words() for each in found[:8]) or "no DICOM files"
        sentence = f"The folder holds no structure set and no segmentation, but {held}."
        raise FormatError(folder, sentence, "Add the RTSTRUCT or SEG file that belongs to the images.")
    files = [(each, path) for each in usable for path in each.paths]
    if len(files) > 1:
        listed = "; ".join(each.in_words() for each in usable[:8])
        count = f"{len(usable)} series" if len(usable) > 1 else f"one series with {len(files)} files"
        raise FormatError(
            folder, f"The folder holds {count}: {listed}.", "Open the one file, or choose the series."
        )
    return files[0][1]


def series_in(folder: Path) -> list[Series]:
    """Every series in the folder, by reading headers only."""
    groups: dict[tuple[str, str], tuple[str, list[Path]]] = {}
    paths = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    for path in paths[:_MOST_FILES]:
        header = _header(path)
        if header is not None:
            key = (str(header.get("SeriesInstanceUID", "")), str(header.get("Modality", "")))
            groups.setdefault(key, (str(header.get("SeriesDescription", "")), []))[1].append(path)
    return [Series(*key, description, tuple(files)) for key, (description, files) in groups.items()]


def _header(path: Path) -> Any:
    """What says which series a file belongs to, or None for a file that is not DICOM."""
    tags = ["SeriesInstanceUID", "Modality", "SeriesDescription"]
    try:
        with _decoding(path):
            return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
    except FormatError:
        return None  # Other files may lie in the folder; the series that are whole count.
