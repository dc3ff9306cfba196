"""Where the window's widgets stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import icon
from widgets.parts import ICON_GAP, icon_button
from widgets.theme import active_theme

if TYPE_CHECKING:
    from app.main_window import MainWindow

_TOOL_BAR = (
    "new",
    "open",
    "save",
    "",
    "undo",
    "redo",
    "",
    "import",
    "",
    "start",
    "pause",
    "stop",
    "",
    "export",
)


def lay_out(window: MainWindow) -> None:
    """Place the widgets of a window: views in the middle, panels around them."""
    window.views = QSplitter(Qt.Orientation.Horizontal)
    window.views.setObjectName("viewports")
    window.views.addWidget(window.pane)
    window.views.addWidget(window.slice_view)
    window.views.addWidget(window.compare_view)
    window.compare_view.hide()
    window.views.setStretchFactor(0, 3)
    window.views.setStretchFactor(1, 2)
    window.views.setStretchFactor(2, 3)
    window.views.setChildrenCollapsible(False)
    middle = QWidget()
    column = QVBoxLayout(middle)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(window.banners)
    column.addWidget(window.review_bar)
    column.addWidget(window.views, 1)
    window.pages = QStackedWidget()
    # The page that is not seen takes no room from the panels.
    window.start_page.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
    window.pages.addWidget(window.start_page)
    window.pages.addWidget(middle)
    window.setCentralWidget(window.pages)
    _make_docks(window)


def _make_docks(window: MainWindow) -> None:
    areas = Qt.DockWidgetArea
    window.task_tabs = QTabWidget()
    window.task_tabs.setObjectName("task_tabs")
    window.task_tabs.setDocumentMode(True)
    for title, widget in (
        ("Scene", window.scene_panel),
        ("Task", window.method_panel),
        ("Agreement", window.agreement_list),
        ("Mesh", window.mesh_tools),
        ("Splats", window.splat_panel),
        ("Parts", window.parts_panel),
        ("Edit", window.edit_panel),
    ):
        window.task_tabs.addTab(widget, title)
    window.bottom_tabs = QTabWidget()
    window.bottom_tabs.setObjectName("bottom_tabs")
    window.bottom_tabs.setDocumentMode(True)
    # What a panel would like must not push its neighbours: where there is less room, panels leave words out.
    window.bottom_tabs.setMinimumWidth(active_theme().px(360))
    for title, panel in (
        ("Images", window.image_strip),
        ("Edited views", window.edited_views),
        ("Jobs", window.job_panel),
        ("Plots", window.plots),
        ("Figures", window.image_figures),
        ("Log", window.log_view),
        ("History", window.history_view),
        ("Camera path", window.path_panel),
    ):
        window.bottom_tabs.addTab(panel, title)
    window.docks = {
        "dock_project": _dock(window, "dock_project", "Layers", window.layer_list, areas.LeftDockWidgetArea),
        "dock_props": _dock(window, "dock_props", "Properties", window.properties, areas.LeftDockWidgetArea),
        "dock_task": _dock(
            window, "dock_task", "Surface from slices", _task_column(window), areas.RightDockWidgetArea
        ),
        "dock_bottom": _dock(window, "dock_bottom", "Runs", window.bottom_tabs, areas.BottomDockWidgetArea),
    }
    _put_title_into_tabs(window.docks["dock_bottom"], window.bottom_tabs)
    window.setCorner(Qt.Corner.BottomLeftCorner, areas.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, areas.RightDockWidgetArea)
    px = active_theme().px
    docks = window.docks
    window.resizeDocks(
        [docks["dock_project"], docks["dock_task"]], [px(256), px(344)], Qt.Orientation.Horizontal
    )
    window.resizeDocks(
        [docks["dock_project"], docks["dock_props"]], [px(200), px(440)], Qt.Orientation.Vertical
    )
    window.resizeDocks([docks["dock_bottom"]], [px(190)], Qt.Orientation.Vertical)


def _task_column(window: MainWindow) -> QWidget:
    """The steps, and below them what the chosen one needs."""
    column_widget = QWidget()
    column = QVBoxLayout(column_widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(window.stepper)
    column.addWidget(window.task_tabs, 1)
    return column_widget


def _dock(window: MainWindow, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    dock.setWidget(widget)
    window.addDockWidget(area, dock)
    return dock


def _put_title_into_tabs(dock: QDockWidget, tabs: QTabWidget) -> None:
    """Its tabs say what is in it: while it is docked, a bar with a title would take height from the picture."""
    bare, corner = QWidget(dock), QWidget(tabs)
    row = QHBoxLayout(corner)
    row.setContentsMargins(active_theme().px(6), 0, active_theme().px(4), 0)
    row.setSpacing(0)
    floats = icon_button("maximize-2", f"Undock {dock.windowTitle()}", side=12)
    floats.clicked.connect(lambda: dock.setFloating(True))
    closes = icon_button("x", f"Close {dock.windowTitle()}", side=12)
    closes.clicked.connect(dock.close)
    for button in (floats, closes):
        button.setFixedSize(active_theme().px(24), active_theme().px(24))
        row.addWidget(button)
    tabs.setCornerWidget(corner)

    def follow(is_floating: bool) -> None:
        corner.setVisible(not is_floating)
        bare.setVisible(False)
        dock.setTitleBarWidget(None if is_floating else bare)  # type: ignore[arg-type]

    dock.topLevelChanged.connect(follow)
    follow(dock.isFloating())


def make_tool_bar(window: MainWindow) -> None:
    """The commands that are wanted most, and the search for the others."""
    bar = QToolBar("Main tool bar", window)
    bar.setObjectName("tb_main")
    bar.setMovable(False)
    bar.setIconSize(QSize(active_theme().px(18), active_theme().px(18)))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    for key in _TOOL_BAR:
        if key:
            bar.addAction(window.actions_by_id[key])
        else:
            bar.addSeparator()
    for key in ("import", "start", "export"):
        window.actions_by_id[key].setIconText(ICON_GAP + window.actions_by_id[key].text().rstrip("…"))
        button = bar.widgetForAction(window.actions_by_id[key])
        if isinstance(button, QToolButton):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    space = QWidget()
    space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    bar.addWidget(space)
    bar.addWidget(_search_button(window))
    window.addToolBar(bar)


def _search_button(window: MainWindow) -> QToolButton:
    button = QToolButton()
    button.setObjectName("search_button")
    button.setIcon(icon("search"))
    button.setText(f"{ICON_GAP}Find a command  Ctrl+Shift+P")
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.clicked.connect(lambda: window.shell.show_palette())
    return button
