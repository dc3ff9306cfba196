"""Distances from every vertex of a mesh to a reference surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.distance import DistanceSettings
from recon.mesh_topology import edge_table
from recon.method import Output, Progress, Result, Run, RunContext
from recon.metrics import compare, raycasting_scene
from render.mesh import TriangleMesh
from render.scene_data import SceneData

_CHUNK = 65_536  # vertices between two looks at the commands


def run(inputs: Mapping[str, SceneData], settings: DistanceSettings, context: RunContext) -> Run:
    """The mesh with its vertex value "distance", in units; the figures of `metrics.compare`."""
    mesh, reference = inputs["mesh"], inputs["reference"]
    assert isinstance(mesh, TriangleMesh) and isinstance(reference, TriangleMesh)
    is_signed = settings.signed and edge_table(reference.faces).is_watertight
    scene = raycasting_scene(reference)
    measure = scene.compute_signed_distance if is_signed else scene.compute_distance
    distances: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
    for start in range(0, len(mesh.vertices), _CHUNK):
        yield Progress(start, len(mesh.vertices), "Measuring")
        distances.append(measure(np.array(mesh.vertices[start : start + _CHUNK]), nthreads=1).numpy())
    yield Progress(len(mesh.vertices), len(mesh.vertices), "Comparing")
    figures = compare(mesh, reference, context.seed)
    values = {**mesh.vertex_values, "distance": np.concatenate(distances)}
    coloured = replace(mesh, vertex_values=values)
    return Result((Output("Distance", coloured),), {**figures, "is_signed": is_signed})
