"""Makes the pictures that the viewport is compared with: `xvfb-run -a python -m tests.widgets.golden_pictures`.

Look at what changed before it is committed: a picture is right because a person saw it, not because it is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks
from tests.synthetic import TORUS, mesh_of, slices_of
from widgets.theme import apply_theme
from widgets.viewport import Viewport
from widgets.viewport_clip import ClipPlane
from widgets.viewport_style import SHADINGS, LayerStyle, Shading

GOLDEN = Path(__file__).parent / "golden"
SIZE = (240, 180)


def shaded(shading: Shading) -> Callable[[Viewport], None]:
    """A torus in this shading, seen from an edge of its box."""

    def show(view: Viewport) -> None:
        torus = mesh_of(TORUS, 24)
        height = torus.vertices[:, 2].astype(np.float32)
        torus = replace(torus, vertex_values={"height": height}, frame=Frame(unit="mm"))
        view.show_layer("torus", torus, LayerStyle(shading=shading, point_size=3.0))

    return show


def slices(view: Viewport) -> None:
    view.show_layer("slices", slices_of(TORUS, 7), LayerStyle(active_plane=3))


def veiled(view: Viewport) -> None:
    slices(view)
    view.show_layer("torus", mesh_of(TORUS, 24), LayerStyle(opacity=0.4))


def clipped(view: Viewport) -> None:
    view.show_layer("torus", mesh_of(TORUS, 24))
    view.set_clip(ClipPlane((0.0, 1.0, 0.0), 0.0))


def splats(**style: Any) -> Callable[[Viewport], None]:
    """Flat Gaussians on a torus in two parts, drawn so."""

    def show(view: Viewport) -> None:
        torus = mesh_of(TORUS, 24)
        rng = np.random.default_rng(0)
        points = torus.vertices[rng.permutation(len(torus.vertices))[:900]]
        size = np.log(0.022 * np.ptp(torus.vertices, axis=0).max())
        height = (points[:, 2] - points[:, 2].min()) / np.ptp(points[:, 2])
        sh = np.stack([height, 0.5 - 0 * height, 1 - height], -1)[:, None] * 2 - 1
        cloud = GaussianCloud(
            points,
            rng.standard_normal((len(points), 4)),
            np.tile([size, size, size - 1.5], (len(points), 1)),
            np.where(height > 0.5, 3.0, 0.0),
            sh,
            {"part": 1 + (points[:, 0] > 0).astype(np.int32)},
            frame=Frame(unit="mm"),
        )
        selected = (points[:, 1] < 0) & (points[:, 0] > 0)
        marks = replace(GaussianMarks.none(len(points)), selected=selected)
        view.show_layer(
            "splats", cloud, LayerStyle(**style, marks=marks if "splat_coloring" not in style else None)
        )

    return show


SCENES: dict[str, Callable[[Viewport], None]] = {
    **{shading.replace("+", "-"): shaded(shading) for shading in SHADINGS},
    "slices": slices,
    "veiled": veiled,
    "clipped": clipped,
    "splats": splats(),
    "splat-centers": splats(splat_view="centers", point_size=4.0),
    "splat-rings": splats(splat_view="rings"),
    "splat-depth": splats(splat_coloring="depth"),
    "splat-labels": splats(splat_coloring="label"),
    "splat-values": splats(splat_coloring="value", value_name="opacity"),
}


def picture(view: Viewport, name: str) -> NDArray[np.uint8]:
    """The scene as the viewport draws it, (H, W, 3)."""
    SCENES[name](view)
    view.frame_all(animated=False)
    return view.screenshot()


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean and 99 % quantile of how far two pictures are apart, of 255, seen with a soft eye.

    Blocks of 6 × 6 pixels are averaged first: drivers place edges and smooth them a little differently.
    """
    blocks = [
        each.astype(float).reshape(SIZE[1] // 6, 6, SIZE[0] // 6, 6, 3).mean((1, 3))
        for each in (first, second)
    ]
    apart = np.abs(blocks[0] - blocks[1]).max(axis=-1)
    return float(apart.mean()), float(np.quantile(apart, 0.99))


def main() -> None:
    app = QApplication([])
    apply_theme(app, "dark")
    GOLDEN.mkdir(exist_ok=True)
    for name in SCENES:
        view = Viewport(multi_samples=0)
        view.resize(*SIZE)
        view.show()
        QTest.qWaitForWindowExposed(view)
        Image.fromarray(picture(view, name)).save(GOLDEN / f"{name}.png", optimize=True)
        view.close()


if __name__ == "__main__":
    main()
