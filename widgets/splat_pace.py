"""How many splats, and how many pixels, a picture may have so that it comes in time: learnt from the last ones."""

from __future__ import annotations

_PICTURE_SECONDS = 0.038  # for a whole picture while the camera moves; Qt brings it to the screen after that
_LEAST_SECONDS, _MOST_SECONDS = 0.008, 0.028  # of it for the splats
_STROKE_SECONDS = 0.026  # for a piece of the complete picture, between two of which the window answers
_FEWEST, _MOST = 3_000, 1 << 20
_COARSEST = 5
_PLENTY, _SPARSE = 60_000, 12_000  # splats that allow for more pixels, or call for fewer


class Pace:
    """count: Gaussians to draw while the camera moves. coarseness: pixels of the screen along a side of one drawn.
    stroke_count: Gaussians of the complete picture to draw between two looks at the clock."""

    stroke_seconds = _STROKE_SECONDS

    def __init__(self) -> None:
        self.count = 20_000
        self.coarseness = 3
        self.stroke_count = 8_000
        self._splat_seconds: float | None = None  # of the picture that is being made
        self._other_seconds = 0.0

    def note_moving(self, count: int, seconds: float, is_all: bool = False) -> None:
        """Learn from splats drawn while the camera moves. is_all: there are no more than those drawn."""
        if count < 1:
            return
        self._splat_seconds = seconds
        allowed = min(_MOST_SECONDS, max(_LEAST_SECONDS, _PICTURE_SECONDS - self._other_seconds))
        ratio = allowed / max(seconds, 1e-4)
        if 0.85 < ratio < 1.3:
            return
        wanted = count * min(2.0, max(0.4, ratio))
        finer = self.coarseness - 1
        has_time = finer > 0 and ratio > 1.1 * (self.coarseness / finer) ** 2
        if has_time and (is_all or wanted > _PLENTY):
            self.coarseness = finer  # enough of them: sharper rather than more
            wanted = max(count, wanted / 2)
        elif ratio < 1 and wanted < _SPARSE and self.coarseness < _COARSEST:
            self.coarseness += 1
        self.count = int(min(_MOST, max(_FEWEST, wanted)))

    def note_picture(self, seconds: float) -> None:
        """Learn what a whole picture took, of which the splats were a part."""
        if self._splat_seconds is not None:
            other = max(0.0, seconds - self._splat_seconds)
            self._other_seconds += 0.5 * (other - self._other_seconds)
            self._splat_seconds = None

    def note_stroke(self, count: int, seconds: float) -> None:
        """Learn from a piece of the complete picture."""
        ratio = _STROKE_SECONDS / max(seconds, 1e-4)
        self.stroke_count = int(min(1 << 22, max(500, count * min(2.0, max(0.25, ratio)))))
