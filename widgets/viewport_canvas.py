"""The window onto VTK: renders when asked, hands pointer and keys to tools, and closes without leaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QGuiApplication,
    QOffscreenSurface,
    QOpenGLContext,
    QSurfaceFormat,
)
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from widgets.viewport_screenshot import picture_of
from widgets.vtk_window import VtkWindow, core_format

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
    wanted = core_format()
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


class Canvas(QOpenGLWidget):
    """A QOpenGLWidget with VTK's picture.

    A paint that nobody asked VTK for (an overlay changed, the window was uncovered) shows the last picture
    again. `before_render` is called at the start of each new picture.
    """

    resized = Signal()
    rendered = Signal(float)  # seconds that the picture took

    def __init__(self, parent: QWidget, multi_samples: int) -> None:
        # Set for all: a widget whose context differs from its window's shows black on Wayland.
        QSurfaceFormat.setDefaultFormat(core_format())
        super().__init__(parent)
        self.setObjectName("viewport_canvas")
        self.setMouseTracking(True)
        self.setAcceptDrops(False)  # files dropped here are the window's business
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel alone does not take the keys
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.tools: list[PointerTool] = []
        self.before_render: Callable[[], None] = lambda: None
        self._is_stale = True
        self._vtk = VtkWindow(multi_samples)

    @property
    def window_vtk(self) -> Any:
        """VTK's render window, or None once closed."""
        return self._vtk.window

    @property
    def renderer(self) -> Any:
        """VTK's renderer, which holds what is drawn."""
        return self._vtk.renderer

    def make_current(self) -> None:
        """Make VTK's context the current one, if there is one."""
        self._vtk.make_current()

    def request_render(self) -> None:
        """Draw anew at the next paint; many requests make one picture."""
        self._is_stale = True
        self.update()

    def initializeGL(self) -> None:
        self._vtk.begin(self.context())

    def resizeGL(self, width: int, height: int) -> None:
        self._is_stale = True
        self._vtk.resize(self._pixels(), self.devicePixelRatioF())
        self.resized.emit()

    def paintGL(self) -> None:
        if self.window_vtk is None:
            return
        if self._is_stale:
            self._is_stale = False
            start = time.perf_counter()
            self.before_render()
            with self._vtk.drawing() as window:
                window.Render()
                window.WaitForCompletion()
            self.rendered.emit(time.perf_counter() - start)
            self.makeCurrent()
        self._vtk.show(self.defaultFramebufferObject(), self._pixels())

    def picture(
        self, *, transparent: bool, scale: int, size: tuple[int, int] | None = None
    ) -> NDArray[np.uint8]:
        """What is drawn now, (H, W, 3) or (H, W, 4) uint8; works on a hidden widget, too. size: width and height where
        they are not the widget's."""
        if not self.isValid():
            self.grabFramebuffer()  # Qt's way to make the context of a widget that was never shown
        if size is not None:
            self._vtk.resize(QSize(*size), 1.0)
        self.before_render()
        with self._vtk.drawing() as window:
            picture = picture_of(window, self.renderer, transparent=transparent, scale=scale)
        if size is not None:
            self._vtk.resize(self._pixels(), self.devicePixelRatioF())
        self.request_render()
        return picture

    def _pixels(self) -> QSize:
        """The device's pixels that the widget covers."""
        ratio = self.devicePixelRatioF()
        return QSize(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))

    def close(self) -> bool:
        """Let go of VTK; also for a widget that was never shown, to which Qt sends no close event."""
        self.tools.clear()
        self.before_render = lambda: None
        self._vtk.end()
        return super().close()

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
