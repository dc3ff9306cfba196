"""Views edited by a network on this machine, through diffusers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recon.diffusion.painter import make_painter
from recon.dn2n.editors import EditorWishes
from recon.dn2n.editors.editor import EditPlan, SceneView
from recon.errors import InputError


class NetworkEditor:
    """Edits each view by itself. All views begin from the same noise, which lowers their contradictions for free.

    Its option `model` is an id of the table of networks or a folder; the others are those of PaintOptions. Making one
    raises InputError, SettingsError, MissingModel, OutOfMemory.
    """

    plan: EditPlan

    def __init__(self, name: str, wishes: EditorWishes) -> None:
        prompt = wishes.prompt.strip()
        if not prompt:
            raise InputError("The prompt is empty.", "Say in a sentence what is to change.")
        options = dict(wishes.options)
        model = str(options.pop("model", "") or "")
        self._painter = make_painter(name, model, options, wishes.device)
        self._strength = wishes.strength
        local = self._painter.local
        notes = (
            (f"At a strength of {wishes.strength:g}, edited views and photos are mixed.",)
            if wishes.strength < 1 and not self._painter.takes_strength
            else ()
        )
        self.plan = EditPlan(
            prompt, self._painter.kind.label, (prompt,), consistency="none", notes=(*notes, *self._painter.notes()),
            model=local.name, model_hash=local.sha256,
        )  # fmt: skip

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """Nothing is learned from the other views."""

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """(H, W, 3) the edited picture; outside the mask the view bit for bit. Raises OutOfMemory, InputError."""
        return self._painter.paint(view.rgb, view.mask, self.plan.prompt, seed, self._strength)

    def close(self) -> None:
        """Let go of the network and its memory."""
        self._painter.close()


_Make = Callable[[EditorWishes], NetworkEditor]
ip2p: _Make = partial(NetworkEditor, "ip2p")
img2img: _Make = partial(NetworkEditor, "img2img")
sdxl: _Make = partial(NetworkEditor, "sdxl")
sd3: _Make = partial(NetworkEditor, "sd3")
flux_kontext: _Make = partial(NetworkEditor, "flux-kontext")
qwen_image_edit: _Make = partial(NetworkEditor, "qwen-image-edit")
null_text: _Make = partial(NetworkEditor, "null-text")
