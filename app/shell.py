"""What the window says and how it is dressed: notices, errors, theme, panels, help."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field
from PySide6.QtCore import QObject, QSize, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QMainWindow, QVBoxLayout

from app.errors import ErrorReport, describe_error
from app.log_file import log_folder, logger
from app.manifest import app_version
from app.preferences import Preferences, save_preferences
from render.frame import Axis, Frame, Unit
from widgets.command_palette import Command, CommandPalette
from widgets.error_dialog import ErrorDialog
from widgets.import_dialog import UNIT_NAMES
from widgets.notices import NoticeAction, Severity, Sheet, Toast
from widgets.settings_form import SettingsForm
from widgets.theme import active_theme, apply_theme

if TYPE_CHECKING:
    from app.main_window import MainWindow

LEAST_SIZE, _FIRST_SIZE = (1024, 640), (1440, 900)  # of the window, in pixels of the design


class Shell(QObject):
    """Everything about the window that is not the project."""

    def __init__(self, window: MainWindow, preferences: Preferences) -> None:
        super().__init__(window)
        self._window = window
        self.preferences = preferences
        self._palette: CommandPalette | None = None

    # Saying

    def note(self, level: str, text: str, source: str = "") -> None:
        """Write a line into the log panel, and the program's own lines into its file too."""
        self._window.log_view.add(level, text, source)
        if not source:
            logger.log(logging.getLevelNamesMapping()[level.upper()], text)

    def toast(self, text: str, severity: Severity = "info", actions: Sequence[NoticeAction] = ()) -> Toast:
        """Say something that passes."""
        self.note("info" if severity in ("info", "ok") else severity, text)
        return Toast(self._window, text, actions, severity)

    def show_error(self, error: BaseException | ErrorReport) -> None:
        """Say what went wrong and what to do; never a traceback in the face."""
        report = error if isinstance(error, ErrorReport) else describe_error(error)
        self.note("error", f"{report.sentence} {report.advice}")
        ErrorDialog(self._window, report.sentence, report.advice, report.details)

    def show_unexpected(self, error: BaseException) -> None:
        """An exception that nobody caught: say so, and keep the work for recovery at once."""
        self.show_error(error)
        self._window.document.autosave()

    def ask(
        self,
        title: str,
        text: str,
        answers: Sequence[tuple[str, Callable[[], None]]],
        severity: Severity = "info",
    ) -> Sheet:
        """Ask for a decision over the window. answers: (button, what it does), the first the primary one."""
        actions = [NoticeAction(str(i), words, i == 0) for i, (words, _) in enumerate(answers)]
        sheet = Sheet(self._window, title, text, actions, severity)
        sheet.chosen.connect(lambda chosen: answers[int(chosen)][1]())
        return sheet

    # Dress

    def set_preferences(self, preferences: Preferences) -> None:
        """Take over new preferences, and store them."""
        self.preferences = preferences
        save_preferences(preferences)
        dress(preferences)
        keep_room(self._window)
        self._window.viewport.set_reduce_motion(preferences.reduce_motion)
        self._window.runs.preview_share = preferences.preview_share
        self._window.document.autosave_timer.setInterval(round(preferences.autosave_minutes * 60_000))

    def switch_theme(self) -> None:
        theme = "light" if active_theme().is_dark else "dark"
        self.set_preferences(self.preferences.model_copy(update={"theme": theme}))

    def show_preferences(self) -> None:
        form = SettingsForm(Preferences, self.preferences.model_dump())
        self._form_dialog(
            "dlg_preferences",
            "Preferences",
            form,
            lambda values: self.set_preferences(self.preferences.model_copy(update=values)),
        )

    def show_frame_settings(self) -> None:
        """Ask which way is up and how long a unit is; each choice is one undo step."""
        project = self._window.project

        class Meaning(BaseModel):
            up: Axis = Field(project.frame.up, title="Up axis", json_schema_extra={"basic": True})
            unit: Unit = Field(
                project.frame.unit,
                title="One unit is",
                json_schema_extra={"basic": True, "choices": dict(UNIT_NAMES)},
            )

        def take(values: dict[str, Any]) -> None:
            frame = Frame(values["up"], values["unit"], project.frame.patient_axes)
            self._window.scene.set_frame(frame)

        self._form_dialog("dlg_frame", "Up axis and unit", SettingsForm(Meaning), take)

    def ask_form(
        self,
        name: str,
        title: str,
        form: SettingsForm,
        accept: str,
        take: Callable[[dict[str, Any]], None],
    ) -> QDialog:
        """A dialog that hands over the form's values when it is accepted."""
        dialog, buttons = self._dialog(name, title, form, QDialogButtonBox.StandardButton.Cancel)
        button = buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
        button.setProperty("primary", True)
        form.validity_changed.connect(lambda problem: button.setEnabled(not problem))
        buttons.accepted.connect(lambda: take(form.values()))
        buttons.accepted.connect(dialog.close)
        dialog.show()
        return dialog

    def _form_dialog(
        self, name: str, title: str, form: SettingsForm, take: Callable[[dict[str, Any]], None]
    ) -> None:
        """A dialog whose every valid change is taken at once."""
        dialog, _ = self._dialog(name, title, form, QDialogButtonBox.StandardButton.Close)
        form.values_changed.connect(lambda values: take(values) if not form.problem() else None)
        dialog.show()

    def _dialog(
        self, name: str, title: str, form: SettingsForm, button: QDialogButtonBox.StandardButton
    ) -> tuple[QDialog, QDialogButtonBox]:
        dialog = QDialog(self._window)
        dialog.setObjectName(name)
        dialog.setWindowTitle(title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        buttons = QDialogButtonBox(button)
        buttons.button(button).setIcon(QIcon())  # Fusion leaves a hole where a theme has no icon.
        buttons.rejected.connect(dialog.close)
        column = QVBoxLayout(dialog)
        margin = active_theme().px(16)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(margin)
        column.addWidget(form)
        column.addWidget(buttons)
        dialog.resize(active_theme().px(440), dialog.sizeHint().height())
        return dialog, buttons

    def set_full_screen(self, on: bool) -> None:
        state = self._window.windowState()
        full = Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | full if on else state & ~full)

    def reset_layout(self) -> None:
        self._window.reset_layout()

    # Panels

    def show_jobs(self) -> None:
        self._window.show_bottom("Jobs")

    def show_plots(self) -> None:
        self._window.show_bottom("Plots")

    def show_log(self) -> None:
        self._window.show_bottom("Log")

    def show_history(self) -> None:
        self._window.show_bottom("History")

    def show_start_page(self) -> None:
        self._window.show_start_page()

    # Help

    def show_palette(self) -> None:
        if self._palette is None:
            self._palette = CommandPalette(self._window)
        self._palette.open_with(self.commands())

    def commands(self) -> list[Command]:
        """Every action of the window for the palette."""
        table = self._window.actions_by_id
        return [
            Command(
                action, table.specs[key].words, table.specs[key].menu, str(action.property("reason") or "")
            )
            for key, action in table.actions.items()
        ]

    def show_shortcuts(self) -> None:
        table = self._window.actions_by_id
        lines: dict[str, list[str]] = {}
        for key, spec in table.specs.items():
            if spec.keys:
                row = f"  {_keys(table[key]):<22}{spec.text.rstrip('…')}"
                lines.setdefault(spec.menu, []).append(row)
        text = "\n\n".join("\n".join([menu, *rows]) for menu, rows in lines.items())
        self._text_dialog("dlg_shortcuts", "Keyboard shortcuts", text)

    def show_system_info(self) -> None:
        from app.system_info import describe_system

        text = "\n".join(f"{name}: {value}" for name, value in describe_system().items())
        self._text_dialog("dlg_system_info", "System information", text)

    def show_log_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_folder())))

    def show_about(self) -> None:
        self.ask(
            f"Isokiln {app_version()}",
            "3D reconstruction and editing with neural fields. Apache License 2.0.",
            [("Close", lambda: None)],
        )

    def _text_dialog(self, name: str, title: str, text: str) -> None:
        from widgets.text_dialog import TextDialog

        TextDialog(self._window, name, title, text).show()


def dress(preferences: Preferences) -> None:
    """Apply theme and scale. The scale stays so small that the least window fits on the screen; but text is never
    drawn with fewer pixels of the device than the design says."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    screen = app.primaryScreen()
    room = screen.availableSize()
    most = min(room.width() / LEAST_SIZE[0], room.height() / LEAST_SIZE[1])
    apply_theme(app, preferences.theme, min(preferences.ui_scale, max(1 / screen.devicePixelRatio(), most)))


def keep_room(window: QMainWindow) -> None:
    """Keep a window so large that its panels fit beside each other at the scale as it is."""
    window.setMinimumSize(_size_of(LEAST_SIZE))


def first_size() -> QSize:
    """How large a window is at first: as the design has it, where the screen has room for that."""
    room = QGuiApplication.primaryScreen().availableSize()
    return _size_of(_FIRST_SIZE).boundedTo(room).expandedTo(_size_of(LEAST_SIZE))


def _size_of(lengths: tuple[int, int]) -> QSize:
    return QSize(*(active_theme().px(length) for length in lengths))


def _keys(action: QAction) -> str:
    return ", ".join(keys.toString() for keys in action.shortcuts())
