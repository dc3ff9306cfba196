"""What a project looks like, small: for the list of projects and the file manager."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage

from widgets.viewport import Viewport

SIDE = 256  # pixels


def picture_of(viewport: Viewport) -> QImage | None:
    """A square picture of what the viewport shows; None where it shows nothing or cannot."""
    if not viewport.layer_ids:
        return None
    try:
        shown = viewport.shown_picture()  # as it is: to save must not wait for fields to be drawn
        pixels = viewport.screenshot() if shown is None else shown
    except RuntimeError:
        return None  # No OpenGL.
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    side = min(width, height)
    square = image.copy(QRect((width - side) // 2, (height - side) // 2, side, side))
    smooth = Qt.TransformationMode.SmoothTransformation
    return square.scaled(SIDE, SIDE, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
