"""Two layers compared in the 3D view itself: parted by a line that can be dragged, beside each other, one after the
other, or as a map of what differs; live while the camera moves wherever both are splats."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent

from widgets.compare_overlay import ComparedPair, ComparedPictures, CompareMode, CompareOverlay
from widgets.splat_sides import WHOLE, Side, Sides
from widgets.viewport import Viewport
from widgets.viewport_fields import before_id

__all__ = ["CompareMode", "ComparedPair", "ComparedPictures", "ViewCompare"]

_FLICKER_MS = 600
_REST_MS = 180  # without a move of the camera after which pictures are made
_GRIP = 10.0  # pixels beside the line within which it can be taken
_OF_PICTURES = ("before", "split", "beside", "flicker")


class ViewCompare(QObject):
    """The comparison of one viewport, if any.

    pictures_wished: the camera rests, and `set_pictures` would be heard. mode_changed: the mode, "" when it ended.
    """

    pictures_wished = Signal()
    mode_changed = Signal(str)

    def __init__(self, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._viewport = viewport
        self.pair: ComparedPair | None = None
        self.mode: CompareMode = "after"
        self.line = 0.0  # −1 … 1 across the picture
        self._shows_before = self._is_peeking = False
        self._grabbed = False
        self._overlay = CompareOverlay(viewport, self)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._wish_pictures)
        self._flicker = QTimer(self, interval=_FLICKER_MS)
        self._flicker.timeout.connect(self._swap)
        viewport.camera_moved.connect(lambda _: self._on_moved())
        viewport.add_tool(self)
        viewport.installEventFilter(self)

    # What it is told

    def begin(self, pair: ComparedPair, mode: CompareMode = "after") -> None:
        """Compare two layers of the viewport, both of which are made visible."""
        self.pair = pair
        self._overlay.pictures = ComparedPictures()
        if pair.is_live:
            for layer_id in {pair.before, pair.after} & set(self._viewport.layer_ids):
                self._viewport.set_layer_visible(layer_id, True)
            self._viewport.set_uncounted((pair.before,))
        self.set_mode(mode)

    def end(self) -> None:
        """Compare no longer; who made layers visible shows them as they should be."""
        if self.pair is None:
            return
        self.pair, self._is_peeking, self._grabbed = None, False, False
        self._rest.stop()
        self._flicker.stop()
        self._overlay.pictures = ComparedPictures()
        self._viewport.splats.set_sides(WHOLE)
        self._viewport.fields.set_sides(WHOLE)
        self._viewport.set_uncounted(())
        self._overlay.follow()
        self.mode_changed.emit("")

    def set_mode(self, mode: CompareMode) -> None:
        """Compare in another way."""
        self.mode, self._shows_before = mode, False
        if mode == "flicker":
            self._flicker.start()
        else:
            self._flicker.stop()
        self._apply()
        if self.needs_pictures and not self._has_pictures:
            self._rest.start()
        self.mode_changed.emit(mode)

    def peek(self, on: bool) -> None:
        """Show what was before for as long as this is on."""
        self._is_peeking = on and self.pair is not None
        self._apply()
        if self._is_peeking and self.needs_pictures and not self._has_pictures:
            self._wish_pictures()

    def set_pictures(self, pictures: ComparedPictures) -> None:
        """What the view looks like from the camera as it is."""
        self._overlay.pictures = pictures
        self._apply()

    # What it shows

    @property
    def sees_before(self) -> bool:
        """Whether what was before fills the picture now."""
        return self._is_peeking or self.mode == "before" or (self.mode == "flicker" and self._shows_before)

    @property
    def needs_pictures(self) -> bool:
        """Whether what is shown is made of pictures rather than drawn live."""
        if self.pair is None:
            return False
        is_of_pictures = self.mode in _OF_PICTURES or self._is_peeking
        return self.mode == "difference" or (is_of_pictures and not self.pair.is_live)

    @property
    def pictures(self) -> ComparedPictures:
        """What was given last, until the camera moves."""
        return self._overlay.pictures

    @property
    def line_x(self) -> float:
        """The pixel column of the line."""
        return (0.5 + 0.5 * self.line) * self._viewport.width()

    def handle(self, event: QEvent) -> bool:
        """Drag the line; everything else is left to the camera."""
        if self.pair is None or self.mode != "split" or not isinstance(event, QMouseEvent):
            return False
        x, kind = event.position().x(), event.type()
        is_near = abs(x - self.line_x) <= _GRIP
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton and is_near:
            self._grabbed = True
        elif kind == QEvent.Type.MouseMove and self._grabbed:
            self.line = min(1.0, max(-1.0, 2 * x / max(1, self._viewport.width()) - 1))
            self._apply()
        elif kind == QEvent.Type.MouseButtonRelease and self._grabbed:
            self._grabbed = False
            self._apply()
            return True
        elif kind == QEvent.Type.MouseMove and event.buttons() == Qt.MouseButton.NoButton:
            self._overlay.set_hovered(is_near)
            return is_near
        return self._grabbed

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.pair is not None:
            self._on_moved()
        return super().eventFilter(watched, event)

    # Inner life

    @property
    def _has_pictures(self) -> bool:
        held = self._overlay.pictures
        return held.after is not None or held.difference is not None

    def _swap(self) -> None:
        self._shows_before = not self._shows_before
        self._apply()

    def _on_moved(self) -> None:
        """Pictures are of another camera now."""
        if self.pair is None:
            return
        self._overlay.pictures = ComparedPictures()
        self._overlay.follow()
        if self.needs_pictures:
            self._rest.start()

    def _wish_pictures(self) -> None:
        if self.needs_pictures:
            self.pictures_wished.emit()

    def _apply(self) -> None:
        if self.pair is not None:
            sides = self._sides(self.pair)
            self._viewport.splats.set_sides(sides, is_sliding=self._grabbed)
            self._viewport.fields.set_sides(sides, self._drawn_twice(self.pair))
        self._overlay.follow()

    def _drawn_twice(self, pair: ComparedPair) -> str:
        """The field that is compared with itself as it was before its edit, while that is to be seen."""
        is_of_itself = pair.is_live and pair.before == before_id(pair.after)
        return pair.after if is_of_itself and (self.mode != "after" or self.sees_before) else ""

    def _sides(self, pair: ComparedPair) -> Sides:
        if not pair.is_live:
            return WHOLE
        if self.sees_before:
            return Sides({pair.after: "nowhere"}, is_plain=True)
        both: dict[str, Side] = {pair.before: "left", pair.after: "right"}
        if self.mode == "split":
            return Sides(both, self.line, is_plain=True)
        if self.mode == "beside":
            return Sides(both, is_beside=True, is_plain=True)
        return Sides({pair.before: "nowhere"}, is_plain=self.mode != "after")
