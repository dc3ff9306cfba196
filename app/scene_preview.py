"""An edit of a scene tried on one of its photos, beside the original, before anything changes in 3D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.background import Background
from app.edit_engines import is_network
from app.edit_preview import Preview, preview_of, preview_with
from app.edit_target import EditTarget
from app.errors import ErrorReport, describe_error
from app.preview_job import NetworkPreview, PreviewJob, PreviewWish
from render.images import PosedImages
from widgets.compare_canvas import ComparePicture
from widgets.preview_row import PreviewRow
from widgets.prompt_box import PromptWish

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.scene_edit_desk import SceneEditDesk


class ScenePreview(QObject):
    """Makes previews: by rules on a thread, by a network in a process of its own, which can be cancelled."""

    def __init__(self, window: MainWindow, desk: SceneEditDesk) -> None:
        super().__init__(desk)
        self._window, self._desk = window, desk
        self.row, self.has_preview = PreviewRow(), False
        self.job, self._background = PreviewJob(self), Background(self)
        self._asked: tuple[PosedImages, int, PromptWish] | None = None  # what is shown when it is done
        self.row.wished.connect(self.make)
        self.row.cancelled.connect(self._cancel)
        self.job.progressed.connect(self.row.set_progress)
        self.job.done.connect(self._show_of_network)
        self.job.failed.connect(self._show_problem)
        box = window.edit_panel.prompt
        box.text_changed.connect(lambda _: self._forget_words())
        box.settings.engine_chosen.connect(lambda _: self._forget_words())

    def make(self) -> None:
        """Edit the current photo alone, and show it beside the original."""
        box, scene, target = self._window.edit_panel.prompt, self._desk.scene, self._window.edits.target
        if scene is None or target is None or not isinstance(scene.data, PosedImages) or self.job.is_running:
            return
        self._window.edits.read_words()
        wish = box.wish()
        if box.problem:  # It is told beside the sentence or the network already.
            box.text.setFocus()
            return
        problem = self._desk.problem() if wish.text or box.has_pictures else "Say first what is to change."
        if problem:
            self.row.set_state(problem, "warn")
            return
        self._begin(target, wish, scene.data)

    def forget(self) -> None:
        """Another project comes."""
        self.job.cancel()
        self.has_preview, self._asked = False, None
        self.row.set_state("")

    def close(self) -> None:
        """The window closes."""
        self.job.close()
        self._background.close()

    # Inner life

    def _begin(self, target: EditTarget, wish: PromptWish, posed: PosedImages) -> None:
        window, view = self._window, self._desk.current_view(posed)
        values = window.edits.settings_of(target, wish)
        layers = (
            (slot, window.project.layer(layer_id))
            for slot, layer_id in self._desk.inputs(target.layer).items()
        )
        others = {slot: layer.content for slot, layer in layers if layer is not None and slot != "scene"}
        self._asked = posed, view, wish
        if is_network(str(values.get("editor", ""))):
            device = window.method_panel.run_block.device()
            self.job.start(PreviewWish(posed, view, values, wish.seed, others, device))  # type: ignore[arg-type]
            return
        self.row.set_state("Editing one view…", "busy")
        self._background.run(
            "preview",
            lambda: preview_of(posed, view, values, wish.seed, others),
            self._show,
            self._show_problem,
        )

    def _show_of_network(self, made: NetworkPreview) -> None:
        self._show(preview_with(made.before, made.after, made.figures))

    def _show(self, found: Preview) -> None:
        if self._asked is None:
            return
        posed, view, wish = self._asked
        window = self._window
        if window.compare_view.isHidden():
            window.show_compare()
        name = posed.images.names[view].rpartition("/")[2]
        pictures = [ComparePicture("Before", found.before), ComparePicture("Edited view", found.after)]
        window.compare_view.show_image(name, pictures, "Preview of one view")
        words = f"Previewed in {found.seconds:.1f} s; nothing changed in 3D."
        facts = ", ".join(filter(None, (found.made_by, f"seed {wish.seed}")))
        self.row.set_state(f"{words} {found.note}".strip(), "info" if found.is_visible else "warn", facts)
        self.has_preview = True
        window.steps.update()

    def _show_problem(self, error: Exception | ErrorReport) -> None:
        report = error if isinstance(error, ErrorReport) else describe_error(error)
        self.row.set_state(f"{report.sentence} {report.advice}", "warn")

    def _cancel(self) -> None:
        self.job.cancel()
        self.row.set_state("The preview was cancelled; nothing changed.")

    def _forget_words(self) -> None:
        """Something else is asked for: what was said of the preview before is not about it."""
        if self.row.button.isEnabled():
            self.row.set_state("")
