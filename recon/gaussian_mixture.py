"""A cloud as a mixture whose Gaussians can be merged in pairs: means, spreads, opacities and colours."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_projection import rotations_of
from render.gaussians import GaussianCloud

Floats = NDArray[np.float32]

_COLOR_WEIGHT = 0.8  # of squared differences of coefficients against the divergence of shapes
_LEAST_SIZE = 0.05  # of the usual size: thinner Gaussians are compared as if they were that thick
_MOST_OPACITY = 0.9999


@dataclass(frozen=True)
class Mixture:
    """n Gaussians on the way from a cloud to a smaller one.

    means: (n, 3). spreads: (n, 6) xx, xy, xz, yy, yz, zz of the covariances. opacities: (n,). features: (n, F) the
    coefficients of the colours. parts: (n,) labels that are not mixed. rows: (n,) the row of the cloud that each is,
    or of the heaviest that was merged into it. is_merged: (n,).
    """

    means: Floats
    spreads: Floats
    opacities: Floats
    features: Floats
    parts: NDArray[np.int64]
    rows: NDArray[np.integer]
    is_merged: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.means)

    @property
    def weights(self) -> Floats:
        """(n,) how much each covers: opacity times area."""
        return self.opacities * areas(self.spreads)

    def taken(self, rows: NDArray[np.integer]) -> Mixture:
        """The Gaussians of some rows, in their order."""
        return Mixture(*(getattr(self, each.name)[rows] for each in fields(self)))


def mixture_of(cloud: GaussianCloud) -> Mixture:
    """Every Gaussian of a cloud, none merged."""
    axes = rotations_of(cloud.quats) * cloud.scales[:, None, :]
    rows = [(axes[:, i] * axes[:, j]).sum(1) for i in range(3) for j in range(i, 3)]
    count = len(cloud)
    parts = cloud.extra.get("part", np.zeros(count))
    return Mixture(
        cloud.means,
        np.stack(rows, 1),
        cloud.opacities,
        cloud.sh.reshape(count, cloud.sh.shape[1] * 3),
        (parts if parts.ndim == 1 else np.zeros(count)).astype(np.int64),
        np.arange(count),
        np.zeros(count, bool),
    )


def areas(spreads: Floats) -> Floats:
    """(n,) root of the mean square of the areas that ellipsoids show along their three axes, up to a factor: the
    root of the sum of a covariance's principal minors of order two."""
    xx, xy, xz, yy, yz, zz = spreads.T
    minors = xx * yy - xy * xy + xx * zz - xz * xz + yy * zz - yz * yz
    roots: Floats = np.sqrt(np.maximum(minors, np.float32(1e-30)))
    return roots


def log_volumes(spreads: Floats, floor: float) -> Floats:
    """(n,) logarithms of the determinants of covariances, each thickened by `floor`² in every direction."""
    xx, xy, xz, yy, yz, zz = spreads.T.astype(np.float64)
    xx, yy, zz = xx + floor**2, yy + floor**2, zz + floor**2
    volumes = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    logs: Floats = np.log(np.maximum(volumes, floor**6)).astype(np.float32)
    return logs


def merge_costs(mixture: Mixture, first: NDArray[np.integer], second: NDArray[np.integer]) -> Floats:
    """(E,) cost of merging each Gaussian of `first` (E,) with its partner in `second`; infinite across parts."""
    size = np.sqrt(mixture.spreads[:, 0] + mixture.spreads[:, 3] + mixture.spreads[:, 5])
    floor = _LEAST_SIZE * float(np.median(size))
    weights, volumes = mixture.weights, log_volumes(mixture.spreads, floor)
    costs = np.empty(len(first), np.float32)
    step = 1 << 14  # pairs at a time: what is between stays in the cache
    for start in range(0, len(first), step):
        i, j = first[start : start + step], second[start : start + step]
        total = weights[i] + weights[j]
        share = weights[i] / total
        volume = log_volumes(_joined_spreads(mixture, i, j, share), floor)
        shape = total * volume - weights[i] * volumes[i] - weights[j] * volumes[j]
        difference = mixture.features[i] - mixture.features[j]
        color = np.einsum("ef,ef->e", difference, difference)
        cost = shape / 2 + np.float32(_COLOR_WEIGHT) * total * share * (1 - share) * color
        costs[start : start + step] = np.where(mixture.parts[i] == mixture.parts[j], cost, np.inf)
    return costs


def _joined_spreads(
    mixture: Mixture,
    i: NDArray[np.integer],
    j: NDArray[np.integer],
    share: Floats,
    stretch: Floats | None = None,
) -> Floats:
    """(E, 6) covariances of pairs taken together. share: (E,) of the weight that is the first's. stretch: (E,) by how
    much more than moments ask for the place between the means counts."""
    x, y, z = (mixture.means[i] - mixture.means[j]).T
    between = np.stack([x * x, x * y, x * z, y * y, y * z, z * z], 1)
    apart = share * (1 - share) if stretch is None else share * (1 - share) * (1 + stretch)
    mixed = share[:, None] * mixture.spreads[i] + (1 - share[:, None]) * mixture.spreads[j]
    spreads: Floats = mixed + apart[:, None] * between
    return spreads


def joined(mixture: Mixture, pairs: NDArray[np.integer]) -> Mixture:
    """The mixture with the Gaussians of disjoint pairs (M, 2) merged; the others first, as they were.

    Two opaque Gaussians side by side cover a strip with a flat top, so the more opaque they are, the further than
    their moments the new one is stretched between them: by this, pictures change least (bench_gaussian_decimation).
    """
    i, j = pairs.T
    weights = mixture.weights
    share = weights[i] / (weights[i] + weights[j])
    stretch = np.minimum(mixture.opacities[i], mixture.opacities[j])
    spreads = _joined_spreads(mixture, i, j, share, stretch)
    alone = np.ones(len(mixture), bool)
    alone[pairs.ravel()] = False
    heavier = np.where(share >= 0.5, i, j)
    return Mixture(
        np.concatenate([mixture.means[alone], _mixed(mixture.means, i, j, share)]),
        np.concatenate([mixture.spreads[alone], spreads]),
        np.concatenate([mixture.opacities[alone], _joined_opacities(mixture, i, j, spreads)]),
        np.concatenate([mixture.features[alone], _mixed(mixture.features, i, j, share)]),
        np.concatenate([mixture.parts[alone], mixture.parts[heavier]]),
        np.concatenate([mixture.rows[alone], mixture.rows[heavier]]),
        np.concatenate([mixture.is_merged[alone], np.ones(len(pairs), bool)]),
    )


def _mixed(values: Floats, i: NDArray[np.integer], j: NDArray[np.integer], share: Floats) -> Floats:
    share = share[:, None]
    mixed: Floats = share * values[i] + (1 - share) * values[j]
    return mixed


def _joined_opacities(
    mixture: Mixture, i: NDArray[np.integer], j: NDArray[np.integer], spreads: Floats
) -> Floats:
    """What both covered spread over the new area, but no more than both would have one behind the other."""
    covered = (mixture.weights[i] + mixture.weights[j]) / areas(spreads)
    both = 1 - (1 - mixture.opacities[i]) * (1 - mixture.opacities[j])
    opacities: Floats = np.minimum(covered, both)
    return opacities


def to_cloud(cloud: GaussianCloud, mixture: Mixture) -> GaussianCloud:
    """A mixture made from a cloud as a cloud again, in the order of its rows; columns besides are the heaviest's."""
    order = np.argsort(mixture.rows, kind="stable")
    rows, new = mixture.rows[order], order[mixture.is_merged[order]]
    is_new = mixture.is_merged[order]
    kept = cloud.subset(rows)
    quats, log_scales = _axes_of(mixture.spreads[new])
    opacities = np.clip(mixture.opacities[new].astype(np.float64), 1e-6, _MOST_OPACITY)
    values = {
        "means": mixture.means[new],
        "quats": quats,
        "log_scales": log_scales,
        "opacity_logits": np.log(opacities) - np.log1p(-opacities),
        "sh": mixture.features[new].reshape(len(new), *cloud.sh.shape[1:]),
    }
    changed = {name: getattr(kept, name).copy() for name in values}
    for name, array in changed.items():
        array[is_new] = values[name]
    return replace(kept, **changed)


def _axes_of(spreads: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quaternions (n, 4) wxyz and log_scales (n, 3) of covariances (n, 6)."""
    from scipy.spatial.transform import Rotation

    matrices = spreads.astype(np.float64)[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    variances, axes = np.linalg.eigh(matrices)
    axes[np.linalg.det(axes) < 0, :, 0] *= -1
    quats = Rotation.from_matrix(axes).as_quat()[:, [3, 0, 1, 2]] if len(axes) else np.zeros((0, 4))
    floor = np.maximum(1e-10 * variances[:, 2:], 1e-30)
    return quats, np.log(np.maximum(variances, floor)) / 2
