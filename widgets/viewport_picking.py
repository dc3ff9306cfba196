"""What lies under a pixel: surfaces by casting a ray, contours and planes by their place in the picture."""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import mutable
from vtkmodules.vtkCommonDataModel import vtkStaticCellLocator

from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from widgets import viewport_camera as cameras
from widgets.frustums import frustum_under
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_polydata import triangles
from widgets.viewport_scene import ViewportScene

Array = NDArray[np.float64]


class SurfacePick(NamedTuple):
    """Where a line of sight meets a mesh first."""

    layer_id: str
    point: Array  # (3,)
    face: int
    depth: float  # from the ray's origin


class PlanePick(NamedTuple):
    """A contour or a plane under a pixel."""

    layer_id: str
    point: Array  # (3,)
    plane: int
    depth: float


class ImagePick(NamedTuple):
    """A camera's frustum under a pixel."""

    layer_id: str
    image: int
    depth: float


class SplatPick(NamedTuple):
    """The Gaussian at which a line of sight is stopped."""

    layer_id: str
    point: Array  # (3,)
    gaussian: int
    depth: float  # from the ray's origin


class FieldPick(NamedTuple):
    """What is seen of a radiance field or a field of views under a pixel."""

    layer_id: str
    point: Array  # (3,)
    depth: float  # from the ray's origin


SolidPick = SurfacePick | SplatPick | FieldPick


class Picker:
    """Asks a scene; search trees are made at the first pick of a mesh and go with it."""

    def __init__(self, scene: ViewportScene) -> None:
        self._scene = scene
        self._locators: WeakKeyDictionary[TriangleMesh, Any] = WeakKeyDictionary()

    def surface(self, pose: CameraPose, x: float, y: float, size: Size) -> SurfacePick | None:
        """The nearest visible surface under a pixel."""
        origin, direction = cameras.ray(pose, x, y, size)
        hits = []
        for layer_id, layer, mesh in self._scene.meshes():
            span = None if layer.bounds is None else self._span(layer.bounds, origin, direction, pose)
            hit = self._meet(mesh, *(origin + direction * end for end in span)) if span else None
            if hit is not None:
                depth = float((hit[0] - origin) @ direction)
                hits.append(SurfacePick(layer_id, hit[0], hit[1], depth))
        return min(hits, key=lambda hit: hit.depth, default=None)

    def plane(self, pose: CameraPose, x: float, y: float, size: Size, reach: float = 7) -> PlanePick | None:
        """The nearest contour within `reach` pixels, else the nearest shown plane under the pixel."""
        contour = self.contour(pose, x, y, size, reach)
        if contour is not None:
            return contour
        veils = []
        for layer_id, layer, sections in self._scene.sections():
            if layer.style.plane_opacity > 0:
                veil = _plane_under(layer.plane_outlines, sections, pose, np.array([x, y]), size)
                veils += [] if veil is None else [PlanePick(layer_id, *veil)]
        return self._nearest_kept(veils)

    def contour(self, pose: CameraPose, x: float, y: float, size: Size, reach: float = 7) -> PlanePick | None:
        """The contour within `reach` pixels, the nearest to the viewer of several."""
        found = []
        for layer_id, _, sections in self._scene.sections():
            line = _contour_under(sections, pose, np.array([x, y]), size, reach)
            found += [] if line is None else [PlanePick(layer_id, *line)]
        return self._nearest_kept(found)

    def splat(self, pose: CameraPose, x: float, y: float, size: Size) -> SplatPick | None:
        """The nearest layer of splats that is solid under a pixel."""
        found = []
        for layer_id, layer, _ in self._scene.splats():
            hit = layer.under(pose, (x, y), size, self._scene.kept)
            found += [] if hit is None else [SplatPick(layer_id, hit[1], hit[0], hit[2])]
        return min(found, key=lambda pick: pick.depth, default=None)

    def field(self, pose: CameraPose, x: float, y: float, size: Size) -> FieldPick | None:
        """The nearest field under a pixel."""
        found = []
        for layer_id, layer in self._scene.fields():
            hit = layer.under(pose, (x, y), size)
            if hit is not None and self._scene.keeps(hit[0]):
                found.append(FieldPick(layer_id, *hit))
        return min(found, key=lambda pick: pick.depth, default=None)

    def solid(self, pose: CameraPose, x: float, y: float, size: Size) -> SolidPick | None:
        """The nearest of surfaces, splats and fields under a pixel."""
        hits = [self.surface(pose, x, y, size), self.splat(pose, x, y, size), self.field(pose, x, y, size)]
        return min((hit for hit in hits if hit is not None), key=lambda hit: hit.depth, default=None)

    def image(self, pose: CameraPose, x: float, y: float, size: Size) -> ImagePick | None:
        """The nearest frustum of a posed image under the pixel."""
        found = []
        for layer_id, layer, _ in self._scene.cameras():
            frustum = frustum_under(layer.frustums, pose, (x, y), size)
            found += [] if frustum is None else [ImagePick(layer_id, *frustum)]
        return min(found, key=lambda pick: pick.depth, default=None)

    def cloud_point(
        self, pose: CameraPose, x: float, y: float, size: Size, reach: float = 8
    ) -> tuple[str, Array, float] | None:
        """The point of a cloud within `reach` pixels, the one in front of several about equally near: its layer,
        itself (3,) and its depth."""
        found = []
        for layer_id, cloud in self._scene.clouds():
            nearest = _point_under(cloud.points, pose, np.array([x, y]), size, reach)
            if nearest is not None and self._scene.keeps(nearest[0]):
                found.append((layer_id, *nearest))
        return min(found, key=lambda pick: pick[2], default=None)

    def _nearest_kept(self, picks: list[PlanePick]) -> PlanePick | None:
        kept = [pick for pick in picks if self._scene.keeps(pick.point)]
        return min(kept, key=lambda pick: pick.depth, default=None)

    def snapped(self, pick: SurfacePick, pose: CameraPose, size: Size, reach: float = 9) -> Array:
        """The corner of the picked triangle within `reach` pixels of the point, else the point itself."""
        mesh = next(mesh for layer_id, _, mesh in self._scene.meshes() if layer_id == pick.layer_id)
        corners = mesh.vertices[mesh.faces[pick.face]].astype(np.float64)
        pixels = cameras.project(pose, np.vstack([pick.point, corners]), size)[:, :2]
        distance = np.linalg.norm(pixels[1:] - pixels[0], axis=1)
        nearest = int(distance.argmin())
        near_enough = distance[nearest] <= reach and self._scene.keeps(corners[nearest])
        return corners[nearest] if near_enough else pick.point

    def _span(
        self, box: Array, origin: Array, direction: Array, pose: CameraPose
    ) -> tuple[float, float] | None:
        """The part of the ray inside a mesh's box and on the kept side of the clip plane."""
        room = 1e-3 * float(np.linalg.norm(box[1] - box[0])) + 1e-12
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = (np.stack([box[0] - room, box[1] + room]) - origin) / direction
        ends = np.nan_to_num(np.sort(ends, axis=0), nan=0.0)
        near, far = float(ends[0].max()), float(ends[1].min())
        if not pose.parallel:
            near = max(near, 0.0)
        clip = self._scene.clip
        if clip is not None:
            above, slope = float(clip[0] @ origin - clip[1]), float(clip[0] @ direction)
            if abs(slope) < 1e-12:
                far = far if above <= 0 else near - 1
            elif slope > 0:
                far = min(far, -above / slope)
            else:
                near = max(near, -above / slope)
        return (near, far) if far > near else None

    def _meet(self, mesh: TriangleMesh, start: Array, end: Array) -> tuple[Array, int] | None:
        """First intersection of a segment with a mesh: the point and the face."""
        locator: Any = self._locators.get(mesh)
        if locator is None:
            locator = self._locators[mesh] = vtkStaticCellLocator()
            locator.SetDataSet(triangles(mesh.vertices, mesh.faces))
            locator.BuildLocator()
        share, sub, face = mutable(0.0), mutable(0), mutable(0)
        point, parametric = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        # A ray through an edge would slip between its two triangles without a tolerance.
        tolerance = 1e-6 * float(np.linalg.norm(end - start))
        if not locator.IntersectWithLine(start, end, tolerance, share, point, parametric, sub, face):
            return None
        return np.array(point), int(face)


def _contour_under(
    sections: CrossSections, pose: CameraPose, at: Array, size: Size, reach: float
) -> tuple[Array, int, float] | None:
    """The contour segment nearest to a pixel: point, plane, depth."""
    if not sections.num_loops:
        return None
    pixels = cameras.project(pose, sections.vertices, size)
    after = np.arange(1, len(pixels) + 1)
    after[sections.loop_starts[1:] - 1] = sections.loop_starts[:-1]
    start, way = pixels[:, :2], pixels[after, :2] - pixels[:, :2]
    share = np.einsum("ij,ij->i", at - start, way) / np.maximum(np.einsum("ij,ij->i", way, way), 1e-12)
    share = np.clip(share, 0, 1)
    distance = np.linalg.norm(start + way * share[:, None] - at, axis=1)
    depth = pixels[:, 2] + (pixels[after, 2] - pixels[:, 2]) * share
    distance[(pixels[:, 2] <= 0) & (not pose.parallel)] = np.inf
    if distance.min() > reach:
        return None
    # Of those about equally near, the one in front.
    best = int(np.where(distance <= max(distance.min() + 2, 3), depth, np.inf).argmin())
    vertices = sections.vertices
    point = vertices[best] + (vertices[after[best]] - vertices[best]) * share[best]
    loop = int(np.searchsorted(sections.loop_starts, best, side="right")) - 1
    return point, int(sections.loop_planes[loop]), float(depth[best])


def _point_under(
    points: Array, pose: CameraPose, at: Array, size: Size, reach: float
) -> tuple[Array, float] | None:
    pixels = cameras.project(pose, points, size)
    distance = np.linalg.norm(pixels[:, :2] - at, axis=1)
    distance[(pixels[:, 2] <= 0) & (not pose.parallel)] = np.inf
    least = float(distance.min())
    if least > reach:
        return None
    best = int(np.where(distance <= max(least + 1.5, 2.5), pixels[:, 2], np.inf).argmin())
    return points[best], float(pixels[best, 2])


def _plane_under(
    outlines: list[Array], sections: CrossSections, pose: CameraPose, at: Array, size: Size
) -> tuple[Array, int, float] | None:
    """The nearest plane whose polygon covers a pixel: point, plane, depth."""
    origin, direction = cameras.ray(pose, float(at[0]), float(at[1]), size)
    best: tuple[Array, int, float] | None = None
    for index, outline in enumerate(outlines):
        slope = float(sections.normals[index] @ direction)
        if not len(outline) or abs(slope) < 1e-9:
            continue
        depth = float(sections.offsets[index] - sections.normals[index] @ origin) / slope
        point = origin + direction * depth
        is_in_front = pose.parallel or depth > 0
        if (
            is_in_front
            and (best is None or depth < best[2])
            and _covers(outline, sections.normals[index], point)
        ):
            best = point, index, depth
    return best


def _covers(outline: Array, normal: Array, point: Array) -> bool:
    """Whether a convex polygon, in either order of its corners, holds a point of its plane."""
    sides = np.roll(outline, -1, axis=0) - outline
    turns = np.cross(sides, point - outline) @ normal
    return bool((turns >= 0).all() or (turns <= 0).all())
