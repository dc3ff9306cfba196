"""The tab for edits by words: the prompt box, versions, and what was asked for before."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget

from widgets.parts import EmptyPlace, FoldButton, column_in, text_button
from widgets.prompt_box import PromptBox
from widgets.prompt_history import PromptHistory
from widgets.theme import active_theme
from widgets.version_tree import VersionTree


class EditPanel(QWidget):
    """The tab [edit_panel]. import_wished: there is nothing yet that could be edited."""

    import_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("edit_panel")
        self.prompt, self.history, self.versions = PromptBox(), PromptHistory(), VersionTree()
        button = text_button("Import…", "import")
        button.clicked.connect(self.import_wished)
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyPlace(
                "wand-sparkles",
                "Change a part of splats, or a whole scene, by saying how it should look. Open one first.",
                button,
            )
        )
        self._pages.addWidget(self._build())
        column_in(self).addWidget(self._pages)

    def set_usable(self, is_usable: bool) -> None:
        """Whether there is anything to edit."""
        self._pages.setCurrentIndex(int(is_usable))

    def show_versions(self, is_shown: bool) -> None:
        """Whether there is more than one version."""
        self._versions_fold.setVisible(is_shown)
        self.versions.setVisible(is_shown and self._versions_fold.is_open)

    def show_history(self, is_shown: bool) -> None:
        """Whether anything was asked for before."""
        self._history_fold.setVisible(is_shown)
        self.history.setVisible(is_shown and self._history_fold.is_open)

    def open_history(self) -> None:
        """Unfold what was asked for before, ready to be searched."""
        self._set_open(self._history_fold, self.history, True)
        (self.history.search if self.history.search.isVisible() else self.history.list).setFocus()

    def add_above(self, widget: QWidget) -> None:
        """Put something above the prompt."""
        self._column.insertWidget(0, widget)
        self._column.insertSpacing(1, active_theme().px(8))

    # Inner life

    def _build(self) -> QWidget:
        px = active_theme().px
        inner = QWidget()
        inner.setProperty("transparent", "true")
        self._column = column = column_in(inner, spacing=6)
        column.setContentsMargins(px(12), px(12), px(12), px(12))
        column.addWidget(self.prompt)
        column.addSpacing(px(4))
        self._versions_fold = FoldButton("Versions")
        self._history_fold = FoldButton("Earlier edits")
        for fold, content in ((self._versions_fold, self.versions), (self._history_fold, self.history)):
            fold.clicked.connect(lambda _=False, f=fold, c=content: self._set_open(f, c, not f.is_open))
            column.addWidget(fold)
            column.addWidget(content)
        self._set_open(self._versions_fold, self.versions, True)
        self._set_open(self._history_fold, self.history, False)
        self.show_versions(False)
        self.show_history(False)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        self._scroll, self._told = scroll, ("", "")
        self.prompt.settings.changed.connect(self._bring_up_network)
        page = QWidget()
        page.setProperty("transparent", "true")
        outer = column_in(page)
        outer.addWidget(scroll, 1)
        self.prompt.foot.setContentsMargins(px(12), px(8), px(12), px(12))
        outer.addWidget(self.prompt.foot)
        return page

    def _bring_up_network(self) -> None:
        """Scroll to the field for a network when one was chosen, or when it is told why that cannot be used."""
        engine = self.prompt.settings.chosen
        told = ("", "") if engine is None or not engine.is_network else (engine.id, engine.problem)
        if told != self._told and told[0]:
            network = self.prompt.settings.network
            QTimer.singleShot(0, network, lambda: self._scroll.ensureWidgetVisible(network, 0, 0))
        self._told = told

    def _set_open(self, fold: FoldButton, content: QWidget, is_open: bool) -> None:
        fold.set_open(is_open)
        content.setVisible(is_open)
