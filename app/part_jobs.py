"""Parts that a run finds, by words or from mask pictures, and how they join the parts that a layer has already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.data_words import counted
from app.layers import Layer, Origin
from app.method_panel import StartWish
from app.network_folders import NetworkProblem, finder_problem, load_folders, remember_folder
from recon import method_by_id
from recon.romap import PART, RING
from recon.romap.part_table import (
    BY_HAND,
    MOST_FOUND,
    NO_PART,
    names_of,
    part_confidence,
    part_numbers,
    with_columns,
    with_names,
)
from render.gaussians import GaussianCloud
from render.images import PosedImages

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.parts_desk import PartsDesk

EVERYTHING_ELSE = 0  # the number that a run gives to what none of the words means
_VIEWS = RING.id
_USE: Literal["words"] = "words"  # of the network, in what is remembered of folders
_NETWORK = "clipseg"


class PartJobs(QObject):
    """Starts runs of `romap.part` on the layer whose parts are shown."""

    def __init__(self, window: MainWindow, desk: PartsDesk) -> None:
        super().__init__(desk)
        self._window, self._desk, self._panel = window, desk, window.parts_panel
        self._panel.by_words.wished.connect(self.find_words)
        self._panel.by_words.opened.connect(self.check_words)
        self._panel.by_words.network.chosen.connect(self._use_folder)
        self._panel.by_words.network.browse_wished.connect(self._browse)
        self._folder = load_folders().get(_USE, "")
        self._panel.by_masks.masks_wished.connect(self.choose_masks)
        self._panel.by_masks.ring_wished.connect(self.make_cameras)

    @property
    def cameras(self) -> Layer | None:
        """The posed images of the project: the views that masks and words are about."""
        project = self._window.project
        layers = [layer for layer in project.layers if isinstance(layer.data, PosedImages)]
        shown = [layer for layer in layers if project.is_visible(layer.id)]
        return next(iter([*shown, *layers]), None)

    def refresh(self) -> None:
        """Say which cameras there are."""
        cameras = self.cameras
        if cameras is None or not isinstance(cameras.data, PosedImages):
            words = "There are no cameras yet: import the scene that the masks belong to, or make some."
        else:
            words = f"Seen from “{cameras.name}”, {counted(len(cameras.data.used), 'camera')}."
        self._panel.by_masks.set_cameras(words, has_cameras=cameras is not None)

    def check_words(self) -> None:
        """Say whether the network for words is on this machine, and where to get it else."""

        folder, fold = self._folder, self._panel.by_words
        fold.network.set_folder(folder)

        def show(found: NetworkProblem | None) -> None:
            if found is not None:
                fold.set_problem(found.words, found.command)

        self._window.splats.look("network for words", lambda: finder_problem(_NETWORK, _USE, folder), show)

    def find_words(self, words: str) -> None:
        """Look for parts by their names; the network's views are the project's cameras, or a ring."""
        if words.strip():
            chosen = {"words_model": self._folder} if self._folder else {}
            self._start({"words": words.strip()} | chosen)

    def _use_folder(self, folder: str) -> None:
        self._folder = str(Path(folder).expanduser().absolute()) if folder else ""
        remember_folder(_USE, self._folder)
        self.check_words()

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Folder of the network", self._folder)
        if folder:
            self._use_folder(folder)

    def choose_masks(self) -> None:
        """Ask for a folder of mask pictures."""
        folder = QFileDialog.getExistingDirectory(self._window, "Choose the folder of masks")
        if folder:
            self.find_masks(Path(folder))

    def find_masks(self, folder: Path) -> None:
        """Find parts from mask pictures of the project's cameras."""
        if self.cameras is None:
            self._window.shell.toast(
                "Masks need the cameras of their images. Import that scene first.", "warning"
            )
            return
        self._start({"masks": str(folder)})

    def make_cameras(self) -> None:
        """Offer to make a ring of cameras around the splats."""
        self._window.method_panel.set_method(_VIEWS)
        self._window.show_task("Task")

    def _start(self, values: dict[str, str]) -> None:
        layer, cameras = self._desk.layer, self.cameras
        if layer is None:
            return
        inputs = {"cloud": layer.id, **({} if cameras is None else {"cameras": cameras.id})}
        settings = PART.make_settings(values).model_dump()
        device = self._window.method_panel.run_block.device()
        self._window.runs.start(StartWish(method_by_id(PART.id), settings, inputs, device, 0))


def with_found_parts(layer: Layer, found: GaussianCloud, origin: Origin) -> Layer | None:
    """The layer with the parts that a run found among its splats; None where they are others by now.

    Parts with a name get the number of that name, or a new one; others keep theirs. What was locked or put somewhere
    by hand stays.
    """
    cloud = layer.data
    if not isinstance(cloud, GaussianCloud):
        return None
    deleted = np.zeros(len(cloud), bool) if layer.marks is None else layer.marks.deleted
    rows = np.flatnonzero(~deleted)
    if len(rows) != len(found) or not np.array_equal(cloud.means[rows], found.means):
        return None
    numbers, names = _renumbered(cloud, found)
    before, sure = part_numbers(cloud).copy(), part_confidence(cloud)
    sure = np.where(before == NO_PART, 0, MOST_FOUND).astype(np.float32) if sure is None else sure.copy()
    free = sure[rows] < BY_HAND
    if layer.marks is not None:
        free &= ~layer.marks.locked[rows]
    new_sure = part_confidence(found)
    before[rows] = np.where(free, numbers, before[rows])
    if new_sure is not None:
        capped = np.where(numbers == NO_PART, 0, np.minimum(new_sure, MOST_FOUND))
        sure[rows] = np.where(free, capped, sure[rows])
    made = with_names(with_columns(cloud, before, sure), names)
    return replace(layer, data=made, origin=layer.origin or origin)


def _renumbered(cloud: GaussianCloud, found: GaussianCloud) -> tuple[np.ndarray, dict[int, str]]:
    """(n,) the parts of a run by the layer's numbers, and all names."""
    numbers, told, names = part_numbers(found).copy(), names_of(found), dict(names_of(cloud))
    own = set(names) | set(np.unique(part_numbers(cloud)).tolist())
    told = {number: name for number, name in told.items() if names.get(number) != name}
    places = {name.casefold(): number for number, name in names.items()}
    result = numbers.copy()
    for number, name in told.items():
        if number == EVERYTHING_ELSE:
            target = NO_PART
        else:
            target = places.get(name.casefold(), number if number not in own else max(0, *own) + 1)
            names[target] = names.get(target, name)
            own.add(target)
        result[numbers == number] = target
    return result, names
