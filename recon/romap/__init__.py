"""Parts of a splat scene: found from what views say about them, edited by words or anchor images (RoMaP,
arXiv:2507.11061), and nothing else changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from recon.method import InputSlot, Method, Settings

Lifting = Literal["reliable-votes", "smoothed-votes", "votes", "3d-galp"]

_BASIC: dict[str, Any] = {"basic": True}


def _absolute(folder: str) -> str:
    """A folder's path that holds wherever the run happens; "" stays."""
    return str(Path(folder).expanduser().absolute()) if folder else ""


Folder = Annotated[str, AfterValidator(_absolute)]


class PartSettings(Settings):
    """What a person may change about finding parts."""

    masks: Folder = Field("", title="Masks", json_schema_extra=_BASIC)
    """Folder of grey PNG masks named as the images: a part's number in each pixel, 255 for no opinion. Views may lack
    theirs, and masks may contradict each other."""
    scribbles: Folder = Field("", title="Scribbles", json_schema_extra=_BASIC)
    """Folder of such pictures with a few strokes of a person, 255 elsewhere. Strokes are believed; what looks like
    none of them belongs to no part."""
    words: str = Field("", title="Parts in words", json_schema_extra=_BASIC)
    """Names of parts, with commas between them, that a network looks for in views of the splats. They get the
    numbers 1, 2 and so on, everything else 0."""
    words_model: str = Field("clipseg", title="Network for words")
    """An id of the table of networks, or the folder of a CLIPSeg model."""
    lifting: Lifting = Field("reliable-votes", title="From views to splats", json_schema_extra=_BASIC)
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
        InputSlot("cameras", "posed_images", "Posed images whose names the masks bear", optional=True),
    ),
    settings=PartSettings,
    run_at="recon.romap.find_part:run",
    paper="arXiv:2507.11061",
    makes="gaussians",
)
