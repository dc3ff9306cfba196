"""Export: which layers, as what, in which axes and unit, where to; and what the file will be before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from widgets.export_rows import ExportFormat, ExportLayer, ExportWarning, ExportWish, LayerChoice
from widgets.notices import severity_icon, wrapped_label
from widgets.parts import column_in, row_of, text_button
from widgets.setting_editors import CalmCombo
from widgets.settings_form import SettingsForm
from widgets.theme import active_theme, secondary_label


class ExportDialog(QDialog):
    """The dialog [dlg_export], not modal. After each `changed` the app says what the file will be.

    While the app writes, the dialog shows how far it is, and Cancel, Escape and the window's cross wish its end.
    """

    changed = Signal(object)  # ExportWish
    export_wished = Signal(object)  # ExportWish
    cancel_wished = Signal()
    warning_chosen = Signal(str)

    def __init__(
        self,
        layers: Sequence[ExportLayer],
        formats: Sequence[ExportFormat],
        frame_presets: Sequence[tuple[str, str]],
        folder: Path,
        stem: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dlg_export")
        self.setWindowTitle("Export")
        self.setModal(False)
        px = active_theme().px
        self.resize(px(560), px(640))
        self._formats = {each.id: each for each in formats}
        self._suffix = ""  # of the format that stands in the file's name
        self._folder, self._problem, self._command = folder, "", ""
        self._form: SettingsForm | None = None
        self._is_writing = False
        self._later = QTimer(self, singleShot=True, interval=60)
        self._later.timeout.connect(lambda: self.changed.emit(self.wish()))
        self._build(layers, frame_presets)
        self._path.setText(str(folder / f"{stem}{formats[0].suffix}"))
        self._on_format()

    def wish(self) -> ExportWish:
        """What Export would ask for now."""
        return ExportWish(
            layers=self._layers.chosen(),
            format=self._format.currentData(),
            path=Path(self._path.text().strip()).expanduser(),
            frame_preset=self._preset.currentData(),
            options=self._form.values() if self._form is not None else {},
            sidecar=self._sidecar.isChecked(),
        )

    def set_formats(self, formats: Sequence[ExportFormat]) -> None:
        """Offer these formats; the chosen one stays where it is among them."""
        if list(self._formats) == [each.id for each in formats]:
            return
        chosen = self._format.currentData()
        self._formats = {each.id: each for each in formats}
        self._format.clear()
        for each in formats:
            self._format.addItem(each.title, each.id)
        if chosen in self._formats:
            self._format.setCurrentIndex(self._format.findData(chosen))
        else:
            self._on_format()

    def set_estimate(self, text: str) -> None:
        """Say what the file will hold and how large it will be."""
        self._estimate.setText(text)

    def set_frame_text(self, text: str) -> None:
        """Say what the frame preset means here, for example "+Y up, metres, multiplied by 0.001"."""
        self._frame_text.setText(text)

    def set_command(self, command: str, reason: str = "") -> None:
        """What Copy CLI command puts on the clipboard; empty disables it, for this reason."""
        self._command = command
        self._copy.setEnabled(bool(command))
        self._copy.setToolTip(reason)

    def set_problem(self, sentence: str) -> None:
        """Why this cannot be exported as it stands, or ""."""
        self._problem = sentence
        self._refresh()

    def set_warnings(self, warnings: Sequence[ExportWarning]) -> None:
        """Show these above the buttons."""
        while (item := self._warnings.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for warning in warnings:
            self._warnings.addWidget(self._warning(warning))

    def set_writing(self, is_writing: bool) -> None:
        """Whether the app writes what was wished; nothing can be changed meanwhile."""
        self._is_writing = is_writing
        self._content.setEnabled(not is_writing)
        self._progress.setVisible(is_writing)
        self._progress.setValue(0)
        self._cancel.setEnabled(True)
        self._refresh()

    def set_progress(self, share: float) -> None:
        """How much of the file is written, 0 to 1."""
        self._progress.setValue(round(1000 * min(1.0, share)))

    def reject(self) -> None:
        """Close; while a file is written, wish that it ends first."""
        if self._is_writing:
            self._cancel.setEnabled(False)
            self.cancel_wished.emit()
        else:
            super().reject()

    def done(self, result: int) -> None:
        self._later.stop()
        super().done(result)

    def _build(self, layers: Sequence[ExportLayer], presets: Sequence[tuple[str, str]]) -> None:
        px = active_theme().px
        self._content = QWidget()
        self._content.setProperty("transparent", True)
        column = column_in(self._content, spacing=12)
        column.setContentsMargins(px(16), px(16), px(16), px(4))
        self._make_controls(layers, presets)
        column.addWidget(self._layers)
        column.addWidget(_heading("How"))
        column.addLayout(self._rows())
        self._options = QVBoxLayout()
        column.addLayout(self._options)
        column.addWidget(_heading("Where"))
        browse = text_button("Browse…", "folder-open")
        browse.clicked.connect(self._browse)
        column.addLayout(row_of(self._path, browse))
        column.addWidget(self._sidecar)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(self._content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = column_in(self, spacing=0)
        outer.addWidget(scroll, 1)
        rule = QFrame()
        rule.setProperty("rule", True)
        outer.addWidget(rule)
        outer.addLayout(self._foot())

    def _make_controls(self, layers: Sequence[ExportLayer], presets: Sequence[tuple[str, str]]) -> None:
        self._layers = LayerChoice(layers)
        self._format, self._preset = CalmCombo(), CalmCombo()
        self._format.setObjectName("export_format")
        self._preset.setObjectName("export_preset")
        for each in self._formats.values():
            self._format.addItem(each.title, each.id)
        for preset, text in presets:
            self._preset.addItem(text, preset)
        self._note, self._frame_text = secondary_label(""), secondary_label("")
        self._path = QLineEdit()
        self._path.setObjectName("export_path")
        self._path.setAccessibleName("File")
        self._sidecar = QCheckBox("Write the transform, unit and origin beside it (.export.json)")
        self._sidecar.setChecked(True)
        self._layers.changed.connect(self._on_changed)
        self._format.activated.connect(self._on_format)
        self._preset.activated.connect(self._on_changed)
        self._path.textChanged.connect(self._on_changed)
        self._sidecar.toggled.connect(self._on_changed)

    def _rows(self) -> QGridLayout:
        px = active_theme().px
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(8))
        grid.setVerticalSpacing(px(4))
        grid.setColumnMinimumWidth(0, px(124))
        grid.setColumnStretch(1, 1)
        for row, (text, combo, note) in enumerate(
            (("Format", self._format, self._note), ("Axes and unit", self._preset, self._frame_text))
        ):
            label = QLabel(text)
            label.setBuddy(combo)
            combo.setAccessibleName(text)
            note.setWordWrap(True)
            grid.addWidget(label, 2 * row, 0)
            grid.addWidget(combo, 2 * row, 1)
            grid.addWidget(note, 2 * row + 1, 1)
        return grid

    def _foot(self) -> QVBoxLayout:
        px = active_theme().px
        self._warnings = QVBoxLayout()
        self._warnings.setSpacing(px(8))
        self._estimate = wrapped_label("")
        self._reason = secondary_label("")
        self._reason.setWordWrap(True)
        self._copy = text_button("Copy CLI command", "terminal")
        self._copy.setProperty("quiet", True)
        self._copy.setEnabled(False)
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._command))
        self._progress = QProgressBar()
        self._progress.setObjectName("export_progress")
        self._progress.setAccessibleName("How much is written")
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(px(6))
        self._progress.hide()
        self._cancel = text_button("Cancel")
        self._cancel.setObjectName("export_cancel")
        self._cancel.clicked.connect(self.reject)
        self._export = text_button("Export", "upload", is_primary=True)
        self._export.setObjectName("export_accept")
        self._export.clicked.connect(lambda: self.export_wished.emit(self.wish()))
        foot = QVBoxLayout()
        foot.setContentsMargins(px(16), px(12), px(16), px(16))
        foot.setSpacing(px(8))
        foot.addLayout(self._warnings)
        foot.addWidget(self._estimate)
        foot.addWidget(self._reason)
        foot.addWidget(self._progress)
        foot.addLayout(row_of(self._copy, 1, self._cancel, self._export))
        return foot

    def _warning(self, warning: ExportWarning) -> QWidget:
        box = QFrame()
        box.setProperty("notice", True)
        row = QHBoxLayout(box)
        row.setSpacing(active_theme().px(8))
        row.addWidget(severity_icon(warning.severity))
        row.addWidget(wrapped_label(warning.text), 1)
        for action in warning.actions:
            button = QPushButton(action.text)
            button.clicked.connect(lambda _=False, chosen=action.id: self.warning_chosen.emit(chosen))
            row.addWidget(button)
        return box

    def _on_format(self) -> None:
        chosen = self._formats[self._format.currentData()]
        self._note.setText(chosen.note)
        self._preset.setCurrentIndex(max(0, self._preset.findData(chosen.frame_preset)))
        with QSignalBlocker(self._path):
            self._path.setText(_with_ending(self._path.text(), self._suffix, chosen.suffix))
        self._suffix = chosen.suffix
        if self._form is not None:
            self._form.hide()
            self._form.deleteLater()
            self._form = None
        if chosen.options is not None:
            self._form = SettingsForm(chosen.options)
            self._form.values_changed.connect(self._on_changed)
            self._options.addWidget(self._form)
        self._on_changed()

    def _on_changed(self) -> None:
        self._problem = ""  # the app looks again and says so when it still cannot be
        self._refresh()
        self._later.start()

    def _refresh(self) -> None:
        wish = self.wish()
        reason = self._problem
        if not wish.layers:
            reason = "Choose at least one layer."
        elif not wish.path.name or not wish.path.suffix:
            reason = "Type a file name."
        elif self._form is not None and self._form.problem():
            reason = self._form.problem()
        if self._is_writing:
            reason = "Writing the file…"
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))
        self._export.setEnabled(not reason)
        self._export.setToolTip(reason)

    def _browse(self) -> None:
        chosen = self._formats[self._format.currentData()]
        pattern = f"{chosen.title} (*{chosen.suffix})"
        name, _ = QFileDialog.getSaveFileName(self, "Export to", self._path.text(), pattern)
        if name:
            path = Path(name)
            self._path.setText(str(path if path.suffix else path.with_name(path.name + chosen.suffix)))


def _with_ending(path: str, old: str, new: str) -> str:
    """The path with another format's ending, which may have two parts."""
    if old and path.lower().endswith(old):
        return path[: -len(old)] + new
    return str(Path(path).with_suffix(new))


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
