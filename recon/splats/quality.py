"""How near rendered pictures are to photos: PSNR, SSIM, and LPIPS where its weights are on this machine."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recon.splats.exposure import fitted_exposure
from recon.splats.photometric import photometric_loss

Picture = NDArray[np.float32]
Lpips = Callable[[Picture, Picture], float]
_BACKBONE = "alexnet-owt-7be5be79.pth"  # of LPIPS, as torchvision names it


@dataclass(frozen=True)
class Quality:
    """Of one picture against its photo. psnr in dB, ssim, lpips; fitted_psnr: of the right half, after the change of
    colours that fits the left half best. None where no pixel counts or no weights are here."""

    psnr: float | None
    ssim: float | None
    lpips: float | None = None
    fitted_psnr: float | None = None


def measure(
    picture: Picture, photo: Picture, is_used: NDArray[np.bool_], lpips: Lpips | None = None
) -> Quality:
    """picture, photo: (H, W, 3) within 0 and 1. is_used: (H, W), what counts."""
    if not is_used.any():
        return Quality(None, None)
    picture = np.clip(picture, 0, 1)
    is_left = is_used & (np.arange(is_used.shape[1]) < is_used.shape[1] // 2)
    matrix = fitted_exposure(picture, photo, is_left)
    fitted = np.clip(picture @ matrix[:, :3].T + matrix[:, 3], 0, 1)
    return Quality(
        psnr(picture, photo, is_used),
        ssim(picture, photo, is_used),
        None if lpips is None else lpips(picture * is_used[..., None], photo * is_used[..., None]),
        psnr(fitted, photo, is_used & ~is_left),
    )


def psnr(picture: Picture, photo: Picture, is_used: NDArray[np.bool_]) -> float | None:
    """dB over the pixels that count; None where none does."""
    if not is_used.any():
        return None
    square = float(((picture[is_used] - photo[is_used]).astype(np.float64) ** 2).mean())
    return -10 * math.log10(max(square, 1e-10))


def ssim(picture: Picture, photo: Picture, is_used: NDArray[np.bool_]) -> float:
    """Mean over the pixels that count."""
    a, b, used = (
        torch.from_numpy(np.ascontiguousarray(each, np.float32)) for each in (picture, photo, is_used)
    )
    return 1 - float(photometric_loss(a, b, used, ssim_weight=1.0))


def load_lpips() -> Lpips | None:
    """LPIPS (arXiv:1801.03924) with AlexNet, where the package and the backbone's weights are here; never fetched."""
    if not Path(torch.hub.get_dir(), "checkpoints", _BACKBONE).is_file():
        return None
    try:
        network = importlib.import_module("lpips").LPIPS(net="alex", verbose=False)
    except ImportError:
        return None

    def distance(a: Picture, b: Picture) -> float:
        pair = (torch.from_numpy(each.transpose(2, 0, 1)[None].astype(np.float32)) * 2 - 1 for each in (a, b))
        with torch.no_grad():
            return float(network(*pair))

    return distance
