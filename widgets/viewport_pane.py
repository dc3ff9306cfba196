"""A viewport with its header: which view, how meshes are drawn, projection, overlays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from widgets.icons import icon
from widgets.theme import active_theme
from widgets.viewport import Viewport
from widgets.viewport_camera import VIEW_NAMES, CameraPose
from widgets.viewport_furniture import FurnitureName
from widgets.viewport_style import SHADING_TITLES, SHADINGS, Shading

_OVERLAYS: tuple[tuple[FurnitureName, str], ...] = (
    ("grid", "Ground grid"), ("axes", "Axes"), ("scale", "Scale bar"), ("counts", "Counts"),
    ("legend", "Legend"), ("cube", "View cube"),
)  # fmt: skip


class _Header(QFrame):
    """The bar; a double click on its empty part maximises the pane."""

    double_clicked = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()


class ViewportPane(QWidget):
    """One of the window's views with a thin bar on top."""

    maximise_requested = Signal()

    def __init__(self, parent: QWidget | None = None, *, multi_samples: int = 4) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_pane")
        self.setMinimumWidth(active_theme().px(240))
        self.viewport = Viewport(self, multi_samples=multi_samples)
        self._header = _Header(self)
        self._header.setObjectName("viewport_header")
        self._camera_button = self._menu_button("camera_button", "video", "View", self._camera_menu())
        self._shading_button = self._menu_button(
            "shading_button", "circle-dot", "Shading", self._shading_menu()
        )
        self._overlay_button = self._menu_button(
            "overlay_button", "layers-2", "Overlays", self._overlay_menu()
        )
        self._menu_buttons = (self._camera_button, self._shading_button, self._overlay_button)
        self._ortho = self._tool("ortho_button", "box", "Orthographic projection (5)", self._set_orthographic)
        self._ortho.setCheckable(True)
        self._frame = self._tool("frame_button", "scan", "Frame everything (Home)", self._frame_all)
        self._maximise = self._tool(
            "maximise_button", "maximize-2", "Maximise this view (Ctrl+F11)", self.maximise_requested.emit
        )
        self._lay_out()
        self._header.double_clicked.connect(self.maximise_requested)
        self.viewport.camera_moved.connect(self._follow)
        self.viewport.shading_changed.connect(self._name_shading)
        self._follow(self.viewport.camera)
        self._name_shading(self.viewport.shading)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_words()

    def set_maximised(self, on: bool) -> None:
        """Show the button's other face."""
        self._maximise.setIcon(icon("minimize-2" if on else "maximize-2"))
        self._maximise.setToolTip(
            "Show all views again (Ctrl+F11)" if on else "Maximise this view (Ctrl+F11)"
        )

    def _lay_out(self) -> None:
        bar = QHBoxLayout(self._header)
        bar.setContentsMargins(4, 2, 4, 2)
        bar.setSpacing(2)
        for button in self._menu_buttons:
            bar.addWidget(button)
        bar.addStretch(1)
        for button in (self._frame, self._ortho, self._maximise):
            bar.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header)
        column.addWidget(self.viewport, 1)

    def _fit_words(self) -> None:
        """Menus lose their words, all together, where these would not fit: half a word says nothing."""
        styles = Qt.ToolButtonStyle
        for style in (styles.ToolButtonTextBesideIcon, styles.ToolButtonIconOnly):
            for button in self._menu_buttons:
                button.setToolButtonStyle(style)
            if self._header.sizeHint().width() <= self.width():
                return

    def _menu_button(self, name: str, icon_name: str, title: str, menu: QMenu) -> QToolButton:
        button = QToolButton(self._header)
        button.setObjectName(name)
        button.setIcon(icon(icon_name))
        button.setText(title)
        button.setAccessibleName(title)
        button.setToolTip(title)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setAutoRaise(True)
        button.setMenu(menu)
        return button

    def _tool(self, name: str, icon_name: str, tip: str, on_click: Callable[[], object]) -> QToolButton:
        button = QToolButton(self._header)
        button.setObjectName(name)
        button.setIcon(icon(icon_name))
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(" (")[0])
        button.setAutoRaise(True)
        button.clicked.connect(lambda: on_click())
        return button

    def _camera_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in VIEW_NAMES:
            title = "Isometric" if name == "iso" else name.capitalize()
            menu.addAction(title, partial(self.viewport.set_view, name))
        menu.addSeparator()
        menu.addAction("Frame everything", self._frame_all)
        return menu

    def _shading_menu(self) -> QMenu:
        menu = QMenu(self)
        self._shadings = QActionGroup(self)
        choices: list[tuple[str, Shading | None]] = [("As each layer says", None)]
        choices += [(SHADING_TITLES[shading], shading) for shading in SHADINGS]
        for title, shading in choices:
            action = menu.addAction(title, partial(self.viewport.set_shading, shading))
            action.setCheckable(True)
            action.setData(shading)
            self._shadings.addAction(action)
        return menu

    def _overlay_menu(self) -> QMenu:
        menu = QMenu(self)
        self._overlays: dict[FurnitureName, QAction] = {}
        for name, title in _OVERLAYS:
            action = menu.addAction(title)
            action.setCheckable(True)
            action.toggled.connect(partial(self.viewport.set_shown, name))
            self._overlays[name] = action
        menu.aboutToShow.connect(self._tick_overlays)
        return menu

    def _tick_overlays(self) -> None:
        for name, action in self._overlays.items():
            action.setChecked(self.viewport.is_shown(name))

    def _frame_all(self) -> None:
        self.viewport.frame_all()

    def _set_orthographic(self) -> None:
        self.viewport.set_orthographic(self._ortho.isChecked())

    def _follow(self, pose: CameraPose) -> None:
        self._ortho.setChecked(pose.parallel)

    def _name_shading(self, shading: Shading | None) -> None:
        self._shading_button.setText(SHADING_TITLES[shading] if shading else "Shading")
        self._fit_words()
        for action in self._shadings.actions():
            action.setChecked(action.data() == shading)
