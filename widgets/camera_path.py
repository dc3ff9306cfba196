"""A way for the camera: views at points in time and a smooth motion through them; values and functions, no Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from widgets.viewport_camera import CameraPose, Vector, orbit

Array = NDArray[np.float64]
USUAL_STEP = 2.0  # seconds between two views unless something else is said
_LEAST_STEP = 0.05  # seconds
_RAMP = 1.0  # seconds in which an eased camera comes to its speed
_AROUND = 3  # views of a closed path that are repeated at each end, so that its motion has no seam


@dataclass(frozen=True)
class Keyframe:
    """A view that the camera is to have. seconds: when, from the start."""

    pose: CameraPose
    seconds: float


@dataclass(frozen=True)
class CameraPath:
    """Views in the order of their times, the first at 0. is_closed: the camera returns from the last to the first.
    is_eased: it begins and ends slowly, where it is not closed."""

    keyframes: tuple[Keyframe, ...] = ()
    is_closed: bool = False
    is_eased: bool = False

    def __len__(self) -> int:
        return len(self.keyframes)

    @property
    def seconds(self) -> float:
        """How long it takes. A closed path takes as long for the way back as for the last step."""
        if len(self) < 2:
            return 0.0
        last = self.keyframes[-1].seconds
        return last + (last - self.keyframes[-2].seconds if self.is_closed else 0.0)

    @property
    def times(self) -> list[float]:
        """Of each view, in seconds."""
        return [keyframe.seconds for keyframe in self.keyframes]

    def pose_at(self, seconds: float) -> CameraPose:
        """Where the camera is at a time. Raises ValueError for a path without views."""
        if not self.keyframes:
            raise ValueError("a camera path needs a view")
        if len(self) == 1:
            return self.keyframes[0].pose
        at = seconds % self.seconds if self.is_closed else self._eased(min(max(seconds, 0.0), self.seconds))
        exact = next((k.pose for k in self.keyframes if abs(k.seconds - at) < 1e-9), None)
        return exact or self._motion.pose_at(at)

    def _eased(self, at: float) -> float:
        """Where on the way the camera is at a time: evenly in the middle, faster and slower at the ends."""
        ramp = min(_RAMP, self.seconds / 3)
        if not self.is_eased or ramp <= 0:
            return at
        speed = self.seconds / (self.seconds - ramp)
        if at < ramp:
            return 0.5 * speed * at * at / ramp
        if at > self.seconds - ramp:
            return self.seconds - 0.5 * speed * (self.seconds - at) ** 2 / ramp
        return speed * (at - 0.5 * ramp)

    def frames(self, per_second: float) -> Iterator[CameraPose]:
        """The view of each picture of a film. An open path ends at its last view, a closed one just before its first."""
        count = self.num_frames(per_second)
        for index in range(count):
            share = index / count if self.is_closed else index / max(1, count - 1)
            yield self.pose_at(share * self.seconds)

    def num_frames(self, per_second: float) -> int:
        """How many pictures a film of it has."""
        return max(1, round(self.seconds * per_second)) if self.keyframes else 0

    # Other paths

    def with_view(self, pose: CameraPose) -> CameraPath:
        """One more view after the last."""
        step = self.keyframes[-1].seconds - self.keyframes[-2].seconds if len(self) > 1 else USUAL_STEP
        seconds = self.keyframes[-1].seconds + step if self.keyframes else 0.0
        return replace(self, keyframes=(*self.keyframes, Keyframe(pose, seconds)))

    def with_view_after(self, index: int, pose: CameraPose) -> CameraPath:
        """One more view between one and the next, in the middle of their times; after the last at the end."""
        if index >= len(self) - 1:
            return self.with_view(pose)
        middle = (self.keyframes[index].seconds + self.keyframes[index + 1].seconds) / 2
        keyframes = list(self.keyframes)
        keyframes.insert(index + 1, Keyframe(pose, middle))
        return replace(self, keyframes=tuple(keyframes))

    def with_pose(self, index: int, pose: CameraPose) -> CameraPath:
        """Another view at the same time."""
        changed = [replace(k, pose=pose) if i == index else k for i, k in enumerate(self.keyframes)]
        return replace(self, keyframes=tuple(changed))

    def without(self, indices: Sequence[int]) -> CameraPath:
        """Fewer views; the first that is left begins at 0."""
        left = [k for i, k in enumerate(self.keyframes) if i not in indices]
        start = left[0].seconds if left else 0.0
        return replace(self, keyframes=tuple(replace(k, seconds=k.seconds - start) for k in left))

    def reordered(self, order: Sequence[int]) -> CameraPath:
        """The same views in another order, at the times that there are."""
        poses = [self.keyframes[i].pose for i in order]
        pairs = zip(self.keyframes, poses, strict=True)
        return replace(self, keyframes=tuple(replace(k, pose=pose) for k, pose in pairs))

    def with_time(self, index: int, seconds: float) -> CameraPath:
        """A view at another time between its neighbours, which stay; those after the last one's new time do too."""
        times = self.times
        low = times[index - 1] + _LEAST_STEP if index > 0 else 0.0
        high = times[index + 1] - _LEAST_STEP if index + 1 < len(times) else math.inf
        times[index] = 0.0 if index == 0 else min(max(seconds, low), high)
        return self._with_times(times)

    def with_seconds(self, seconds: float) -> CameraPath:
        """The same motion, in this time."""
        if not self.seconds:
            return self
        factor = max(seconds, _LEAST_STEP * len(self)) / self.seconds
        return self._with_times([time * factor for time in self.times])

    def _with_times(self, times: Sequence[float]) -> CameraPath:
        pairs = zip(self.keyframes, times, strict=True)
        return replace(self, keyframes=tuple(replace(k, seconds=time) for k, time in pairs))

    @cached_property
    def _motion(self) -> _Motion:
        return _Motion(self)


class _Motion:
    """Splines through a path: of the rotation with even angular acceleration, of the focal point and of the logarithm
    of the distance; so that views about one point make an orbit."""

    def __init__(self, path: CameraPath) -> None:
        from scipy.interpolate import CubicSpline  # takes long to import: not before the first path
        from scipy.spatial.transform import Rotation, RotationSpline

        self._path = path
        keyframes = list(path.keyframes)
        if path.is_closed:
            keyframes = _repeated(keyframes, path.seconds)
        times = [k.seconds for k in keyframes]
        turns = Rotation.from_matrix(np.stack([np.stack(k.pose.axes, axis=1) for k in keyframes]))
        self._turn = RotationSpline(times, turns)
        values = [[*k.pose.focal, math.log(k.pose.distance)] for k in keyframes]
        self._place = CubicSpline(times, values, bc_type="natural")

    def pose_at(self, seconds: float) -> CameraPose:
        axes = self._turn(seconds).as_matrix()
        *focal, log_distance = self._place(seconds).tolist()
        before, after, share = self._between(seconds)
        position = np.asarray(focal) + axes[:, 2] * math.exp(log_distance)
        return replace(
            before,
            position=_vector(position),
            focal=_vector(focal),
            up=_vector(axes[:, 1]),
            view_angle=before.view_angle * (1 - share) + after.view_angle * share,
            shift=(
                before.shift[0] * (1 - share) + after.shift[0] * share,
                before.shift[1] * (1 - share) + after.shift[1] * share,
            ),
        )

    def _between(self, seconds: float) -> tuple[CameraPose, CameraPose, float]:
        """The views before and after a time, and how much of the way between them is done."""
        keyframes = self._path.keyframes
        first = max(0, int(np.searchsorted(self._path.times, seconds, side="right")) - 1)
        if first + 1 < len(keyframes):
            start, end = keyframes[first], keyframes[first + 1]
            return start.pose, end.pose, (seconds - start.seconds) / (end.seconds - start.seconds)
        if not self._path.is_closed:
            return keyframes[-1].pose, keyframes[-1].pose, 0.0
        start = keyframes[-1]
        return start.pose, keyframes[0].pose, (seconds - start.seconds) / (self._path.seconds - start.seconds)


def _repeated(keyframes: list[Keyframe], period: float) -> list[Keyframe]:
    """More than one round, so that the middle one does not know where it begins."""
    count = len(keyframes)
    rounds = -(-_AROUND // count)
    all_ = [
        replace(k, seconds=k.seconds + turn * period)
        for turn in range(-rounds, rounds + 1)
        for k in keyframes
    ]
    first = rounds * count
    return all_[first - _AROUND : first + count + _AROUND]


def turntable(
    pose: CameraPose, up: ArrayLike, seconds: float = 8.0, elevation: float | None = None, count: int = 12
) -> CameraPath:
    """Once around the focal point of a view. elevation: radians above the horizon; as the view has it where not given.
    count: views on the way."""
    axis = np.asarray(up, float) / np.linalg.norm(np.asarray(up, float))
    now = math.asin(float(np.clip(pose.axes[2] @ axis, -1, 1)))
    start = orbit(pose, 0.0, 0.0 if elevation is None else elevation - now, axis)
    views = [orbit(start, 2 * math.pi * i / count, 0.0, axis) for i in range(count)]
    step = seconds / count
    return CameraPath(tuple(Keyframe(view, i * step) for i, view in enumerate(views)), is_closed=True)


def stored(path: CameraPath) -> dict[str, Any]:
    """What a project keeps of a path."""
    return {
        "is_closed": path.is_closed,
        "is_eased": path.is_eased,
        "keyframes": [{"seconds": k.seconds} | stored_pose(k.pose) for k in path.keyframes],
    }


def stored_pose(pose: CameraPose) -> dict[str, Any]:
    """What a project keeps of a view."""
    return {
        "position": list(pose.position), "focal": list(pose.focal), "up": list(pose.up), "parallel": pose.parallel,
        "view_angle": pose.view_angle, "shift": list(pose.shift),
    }  # fmt: skip


def restored_pose(values: Mapping[str, Any]) -> CameraPose:
    """The view that was stored. Raises KeyError, TypeError or ValueError for what is none."""
    right, down = values.get("shift", (0.0, 0.0))
    return CameraPose(
        values["position"], values["focal"], values["up"], bool(values["parallel"]), float(values["view_angle"]),
        (float(right), float(down)),
    )  # fmt: skip


def restored(values: Mapping[str, Any]) -> CameraPath:
    """The path that was stored. Raises KeyError, TypeError or ValueError for what is none."""
    keyframes = []
    for k in values["keyframes"]:
        keyframes.append(Keyframe(restored_pose(k), float(k["seconds"])))
    times = [k.seconds for k in keyframes]
    if any(b <= a for a, b in pairwise(times)) or not all(map(math.isfinite, times)):
        raise ValueError("the times of a camera path must rise")
    return CameraPath(tuple(keyframes), bool(values["is_closed"]), bool(values.get("is_eased", False)))


def _vector(values: ArrayLike) -> Vector:
    x, y, z = (float(value) for value in np.asarray(values, float))
    return x, y, z
