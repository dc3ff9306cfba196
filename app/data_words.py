"""What scene data hold, in words and figures."""

from __future__ import annotations

from collections import Counter

import numpy as np

from render.cross_sections import CrossSections
from render.gaussians import GaussianCloud, GaussianMarks
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.radiance_field import RadianceField
from render.rendered_views import RenderedViews
from render.scene_data import SceneData
from render.sdf_field import SdfField
from render.view_field import ViewField

Rows = list[tuple[str, str]]


def describe_data(data: SceneData, marks: GaussianMarks | None = None) -> str:
    """The counts of scene data on one line. marks: of Gaussians, whose deleted ones are left out."""
    if isinstance(data, CrossSections):
        return f"{counted(data.num_planes, 'plane')}, {counted(data.num_loops, 'contour')}"
    if isinstance(data, TriangleMesh):
        return f"{counted(len(data.vertices), 'vertex', 'vertices')}, {counted(len(data.faces), 'triangle')}"
    if isinstance(data, PosedImages):
        return _describe_posed(data)
    if isinstance(data, ImageSet):
        return "1 video, no poses" if data.is_video else f"{counted(len(data), 'image')}, no poses"
    if isinstance(data, PointCloud):
        return counted(len(data.points), "point")
    if isinstance(data, GaussianCloud):
        return f"{left_words(data, marks)}, SH degree {data.sh_degree}"
    if isinstance(data, RenderedViews):
        return f"{counted(len(data.names), 'view')} of {_size(data.rgb.shape[2], data.rgb.shape[1])}"
    if isinstance(data, ViewField):
        return f"field of {counted(len(data), 'view')} of {_size(data.pictures.shape[2], data.pictures.shape[1])}"
    what = "radiance field" if isinstance(data, RadianceField) else "distance field"
    return f"{what}, {counted(_num_parameters(data), 'parameter')}"


def left_words(cloud: GaussianCloud, marks: GaussianMarks | None) -> str:
    """How many Gaussians are not deleted: "12 Gaussians", "10 of 12 Gaussians"."""
    deleted = 0 if marks is None else int(np.count_nonzero(marks.deleted))
    left = f"{number(len(cloud) - deleted)} of " if deleted else ""
    return left + counted(len(cloud), "Gaussian")


def count_rows(data: SceneData, marks: GaussianMarks | None = None) -> Rows:
    """Rows (what, how much) on what is in the data. marks: of Gaussians."""
    if isinstance(data, CrossSections):
        names = ", ".join(data.label_name(label) for label in data.labels)
        return [
            ("Planes", number(data.num_planes)),
            ("Contours", number(data.num_loops)),
            ("Labels", names or "none"),
        ]
    if isinstance(data, TriangleMesh):
        return [("Vertices", number(len(data.vertices))), ("Triangles", number(len(data.faces)))]
    if isinstance(data, PosedImages):
        return _posed_rows(data)
    if isinstance(data, ImageSet):
        return _image_rows(data)
    if isinstance(data, PointCloud):
        colors = "yes" if data.colors is not None else "no"
        return [("Points", number(len(data.points))), ("Colours", colors)]
    if isinstance(data, GaussianCloud):
        rows = [("Gaussians", left_words(data, marks).rpartition(" ")[0]), ("SH degree", str(data.sh_degree))]
        for name in ("hidden", "locked"):
            count = 0 if marks is None else int(np.count_nonzero(getattr(marks, name) & ~marks.deleted))
            rows += [(name.capitalize(), number(count))] if count else []
        return [*rows, ("Further columns", ", ".join(data.extra) or "none")]
    if isinstance(data, RenderedViews):
        return _view_rows(data)
    if isinstance(data, ViewField):
        size = _size(data.pictures.shape[2], data.pictures.shape[1])
        return [("Views", number(len(data))), ("Size", size)]
    return [("Parameters", number(_num_parameters(data)))]


def used_words(posed: PosedImages) -> str:
    """How many images methods use: "46 of 48 used"."""
    return f"{number(len(posed.used))} of {number(len(posed))} used"


def counted(n: int, one: str, many: str = "") -> str:
    """ "1 plane", "12 planes"."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def number(n: int) -> str:
    """An integer with narrow spaces between thousands."""
    return f"{n:,}".replace(",", "\u202f")


def _describe_posed(data: PosedImages) -> str:
    lens = _common(data.lens_models)
    camera = "pinhole camera" if lens in ("PINHOLE", "SIMPLE_PINHOLE") else f"{lens} camera"
    depth, normals = ("no" if cues is None else "yes" for cues in (data.depth, data.normals))
    images = counted(len(data), "image")
    return f"{images}, {counted(len(data), 'pose')}, {camera}, cues: depth {depth}, normals {normals}"


def _posed_rows(data: PosedImages) -> Rows:
    rows = [
        ("Images", used_words(data)),
        ("Sizes", _sizes(data.cameras.size)),
        ("Camera", _common(data.lens_models)),
    ]
    rows.append(("Masks", _how_many(data.images.mask_paths)))
    kinds = {"metric": "metric", "depth": "up to scale", "disparity": "disparity"}
    depth = "none" if data.depth is None else f"{_how_many(data.depth.paths)}, {kinds[data.depth.kind]}"
    normals = "none" if data.normals is None else _how_many(data.normals.paths)
    rows += [("Depth cues", depth), ("Normal cues", normals)]
    if data.points is not None:
        rows.append(("Sparse points", number(len(data.points.points))))
    return [*rows, ("Folder", data.images.folder)]


def _image_rows(data: ImageSet) -> Rows:
    what = ("Video", data.paths[0]) if data.is_video and data.paths else ("Images", number(len(data)))
    return [what, ("Poses", "none yet"), ("Masks", _how_many(data.mask_paths)), ("Folder", data.folder)]


def _view_rows(data: RenderedViews) -> Rows:
    rows = [("Views", number(len(data.names))), ("Size", _size(data.rgb.shape[2], data.rgb.shape[1]))]
    for title, chosen in (("PSNR", ~data.is_held_out), ("Held-out PSNR", data.is_held_out)):
        if chosen.any():
            rows.append((title, f"{float(np.mean(data.psnr[chosen])):.1f} dB"))
    return rows


def _how_many(paths: tuple[str, ...]) -> str:
    count = sum(bool(path) for path in paths)
    return (
        "none" if not count else "all" if count == len(paths) else f"{number(count)} of {number(len(paths))}"
    )


def _common(names: tuple[str, ...]) -> str:
    """The name, or the most common one and how many others there are."""
    found = Counter(names).most_common()
    if not found:
        return "no"
    return found[0][0] if len(found) == 1 else f"{found[0][0]} and {len(found) - 1} other"


def _sizes(sizes: np.ndarray) -> str:
    found = Counter((int(width), int(height)) for width, height in sizes).most_common()
    if not found:
        return "none"
    more = f" and {len(found) - 1} other" if len(found) > 1 else ""
    return _size(*found[0][0]) + more


def _size(width: int, height: int) -> str:
    return f"{width} × {height}"


def _num_parameters(data: SdfField | RadianceField) -> int:
    return sum(array.size for array in data.parameters.values())
