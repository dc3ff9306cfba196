"""What changes single views by words, a style picture or a folder: one table, one way to make them.

Light to import: each editor's own module is loaded when it is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from recon.dn2n.editors.editor import Editor, EditPlan, SceneView
from recon.dn2n.editors.prompt import Prompt, parse_prompt
from recon.errors import SettingsError

__all__ = [
    "EDITORS", "EditPlan", "Editor", "EditorKind", "EditorWishes", "Prompt", "SceneView", "make_editor", "parse_prompt",
]  # fmt: skip


@dataclass(frozen=True)
class EditorWishes:
    """What an editor is made from. strength: 0 leaves everything as it is, 1 is as the prompt says. style: a picture.
    folder: of edited pictures. device: where networks run. options: of one editor alone, by name."""

    prompt: str
    strength: float = 1.0
    style: Path | None = None
    folder: Path | None = None
    device: str = "cpu"
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class EditorKind:
    """One way to edit views, as a person chooses it.

    sentence: what it does. needs: besides the prompt. license: of what it uses, in a line. made_at: "module:function"
    from wishes to an editor, imported only when one is made.
    """

    id: str
    title: str
    sentence: str
    needs: Literal["nothing", "picture", "folder", "network"]
    license: str
    made_at: str


EDITORS: tuple[EditorKind, ...] = (
    EditorKind(
        "procedural", "Built-in effects",
        "Changes light, season, weather, material, colour and style by rules; the same from all sides; not AI.",
        "nothing", "Part of this program, Apache-2.0; nothing else needed.",
        "recon.dn2n.editors.procedural:ProceduralEditor",
    ),
    EditorKind(
        "style-image", "Colours of a picture",
        "Gives all views the colours of a picture that you choose, the same from all sides; not AI.",
        "picture", "Part of this program, Apache-2.0; the picture is yours.",
        "recon.dn2n.editors.style_image:StyleImageEditor",
    ),
    EditorKind(
        "folder", "Pictures edited elsewhere",
        "Takes views that you edited in another program, by their file names.",
        "folder", "Part of this program, Apache-2.0; the pictures are yours.",
        "recon.dn2n.editors.folder:FolderEditor",
    ),
    EditorKind(
        "ip2p", "InstructPix2Pix",
        "A network changes each photo as an instruction says; views differ, which is repaired afterwards.",
        "network", "InstructPix2Pix, MIT; 5.5 GB.", "recon.dn2n.editors.network:ip2p",
    ),
    EditorKind(
        "null-text", "Null-text inversion",
        "A network redraws each photo from its own noise by changed words, and keeps its layout; slow.",
        "network", "Stable Diffusion 1.5, CreativeML OpenRAIL-M; 5.5 GB.", "recon.dn2n.editors.network:null_text",
    ),
    EditorKind(
        "img2img", "Image to image",
        "A network redraws each noised photo by words that describe all of it; more noise, more change.",
        "network", "Stable Diffusion 1.5, CreativeML OpenRAIL-M; 5.5 GB.", "recon.dn2n.editors.network:img2img",
    ),
    EditorKind(
        "sdxl", "Stable Diffusion XL",
        "Image to image with a larger network, which needs a GPU of 12 GB.",
        "network", "SDXL, CreativeML OpenRAIL++-M; 14 GB.", "recon.dn2n.editors.network:sdxl",
    ),
    EditorKind(
        "sd3", "Stable Diffusion 3",
        "Image to image with a network that reads words well, which needs a GPU of 16 GB.",
        "network", "Stability AI Community, commercial use limited; 16 GB, after consent.",
        "recon.dn2n.editors.network:sd3",
    ),
    EditorKind(
        "flux-kontext", "FLUX Kontext",
        "A large network changes each photo as an instruction says; needs a GPU of 24 GB or offloading.",
        "network", "FLUX.1 dev, non-commercial; 34 GB, after consent.", "recon.dn2n.editors.network:flux_kontext",
    ),
    EditorKind(
        "qwen-image-edit", "Qwen Image Edit",
        "A very large network changes each photo as an instruction says; needs a GPU of 48 GB or offloading.",
        "network", "Apache-2.0; 58 GB.", "recon.dn2n.editors.network:qwen_image_edit",
    ),
)  # fmt: skip


def make_editor(
    name: str,
    prompt: str,
    *,
    strength: float = 1.0,
    style: Path | None = None,
    folder: Path | None = None,
    device: str = "cpu",
    options: Mapping[str, object] | None = None,
) -> Editor:
    """The editor called `name` in EDITORS, for one prompt.

    Raises SettingsError for a name or a strength that cannot be, InputError where nothing of the prompt can be done,
    MissingModel where a network is not on the machine.
    """
    kind = next((kind for kind in EDITORS if kind.id == name), None)
    if kind is None:
        known = ", ".join(each.id for each in EDITORS)
        raise SettingsError(f"There is no editor called “{name}”.", f"Choose one of {known}.")
    if not 0 <= strength <= 1:
        raise SettingsError(
            f"The strength is {strength:g}.", "It must be between 0, which changes nothing, and 1."
        )
    module, function = kind.made_at.split(":")
    make = cast(Callable[[EditorWishes], Editor], getattr(importlib.import_module(module), function))
    return make(EditorWishes(prompt, strength, style, folder, device, dict(options or {})))
