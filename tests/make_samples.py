"""Makes the bundled samples from formulas: `python -m tests.make_samples`."""

from __future__ import annotations

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon import formats
from recon.formats import scene_folder
from recon.slicing import slice_mesh
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.synthetic import Shape, mesh_of
from tests.synthetic_room import make_room, write_images

SAMPLES = Path(__file__).parents[1] / "resources" / "samples"
BEAN_FILE = SAMPLES / "slices-bean" / "bean.csl"
ROOM_FOLDER = SAMPLES / "surface-room"
_NUM_PLANES = 12
_RESOLUTION = 160
_LONGEST_EDGE = 0.012  # of the contours; finer ones would only make the file larger


def _bean_field(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A bent ellipsoid with a hole of radius 0.15 drilled through it along Z; right in sign and zero only."""
    bent = x[:, 1] - 0.1 + 0.45 * x[:, 0] ** 2
    body = np.sqrt((x[:, 0] / 0.85) ** 2 + (bent / 0.42) ** 2 + (x[:, 2] / 0.36) ** 2) - 1
    hole = 0.15 - np.hypot(x[:, 0], x[:, 1] - 0.1)
    return np.asarray(np.maximum(0.36 * body, hole))


BEAN = Shape("bean", _bean_field, genus=1, is_exact=False)


def bean_planes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(normals, offsets) of twelve planes, no two parallel: a fan of tilted planes along the bean's length."""
    share = np.linspace(-1, 1, _NUM_PLANES)
    yaw, pitch = 0.5 * share, 0.35 * np.cos(2.5 * np.arange(_NUM_PLANES))
    normals = np.stack([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)], axis=1)
    points = np.stack([0.74 * share, 0.1 - 0.45 * (0.74 * share) ** 2, 0 * share], axis=1)
    return normals, np.einsum("ij,ij->i", normals, points)


@lru_cache(maxsize=1)
def bean_slices() -> CrossSections:
    """The sample: the bean on its twelve planes, its contours thinned out evenly."""
    sections = slice_mesh(mesh_of(BEAN, _RESOLUTION), bean_planes())
    planes = [
        (plane.normal, plane.offset, [(_thinned(loop.points), loop.label) for loop in plane.loops])
        for plane in sections.planes()
    ]
    return CrossSections.from_planes(planes, label_names={1: "Bean"})


def bean_mesh() -> TriangleMesh:
    """The true bean, finely meshed."""
    return mesh_of(BEAN, _RESOLUTION)


def _thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points of a closed contour that lie about `_LONGEST_EDGE` apart along it."""
    lengths = np.linalg.norm(np.diff(points, axis=0, append=points[:1]), axis=1)
    along = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    _, first = np.unique((along / _LONGEST_EDGE).astype(int), return_index=True)
    return points[first]


def write_room(folder: Path) -> None:
    """The sample: 16 photos of the room with poses (COLMAP and transforms.json), sparse points, depth, normals."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        room = make_room(16, 160, 120, num_points=900)
        scene_folder.write(folder, write_images(room, Path(place), with_cues=True))


def main() -> None:
    """Write every sample into the resources."""
    BEAN_FILE.parent.mkdir(parents=True, exist_ok=True)
    formats.write(BEAN_FILE, bean_slices())
    print(f"{BEAN_FILE}: {BEAN_FILE.stat().st_size} bytes")
    write_room(ROOM_FOLDER)
    size = sum(path.stat().st_size for path in ROOM_FOLDER.rglob("*") if path.is_file())
    print(f"{ROOM_FOLDER}: {size} bytes")


if __name__ == "__main__":
    main()
