"""Parts of a splat scene: found from what views say about them, edited by words or anchor images (RoMaP,
arXiv:2507.11061), and nothing else changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from recon.method import InputSlot, Method, Settings

Lifting = Literal["reliable-votes", "smoothed-votes", "votes", "3d-galp"]

BUILT_IN = "Built-in effects (rule-based, not AI)"  # what edits by words are made by where no network is
EDITED_IMAGES = "Fitted to edited pictures (no network)"

_BASIC: dict[str, Any] = {"basic": True}
_FOLDER = _BASIC | {"metavar": "FOLDER"}


def _absolute(folder: str) -> str:
    """A folder's path that holds wherever the run happens; "" stays."""
    return str(Path(folder).expanduser().absolute()) if folder else ""


def _absolute_folder(name: str) -> str:
    """A network's folder as a path that holds wherever the run happens; other names stay."""
    return _absolute(name) if Path(name).expanduser().is_dir() else name


Folder = Annotated[str, AfterValidator(_absolute)]
PathText = Folder
NetworkName = Annotated[str, AfterValidator(_absolute_folder)]
PartEditor = Literal["words", "anchors", "slamp", "ip2p", "inpaint", "flux-fill", "flux-kontext"]


class PartSettings(Settings):
    """What a person may change about finding parts."""

    masks: Folder = Field("", title="Masks", json_schema_extra=_FOLDER)
    """Folder of grey PNG masks named as the images: a part's number in each pixel, 255 for no opinion. Views may lack
    theirs, and masks may contradict each other."""
    scribbles: Folder = Field("", title="Scribbles", json_schema_extra=_FOLDER)
    """Folder of such pictures with a few strokes of a person, 255 elsewhere. Strokes are believed; what looks like
    none of them belongs to no part."""
    words: str = Field("", title="Parts in words", json_schema_extra=_BASIC)
    """Names of parts, with commas between them, that a network looks for in views of the splats. They get the
    numbers 1, 2 and so on, everything else 0."""
    words_model: NetworkName = Field(
        "clipseg", title="Network for words", json_schema_extra={"metavar": "NAME"}
    )
    """clipseg, grounding-dino (boxes, with outlines by the network for clicks), sd3-medium (attention maps as in the
    paper), or the folder of such a network."""
    words_size: int = Field(512, ge=16, le=4096, title="Attention: size", json_schema_extra={"unit": "px"})
    """Longer side of the views in which Stable Diffusion 3 looks for words."""
    temperatures: tuple[float, ...] = Field((), title="Attention: temperatures")
    """One for each part named in words, or one for all; larger for larger regions. Not given: 0.2, as in the paper. Name small
    parts first: what they claim is taken from those after them."""
    clicks: PathText = Field("", title="Clicks", json_schema_extra={"metavar": "FILE"})
    """JSON file of clicks and boxes on views, by their names: {"view": [{"part": 1, "point": [x, y], "inside": true},
    {"part": 2, "box": [left, top, right, bottom]}]}, in pixels. A network knows what they mean."""
    clicks_model: NetworkName = Field(
        "sam2-hiera-small", title="Network for clicks", json_schema_extra={"metavar": "NAME"}
    )
    """An id of the table of networks, or the folder of a SAM 2 model."""
    lifting: Lifting = Field("reliable-votes", title="Lifting", json_schema_extra=_BASIC)
    """reliable-votes: learn what each view confuses, and smooth; smoothed-votes: take views at their word, and smooth;
    votes: no smoothing; 3d-galp: labels fitted as in the paper."""
    image_size: int = Field(512, ge=32, le=4096, title="Image size", json_schema_extra={"unit": "px"})
    """Longer side of the views in which splats are compared with masks."""
    ring_views: int = Field(16, ge=4, le=200, title="Views of the ring")
    """How many views are made around the splats for words, where no cameras are given."""
    galp_steps: int = Field(
        400, ge=1, le=100_000, title="3D-GALP: steps", json_schema_extra={"unit": "steps"}
    )
    """One view each."""
    galp_degree: int = Field(0, ge=0, le=4, title="3D-GALP: degree of harmonics")
    """How much a label may change with the view."""
    galp_neighbours: int = Field(8, ge=1, le=200, title="3D-GALP: neighbours")
    """With how many of its nearest an anchor is compared; many swallow small parts."""
    galp_weight: float = Field(0.25, ge=0, le=100, title="3D-GALP: weight of neighbours")
    """λ of the paper."""


PART = Method(
    id="romap.part",
    title="Parts of splats",
    summary="Find the parts of a splat scene from masks of its views, even where they contradict each other.",
    inputs=(
        InputSlot("cloud", "gaussians", "Gaussian splats"),
        InputSlot(
            "cameras",
            "posed_images",
            "Cameras",
            optional=True,
            needs_photos=False,
        ),
    ),
    settings=PartSettings,
    run_at="recon.romap.find_part:run",
    paper="arXiv:2507.11061",
    makes="gaussians",
)


class RingSettings(Settings):
    """What a person may change about cameras around splats."""

    count: int = Field(16, ge=3, le=500, title="Cameras", json_schema_extra=_BASIC)
    """How many stand around the splats."""
    elevation: float = Field(
        12.0, ge=-85, le=85, title="Height", json_schema_extra=_BASIC | {"unit": "degrees"}
    )
    """Above the horizon, as seen from the middle."""
    other_elevation: float = Field(
        28.0, ge=-85, le=85, title="Height of every other", json_schema_extra=_BASIC | {"unit": "degrees"}
    )
    """The same as the height for one level ring."""
    distance: float = Field(
        1.0, gt=0.05, le=20, title="Distance", json_schema_extra=_BASIC | {"unit": "times"}
    )
    """1: so far that most splats just fit."""
    look_at: tuple[float, float, float] | None = Field(None, title="Look at")
    """Where the cameras look; empty for the middle of most splats."""
    image_size: int = Field(512, ge=32, le=4096, title="Image size", json_schema_extra={"unit": "px"})
    """Side of the pictures."""


RING = Method(
    id="romap.views",
    title="Cameras around splats",
    summary="Make a ring of cameras with pictures of the splats, to mark parts on and to edit in another program.",
    inputs=(InputSlot("cloud", "gaussians", "Gaussian splats"),),
    settings=RingSettings,
    run_at="recon.romap.ring_views:run",
    paper="arXiv:2507.11061",
    makes="posed_images",
)


class EditSettings(Settings):
    """What a person may change about an edit of one part."""

    part: int = Field(-1, ge=-1, title="Part", json_schema_extra=_BASIC)
    """Number of the part in the splats' column “part”."""
    instruction: str = Field("", title="Instruction", json_schema_extra=_BASIC)
    """What to change, in words and without a network: a colour (“dark red”), a material (“denim”), “delete”, “twice as
    big”, “move up 10 cm”, “rotate 30 degrees”; several apart by commas."""
    editor: PartEditor = Field("words", title="Editor", json_schema_extra=_BASIC)
    """words: built-in effects; anchors: edited images; or a network on this machine that repaints views of the part:
    slamp is the paper's."""
    strength: float = Field(1.0, gt=0, le=1, title="Strength", json_schema_extra=_BASIC)
    """How much of what the instruction asks for is done: colours are mixed with what was there, sizes, moves and turns
    go a part of the way."""
    anchors: Folder = Field("", title="Edited images", json_schema_extra=_FOLDER)
    """Folder of pictures named as views of the cameras, on which the part looks as it is to be; some views are
    enough."""
    steps: int = Field(200, ge=1, le=100_000, title="Steps", json_schema_extra=_BASIC | {"unit": "steps"})
    """Of fitting to the edited images, a view each."""
    prior: Literal["anchors", "grey", "keep"] = Field("anchors", title="Old look")
    """What replaces the old colours of splats that surely belong to the part before fitting: those that the edited
    images show, grey as in the paper, or nothing."""
    sure: float = Field(0.8, ge=0, le=1, title="Sure from")
    """Confidence of a splat's part from which its old look is removed."""
    grows: bool = Field(True, title="Add splats where needed")
    """Clone and split the part's splats where the edited images ask for detail, and remove what has faded."""
    masked: bool = Field(True, title="Compare within the part only")
    """Whether pixels of edited images count by how much of the part they show; else the whole image counts."""
    image_size: int = Field(800, ge=32, le=4096, title="Image size", json_schema_extra={"unit": "px"})
    """Longer side of the views in which the part is fitted."""
    model: NetworkName = Field("", title="Network", json_schema_extra={"metavar": "NAME"})
    """For editors that are networks: an id of the table of networks, or a folder that diffusers can load. Empty: the one
    that its editor is made for."""
    anchor_views: int = Field(8, ge=1, le=200, title="Views to repaint", json_schema_extra={"unit": "views"})
    """How many views a network repaints, from all around the part."""
    surroundings: float = Field(0.5, ge=0, le=20, title="Surroundings")
    """How much around the part a network sees on each side, as a share of the part's extent."""
    guidance: float | None = Field(None, ge=0, le=200, title="Guidance", json_schema_extra={"none": "Auto"})
    """How strongly a network heeds the words; not given: as its authors advise."""
    denoising_steps: int | None = Field(
        None, ge=1, le=1000, title="Steps of the network", json_schema_extra={"none": "Auto", "unit": "steps"}
    )
    """Of denoising, for each view; not given: as its authors advise."""
    mix_steps: float = Field(0.4, ge=0, le=1, title="SLaMP: when mixing changes")
    """t_s of the paper as a share of the steps: so many of the last ones keep what surrounds the part. Low is bold: the
    part changes much, and may not fit its surroundings. High is faithful: it fits, and changes less."""
    alpha_base: float = Field(0.1, ge=0, le=1, title="SLaMP: mixing in early steps")
    """How much of the original stands outside the part. Low in the paper, which gives no value; this one is ours."""
    alpha_last: float = Field(0.9, ge=0, le=1, title="SLaMP: mixing in the last steps")
    """High in the paper, which gives no value; this one is ours."""
    gamma: float = Field(0.5, ge=0, le=1, title="SLaMP: γ of the inversion")
    """0 turns the view into noise as the network does, 1 goes straight there. Not given by the paper."""
    eta: float = Field(0.5, ge=0, le=1, title="SLaMP: η of the generation")
    """Pull of the first quarter of the steps to the original view. Not given by the paper."""
    sds: float = Field(0.0, ge=0, le=100, title="Score distillation")
    """How hard a further loss (regularised SDS) pulls, to the edited images; 0 for none, slamp only. The paper's own
    figures show little gain from it, and every step runs the network three times."""
    sds_guidance: float = Field(100.0, ge=0, le=500, title="Score distillation: guidance")
    """How strongly it heeds the words."""
    sds_first: float = Field(0.3, gt=0, lt=1, title="Score distillation: least noise")
    """Times are drawn from here, 0 being the picture and 1 noise."""
    sds_last: float = Field(0.98, gt=0, lt=1, title="Score distillation: most noise")
    """Up to here."""
    options: tuple[str, ...] = Field((), title="Options of the network")
    """NAME=VALUE each: size, negative, source (what the views show), offload, precision, apg and others."""


EDIT = Method(
    id="romap.edit",
    title="Edit a part of splats",
    summary="Change one part of a splat scene by words or by edited images; every other splat keeps its bytes.",
    inputs=(
        InputSlot("cloud", "gaussians", "Gaussian splats with parts"),
        InputSlot(
            "cameras",
            "posed_images",
            "Cameras",
            optional=True,
            needs_photos=False,
        ),
    ),
    settings=EditSettings,
    run_at="recon.romap.edit:run",
    paper="arXiv:2507.11061",
    makes="gaussians",
    edits="cloud",
)
