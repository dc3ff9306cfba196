"""What was drawn on views to mark parts, as values that a layer keeps with the project.

They stand in the layer's further keys as plain JSON: a list of views, each with its camera, the size of its picture,
the splats that were hidden, and its strokes. What cannot be read there is left alone and counts as nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.splat_selection import screen_camera
from app.splat_visibility import perspective
from recon.gaussian_selection import Mask
from recon.romap.part_table import ERASED
from render.gaussians import GaussianCloud
from render.transforms import Similarity3
from widgets.viewport_camera import CameraPose, Size

if TYPE_CHECKING:
    from recon.romap.view_strokes import StrokedView

KEY = "part_strokes"  # of a layer's further keys
_SAME_VIEW = 1e-6  # of the distance to the focal point
_MOST_POINTS = 20_000  # of a stroke: nobody draws more


@dataclass(frozen=True)
class Mark:
    """One stroke. part: a part's number, NO_PART, or ERASED. radius: pixels, 0 for a closed polygon. points: pixels.
    clicks, boxes: what a network was asked that drew it: x, y and whether it is inside; left, top, right, bottom."""

    part: int
    radius: float
    points: tuple[tuple[float, float], ...]
    clicks: tuple[tuple[float, float, bool], ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()

    @property
    def is_of_clicks(self) -> bool:
        return bool(self.clicks or self.boxes)


@dataclass(frozen=True)
class MarkedView:
    """A view that was drawn on. size: of the picture in pixels. hidden: the splats that were hidden, packed; "" for
    none."""

    pose: CameraPose
    size: Size
    marks: tuple[Mark, ...] = ()
    hidden: str = ""

    @property
    def num_strokes(self) -> int:
        """How many strokes were drawn on it, without those that take others back."""
        return sum(mark.part != ERASED for mark in self.marks)


Views = tuple[MarkedView, ...]


def views_in(extra: Mapping[str, Any]) -> Views:
    """The views that a layer's further keys tell of."""
    stored = extra.get(KEY)
    found = [_view_from(each) for each in stored] if isinstance(stored, list) else []
    return tuple(view for view in found if view is not None)


def extra_with(extra: Mapping[str, Any], views: Views) -> dict[str, Any]:
    """A layer's further keys with these views."""
    kept = {key: value for key, value in extra.items() if key != KEY}
    return {**kept, KEY: [_as_json(view) for view in views]} if views else kept


def is_same_view(pose: CameraPose, other: CameraPose) -> bool:
    """Whether a camera stands and looks as another."""
    if (pose.parallel, pose.shift) != (other.parallel, other.shift):
        return False
    reach = _SAME_VIEW * pose.distance
    places = np.subtract((pose.position, pose.focal), (other.position, other.focal))
    turned = np.abs(np.subtract(pose.axes, other.axes)).max()
    return bool(
        np.abs(places).max() < reach
        and turned < _SAME_VIEW
        and abs(pose.view_angle - other.view_angle) < _SAME_VIEW
    )


def place_of(views: Views, pose: CameraPose, hidden: str | None = None) -> int | None:
    """Which of the views is that of a camera; hidden: and with these splats hidden."""
    fitting = (i for i, view in enumerate(views) if is_same_view(view.pose, pose))
    return next((i for i in fitting if hidden is None or views[i].hidden == hidden), None)


def with_mark(views: Views, view: MarkedView, mark: Mark) -> Views:
    """The views with another stroke: on the one that is the same, in its pixels, or on a new one."""
    place = place_of(views, view.pose, view.hidden)
    if place is None:
        return (*views, replace(view, marks=(mark,)))
    there = views[place]
    moved = in_size(mark, view.size, there.size)
    return (*views[:place], replace(there, marks=(*there.marks, moved)), *views[place + 1 :])


def clicked_mark(views: Views, view: MarkedView, part: int) -> Mark | None:
    """What clicks on a view found for a part, in the view's pixels; None where nobody clicked."""
    place = place_of(views, view.pose, view.hidden)
    there = () if place is None else views[place].marks
    mark = next((mark for mark in there if mark.part == part and mark.is_of_clicks), None)
    return None if mark is None or place is None else in_size(mark, views[place].size, view.size)


def with_clicked(views: Views, view: MarkedView, mark: Mark) -> Views:
    """The views with what clicks found, in place of what fewer clicks on the same view found for the same part."""
    place = place_of(views, view.pose, view.hidden)
    if place is None or clicked_mark(views, view, mark.part) is None:
        return with_mark(views, view, mark)
    there = views[place]
    now = in_size(mark, view.size, there.size)
    marks = tuple(now if each.part == mark.part and each.is_of_clicks else each for each in there.marks)
    return (*views[:place], replace(there, marks=marks), *views[place + 1 :])


def in_size(mark: Mark, size: Size, other: Size) -> Mark:
    """A stroke on a picture of one size, in the pixels of another of the same camera: its height counts."""
    if size == other:
        return mark
    factor, shift = other[1] / size[1], np.asarray(other) / 2 - np.asarray(size) / 2 * other[1] / size[1]
    points = np.asarray(mark.points).reshape(-1, 2) * factor + shift
    clicks = tuple((*_pair(np.array(click[:2]) * factor + shift), bool(click[2])) for click in mark.clicks)
    corners = (np.reshape(box, (2, 2)) * factor + shift for box in mark.boxes)
    boxes = tuple((*_pair(low), *_pair(high)) for low, high in corners)
    return Mark(mark.part, mark.radius * factor, _pairs(points), clicks, boxes)


def mark_of(part: int, radius: float, points: NDArray[np.float64]) -> Mark:
    """A stroke of points (M, 2)."""
    return Mark(part, round(radius, 2), _pairs(points[:_MOST_POINTS]))


def without_parts(views: Views, numbers: Sequence[int]) -> Views:
    """The views without the strokes of some parts; those with nothing left are gone."""
    left = [
        replace(view, marks=tuple(mark for mark in view.marks if mark.part not in numbers)) for view in views
    ]
    return tuple(view for view in left if view.num_strokes)


def merged_strokes(views: Views, numbers: Sequence[int], into: int) -> Views:
    """The views with the strokes of several parts as those of one."""
    return tuple(
        replace(
            view, marks=tuple(replace(m, part=into) if m.part in numbers else m for m in view.marks)
        )
        for view in views
    )  # fmt: skip


def moved(extra: Mapping[str, Any], motion: Similarity3) -> Mapping[str, Any]:
    """A layer's further keys when everything moves: the views that were drawn on move along."""
    views = views_in(extra)
    if not views:
        return extra
    return extra_with(extra, tuple(replace(view, pose=_moved_pose(view.pose, motion)) for view in views))


def hidden_words(hidden: Mask) -> str:
    """Hidden splats (N,), packed; "" for none."""
    if not hidden.any():
        return ""
    packed = zlib.compress(np.packbits(hidden).tobytes(), 6)
    return f"{len(hidden)}:{base64.b64encode(packed).decode()}"


def stroked_views(views: Views, cloud: GaussianCloud) -> list[StrokedView]:
    """The views as parts are found from them."""
    return [_stroked(view, cloud) for view in views if view.num_strokes]


# --- inner life ------------------------------------------------------------------------------------------


def _stroked(view: MarkedView, cloud: GaussianCloud) -> StrokedView:
    from recon.romap.scribbles import Stroke
    from recon.romap.view_strokes import StrokedView  # take long to import: not before someone draws

    camera = screen_camera(view.pose, view.size)
    matrix, focal = perspective(camera, cloud)
    key = (view.pose, view.size, hashlib.sha1(view.hidden.encode(), usedforsecurity=False).digest())
    strokes = tuple(Stroke(0, mark.part, np.array(mark.points), mark.radius) for mark in view.marks)
    return StrokedView(key, matrix, focal, camera.center, view.size, strokes, _shown(view.hidden, len(cloud)))


def _shown(hidden: str, count: int) -> Mask | None:
    """(N,) what was not hidden; None for all, also where the splats are others by now."""
    length, _, packed = hidden.partition(":")
    if length != str(count):
        return None
    try:
        bits = np.frombuffer(zlib.decompress(base64.b64decode(packed, validate=True)), np.uint8)
    except (zlib.error, binascii.Error, ValueError):
        return None
    return ~np.unpackbits(bits, count=count).astype(bool) if len(bits) * 8 >= count else None


def _pair(point: NDArray[np.float64]) -> tuple[float, float]:
    return round(float(point[0]), 2), round(float(point[1]), 2)


def _pairs(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple(_pair(point) for point in points)


def _moved_pose(pose: CameraPose, motion: Similarity3) -> CameraPose:
    position, focal = motion.apply(np.array([pose.position, pose.focal]))
    up = motion.rotation @ np.asarray(pose.up)
    return replace(pose, position=tuple(position), focal=tuple(focal), up=tuple(up))


def _as_json(view: MarkedView) -> dict[str, Any]:
    marks = [_mark_as_json(mark) for mark in view.marks]
    camera = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(view.pose).items()
    }
    return {"camera": camera, "size": list(view.size), "hidden": view.hidden, "strokes": marks}


def _mark_as_json(mark: Mark) -> dict[str, Any]:
    stored = {"part": mark.part, "radius": mark.radius, "points": [list(point) for point in mark.points]}
    more = {"clicks": [list(each) for each in mark.clicks], "boxes": [list(each) for each in mark.boxes]}
    return stored | {key: rows for key, rows in more.items() if rows}


def _mark_from(stored: Mapping[str, Any]) -> Mark:
    """Raises KeyError, TypeError, ValueError."""
    clicks = tuple((float(x), float(y), bool(inside)) for x, y, inside in stored.get("clicks", ()))
    boxes = tuple(
        (float(left), float(top), float(right), float(bottom))
        for left, top, right, bottom in stored.get("boxes", ())
    )
    points = _pairs(np.array(stored["points"], float).reshape(-1, 2))
    return Mark(int(stored["part"]), float(stored["radius"]), points, clicks, boxes)


def _view_from(stored: object) -> MarkedView | None:
    if not isinstance(stored, Mapping):
        return None
    try:
        pose = CameraPose(**{key: _tuple(value) for key, value in stored["camera"].items()})
        width, height = (int(side) for side in stored["size"])
        marks = tuple(_mark_from(mark) for mark in stored["strokes"])
        if min(width, height) < 1 or not all(mark.points for mark in marks):
            return None
        return MarkedView(pose, (width, height), marks, str(stored.get("hidden", "")))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
