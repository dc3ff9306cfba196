"""CPU-seconds of what is done with a mesh of a million faces: `python -m tests.benchmarks.bench_meshes`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recon import mesh_edits
from recon.formats import mesh as mesh_format
from recon.metrics import slice_agreement
from recon.slicing import arbitrary_planes, slice_mesh
from recon.surface import describe, extract_surface

T = TypeVar("T")


def wavy_ball(resolution: int) -> NDArray[np.float32]:
    """A field of resolution³ points in [-1, 1]³."""
    axis = np.linspace(-1, 1, resolution, dtype=np.float32)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij", sparse=True)
    return np.asarray(np.sqrt(x * x + y * y + z * z) - 0.88 + 0.01 * np.sin(30 * x), np.float32)


def timed(what: str, work: Callable[[], T]) -> T:
    start = time.process_time()
    result = work()
    print(f"{what:<28} {time.process_time() - start:7.2f} s", flush=True)
    return result


def main() -> None:
    for resolution in (65, 129, 257):
        small = wavy_ball(resolution)
        timed(f"extract {resolution}³", lambda field=small: extract_surface(field, (-1, -1, -1), 2 / 128))
    field = wavy_ball(400)
    mesh = timed("extract 400³", lambda: extract_surface(field, (-1, -1, -1), 2 / 399))
    print(f"{len(mesh.faces):,} faces")
    timed("describe", lambda: describe(mesh))
    planes = arbitrary_planes(mesh, 20, seed=0)
    sections = timed("cut by 20 planes", lambda: slice_mesh(mesh, planes))
    timed("agreement on 20 planes", lambda: slice_agreement(mesh, sections))
    timed("remove small pieces", lambda: mesh_edits.remove_small_components(mesh))
    holed = mesh_edits.with_faces(mesh, mesh.faces[1000:])
    timed("fill holes", lambda: mesh_edits.fill_holes(holed))
    timed("make winding consistent", lambda: mesh_edits.make_winding_consistent(mesh))
    timed("smooth 10 times", lambda: mesh_edits.smooth(mesh, 10))
    timed("decimate to a tenth", lambda: mesh_edits.decimate(mesh, len(mesh.faces) // 10))
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".ply", ".stl", ".glb", ".obj", ".3mf"):
            path = Path(folder) / f"ball{suffix}"
            timed(f"write {suffix}", lambda path=path: mesh_format.write(path, [("ball", mesh)]))
            print(f"{path.stat().st_size / 2**20:.0f} MiB")
            timed(f"read {suffix}", lambda path=path: mesh_format.read(path))


if __name__ == "__main__":
    main()
