"""From what views say to a part for each Gaussian, in three ways that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.romap import Lifting
from recon.romap.mean_field import AffinityGraph, affinity_graph
from recon.romap.view_confusion import labels_through_confusion, smoothed_votes, vote_shares
from recon.romap.view_votes import ViewVotes, is_never_meant, summed
from render.frozen import Frozen
from render.gaussians import GaussianCloud

NO_PART = -1


@dataclass(frozen=True, eq=False)
class PartLabels(Frozen):
    """What each of N Gaussians is. probabilities: (N, K) float32. has_part: (N,) False where every view that sees a
    Gaussian keeps silent about it. confusions: (V, K, K), agreement: (V,) of the views, where they were learned."""

    probabilities: NDArray[np.float32]
    has_part: NDArray[np.bool_]
    confusions: NDArray[np.float32] | None = None
    agreement: NDArray[np.float32] | None = None

    @property
    def indices(self) -> NDArray[np.int32]:
        """(N,) index of the likeliest part, NO_PART where there is none."""
        return np.where(self.has_part, self.probabilities.argmax(1), NO_PART).astype(np.int32)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N,) probability of that part, 0 where there is none."""
        return np.where(self.has_part, self.probabilities.max(1), 0).astype(np.float32)


def lift_votes(
    cloud: GaussianCloud, votes: Sequence[ViewVotes], how: Lifting = "reliable-votes",
    graph: AffinityGraph | None = None,
) -> PartLabels:  # fmt: skip
    """Parts of all Gaussians from the votes of views. Raises InputError where no view says anything."""
    if not any(len(each.rows) for each in votes):
        raise InputError(
            "No mask says anything about these splats.",
            "Check that the masks show parts where the cameras see the splats, and that 255 is only “no opinion”.",
        )
    has_part = ~is_never_meant(votes, len(cloud))
    if how == "votes":
        return PartLabels(vote_shares(summed(votes, len(cloud))), has_part)
    graph = graph or affinity_graph(cloud)
    if how == "smoothed-votes":
        return PartLabels(smoothed_votes(votes, graph, len(cloud)), has_part)
    found = labels_through_confusion(votes, graph, len(cloud))
    return PartLabels(found.probabilities, has_part, found.confusions, found.agreement)
