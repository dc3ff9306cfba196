"""cameras.npz of IDR, VolSDF, MonoSDF and DebSDF → posed images in the data set's world frame.

world_mat_i = K · cam_from_world, scale_mat_i = world_from_box; pixel centres are whole numbers. The pictures may be
a centre crop or a smaller copy of what K is for: the papers' loaders edit K in their code, here its size tells.
"""

from __future__ import annotations

import re
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.camera_matrix import corner_shift, decompose
from recon.formats.natural_order import natural_order
from recon.formats.posed_views import assemble
from recon.formats.reading import Note, Reading, ReadOptions, damaged
from recon.formats.scene_files import mask_beside, pictures_in
from recon.formats.scene_sniffing import CAMERA_ARCHIVES, PICTURES
from recon.formats.scene_views import Lens, Scene, View
from recon.formats.sparse_points import with_sparse_points
from render.image_files import image_size
from render.images import NormalCues

Array = NDArray[np.float64]

_ADVICE = "Take another copy of the data set."
_FOLDERS = ("image", "images", "rgb", ".")
_PICTURES = "The pictures are {} of what the cameras are for."
_CENTERS = "(0, 0) was taken as the centre of the first pixel, as usual in this format; first_pixel can say otherwise."
_MOST = 100_000
_UNCROPPED = 0.2  # how far twice the principal point may be from the picture's size


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a cameras.npz, or the one of a folder. Raises FormatError."""
    file = (
        path
        if path.is_file()
        else next((path / name for name in CAMERA_ARCHIVES if (path / name).is_file()), path)
    )
    matrices = _matrices(file)
    pictures = _pictures(file.parent, options)
    if not pictures:
        sentence = "There are no pictures beside it: *_rgb.png, or a folder image or rgb."
        raise FormatError(file, sentence, "Put them there, or name their folder (--read-image-folder).")
    pairs = _pairs(file, sorted(matrices), pictures)
    told: set[str] = set()
    views = [_view(file, matrices[i], picture, options, told) for i, picture in pairs]
    notes = [Note("info", sentence) for sentence in sorted(told)]
    scene = Scene(file, file.parent, views, "depth", normals=NormalCues(()), notes=tuple(notes))
    return with_sparse_points(assemble(scene, options), file.parent)


def _matrices(file: Path) -> dict[int, Array]:
    """world_mat by number."""
    matrices = {}
    errors = (zipfile.BadZipFile, ValueError, KeyError, EOFError, zlib.error, NotImplementedError, SyntaxError,
              TypeError, RuntimeError, MemoryError, OverflowError, tokenize.TokenError)  # fmt: skip
    with damaged(file, _ADVICE, *errors), file.open("rb") as content, np.load(content) as archive:
        names = [name for name in archive.files if re.fullmatch(r"world_mat_\d{1,6}", name)][:_MOST]
        for name in names:
            matrix = np.asarray(archive[name], np.float64)
            if matrix.ndim == 2 and matrix.shape in ((4, 4), (3, 4)):
                matrices[int(name.rpartition("_")[2])] = matrix
    if not matrices:
        raise FormatError(file, "The file holds no camera matrices (world_mat_0, …).", _ADVICE)
    return matrices


def _pictures(root: Path, options: ReadOptions) -> list[Path]:
    if options.image_folder is not None:
        return pictures_in(root / options.image_folder)
    beside = sorted((each for end in PICTURES for each in root.glob(f"*_rgb{end}")), key=natural_order)
    if beside:
        return beside
    return next((found for name in _FOLDERS if (found := pictures_in(root / name))), [])


def _pairs(file: Path, numbers: list[int], pictures: list[Path]) -> list[tuple[int, Path]]:
    """(number of the matrix, picture): by place in the sorted list, else by the number in the picture's name."""
    if len(numbers) == len(pictures):
        return list(zip(numbers, pictures, strict=True))
    by_name = [(_number(picture), picture) for picture in pictures]
    known = [(n, picture) for n, picture in by_name if n is not None and n in set(numbers)]
    if len(known) != len(pictures) or len({n for n, _ in known}) != len(known):
        sentence = f"There are {len(numbers)} cameras, but {len(pictures)} pictures, and their names do not tell which."
        raise FormatError(file, sentence, "Put exactly the pictures of these cameras there.")
    return known


def _number(picture: Path) -> int | None:
    found = re.findall(r"\d+", picture.stem.removesuffix("_rgb"))
    return int(found[-1]) if found and len(found[-1]) < 9 else None


def _view(file: Path, matrix: Array, picture: Path, options: ReadOptions, told: set[str]) -> View:
    k, pose = decompose(file, matrix, f"The matrix of {picture.name}")
    lens = None
    try:
        lens, sentences = _lens(k, image_size(picture), options)
        told |= sentences
    except (OSError, ValueError):
        lens = Lens((k[0, 0], k[1, 1]), (k[0, 2], k[1, 2]))  # The picture is told and left out later.
    stem = picture.name.removesuffix(picture.suffix).removesuffix("_rgb")
    root = file.parent
    return View(
        picture,
        pose,
        lens,
        _cue(root, f"{stem}_mask.npy") or _cue(root, f"{stem}_mask.png") or mask_beside(root, picture),
        _cue(root, f"{stem}_depth.npy"),
        _cue(root, f"{stem}_normal.npy"),
    )


def _cue(root: Path, name: str) -> Path | None:
    return root / name if (root / name).is_file() else None


def _lens(k: Array, size: tuple[int, int], options: ReadOptions) -> tuple[Lens, set[str]]:
    """The lens for a picture of this size, and sentences on what was concluded from K and the size."""
    original = _original_size(k, size)
    shift = [corner_shift(k[axis, 2], original[axis], options, "center") for axis in (0, 1)]
    center = np.array([k[0, 2], k[1, 2]]) + shift
    focal = np.array([k[0, 0], k[1, 1]])
    told = {_CENTERS} if any(shift) and options.first_pixel == "auto" else set()
    ratio = np.array(size) / original
    if np.allclose(ratio, 1):
        return _as_lens(focal, center, size), told
    if abs(ratio[0] / ratio[1] - 1) < 0.01:
        return _as_lens(focal * ratio, center * ratio, size), {
            *told,
            _PICTURES.format("a smaller or larger copy"),
        }
    scale = ratio.max()
    offset = (np.array(original) - np.array(size) / scale) / 2
    return _as_lens(focal * scale, (center - offset) * scale, size), {
        *told,
        _PICTURES.format("a centre crop"),
    }


def _as_lens(focal: Array, center: Array, size: tuple[int, int]) -> Lens:
    return Lens((float(focal[0]), float(focal[1])), (float(center[0]), float(center[1])), size)


def _original_size(k: Array, size: tuple[int, int]) -> tuple[int, int]:
    """The size of the picture that K is for: this one's, unless the principal point is far from its middle."""
    twice = 2 * np.array([k[0, 2], k[1, 2]])
    ratio = np.array(size) / np.maximum(twice, 1e-9)
    if (np.abs(ratio - 1) < _UNCROPPED).all():
        return size
    for part in (2, 3, 4, 8):  # a copy of a whole part of the size, whose principal point is off its middle
        if (np.abs(ratio * part - 1) < 0.05).all():
            return size[0] * part, size[1] * part
    whole = np.round(twice + np.where(np.abs(twice - np.round(twice)) < 1e-6, np.round(twice) % 2, 0))
    return max(1, int(whole[0])), max(1, int(whole[1]))
