"""Every kind of control in both themes, as pictures to look at: `python tests/widgets/gallery.py FOLDER [SCALE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QToolBar,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from widgets.icons import IconLabel, app_icon, icon
from widgets.theme import active_theme, apply_theme, secondary_label, title_label


def gallery() -> QMainWindow:
    """A window that holds every kind of control."""
    window = QMainWindow()
    window.setWindowIcon(app_icon())
    window.resize(1400, 900)
    for name in ("File", "Edit", "View", "Help"):
        window.menuBar().addMenu(name).addAction("Something")
    window.addToolBar(_tool_bar())
    window.setCentralWidget(_forms())
    for title, area, widget in (
        ("Layers", Qt.DockWidgetArea.LeftDockWidgetArea, _tree()),
        ("Task", Qt.DockWidgetArea.RightDockWidgetArea, _task()),
        ("Jobs", Qt.DockWidgetArea.BottomDockWidgetArea, _table()),
        ("Log", Qt.DockWidgetArea.BottomDockWidgetArea, QPlainTextEdit("12:01 Started")),
    ):
        dock = QDockWidget(title)
        dock.setWidget(widget)
        window.addDockWidget(area, dock)
    docks = window.findChildren(QDockWidget)
    window.tabifyDockWidget(docks[2], docks[3])
    docks[2].raise_()
    window.statusBar().showMessage("Ready")
    window.statusBar().addPermanentWidget(QLabel("Z up, mm"))
    return window


def _tool_bar() -> QToolBar:
    bar = QToolBar()
    bar.setIconSize(
        bar.iconSize().scaled(*(active_theme().px(20),) * 2, Qt.AspectRatioMode.IgnoreAspectRatio)
    )
    for name in (
        "file-plus",
        "folder-open",
        "save",
        "",
        "undo-2",
        "redo-2",
        "",
        "import",
        "play",
        "pause",
        "square",
    ):
        if not name:
            bar.addSeparator()
            continue
        action = bar.addAction(icon(name, 20), name)
        action.setDisabled(name == "redo-2")
        if name == "play":
            action.setCheckable(True)
            action.setChecked(True)
    button = QToolButton()
    button.setText("Shaded")
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(QMenu())
    bar.addWidget(button)
    return bar


def _forms() -> QWidget:
    page = QWidget()
    layout = QHBoxLayout(page)
    form = QFormLayout()
    spin, real, combo = QSpinBox(), QDoubleSpinBox(), QComboBox()
    combo.addItems(["Balanced", "Best"])
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setValue(40)
    field, disabled, invalid = QLineEdit("Left hand"), QLineEdit("Not now"), QLineEdit("abc")
    field.setPlaceholderText("Name")
    disabled.setEnabled(False)
    invalid.setProperty("invalid", True)
    progress = QProgressBar()
    progress.setValue(62)
    progress.setTextVisible(False)
    rows = [
        ("Name", field), ("Disabled", disabled), ("Invalid", invalid), ("Planes", spin), ("Spacing", real),
        ("Preset", combo), ("Opacity", slider), ("Progress", progress), ("", QCheckBox("Keep small parts")),
        ("", _checked(QCheckBox("Fill holes"))), ("", _checked(QCheckBox("Not now"), False)),
        ("", QRadioButton("Natural caps")), ("", _checked(QRadioButton("Flat caps"))),
    ]  # fmt: skip
    for label, widget in rows:
        form.addRow(label, widget)
    layout.addLayout(form, 1)
    layout.addWidget(_card(), 1)
    return page


def _checked(button: QCheckBox | QRadioButton, enabled: bool = True) -> QWidget:
    button.setChecked(True)
    button.setEnabled(enabled)
    return button


def _card() -> QWidget:
    card = QFrame()
    card.setProperty("card", True)
    layout = QVBoxLayout(card)
    layout.addWidget(title_label("From cross-sections to a solid"))
    layout.addWidget(secondary_label("Open slices and get a watertight mesh"))
    for text, name, role in (
        ("Start", "play", "primary"),
        ("Try sample", "flame", ""),
        ("Cancel", "x", "quiet"),
    ):
        button = QPushButton(text)
        if role:
            button.setProperty(role, True)
        button.setIcon(icon(name, 16, "on_accent" if role == "primary" else "text"))
        layout.addWidget(button)
    off = QPushButton("Export…")
    off.setEnabled(False)
    layout.addWidget(off)
    row = QHBoxLayout()
    for name, color in (
        ("circle-check", "ok"),
        ("triangle-alert", "warn"),
        ("circle-x", "error"),
        ("info", "link"),
    ):
        row.addWidget(IconLabel(name, 20, color))
    layout.addLayout(row)
    row = QHBoxLayout()
    for name in ("slices", "mesh", "splats", "images", "cameras", "points", "field", "views", "measurement"):
        row.addWidget(IconLabel(f"layer-{name}", 20))
        row.addWidget(IconLabel(f"layer-{name}", 16))
    layout.addLayout(row)
    row = QHBoxLayout()
    for size in (16, 24, 32, 64, 128):
        label = QLabel()
        label.setPixmap(app_icon().pixmap(size, size))
        row.addWidget(label)
    layout.addLayout(row)
    group = QGroupBox("All parameters")
    QVBoxLayout(group).addWidget(QCheckBox("Symmetric"))
    layout.addWidget(group)
    layout.addStretch()
    return card


def _tree() -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels(["Name", "Points"])
    parent = QTreeWidgetItem(tree, ["Hand", "15 planes"])
    parent.setIcon(0, icon("layer-slices"))
    for name in ("Surface r1", "Surface r2"):
        child = QTreeWidgetItem(parent, [name, "12 400"])
        child.setIcon(0, icon("layer-mesh"))
        child.setCheckState(0, Qt.CheckState.Checked)
    parent.setExpanded(True)
    tree.setCurrentItem(parent.child(0))
    return tree


def _table() -> QTableWidget:
    table = QTableWidget(4, 3)
    table.setHorizontalHeaderLabels(["State", "Name", "Progress"])
    for row in range(4):
        for column, text in enumerate(("Running", "Surface r1", "62 %")):
            table.setItem(row, column, QTableWidgetItem(text))
    table.selectRow(1)
    return table


def _task() -> QWidget:
    tabs = QTabWidget()
    names = QListWidget()
    names.addItems([f"Plane {i}" for i in range(1, 40)])
    tabs.addTab(names, "Planes")
    tabs.addTab(QWidget(), "Settings")
    return tabs


def main(folder: Path, scale: float) -> None:
    app = QApplication([])
    for name in ("dark", "light"):
        apply_theme(app, name, scale)
        window = gallery()
        window.show()
        menu = QMenu(window)
        for text, key, ico in (
            ("Rename", "F2", "pencil"),
            ("Remove", "Del", "trash-2"),
            ("Isolate", "", "focus"),
        ):
            action = QAction(icon(ico), text, menu)
            action.setShortcut(QKeySequence(key))
            action.setEnabled(text != "Isolate")
            menu.addAction(action)
        menu.popup(window.mapToGlobal(window.rect().center()))
        app.processEvents()
        window.grab().save(str(folder / f"gallery-{name}.png"))
        menu.grab().save(str(folder / f"menu-{name}.png"))
        menu.close()
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
