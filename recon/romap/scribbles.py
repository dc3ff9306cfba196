"""Parts from a few strokes: a random walk between neighbouring Gaussians that look alike, with colours and the nearest
stroke as hints.

Random walker with priors (Grady, CVPR 2005; PAMI 28, 2006) on the affinity graph of mean_field.py: the probability
that a walker who starts at a Gaussian comes to a stroke of each part first. Strokes need not be in every view, for
the walk is in space.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import cg

from recon.errors import InputError
from recon.gaussian_regions import Region, brush_region, polygon_region
from recon.gaussian_values import base_colors
from recon.romap.evidence import NO_OPINION, SCRIBBLE_STRENGTH, EvidenceProvider, LabelEvidence
from recon.romap.islands import pieces
from recon.romap.lifting import PartLabels
from recon.romap.mean_field import AffinityGraph, affinity_graph
from recon.romap.stroke_distances import nearer
from recon.romap.view_votes import ViewVotes, summed
from recon.romap.view_weights import Size
from render.gaussians import GaussianCloud

COLOR_BANDWIDTH = 0.05  # sRGB
HINT = 0.7  # pull of the colours, against affinities of up to 1
HOLD = 10.0  # pull of a stroke where a Gaussian fills a pixel of it
_SAMPLES = 400  # colours that a part is described by
_USUAL = 6.0  # pixels of a stroke that a Gaussian right under it fills, once views are evened
_GAINS = (0.02, 12.0)
_LEAST_SEED = 0.3  # pixels of strokes that make a Gaussian a seed of its part


@dataclass(frozen=True, eq=False)
class Stroke:
    """What a person drew on one view. part: index of the part. path: (M, 2) points in pixels of the view; a brush of
    `radius` pixels follows it, or it is a closed polygon where radius is 0."""

    view: int
    part: int
    path: ArrayLike
    radius: float = 0.0


def evidence_of_strokes(strokes: Sequence[Stroke], sizes: Sequence[Size]) -> list[LabelEvidence]:
    """One picture of labels for each view with strokes, the last drawn on top. sizes: width, height of every view."""
    pictures: dict[int, NDArray[np.int16]] = {}
    for stroke in strokes:
        width, height = sizes[stroke.view]
        labels = pictures.setdefault(stroke.view, np.full((height, width), NO_OPINION, np.int16))
        region = brush_region(stroke.path, stroke.radius) if stroke.radius else polygon_region(stroke.path)
        labels[_pixels_in(region, (width, height))] = stroke.part
    return [
        LabelEvidence(view, labels, SCRIBBLE_STRENGTH, is_certain=True)
        for view, labels in sorted(pictures.items())
    ]


@dataclass(frozen=True)
class StrokesInMasks:
    """Evidence from pictures whose labels are a person's strokes: believed, and loud."""

    masks: EvidenceProvider

    def evidence(self) -> Iterator[LabelEvidence]:
        for each in self.masks.evidence():
            assert isinstance(each, LabelEvidence)
            yield replace(each, strength=SCRIBBLE_STRENGTH, is_certain=True)


def _pixels_in(region: Region, size: Size) -> NDArray[np.bool_]:
    """(H, W) pixels whose middle lies in the region."""
    (width, height), (rows, columns) = size, region.mask.shape
    x = np.floor((np.arange(width) + 0.5 - region.corner[0]) / region.cell[0]).astype(np.int64)
    y = np.floor((np.arange(height) + 0.5 - region.corner[1]) / region.cell[1]).astype(np.int64)
    inside = ((y >= 0) & (y < rows))[:, None] & ((x >= 0) & (x < columns))
    found: NDArray[np.bool_] = (
        inside & region.mask[np.clip(y, 0, rows - 1)[:, None], np.clip(x, 0, columns - 1)]
    )
    return found


def lift_scribbles(
    cloud: GaussianCloud, votes: Sequence[ViewVotes], graph: AffinityGraph | None = None
) -> PartLabels:
    """Parts of all Gaussians from strokes; votes: of the views with strokes.

    What looks like no stroke, or hangs together with none of its part, belongs to no part: nobody need paint the rest
    of the scene, but may, where a part leaks into it. Raises InputError where strokes meet no Gaussian, or contradict
    each other on most that they meet.
    """
    if not votes:
        raise InputError("There are no strokes.", "Draw on one or more views.")
    seeds = summed(votes, len(cloud))
    _check_seeds(seeds)
    graph = graph or affinity_graph(cloud)
    seeds = np.pad(seeds, ((0, 0), (0, 1)))  # the last is the rest, which nobody drew
    hints = nearer(_color_hints(cloud, seeds), seeds, cloud, graph)
    probabilities = _random_walk(graph, seeds, hints)
    labels = probabilities.argmax(1)
    has_part = (labels < seeds.shape[1] - 1) & _touches_own_stroke(labels, seeds, graph)
    return PartLabels(probabilities[:, :-1], has_part)


def evened(votes: ViewVotes) -> ViewVotes:
    """Votes of strokes on one view that count alike however large its picture is."""
    filled = votes.totals / SCRIBBLE_STRENGTH
    return replace(votes, counts=votes.counts * np.float32(evening(filled)))


def evening(filled: NDArray[np.floating]) -> float:
    """What makes strokes on near and far views count alike: Gaussians fill many pixels of the one, few of the other, and
    what shines dimly through the surface would fill enough of the near one to be held by the stroke.

    filled: (n,) pixels of strokes on a view that each Gaussian fills."""
    filled = np.sort(filled[filled > 0])[::-1]
    if not len(filled):
        return 1.0
    middle = np.searchsorted(np.cumsum(filled), filled.sum() / 2)  # larger ones fill half of the strokes
    return float(np.clip(_USUAL / filled[min(middle, len(filled) - 1)], *_GAINS))


def _check_seeds(seeds: NDArray[np.float32]) -> None:
    total = seeds.sum(1)
    met = total > _LEAST_SEED
    if not met.any():
        raise InputError("The strokes meet no splat.", "Draw where the views show splats.")
    contested = met & (seeds.max(1) < 0.7 * total)
    if contested.sum() > 0.5 * met.sum():
        raise InputError(
            "The strokes contradict each other: most splats under them are drawn as several parts.",
            "Undo the strokes that are wrong, and draw again.",
        )


def _color_hints(cloud: GaussianCloud, seeds: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) how likely each part is by colour alone; the rest's colours are those of the whole cloud."""
    colors = base_colors(cloud)
    generator = np.random.default_rng(0)
    density = np.empty(seeds.shape, np.float32)
    everywhere = cloud.opacities
    for part, pull in enumerate(seeds.T):
        weight = pull if pull.any() else everywhere
        chosen = generator.choice(len(colors), _SAMPLES, p=weight / weight.sum(dtype=np.float64))
        density[:, part] = _density(colors, colors[chosen])
    density += np.float32(1e-4)
    hints: NDArray[np.float32] = density / density.sum(1, keepdims=True)
    return hints


def _density(colors: NDArray[np.float32], samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) mean of a Gaussian kernel around samples (M, 3)."""
    result = np.empty(len(colors), np.float32)
    for start in range(0, len(colors), 8192):
        block = colors[start : start + 8192]
        squares = (block**2).sum(1)[:, None] + (samples**2).sum(1) - 2 * block @ samples.T
        result[start : start + 8192] = np.exp(-squares / (2 * COLOR_BANDWIDTH**2)).mean(1)
    return result


def _random_walk(
    graph: AffinityGraph, seeds: NDArray[np.float32], hints: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N, K) from (L + hint + hold) x = hint · colours + hold · strokes.

    What shows dimly through the surface under a stroke has other colours mostly, and is held less for that."""
    weights = (graph.weights + graph.weights.T) * 0.5
    hold = HOLD * seeds / SCRIBBLE_STRENGTH * hints**2
    diagonal = np.asarray(weights.sum(1)).ravel() + HINT + hold.sum(1)
    system = sparse.csr_matrix(sparse.diags(diagonal) - weights)
    jacobi = sparse.diags(1 / diagonal)
    found = np.empty(seeds.shape, np.float32)
    for part in range(seeds.shape[1]):
        wish = HINT * hints[:, part] + hold[:, part]
        found[:, part] = cg(system, wish, x0=hints[:, part], rtol=1e-4, maxiter=300, M=jacobi)[0]
    found = np.clip(found, 1e-6, 1)
    return np.asarray(found / found.sum(1, keepdims=True), np.float32)


def _touches_own_stroke(
    labels: NDArray[np.integer], seeds: NDArray[np.float32], graph: AffinityGraph
) -> NDArray[np.bool_]:
    """(N,) whether a Gaussian is connected with a stroke of its part through others of that part."""
    piece = pieces(labels, graph)
    is_seed = seeds[np.arange(len(labels)), labels] > _LEAST_SEED
    found: NDArray[np.bool_] = (np.bincount(piece, is_seed) > 0)[piece]
    return found
