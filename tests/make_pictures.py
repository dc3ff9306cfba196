"""Makes the clay forms of the start page's cards from formulas: `python -m tests.make_pictures`.

They are the same in every theme, and to shade them takes longer than to open the window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from widgets.workflow_pictures import PICTURES, on_screen, radius

SCALE = 160  # pixels a unit, which is half the form's height
CLAY = (201, 130, 90)  # fired clay: not the accent, which is kept for what to press
CUTS = {"vase-half": 0.04, "vase": 1.0}  # picture → height in -1..1 at which the form ends


class Surface(NamedTuple):
    """Points that cover the form densely, the nearest last. columns, rows: in the fine picture; light: 0 to 1."""

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    height: NDArray[np.float64]
    light: NDArray[np.float64]


def main() -> None:
    surface = lit_surface()
    for name, top in CUTS.items():
        picture_of(surface, top).save(PICTURES / f"{name}.png", optimize=True)


def side() -> int:
    """Of a picture, in pixels."""
    return int(2.9 * SCALE)


def lit_surface() -> Surface:
    """The whole form, lit from the upper left."""
    fine = 2 * SCALE  # twice as fine, then averaged, for smooth edges
    angles, heights = np.linspace(-0.6, np.pi + 0.6, 8 * fine), np.linspace(-1, 1, int(3.8 * fine))
    angle, height = np.meshgrid(angles, heights)  # the back is never seen
    r = radius(angle, height)
    position = np.stack([r * np.cos(angle), r * np.sin(angle), 1.15 * height], -1)
    normal = np.cross(np.gradient(position, axis=1), np.gradient(position, axis=0))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    key = normal @ np.array([-0.62, 0.62, 0.48])
    rim = np.clip(normal @ np.array([0.85, 0.2, -0.1]), 0, 1) ** 2
    light = 0.34 + 0.70 * np.clip(key, 0, 1) + 0.14 * rim
    x, y, near = (values.ravel() for values in on_screen(angle, height))
    order = np.argsort(near)
    columns = np.round(x[order] * fine + side()).astype(np.int64).clip(0, 2 * side() - 1)
    rows = np.round(y[order] * fine + side()).astype(np.int64).clip(0, 2 * side() - 1)
    return Surface(columns, rows, height.ravel()[order], light.ravel()[order])


def picture_of(surface: Surface, top: float) -> Image.Image:
    """The form below the height `top` with its cut; transparent around it."""
    keep = surface.height <= top
    shade = surface.light[keep, None]
    fine = np.zeros((2 * side(), 2 * side(), 4))
    colors = np.clip(np.array(CLAY) * shade + 36 * np.clip(shade - 0.72, 0, 1), 0, 255)
    fine[surface.rows[keep], surface.columns[keep]] = np.column_stack([colors, np.full(len(colors), 255)])
    pixels = fine.reshape(side(), 2, side(), 2, 4).mean((1, 3))
    pixels[..., :3] /= np.maximum(pixels[..., 3:], 1) / 255
    image = Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8), "RGBA")
    return Image.alpha_composite(image, cut_face(top))


def cut_face(top: float) -> Image.Image:
    """The face where the form ends: bright where it is cut, dark where it is the vase's mouth."""
    times = 4  # drawn larger, then made smaller, for smooth edges
    angle = np.linspace(0, 2 * np.pi, 360)
    x, y, _ = on_screen(angle, np.full_like(angle, top))
    outline = [(a, b) for a, b in (np.stack([x, y], 1) * SCALE + side() / 2) * times]
    share = 1.06 if top < 1 else 1 / 2.9
    face = tuple(min(255, round(c * share)) for c in CLAY)
    line = tuple(min(255, round(c * 1.25)) for c in CLAY)
    image = Image.new("RGBA", (side() * times, side() * times), (*line, 0))
    ImageDraw.Draw(image).polygon(outline, fill=face)
    ImageDraw.Draw(image).line([*outline, outline[0]], fill=line, width=times * SCALE // 40, joint="curve")
    return image.resize((side(), side()), Image.Resampling.BOX)


if __name__ == "__main__":
    main()
