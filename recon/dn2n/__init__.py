"""Edited views of a scene from anywhere, without training for it (DN2N, arXiv:2309.04917)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from recon.method import InputSlot, Method, Settings

_BASIC: dict[str, Any] = {"basic": True}


def _absolute(path: str) -> str:
    """A path that holds wherever the run happens; "" stays."""
    return str(Path(path).expanduser().absolute()) if path else ""


def _absolute_folder(name: str) -> str:
    """A network's folder as a path that holds wherever the run happens; other names stay."""
    return _absolute(name) if Path(name).expanduser().is_dir() else name


PathText = Annotated[str, AfterValidator(_absolute)]
NetworkName = Annotated[str, AfterValidator(_absolute_folder)]
EditorName = Literal[
    "procedural", "style-image", "folder", "ip2p", "null-text", "img2img", "sdxl", "sd3", "flux-kontext",
    "qwen-image-edit",
]  # fmt: skip


class EditSceneSettings(Settings):
    """What a person may change about an edit of a whole scene."""

    prompt: str = Field("", title="Prompt", json_schema_extra=_BASIC)
    """What to change, in words: “make it autumn”, “a night scene”, “the wall is dark blue”."""
    editor: EditorName = Field("procedural", title="Editor", json_schema_extra=_BASIC)
    """Who edits the single views: procedural (built-in effects), style-image, folder, or a network on this machine."""
    strength: float = Field(1.0, ge=0.0, le=1.0, title="Strength", json_schema_extra=_BASIC)
    """0 leaves everything as it is, 1 is as the prompt says."""
    style: PathText = Field("", title="Style picture", json_schema_extra=_BASIC | {"metavar": "FILE"})
    """The picture whose colours the scene gets, for the editor style-image."""
    edits: PathText = Field("", title="Edited pictures", json_schema_extra=_BASIC | {"metavar": "FOLDER"})
    """Folder of views that were edited elsewhere, named as the photos, for the editor folder."""
    model: NetworkName = Field("", title="Network", json_schema_extra={"metavar": "NAME"})
    """For editors that are networks: an id of the table of networks, or a folder that diffusers can load. Empty: the one
    that its editor is made for."""
    guidance: float | None = Field(None, ge=0, le=200, title="Guidance", json_schema_extra={"none": "Auto"})
    """How strongly a network heeds the words; not given: as its authors advise."""
    denoising_steps: int | None = Field(
        None, ge=1, le=1000, title="Steps of the network", json_schema_extra={"none": "Auto", "unit": "steps"}
    )
    """Of denoising, for each view; not given: as its authors advise."""
    options: tuple[str, ...] = Field((), title="Options of the editor")
    """NAME=VALUE each, of a network: size, noise, negative, source (what the photos show), offload, precision, apg and
    others."""
    masks: PathText = Field("", title="Masks", json_schema_extra={"metavar": "FOLDER"})
    """Folder of PNG named as the photos: white where the edit is wanted. Outside, pictures keep their bytes. For several
    things: a folder in it for each by its name (sofa, wall), or pictures of numbers with a labels.json of their names."""
    part: int = Field(-1, ge=-1, title="Part")
    """Number of a part of the splats given with the scene, to which the edit is limited; -1 for the whole scene."""
    views: int = Field(1, ge=1, le=1000, title="Edit every", json_schema_extra=_BASIC | {"unit": "photos"})
    """Every n-th photo is edited; novel views are made of these."""
    only: tuple[str, ...] = Field((), title="Only these photos")
    """Names of the photos that are edited; all where none is named."""
    in_box: bool = Field(False, title="Only in the box")
    """Limit the edit to the box of the scene (its region), where the depth says that things are in it."""
    image_size: int = Field(
        512, ge=16, le=4096, title="Image size", json_schema_extra=_BASIC | {"unit": "px"}
    )
    """Longer side of the views that are edited."""
    held_out: int | None = Field(
        None, ge=0, le=1000, title="Hold out every", json_schema_extra={"unit": "photos", "none": "Auto"}
    )
    """Every n-th photo takes no part, but shows how well novel views are foretold; 0 uses all. Not given: every eighth where there
    are at least 24 photos and no other cameras are asked for, else none."""
    geometry: Literal["kept", "free"] = Field("kept", title="Shapes")
    """kept: the depth of the scene holds. free: edits that change shapes (from a network or a folder) get depth of their
    own, found by comparing the edited pictures where these agree about it."""
    route: Literal["auto", "color", "network", "blend"] = Field("auto", title="Way to novel views")
    """color: the edit as a map of colours; network, blend: edited views, blended by the trained network or by rule.
    auto: what holds the edit best."""
    keep: tuple[str, ...] = Field((), title="Keep views")
    """Names of views that stay whatever their score."""
    drop: tuple[str, ...] = Field((), title="Drop views")
    """Names of views that are left out."""
    reuse: PathText = Field("", title="Earlier run", json_schema_extra={"metavar": "FOLDER"})
    """Folder that an earlier run of the same edit wrote, to keep and drop other views without finding depth and editing
    views again."""
    filters: bool = Field(True, title="Leave out bad views")
    """Drop or weaken views whose edit contradicts the others."""
    variation: float = Field(0.0, ge=0.0, le=2.0, title="Simulate 2D-editor variation (test)")
    """Make each edited view differ as diffusion editors do, to see how the rest copes; 0 for none, 1 for as much as usual."""
    novel_size: int = Field(
        1280, ge=16, le=8192, title="Size of novel views", json_schema_extra={"unit": "px"}
    )
    """Longer side of the pictures that are made for cameras, at most."""
    depth: Literal["auto", "scene", "cues", "field", "cloud", "photos", "trained"] = Field(
        "auto", title="Depth from"
    )
    """scene: its own; cues: depth networks', aligned; field, cloud: a field or splats that are given; photos: found by
    comparing them; trained: a radiance field that is trained for it. auto: the first of these by which the photos
    foretell each other well, the best of them where none does."""


METHOD = Method(
    id="dn2n",
    title="Edit a scene by words",
    summary="Change how a whole scene looks by words and see it from anywhere, without training for it.",
    inputs=(
        InputSlot("scene", "posed_images", "Posed photos"),
        InputSlot(
            "cameras",
            "posed_images",
            "Cameras of novel views",
            optional=True,
            is_left_empty=True,
            needs_photos=False,
        ),
        InputSlot("field", "radiance_field", "Radiance field, for depth", optional=True),
        InputSlot("cloud", "gaussians", "Gaussian splats, for depth and parts", optional=True),
        InputSlot("before", "view_field", "Edit to go on from", optional=True, is_left_empty=True),
    ),
    settings=EditSceneSettings,
    run_at="recon.dn2n.edit_scene:run",
    paper="arXiv:2309.04917",
    makes="view_field",
    edits="scene",
)
