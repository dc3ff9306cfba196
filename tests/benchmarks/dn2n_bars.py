"""What edits of whole scenes are to reach, and lines that set figures beside it."""

from __future__ import annotations

from collections.abc import Sequence

BARS: dict[str, tuple[float, float | None, float]] = {  # PSNR and SSIM at least, warp error at most
    "color": (28.0, 0.93, 0.011),
    "texture": (22.8, 0.83, 0.014),
    "style": (24.2, None, 0.019),
    "fox": (24.8, 0.80, 0.020),
}
RIGHT_WAY = 0.9  # share of cases
CORRELATION, WORST_FOUND = 0.75, 0.85  # of the filter
FRAME_MS = {(192, 144): 60.0, (320, 240): 200.0}  # on two cores, 8 sources
FIRST_VIEW_S = 3.0  # of 50
UN_EDITED_LOSS = 0.1  # dB that blending by the network may lose, anywhere


def tell_rows(kind: str, name: str, figures: Sequence[float], own_warp: float) -> None:
    """One line: PSNR, SSIM and warp of a method beside the bars of a kind of edit, and the clean edit's own warp."""
    if kind not in BARS:
        return
    fidelity, similarity, warp = BARS[kind]
    told = [at_least("PSNR", figures[0], fidelity, 2)]
    if similarity is not None:
        told.append(at_least("SSIM", figures[1], similarity, 3))
    told.append(at_most("warp", figures[2], warp, 4))
    print(f"\nbars, {name}: {'; '.join(told)} (the clean edit's own {own_warp:.4f})", flush=True)


def at_least(name: str, figure: float, bar: float, digits: int = 2) -> str:
    """What was found, the bar, and whether it is met."""
    return f"{name} {figure:.{digits}f} ≥ {bar:g} {_met(round(figure, digits) >= bar)}"


def at_most(name: str, figure: float, bar: float, digits: int = 2) -> str:
    """As `at_least`, for what is to be small."""
    return f"{name} {figure:.{digits}f} ≤ {bar:g} {_met(round(figure, digits) <= bar)}"


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"
