"""What the command line tells about scene data: facts as JSON values, or a line each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.data_words import describe_data as in_words
from render.cross_sections import CrossSections
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.rendered_views import RenderedViews
from render.scene_data import SceneData


def describe_data(data: SceneData) -> dict[str, Any]:
    """Counts, bounds and frame of scene data, as JSON values."""
    frame = {"up": data.frame.up, "unit": data.frame.unit, "patient_axes": data.frame.patient_axes}
    return {**_counts(data), "bounds": data.bounds.tolist(), **frame}


def _counts(data: SceneData) -> dict[str, Any]:
    if isinstance(data, CrossSections):
        return {
            "kind": "cross-sections",
            "planes": data.num_planes,
            "contours": data.num_loops,
            "vertices": len(data.vertices),
            "labels": {str(label): data.label_name(label) for label in data.labels},
        }
    if isinstance(data, TriangleMesh):
        return {"kind": "mesh", "vertices": len(data.vertices), "faces": len(data.faces)}
    if isinstance(data, PosedImages):
        return _posed_facts(data)
    if isinstance(data, ImageSet):
        kind = "video" if data.is_video else "photos"
        masks = sum(map(bool, data.mask_paths))
        return {
            "kind": kind,
            "summary": in_words(data),
            "images": len(data),
            "masks": masks,
            "folder": data.folder,
        }
    if isinstance(data, PointCloud):
        return {"kind": "points", "points": len(data.points), "colors": data.colors is not None}
    if isinstance(data, RenderedViews):
        return {"kind": "views", "summary": in_words(data), "views": len(data.names)}
    if isinstance(data, GaussianCloud):
        return _splat_facts(data)
    return {"kind": "field", "summary": in_words(data)}


def _splat_facts(data: GaussianCloud) -> dict[str, Any]:
    opacities, scales = data.opacities, data.scales.ravel()
    facts: dict[str, Any] = {"kind": "Gaussian splats", "gaussians": len(data), "sh_degree": data.sh_degree}
    for name, values in (("opacity", opacities), ("scale", scales)):
        ends = np.quantile(values, [0, 0.5, 1]) if len(values) else np.zeros(3)
        facts |= {f"{name}_{what}": float(x) for what, x in zip(("min", "median", "max"), ends, strict=True)}
    return {
        **facts,
        "antialiased": data.is_antialiased,
        "further_columns": ", ".join(data.extra) or "none",
        "comments": "; ".join(data.comments) or "none",
    }


def _posed_facts(data: PosedImages) -> dict[str, Any]:
    """E.g. "48 images, 48 poses, OPENCV camera, cues: depth yes, normals yes, 1234 points", and each by itself."""
    points = 0 if data.points is None else len(data.points.points)
    assert data.observations is not None
    sizes = sorted({f"{width} × {height}" for width, height in data.cameras.size.tolist()})
    return {
        "kind": "posed photos",
        "summary": f"{in_words(data)}, {points or 'no'} points",
        "images": len(data),
        "poses": len(data.cameras),
        "used": len(data.used),
        "camera_models": ", ".join(sorted(set(data.lens_models))),
        "sizes": ", ".join(sizes[:3]) + (", …" if len(sizes) > 3 else ""),
        "focal_length": float(np.median(data.cameras.focal)),
        "depth": "none" if data.depth is None else data.depth.kind,
        "depths": 0 if data.depth is None else sum(map(bool, data.depth.paths)),
        "normals": 0 if data.normals is None else sum(map(bool, data.normals.paths)),
        "masks": sum(map(bool, data.images.mask_paths)),
        "points": points,
        "observations": len(data.observations),
        "folder": data.images.folder,
    }


def print_facts(facts: Mapping[str, Any]) -> None:
    """Name and value, a line each; tables stay for --json."""
    for name, value in facts.items():
        if name == "bounds":
            low, high = (" ".join(f"{x:.6g}" for x in corner) for corner in value)
            print(f"{'bounds':24} {low} to {high}")
        elif name == "labels":
            print(f"{name:24} {', '.join(f'{label} {text}' for label, text in value.items())}")
        elif isinstance(value, float):
            print(f"{name.replace('_', ' '):24} {value:.6g}")
        elif isinstance(value, (int, str)):
            print(f"{name.replace('_', ' '):24} {value}")
    sys.stdout.flush()
