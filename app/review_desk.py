"""How an edit is looked at: before and after in the view, the same from one camera, and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent

from app.compare_pictures import can_be_pictured, compared
from app.layers import Layer
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.view_field import ViewField
from widgets.theme import active_theme
from widgets.view_compare import ComparedPair, CompareMode, ViewCompare
from widgets.viewport_camera import Pinhole, pinhole
from widgets.viewport_fields import before_id

if TYPE_CHECKING:
    from app.main_window import MainWindow

_LONGEST = 1100  # pixels of a computed picture; more would take longer than one looks


class ReviewDesk(QObject):
    """The comparison in the view: of the edit that waits, or of two versions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.compare = ViewCompare(window.viewport)
        self._pair: tuple[str, str] | None = None  # ids of what was before and after
        self.is_of_versions = False
        self.compare.pictures_wished.connect(self._make_pictures)
        window.review_bar.mode_chosen.connect(self.set_mode)
        window.review_bar.wished.connect(self._do)
        window.edit_panel.versions.compared.connect(self.compare_versions)
        window.pending.changed.connect(self._on_pending)
        window.project.state_changed.connect(self._on_project)
        window.project.visibility_changed.connect(self._on_project)
        window.installEventFilter(self)

    # What a person asks for

    def set_mode(self, mode: str) -> None:
        """Look at it in another way; begins the comparison where there is none yet."""
        pair = self._layers() or self._window.pending.pair()
        if pair is None:
            return
        self._begin(pair, mode)  # type: ignore[arg-type]

    def toggle_split(self) -> None:
        """Before and after parted by a line, or no longer."""
        if self.compare.pair is not None and self.compare.mode == "split":
            self._to_rest()
        else:
            self.set_mode("split")

    def show_difference(self) -> None:
        """Where the picture changed, and how much."""
        self.set_mode("difference")

    def compare_versions(self, before_id: str, after_id: str) -> None:
        """Compare any two versions."""
        project = self._window.project
        before, after = project.layer(before_id), project.layer(after_id)
        if before is not None and after is not None:
            waiting = self._window.pending.pair()
            self.is_of_versions = waiting is None or (before.id, after.id) != (waiting[0].id, waiting[1].id)
            self._begin((before, after), "split")

    def peek(self, on: bool = True) -> None:
        """Show what was before, for as long as the key is held."""
        pair = self._layers() or self._window.pending.pair()
        if pair is None:
            return
        if on and self.compare.pair is None:
            self._begin(pair, "after")
        self.compare.peek(on)

    def end(self) -> None:
        """Compare no longer."""
        self._pair, self.is_of_versions = None, False
        self.compare.end()
        self._restore_visibility()
        self._window.pending.refresh()
        self._window.review_bar.set_mode("after")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The key that shows what was before was let go."""
        kinds = (QEvent.Type.KeyRelease, QEvent.Type.WindowDeactivate)
        if event.type() in kinds and self.compare.pair is not None:
            is_key = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_QuoteLeft
            if event.type() == QEvent.Type.WindowDeactivate or (is_key and not event.isAutoRepeat()):  # type: ignore[attr-defined]
                self.compare.peek(False)
        return super().eventFilter(watched, event)

    # Inner life

    def _do(self, wish: str) -> None:
        pending = self._window.pending
        wishes = {
            "accept": pending.accept, "reject": pending.reject, "another": pending.try_another_seed,
            "refine": pending.refine, "close": self.end,
        }  # fmt: skip
        wishes[wish]()

    def _begin(self, pair: tuple[Layer, Layer], mode: CompareMode) -> None:
        before, after = pair
        is_same = self._pair == (before.id, after.id)
        self._pair = (before.id, after.id)
        if is_same and self.compare.pair is not None:
            self.compare.set_mode(mode)
        else:
            if self.compare.pair is not None:
                self.compare.end()
                self._restore_visibility()
            self.compare.begin(self._compared(before, after), mode)
        self._window.review_bar.set_mode(mode)
        if self.is_of_versions:
            self._window.review_bar.show_pair(before.name, after.name)

    def _compared(self, before: Layer, after: Layer) -> ComparedPair:
        names = (before.name, after.name) if self.is_of_versions else ("Before", "After")
        if isinstance(before.data, PosedImages) and isinstance(after.data, ViewField):
            own = before_id(after.id)  # the photos are its originals
            return ComparedPair(own, after.id, *names)
        is_live = any(
            isinstance(before.data, kind) and isinstance(after.data, kind)
            for kind in (GaussianCloud, ViewField)
        )
        return ComparedPair(before.id, after.id, *names, is_live=is_live)

    def _to_rest(self) -> None:
        if self.is_of_versions:
            self.end()
        else:
            self.set_mode("after")

    def _layers(self) -> tuple[Layer, Layer] | None:
        """The two that are compared, as they are now."""
        if self._pair is None:
            return None
        before, after = (self._window.project.layer(each) for each in self._pair)
        return None if before is None or after is None else (before, after)

    def _on_pending(self) -> None:
        """Another edit waits, or none: what was compared is over."""
        mode = self.compare.mode if self.compare.pair is not None and not self.is_of_versions else "after"
        self.end()
        if mode != "after" and self._window.pending.has_pending:
            self.set_mode(mode)  # The next try is looked at as the one before.

    def _on_project(self) -> None:
        """What is compared may have gone, or been hidden by someone."""
        if self._pair is not None and self._layers() is None:
            self.end()
        elif self.compare.pair is not None and self.compare.pair.is_live:
            pair, viewport = self.compare.pair, self._window.viewport
            for layer_id in {pair.before, pair.after} & set(viewport.layer_ids):
                viewport.set_layer_visible(layer_id, True)

    def _restore_visibility(self) -> None:
        viewport, project = self._window.viewport, self._window.project
        for layer_id in viewport.layer_ids:
            if project.layer(layer_id) is not None:
                viewport.set_layer_visible(layer_id, project.is_visible(layer_id))

    def _make_pictures(self) -> None:
        """Draw both from the camera as it is, off the window's thread."""
        pair = self._layers()
        if pair is None:
            return
        before, after = pair
        is_field = isinstance(after.data, ViewField)
        if not can_be_pictured(after.data) or not (can_be_pictured(before.data) or is_field):
            return
        camera, ground = self._camera(), self._ground()
        pose = self._window.viewport.camera

        def show(pictures: object) -> None:
            if pictures is not None and self._window.viewport.camera == pose and self._layers() == pair:
                self.compare.set_pictures(pictures)  # type: ignore[arg-type]

        self._window.splats.look("difference", lambda: compared(before, after, camera, ground), show)

    def _camera(self) -> Pinhole:
        viewport = self._window.viewport
        size = max(1, viewport.width()), max(1, viewport.height())
        scale = min(1.0, _LONGEST / max(size))
        return pinhole(viewport.camera, (round(size[0] * scale), round(size[1] * scale)))

    def _ground(self) -> NDArray[np.float32]:
        """(H, 1, 3) the view's own ground, from above."""
        theme = active_theme()
        ends = [_rgb(theme.color(name)) for name in ("viewport_top", "viewport_bottom")]
        share = np.linspace(0, 1, self._camera().size[1])[:, None, None]
        return np.asarray((1 - share) * ends[0] + share * ends[1], np.float32)


def _rgb(color: QColor) -> NDArray[np.float64]:
    return np.array([color.redF(), color.greenF(), color.blueF()])
