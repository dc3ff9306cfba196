"""Clouds for the tests of splat formats, and how far apart two clouds are."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from render.gaussians import GaussianCloud

Extra = dict[str, NDArray[Any]]


def usual_cloud(count: int = 40, degree: int = 2, seed: int = 0, extra: bool = False) -> GaussianCloud:
    """A cloud whose values lie where every format can hold them."""
    rng = np.random.default_rng(seed)
    columns: Extra = {"part": np.arange(count, dtype=np.int32)} if extra else {}
    return GaussianCloud(
        rng.uniform(-3, 5, (count, 3)),
        rng.standard_normal((count, 4)),
        rng.uniform(-8, 0, (count, 3)),
        rng.uniform(-4, 4, count),
        rng.uniform(-0.7, 0.7, (count, (degree + 1) ** 2, 3)),
        columns,
    )  # type: ignore[arg-type]


@st.composite
def held_clouds(draw: st.DrawFn, most_degree: int = 3) -> GaussianCloud:
    """Any cloud whose values lie where every format can hold them."""
    count = draw(st.integers(1, 12))
    degree = draw(st.integers(0, most_degree))

    def numbers(shape: tuple[int, ...], low: float, high: float) -> NDArray[np.float32]:
        return draw(arrays(np.float32, shape, elements=st.floats(low, high, width=32)))

    quats = numbers((count, 4), -2, 2)
    quats[np.linalg.norm(quats, axis=1) < 0.125] = [0.5, -0.5, 0.5, 0.5]
    return GaussianCloud(
        numbers((count, 3), -1000, 1000),
        quats,
        numbers((count, 3), -9, 5),
        numbers((count,), -12, 12),
        numbers((count, (degree + 1) ** 2, 3), -0.75, 0.75),
        is_antialiased=draw(st.booleans()),
    )


@st.composite
def any_clouds(draw: st.DrawFn) -> GaussianCloud:
    """Any cloud at all, with further columns of any type."""
    count = draw(st.integers(1, 6))
    degree = draw(st.integers(0, 4))
    wide = st.floats(-(2.0**100), 2.0**100, width=32)

    def numbers(*shape: int) -> NDArray[np.float32]:
        return draw(arrays(np.float32, (count, *shape), elements=wide))

    quats = draw(arrays(np.float32, (count, 4), elements=st.floats(-1000, 1000, width=32)))
    quats[np.linalg.norm(quats, axis=1) < 0.125] = [0, 0, 3, 0]
    scales = draw(arrays(np.float32, (count, 3), elements=st.floats(-1000, 40, width=32)))
    extra: Extra = {}
    for name in draw(st.lists(st.text("abz_ é", max_size=4), unique=True, max_size=3)):
        kind = draw(st.sampled_from(["?", "i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", "f2"]))
        shape = draw(st.sampled_from([(count,), (count, 1), (count, 3)]))
        finite = {"allow_nan": False, "allow_infinity": False} if kind.startswith("f") else {}
        extra[name] = draw(arrays(kind, shape, elements=finite))
    lines = draw(
        st.lists(st.sampled_from(["made by hand", "größer", "SplatRenderMode: 2dgs", "a  b"]), max_size=3)
    )
    is_antialiased = draw(st.booleans())
    return GaussianCloud(
        numbers(3),
        quats,
        scales,
        numbers(),
        numbers((degree + 1) ** 2, 3),
        extra,
        tuple(lines),
        is_antialiased,
    )


def unit(quats: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = quats.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


def turn_apart(a: GaussianCloud, b: GaussianCloud) -> float:
    """How far unit quaternions of the same turns are apart, at most."""
    difference = np.minimum(
        np.linalg.norm(unit(a.quats) - unit(b.quats), axis=1),
        np.linalg.norm(unit(a.quats) + unit(b.quats), axis=1),
    )
    return float(difference.max())


def apart(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The largest difference of two arrays."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0))
