"""The window: places the widgets and connects them to the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QTabWidget,
)

from app import actions, window_layout
from app.agreement_desk import AgreementDesk
from app.background import Background
from app.camera_path_desk import CameraPathDesk
from app.conditions import Conditions
from app.directories import state_directory
from app.document import OpenDocument
from app.edit_desk import EditDesk
from app.edit_trouble import EditTrouble
from app.estimates import Estimates
from app.export_desk import ExportDesk
from app.file_desk import FileDesk
from app.frame_renderer import FrameRenderer
from app.image_desk import ImageDesk
from app.import_desk import ImportDesk
from app.leaving import Leaving
from app.manifest import app_version
from app.mesh_desk import MeshDesk
from app.method_panel import MethodPanel
from app.pack_desk import PackDesk
from app.parts_desk import PartsDesk
from app.pending_desk import PendingDesk
from app.preferences import Preferences, load_preferences
from app.project import Project
from app.recent_desk import RecentDesk
from app.review_desk import ReviewDesk
from app.run_desk import RunDesk
from app.scene_desk import SceneDesk
from app.scene_edit_desk import SceneEditDesk
from app.scene_view import SceneView
from app.shell import Shell, dress, first_size, keep_room
from app.splat_busy import SplatBusy
from app.splat_commands import SplatCommands
from app.splat_desk import SplatDesk
from app.splat_panel_desk import SplatPanelDesk
from app.status_line import StatusLine
from app.steps import Steps
from app.view_commands import ViewCommands
from app.window_wiring import connect_all
from app.workflows import SLICES, Workflows
from recon import METHODS
from widgets.agreement_list import AgreementList
from widgets.camera_path_panel import CameraPathPanel
from widgets.compare_view import CompareView
from widgets.edit_panel import EditPanel
from widgets.edited_views import EditedViews
from widgets.history_view import HistoryView
from widgets.icons import app_icon
from widgets.image_figures import ImageFigures
from widgets.image_strip import ImageStrip
from widgets.job_panel import JobPanel
from widgets.layer_list import LayerList
from widgets.log_view import LogView
from widgets.mesh_tools_panel import MeshToolsPanel
from widgets.notices import BannerZone
from widgets.parts_panel import PartsPanel
from widgets.plots import Plots
from widgets.properties_panel import PropertiesPanel
from widgets.review_bar import ReviewBar
from widgets.room_picture import photos_to_surface
from widgets.scene_panel import ScenePanel
from widgets.scene_picture import scene_by_words
from widgets.slice_view import SliceView
from widgets.splat_panel import SplatPanel
from widgets.start_page import StartPage
from widgets.stepper import Stepper
from widgets.theme import active_theme
from widgets.viewport_pane import ViewportPane
from widgets.workflow_card import WorkflowCard
from widgets.workflow_pictures import slices_to_solid, splats_cleaned

_CARDS = (
    WorkflowCard(
        "surface",
        "From photos to a surface",
        "Photos of a room, with or without poses, become a clean surface with its thin parts.",
        photos_to_surface,
    ),
    WorkflowCard(
        "slices",
        "From cross-sections to a solid",
        "Contours on any planes, label volumes or masks become a watertight mesh that agrees with every slice.",
        slices_to_solid,
    ),
    WorkflowCard(
        "splats",
        "Clean and edit Gaussian splats",
        "Any splat file: select, clean, crop, recolour and move splats, then write it in any format.",
        splats_cleaned,
        has_sample=False,
    ),
    WorkflowCard(
        "text",
        "Restyle a scene by words",
        "Photos with poses: say how the scene should look, and see it so from anywhere, without training.",
        scene_by_words,
    ),
)


class MainWindow(QMainWindow):
    """One project at a time: layers left, the picture in the middle, what to do next right, history below."""

    # Made by window_layout.
    views: QSplitter
    pages: QStackedWidget
    task_tabs: QTabWidget
    bottom_tabs: QTabWidget
    docks: dict[str, QDockWidget]

    def __init__(
        self, preferences: Preferences | None = None, *, multi_samples: int = 4, is_safe: bool = False
    ) -> None:
        """is_safe: nothing is written unasked, and panels stand where they stood at first."""
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._settings = QSettings(str(state_directory() / "window.ini"), QSettings.Format.IniFormat, self)
        self.may_close = False
        preferences = preferences or load_preferences()
        dress(preferences)  # Before the widgets, which take their sizes from it.
        keep_room(self)
        self.resize(first_size())
        self._make_project()
        self._make_widgets(multi_samples)
        self._make_desks(preferences)
        window_layout.lay_out(self)
        self.actions_by_id = actions.build(self, self.menuBar())
        self.actions_by_id["compare_peek"].setAutoRepeat(False)  # it lasts as long as the key is held
        self.splat_tools = SplatDesk(self)
        self.splat_panels = SplatPanelDesk(self)
        self.splat_busy = SplatBusy(self)
        self.parts = PartsDesk(self)
        self.edits = EditDesk(self)
        self.edit_trouble = EditTrouble(self)
        self.pending = PendingDesk(self)
        self.review = ReviewDesk(self)
        self.scene_edits = SceneEditDesk(self)
        self.conditions = Conditions(self)
        window_layout.make_tool_bar(self)
        self._first_layout = self.saveState()
        self.viewport.set_reduce_motion(preferences.reduce_motion)
        connect_all(self)
        self.workflows.choose(SLICES)
        self.document.keeps_work = not is_safe
        if not is_safe:
            self._restore_layout()
        self.document.new()
        self.show_start_page()

    # What it is made of

    def _make_project(self) -> None:
        self.project = Project(parent=self)
        self.background = Background(self)
        self.document = OpenDocument(self.project, self.background, self)

    def _make_widgets(self, multi_samples: int) -> None:
        self.start_page = StartPage(_CARDS, app_version())
        self.pane = ViewportPane(multi_samples=multi_samples)
        self.viewport = self.pane.viewport
        self.slice_view = SliceView()
        self.compare_view = CompareView()
        self.image_strip = ImageStrip()
        self.image_figures = ImageFigures()
        self.edited_views = EditedViews()
        self.path_panel = CameraPathPanel()
        self.banners = BannerZone()
        self.layer_list = LayerList()
        self.properties = PropertiesPanel()
        self.methods = METHODS
        self.method_panel = MethodPanel(METHODS)
        self.job_panel = JobPanel()
        self.plots = Plots()
        self.log_view = LogView()
        self.history_view = HistoryView(self.project.undo_stack)
        self.scene_panel = ScenePanel()
        self.agreement_list = AgreementList()
        self.mesh_tools = MeshToolsPanel()
        self.splat_panel = SplatPanel()
        self.parts_panel = PartsPanel()
        self.edit_panel = EditPanel()
        self.review_bar = ReviewBar()
        self.stepper = Stepper()
        self.status_line = StatusLine(self.document)
        self.setStatusBar(self.status_line)

    def _make_desks(self, preferences: Preferences) -> None:
        self.shell = Shell(self, preferences)
        self.scene = SceneView(self.project, self.viewport, self.layer_list, self.slice_view, self)
        self.field_frames = FrameRenderer(self)
        self.view = ViewCommands(self.viewport, self.slice_view, self.scene.redraw, self)
        self.files = FileDesk(self, self.document, self.background, self)
        self.imports = ImportDesk(self, self.files, self.background)
        self.exports = ExportDesk(self, self.files, self.background)
        self.runs = RunDesk(self.document, self)
        self.meshes = MeshDesk(self)
        self.splats = SplatCommands(self)
        self.agreement = AgreementDesk(self)
        self.images = ImageDesk(self)
        self.scenes = SceneDesk(self)
        self.paths = CameraPathDesk(self)
        self.workflows = Workflows(self)
        self.steps = Steps(self)
        self.method_panel.estimate = Estimates(self.project).words
        self.packs = PackDesk(self)
        self.recent = RecentDesk(self.start_page, self)
        self.leaving = Leaving(self)

    # Pages and panels

    @property
    def is_on_start_page(self) -> bool:
        return self.pages.currentIndex() == 0

    def show_start_page(self) -> None:
        """Show what can be begun; the panels of a project step aside."""
        self.pages.setCurrentIndex(0)
        self._show_docks(False)

    def show_project(self) -> None:
        """Show the project's picture and panels."""
        if self.is_on_start_page:
            self.pages.setCurrentIndex(1)
            self._show_docks(True)
            self.viewport.take_keys(Qt.CursorShape.ArrowCursor)  # Else some control would look chosen.

    def show_bottom(self, title: str) -> None:
        """Bring a tab of the lower panel to the front."""
        self.show_project()
        titles = [self.bottom_tabs.tabText(i) for i in range(self.bottom_tabs.count())]
        self.bottom_tabs.setCurrentIndex(titles.index(title))
        self.docks["dock_bottom"].show()

    def show_task(self, title: str) -> None:
        """Bring a tab of the right panel to the front."""
        titles = [self.task_tabs.tabText(i) for i in range(self.task_tabs.count())]
        self.task_tabs.setCurrentIndex(titles.index(title))
        self.docks["dock_task"].show()

    def show_compare(self) -> None:
        """Give the comparison half of the middle."""
        self.compare_view.show()
        half = self.views.width() // 2
        self.views.setSizes([half, 0, half])

    def set_tab_shown(self, tabs: QTabWidget, title: str, on: bool) -> None:
        """Offer a tab or not."""
        titles = [tabs.tabText(i) for i in range(tabs.count())]
        tabs.setTabVisible(titles.index(title), on)

    def _show_docks(self, on: bool) -> None:
        for name, dock in self.docks.items():
            dock.setVisible(on and (name != "dock_bottom" or self.workflows.needs_runs))

    def reset_layout(self) -> None:
        """Put every panel where it was at first."""
        self.restoreState(self._first_layout)
        self._show_docks(not self.is_on_start_page)

    def _restore_layout(self) -> None:
        geometry, state = self._settings.value("geometry"), self._settings.value("state")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        # Widths of panels are pixels: those of another scale would not fit.
        is_same_scale = self._settings.value("scale", 0.0, float) == active_theme().ui_scale
        if isinstance(state, QByteArray) and is_same_scale:
            self.restoreState(state)

    # Tools

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves the tool that is under way, wherever the keys go."""
        if event.key() != Qt.Key.Key_Escape or not self._end_tool():
            super().keyPressEvent(event)

    def _end_tool(self) -> bool:
        """Leave the tool under way; False where there is none."""
        if self.parts.marking.tool:
            self.parts.marking.leave()
        elif self.splat_tools.tool:
            self.splat_tools.leave()
        elif self.viewport.tools.active:
            self.viewport.end_tool()
        else:
            return False
        return True

    # Files from outside

    def open_paths(self, paths: list[Path]) -> None:
        """Open what was given on the command line or dropped: one project, or files to import."""
        self.files.open_paths(paths)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    # Leaving

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.may_close:
            event.ignore()
            self.leave(self._close_for_good)
            return
        if not self.is_on_start_page:
            self._settings.setValue("state", self.saveState())
            self._settings.setValue("scale", active_theme().ui_scale)
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.sync()
        self.runs.close()
        self.images.close()
        self.splats.close()
        self.scene_edits.close()
        self.parts.close()
        self.paths.close()
        self.field_frames.close()
        self.background.close()
        self.document.close()
        self.viewport.release()
        self.project.undo_stack.blockSignals(True)  # Its end would tell of changes to what is gone.
        super().closeEvent(event)

    def leave(self, go_on: Callable[[], None]) -> None:
        """Ask about a run that is active and about unsaved work, then go on."""
        self.leaving.ask(go_on)

    def _close_for_good(self) -> None:
        self.may_close = True
        self.close()
