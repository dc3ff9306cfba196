"""What went wrong, what to do, and everything that a report needs: a sheet, never a traceback in the face."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QToolButton, QWidget

from widgets.icons import icon
from widgets.notices import NoticeAction, Severity, Sheet
from widgets.theme import active_theme, fixed_font

CLOSE = NoticeAction("close", "Close")


class ErrorDialog(Sheet):
    """A sentence, an advice, the details behind a fold, and Copy details. `chosen` gives the action's id."""

    def __init__(
        self,
        host: QWidget,
        sentence: str,
        advice: str = "",
        details: str = "",
        actions: Sequence[NoticeAction] = (CLOSE,),
        severity: Severity = "error",
    ) -> None:
        super().__init__(host, sentence, advice, actions, severity, width=560)
        self.setObjectName("dlg_error")
        self._report = "\n\n".join(part for part in (sentence, advice, details) if part)
        if details:
            self._add_details(details)
        self._copy = QPushButton(icon("copy"), "Copy details")
        self._copy.setProperty("quiet", True)
        self._copy.clicked.connect(self.copy_details)
        self.add_leading_button(self._copy)
        self.appear()

    def copy_details(self) -> None:
        """Put sentence, advice and details on the clipboard."""
        QGuiApplication.clipboard().setText(self._report)
        self._copy.setText("Copied")

    def _add_details(self, details: str) -> None:
        fold = QToolButton()
        fold.setText("Details")
        fold.setCheckable(True)
        fold.setIcon(icon("chevron-right", 16, "text_second"))
        fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        text = QPlainTextEdit(details)
        text.setReadOnly(True)
        text.setFont(fixed_font(active_theme()))
        text.setFixedHeight(active_theme().px(180))
        text.setAccessibleName("Details")
        text.hide()
        fold.toggled.connect(text.setVisible)
        fold.toggled.connect(
            lambda is_open: fold.setIcon(
                icon("chevron-down" if is_open else "chevron-right", 16, "text_second")
            )
        )
        self.body.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(text)
        fold.show()
