"""Says that an edit of splats takes a while, once it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from app.main_window import MainWindow

_PATIENCE_MS = 500
_WORDS = "Computing…"


class SplatBusy(QObject):
    """Speaks where the person looks: beside the tool under way, else over the picture."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self._speak)
        self._speaks = False
        window.splats.edits.busy_changed.connect(self._on_busy)

    def _on_busy(self, is_busy: bool) -> None:
        if is_busy:
            if not self._speaks:
                self._patience.start()
            return
        self._patience.stop()
        if self._speaks:
            self._speaks = False
            self._window.viewport.set_banner("")
            self._window.splat_tools.show_options()

    def _speak(self) -> None:
        self._speaks = True
        if self._window.splat_tools.tool:
            self._window.splat_tools.options.say(_WORDS)
        else:
            self._window.viewport.set_banner(_WORDS)
