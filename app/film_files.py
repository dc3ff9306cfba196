"""Films as files: numbered PNG pictures or an MP4, whole or not at all."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.errors import InputError

Picture = NDArray[np.uint8]


class FilmFile(Protocol):
    """Takes pictures one after the other."""

    def add(self, picture: Picture) -> None:
        """The next picture (H, W, 3) uint8 sRGB."""
        ...

    def finish(self) -> Path:
        """All pictures are there; returns what was written."""
        ...

    def drop(self) -> None:
        """Leave nothing behind."""
        ...


class PngPictures:
    """A folder of pictures 0001.png … Raises InputError where it holds something already."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"The folder {folder.name} is not empty.", "Choose another name: nothing is written over."
            )
        self._folder, self._count = folder, 0
        self._beside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
        self._beside.mkdir(parents=True)

    def add(self, picture: Picture) -> None:
        self._count += 1
        Image.fromarray(picture).save(self._beside / f"{self._count:04d}.png")

    def finish(self) -> Path:
        if self._folder.exists():
            self._folder.rmdir()
        self._beside.rename(self._folder)
        return self._folder

    def drop(self) -> None:
        shutil.rmtree(self._beside, ignore_errors=True)


class Mp4:
    """A film in MPEG-4. Raises InputError where this machine cannot write one."""

    def __init__(self, path: Path, per_second: float, size: tuple[int, int]) -> None:
        import cv2  # not at start

        self._path = path
        self._beside = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        self._size = size
        self._writer: Any = cv2.VideoWriter(str(self._beside), fourcc, per_second, size)
        if not self._writer.isOpened():
            self.drop()
            raise InputError(
                "The film cannot be written here.", "Choose another folder, or write PNG pictures instead."
            )

    def add(self, picture: Picture) -> None:
        if picture.shape[1::-1] != self._size:
            raise ValueError(f"a picture of {picture.shape} in a film of {self._size}")
        self._writer.write(np.ascontiguousarray(picture[..., ::-1]))

    def finish(self) -> Path:
        self._writer.release()
        self._beside.replace(self._path)
        return self._path

    def drop(self) -> None:
        self._writer.release()
        self._beside.unlink(missing_ok=True)
