"""The window onto VTK: renders when asked, hands pointer and keys to tools, and closes without leaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QGuiApplication,
    QOffscreenSurface,
    QOpenGLContext,
    QSurfaceFormat,
)
from PySide6.QtWidgets import QLabel, QWidget
from pyvistaqt import QtInteractor

from widgets.viewport_screenshot import picture_of

_TOOL_EVENTS = frozenset(
    {
        QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonDblClick, QEvent.Type.Wheel, QEvent.Type.KeyPress, QEvent.Type.KeyRelease,
        QEvent.Type.ShortcutOverride, QEvent.Type.Leave, QEvent.Type.FocusOut,
    }
)  # fmt: skip


class PointerTool(Protocol):
    """Something that the pointer can do in the view."""

    def handle(self, event: QEvent) -> bool:
        """Act on an event; True when nobody else is to act on it."""
        ...


@cache
def gl_problem() -> str | None:
    """Why no 3D view can be shown here, or None. Needs the application; asks once."""
    if QGuiApplication.platformName() in ("offscreen", "minimal", "vnc"):
        return "This display cannot draw with OpenGL."
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 2)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(wanted)
    surface.setFormat(wanted)
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return "No OpenGL driver answered."
    version = context.format().version()
    context.doneCurrent()
    if tuple(version) < (3, 2):
        return f"OpenGL 3.2 is needed; the driver has {version[0]}.{version[1]}."
    return None


def no_picture(problem: str) -> QLabel:
    """What stands in place of the picture where there can be none."""
    label = QLabel(f"The 3D view cannot be shown.\n{problem}\nEverything else works: run, save and export.")
    label.setObjectName("viewport_message")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    label.setProperty("role", "secondary")
    return label


class Canvas(QtInteractor):  # type: ignore[misc]  # pyvistaqt has no types
    """A QOpenGLWidget with VTK's picture.

    A paint that nobody asked VTK for (an overlay changed, the window was uncovered) shows the last picture
    again. `before_render` is called at the start of each new picture.
    """

    resized = Signal()
    rendered = Signal(float)  # seconds that the picture took

    def __init__(self, parent: QWidget, multi_samples: int) -> None:
        super().__init__(parent, auto_update=False, multi_samples=multi_samples, lighting="none")
        self.setObjectName("viewport_canvas")
        self.setAcceptDrops(False)  # files dropped here are the window's business
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel alone does not take the keys
        self.tools: list[PointerTool] = []
        self.before_render: Callable[[], None] = lambda: None
        self._is_stale = True

    @property
    def window_vtk(self) -> Any:
        """VTK's render window, or None once closed."""
        return self.GetRenderWindow()

    def request_render(self) -> None:
        """Draw anew at the next paint; many requests make one picture."""
        self._is_stale = True
        self.update()

    def paintGL(self) -> None:
        window = self.window_vtk
        if window is None:
            return
        interactor = window.GetInteractor()
        is_new, self._is_stale = self._is_stale, False
        start = time.perf_counter()
        if is_new:
            self.before_render()
        interactor.SetEnableRender(is_new)
        super().paintGL()
        interactor.SetEnableRender(True)
        if is_new:
            window.WaitForCompletion()
            self.rendered.emit(time.perf_counter() - start)

    def picture(self, *, transparent: bool, scale: int) -> NDArray[np.uint8]:
        """What is drawn now, (H, W, 3) or (H, W, 4) uint8; works on a hidden widget, too."""
        if not self.isValid():
            self.grabFramebuffer()  # Qt's way to make the context of a widget that was never shown
        window = self.window_vtk
        self.makeCurrent()
        self.before_render()
        picture = picture_of(window, self.renderer, transparent=transparent, scale=scale)
        self.request_render()
        return picture

    def resizeGL(self, width: int, height: int) -> None:
        self._is_stale = True
        super().resizeGL(width, height)
        self.resized.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() in _TOOL_EVENTS:
            for tool in tuple(self.tools):
                if tool.handle(event):
                    event.accept()
                    return True
        return bool(super().event(event))

    def _leave_to_window(self, event: QEvent) -> None:
        """What no tool wants goes on to the window; VTK's own interaction is not used."""
        event.ignore()

    mousePressEvent = mouseReleaseEvent = mouseMoveEvent = mouseDoubleClickEvent = _leave_to_window  # noqa: N815
    wheelEvent = keyPressEvent = keyReleaseEvent = enterEvent = leaveEvent = _leave_to_window  # noqa: N815

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.ignore()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.tools.clear()
        self.before_render = lambda: None
        super().closeEvent(event)
