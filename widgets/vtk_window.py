"""VTK's render window inside an OpenGL context that Qt owns.

VTK draws into framebuffers of its own and never learns of a window of the display, so that the same code runs on
X11, Wayland, Windows and macOS. pyvistaqt has such a widget too, but to import it takes a second, most of it
pyvista's and matplotlib's, of which the viewport uses nothing.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QOpenGLContext, QSurfaceFormat
from shiboken6 import isValid
from vtkmodules.vtkRenderingOpenGL2 import vtkGenericOpenGLRenderWindow, vtkOpenGLRenderer

_GL_COLOR_BUFFER_BIT = 0x4000
_GL_DEPTH_TEST = 0x0B71
_GL_DRAW_FRAMEBUFFER = 0x8CA9
_GL_LEQUAL = 0x0203
_GL_LINEAR = 0x2601
_GL_SCISSOR_TEST = 0x0C11


def core_format() -> QSurfaceFormat:
    """What VTK's shaders need: desktop OpenGL 3.2, without samples, which VTK's own framebuffers have."""
    wanted = QSurfaceFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    wanted.setVersion(3, 2)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(24)
    wanted.setStencilBufferSize(0)
    wanted.setAlphaBufferSize(8)
    wanted.setSamples(0)
    return wanted


class VtkWindow:
    """Begins with a context, draws when told, and ends before its context does.

    It asks for the context by the surface that it was made for, never by the widget, which would bind the
    widget's framebuffer under VTK's hands.
    """

    def __init__(self, multi_samples: int) -> None:
        self.renderer = vtkOpenGLRenderer()
        self.window: Any = vtkGenericOpenGLRenderWindow()
        self.window.SetReadyForRendering(False)
        self.window.SetFrameBlitModeToNoBlit()
        self.window.SetMultiSamples(multi_samples)
        self.window.AddRenderer(self.renderer)
        self._context: QOpenGLContext | None = None
        self._surface: Any = None

    def begin(self, context: QOpenGLContext) -> None:
        """Draw in this context, which is current, until it is about to be destroyed or `end` is called."""
        if self.window is None:
            return
        self._context, self._surface = context, context.surface()
        context.aboutToBeDestroyed.connect(self.end)
        self.window.AddObserver("WindowMakeCurrentEvent", self.make_current)
        self.window.AddObserver("WindowIsCurrentEvent", self._tell_whether_current)
        _load_symbols(self.window)
        self.window.OpenGLInitContext()
        self.window.OpenGLInit()
        self.window.SetForceMaximumHardwareLineWidth(1)
        self.window.SetReadyForRendering(True)
        self.window.SetOwnContext(0)

    def resize(self, pixels: QSize, ratio: float) -> None:
        """pixels: of the device; ratio: how many of them a pixel of Qt has."""
        if self.window is not None:
            self.window.SetSize(pixels.width(), pixels.height())
            self.window.SetDPI(round(72 * ratio))

    @contextmanager
    def drawing(self) -> Iterator[Any]:
        """VTK's render window, ready to render into its own framebuffer."""
        self.make_current()
        state = self.window.GetState()
        state.Reset()  # VTK remembers what it set last, but Qt drew since.
        state.Push()
        state.vtkglDepthFunc(_GL_LEQUAL)
        state.vtkglEnable(_GL_DEPTH_TEST)
        yield self.window
        state.Pop()

    def show(self, framebuffer: int, pixels: QSize) -> None:
        """Copy the last picture into a framebuffer of Qt's; the context is current."""
        if self.window is None or self._context is None:
            return
        gl = self._context.functions()
        gl.glBindFramebuffer(_GL_DRAW_FRAMEBUFFER, framebuffer)
        gl.glDisable(_GL_SCISSOR_TEST)  # It would cut the copy.
        self.window.BlitDisplayFramebuffer(
            0,
            0,
            0,
            *self.window.GetSize(),
            0,
            0,
            pixels.width(),
            pixels.height(),
            _GL_COLOR_BUFFER_BIT,
            _GL_LINEAR,
        )
        # What is left transparent would show what is behind the window.
        gl.glViewport(0, 0, pixels.width(), pixels.height())
        gl.glColorMask(False, False, False, True)
        gl.glClearColor(0.0, 0.0, 0.0, 1.0)
        gl.glClear(_GL_COLOR_BUFFER_BIT)
        gl.glColorMask(True, True, True, True)

    def end(self) -> None:
        """Give back all that VTK holds on the graphics card; nothing is drawn after."""
        if self.window is None:
            return
        self.make_current()
        self.window.Finalize()
        self.window.RemoveAllObservers()  # They would keep both of us.
        self.window.RemoveRenderer(self.renderer)
        self.window = self._context = self._surface = None

    # What VTK asks

    def make_current(self, *_: object) -> None:
        """Make our context the current one, if it is there."""
        if self._context is not None and not isValid(self._context):
            self._context = None  # Its window was deleted: what VTK held on the card went with it.
        if self._context is not None:
            self._context.makeCurrent(self._surface)

    def _tell_whether_current(self, *_: object) -> None:
        is_current = self._context is not None and QOpenGLContext.currentContext() is self._context
        self.window.SetIsCurrent(is_current)


def _load_symbols(window: Any) -> None:
    """Where OpenGL's functions are found on this display; on Windows and macOS VTK knows by itself."""
    if not sys.platform.startswith("linux"):
        return
    if QGuiApplication.platformName().startswith(("wayland", "eglfs")):
        function: Any = ctypes.CDLL("libEGL.so.1").eglGetProcAddress
    else:
        function = ctypes.CDLL("libGL.so.1").glXGetProcAddressARB
    window.SetOpenGLSymbolLoader2(ctypes.cast(function, ctypes.c_void_p).value, 0)
