"""Where a network lies on this machine, and, while it is not there, what it is and how to get it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from widgets.parts import StateLabel, column_in, icon_button, row_of, text_button
from widgets.theme import secondary_label


class NetworkRow(QWidget):
    """A field for a folder, with a sentence below it [network_row].

    chosen: a folder that was typed or cleared, "" for the usual place. browse_wished: look for it among the files.
    """

    chosen = Signal(str)
    browse_wished = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._command = ""
        label = secondary_label("Network on this machine")
        self.folder = QLineEdit()
        self.folder.setObjectName(f"{name}_folder")
        self.folder.setAccessibleName("Folder of the network")
        self.folder.setPlaceholderText("In its usual place")
        self.folder.setClearButtonEnabled(True)
        self.folder.editingFinished.connect(self._on_typed)
        self.folder.textChanged.connect(lambda text: self._on_typed() if not text else None)
        label.setBuddy(self.folder)
        self.browse = icon_button(
            "folder-open", "Choose the folder", "Choose the folder that holds the network"
        )
        self.browse.setObjectName(f"{name}_browse")
        self.browse.clicked.connect(self.browse_wished)
        self._state = StateLabel()
        self._state.setObjectName(f"{name}_state")
        self._copy = text_button("Copy the command that fetches it", "clipboard-copy")
        self._copy.setObjectName(f"{name}_copy")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._command))
        self._told = ""
        column = column_in(self, spacing=4)
        column.addWidget(label)
        field = row_of(self.folder, self.browse, spacing=4)
        field.setStretchFactor(self.folder, 1)
        column.addLayout(field)
        column.addWidget(self._state)
        column.addWidget(self._copy)
        self.set_problem("")

    @property
    def problem(self) -> str:
        """Why the network cannot be used; "" when it can."""
        return self._state.text() if self._state.isVisibleTo(self) else ""

    def set_folder(self, folder: str) -> None:
        """Show a folder; tells nobody."""
        self._told = folder
        if self.folder.text() != folder:
            self.folder.setText(folder)
        self.folder.setToolTip(folder or "Its own folder among those of Isokiln, or the Hugging Face cache")

    def set_problem(self, words: str, command: str = "") -> None:
        """Say why the network cannot be used, and offer the command that would help; "" when it can."""
        self._command = command
        self._state.setVisible(bool(words))
        if words:
            self._state.say(words, "warn", "download" if command else "triangle-alert")
        self._copy.setVisible(bool(command))
        self._copy.setToolTip(command)

    def _on_typed(self) -> None:
        folder = self.folder.text().strip()
        if folder != self._told:
            self._told = folder
            self.chosen.emit(folder)


def field_label(words: str) -> QLabel:
    """What a field is called, in the first column of a form."""
    label = QLabel(words)
    label.setProperty("role", "field")
    return label
