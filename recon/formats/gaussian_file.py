"""What every reader and writer of splats shares: the Gaussians as a file has them, and how they become a cloud.

All clouds have the axes of splat PLY files: X right, Y down, Z forward, where the file says nothing else. A format
with other axes, such as SPZ, is flipped in its own module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.errors import FormatError, ReconError
from recon.formats.mesh_file import DAMAGED_ADVICE, FrameWords, frame_comments, read_frame_comments
from recon.formats.reading import Note, Reading, ReadOptions, check_size
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0, sh_basis

LARGEST_FILE = 8 * 2**30  # bytes
MOST_GAUSSIANS = 100_000_000
USUAL_FRAME = Frame("-Y")  # what programs for splats take a file to mean that says nothing
LARGEST_LOGIT = (
    13.815510557964274  # of opacity 1 - 1e-6: what is stored as wholly opaque is no more than that
)
_SMALLEST_LOG_SCALE, _LARGEST_LOG_SCALE = -30.0, 40.0
_ANTIALIASED = re.compile(r"^(SplatRenderMode:\s*mip|antialiased:?\s*1)\s*$", re.IGNORECASE)
_PLAIN = re.compile(r"^(SplatRenderMode:\s*default|antialiased:?\s*0)\s*$", re.IGNORECASE)
_SURFELS = re.compile(r"^SplatRenderMode:\s*2dgs\s*$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class FileGaussians:
    """The Gaussians of a file with the activations of GaussianCloud; values may still be anything.

    means: (N, 3). quats: (N, 4) wxyz. log_scales: (N, 3). opacity_logits: (N,). sh: (N, K, 3). extra: further
    columns. comments: lines without the word "comment".
    """

    means: NDArray[np.floating]
    quats: NDArray[np.floating]
    log_scales: NDArray[np.floating]
    opacity_logits: NDArray[np.floating]
    sh: NDArray[np.floating]
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    comments: Sequence[str] = ()
    is_antialiased: bool = False
    notes: tuple[Note, ...] = ()


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever decoding stumbles over in a damaged file into a FormatError with the cause as details."""
    check_size(path, LARGEST_FILE)
    try:
        yield
    except (ReconError, OSError):
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise FormatError(path, "The file is damaged.", DAMAGED_ADVICE, details=cause) from error


def check_count(path: Path, count: int, num_bytes: int, bytes_each: int) -> None:
    """Raises FormatError where a header names more Gaussians than `num_bytes` can hold."""
    if count > MOST_GAUSSIANS or count * bytes_each > num_bytes:
        raise FormatError(path, "The file names more Gaussians than it holds.", DAMAGED_ADVICE)
    if count == 0:
        raise FormatError(path, "The file holds no Gaussians.", DAMAGED_ADVICE)


def reading_of(path: Path, file: FileGaussians, options: ReadOptions = ReadOptions()) -> Reading:
    """The cloud that a file holds. Gaussians that are not numbers are left out, with a note of how many.

    The frame is as our comments in the file say, then as the person says, else -Y up in unknown units.
    Raises FormatError when nothing is left.
    """
    words = read_frame_comments("\n".join(file.comments))
    comments = [line for line in file.comments if not _is_ours(line)]
    plain = [line for line in comments if not _ANTIALIASED.match(line)]
    columns, notes = _usable(path, file)
    is_up_assumed = words.up is None and options.up is None
    if is_up_assumed:
        sentence = (
            f"The file does not say which way is up; {USUAL_FRAME.up} is taken, as is usual for splats."
        )
        notes.append(Note("info", sentence))
    data = GaussianCloud(
        **columns,
        comments=tuple(plain),
        is_antialiased=file.is_antialiased or len(plain) < len(comments),
        frame=_frame(words, options),
    )
    return Reading(data, (*file.notes, *notes), is_up_assumed)


def cloud_comments(cloud: GaussianCloud) -> list[str]:
    """The lines of text for a file: those of the cloud, the mode it was trained for, and its frame unless usual."""
    lines = [" ".join(line.split()) for line in cloud.comments]
    if cloud.is_antialiased:
        lines = [line for line in lines if not _PLAIN.match(line)] + ["SplatRenderMode: mip"]
    if cloud.frame != USUAL_FRAME:
        lines += frame_comments(cloud.frame.unit, cloud.frame.up, cloud.frame.patient_axes)
    return lines


def has_surfels(comments: Sequence[str]) -> bool:
    """Whether comments say that the Gaussians are flat (2D Gaussian splatting, arXiv:2403.17888)."""
    return any(_SURFELS.match(line) for line in comments)


def logits(opacities: ArrayLike) -> NDArray[np.float32]:
    """Opacities 0 … 1 before the sigmoid, within ± LARGEST_LOGIT."""
    share = np.clip(np.asarray(opacities, np.float64), 1e-6, 1 - 1e-6)
    return np.log(share / (1 - share)).astype(np.float32)


def logits_of_bytes(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The same for opacities in 255ths."""
    return logits(np.arange(256) / 255)[values]


def dc_of_colors(colors: ArrayLike) -> NDArray[np.float32]:
    """Colours seen from everywhere, 0 … 1, as coefficients of degree 0."""
    return ((np.asarray(colors, np.float64) - 0.5) / SH_C0).astype(np.float32)


def colors_of(cloud: GaussianCloud) -> NDArray[np.float64]:
    """(N, 3) the colour of each Gaussian without what depends on the direction; 0 … 1 where it can be shown."""
    return np.asarray(0.5 + SH_C0 * cloud.sh[:, 0].astype(np.float64))


def to_bytes(shares: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Shares 0 … 1 in 255ths, what lies outside at the ends."""
    return np.clip(np.round(shares * 255), 0, 255).astype(np.uint8)


def unit_quats(quats: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 4) the same turns by quaternions of length 1."""
    wide = quats.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


def flipped_sh(sh: NDArray[np.float32], signs: Sequence[int]) -> NDArray[np.float32]:
    """The coefficients (N, K, 3) of colours in axes of which some point the other way; signs: 1 or -1 an axis."""
    degree = round(sh.shape[1] ** 0.5) - 1
    direction = np.array([0.36, 0.48, 0.8])
    factors = sh_basis(direction * signs, degree) / sh_basis(direction, degree)
    return np.asarray(sh * np.sign(factors).astype(np.float32)[None, :, None])


def flipped(file: FileGaussians, signs: Sequence[int]) -> FileGaussians:
    """The same Gaussians in axes of which some point the other way."""
    x, y, z = signs
    turn = np.array([1, y * z, x * z, x * y], np.float32)
    return replace(
        file,
        means=file.means * np.array(signs, np.float32) + np.float32(0),  # no zero with a sign
        quats=file.quats * turn,
        sh=flipped_sh(file.sh, signs),
    )


def joined(parts: Sequence[FileGaussians]) -> FileGaussians:
    """All Gaussians of several groups; those with fewer coefficients have zeros for the others."""
    most = max(part.sh.shape[1] for part in parts)
    wide = [np.pad(part.sh, ((0, 0), (0, most - part.sh.shape[1]), (0, 0))) for part in parts]
    return FileGaussians(
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.quats for part in parts]),
        np.concatenate([part.log_scales for part in parts]),
        np.concatenate([part.opacity_logits for part in parts]),
        np.concatenate(wide),
        is_antialiased=all(part.is_antialiased for part in parts),
        notes=tuple(note for part in parts for note in part.notes),
    )


def up_and_back(cloud: GaussianCloud) -> FileGaussians:
    """The cloud with Y up and Z back instead of down and forward, as SPZ and glTF have their axes."""
    plain = FileGaussians(cloud.means, cloud.quats, cloud.log_scales, cloud.opacity_logits, cloud.sh)
    return flipped(plain, (1, -1, -1))


def _is_ours(line: str) -> bool:
    return re.match(r"\s*isokiln\s+unit=|\s*SPACE=", line) is not None


def _frame(words: FrameWords, options: ReadOptions) -> Frame:
    return Frame(
        words.up or options.up or USUAL_FRAME.up,
        words.unit or options.unit or "unit",
        words.patient_axes or options.patient_axes,
    )


def _usable(path: Path, file: FileGaussians) -> tuple[dict[str, Any], list[Note]]:
    """The fields of the cloud, in 32 bits and all of them numbers, and notes of what was done to them."""
    notes = []
    with np.errstate(over="ignore", invalid="ignore"):
        columns = {
            name: np.asarray(getattr(file, name), np.float32)
            for name in ("means", "quats", "log_scales", "opacity_logits", "sh")
        }
    num_endless = sum(int(np.isinf(columns[name]).sum()) for name in ("opacity_logits", "log_scales"))
    columns["opacity_logits"] = _within(columns["opacity_logits"], -LARGEST_LOGIT, LARGEST_LOGIT)
    columns["log_scales"] = _within(columns["log_scales"], _SMALLEST_LOG_SCALE, np.inf)
    if num_endless:
        notes.append(
            Note("info", f"Opacities and scales without end, taken as the ends there are: {num_endless}.")
        )
    extra = dict(file.extra)
    is_good = _is_good(columns)
    if not is_good.all():
        num_bad = int((~is_good).sum())
        if num_bad == len(is_good):
            raise FormatError(path, "No Gaussian of the file has numbers that can be used.", DAMAGED_ADVICE)
        columns = {name: values[is_good] for name, values in columns.items()}
        extra = {name: values[is_good] for name, values in extra.items()}
        what = "1 Gaussian has" if num_bad == 1 else f"{num_bad:,} Gaussians have".replace(",", " ")
        notes.append(
            Note("warning", f"{what} values that are not numbers, or far too large, and are left out.")
        )
    columns["quats"], num_turned = _with_length(columns["quats"])
    if num_turned:
        notes.append(Note("info", f"Gaussians with no rotation, taken as not turned: {num_turned}."))
    extra, num_mended = _numbers_only(extra)
    if num_mended:
        notes.append(Note("info", f"Further values that are not numbers, taken as 0: {num_mended}."))
    for values in columns.values():
        values.flags.writeable = False  # fresh or the file's bytes: the cloud needs no copy
    return {**columns, "extra": extra}, notes


def _within(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Infinite values at the ends that they stand for; others as they are."""
    if np.isfinite(values).all():
        return values
    return np.where(np.isinf(values), np.clip(values, low, high), values).astype(np.float32)


def _is_good(columns: Mapping[str, NDArray[np.float32]]) -> NDArray[np.bool_]:
    """(N,) whether all values of a Gaussian are numbers, and its scales are such that squares are too."""
    good = np.ones(len(columns["means"]), np.bool_)
    for values in columns.values():
        if not np.isfinite(values).all():
            good &= np.isfinite(values).reshape(len(values), -1).all(1)
    scales = columns["log_scales"]
    if len(scales) and not scales.max() <= _LARGEST_LOG_SCALE:
        good &= (scales <= _LARGEST_LOG_SCALE).all(1)
    return good


def _with_length(quats: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Quaternions that can be normalised in 32 bits, and how many had no direction; most stay as they are."""
    squares = np.einsum("ij,ij->i", quats, quats, dtype=np.float64)
    is_odd = (squares < 1e-16) | (squares > 1e16)
    if not is_odd.any():
        return quats, 0
    lengths = np.sqrt(squares[is_odd])
    without = lengths < 1e-30
    mended = quats[is_odd] / np.where(without, 1, lengths)[:, None]
    mended[without] = [1, 0, 0, 0]
    whole = quats.copy()
    whole[is_odd] = mended
    return whole, int(without.sum())


def _numbers_only(extra: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]:
    """Further columns, in which what is no number became 0, and how many those were."""
    mended, count = {}, 0
    for name, values in extra.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            count += int((~np.isfinite(values)).sum())
            values = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
        mended[name] = values
    return mended, count
