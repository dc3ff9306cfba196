"""What a viewport draws: its layers, light and background, as VTK objects without a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkRenderingCore import vtkLight

from render.cross_sections import CrossSections
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.radiance_field import RadianceField
from render.scene_data import SceneData
from render.view_field import ViewField
from widgets.colour_maps import rgb
from widgets.theme import Theme, mix
from widgets.viewport_camera import CameraPose, box_corners
from widgets.viewport_cameras import CamerasLayer, Picture
from widgets.viewport_field_layer import FieldLayer
from widgets.viewport_mesh_layer import MeshLayer
from widgets.viewport_points_layer import PointsLayer
from widgets.viewport_sections_layer import SectionsLayer
from widgets.viewport_splats_layer import SplatsLayer
from widgets.viewport_style import LayerStyle, Shading

Array = NDArray[np.float64]
Layer = MeshLayer | SectionsLayer | CamerasLayer | PointsLayer | SplatsLayer | FieldLayer
_KINDS: dict[type[Any], type[Layer]] = {
    TriangleMesh: MeshLayer,
    CrossSections: SectionsLayer,
    PosedImages: CamerasLayer,
    PointCloud: PointsLayer,
    GaussianCloud: SplatsLayer,
    RadianceField: FieldLayer,
    ViewField: FieldLayer,
}

# Lights that travel with the camera: where they stand in its axes, how strong, what tint.
_LIGHTS = (
    ((-0.55, 0.85, 1.0), 0.92, (1.0, 0.985, 0.96)),
    ((0.95, -0.25, 0.55), 0.34, (0.86, 0.92, 1.0)),
    ((0.0, 0.1, 1.0), 0.24, (1.0, 1.0, 1.0)),
)


class ViewportScene:
    """The layers of one viewport in one VTK renderer."""

    def __init__(self, renderer: Any, theme: Theme, pixel_ratio: float) -> None:
        self.renderer = renderer
        self._theme, self._ratio = theme, pixel_ratio
        self._layers: dict[str, Layer] = {}
        self._hidden: set[str] = set()
        self._shading: Shading | None = None
        self._is_xray = False
        self._cameras_shown = self._sparse_shown = True
        self._clip: Any = None
        self.clip: tuple[Array, float] | None = None
        self.crop: Array | None = None  # (4, 4): splats are drawn within -1 … 1 along its axes only
        self.uncounted = frozenset[str]()  # shown only to be compared with
        self._light()
        self._paint_background()

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Every layer by its id, hidden ones too."""
        return self._layers

    def visible(self) -> Iterator[tuple[str, Layer]]:
        """The layers that are drawn."""
        return ((i, layer) for i, layer in self._layers.items() if i not in self._hidden)

    def meshes(self) -> Iterator[tuple[str, MeshLayer, TriangleMesh]]:
        """The meshes that are drawn."""
        for layer_id, layer in self.visible():
            if isinstance(layer, MeshLayer) and layer.data is not None:
                yield layer_id, layer, layer.data

    def sections(self) -> Iterator[tuple[str, SectionsLayer, CrossSections]]:
        """The cross-sections that are drawn."""
        for layer_id, layer in self.visible():
            if isinstance(layer, SectionsLayer) and layer.data is not None:
                yield layer_id, layer, layer.data

    def cameras(self) -> Iterator[tuple[str, CamerasLayer, PosedImages]]:
        """The posed images that are drawn."""
        for layer_id, layer in self.visible():
            if isinstance(layer, CamerasLayer) and layer.data is not None:
                yield layer_id, layer, layer.data

    def clouds(self) -> Iterator[tuple[str, PointCloud]]:
        """The points that are drawn, sparse points of images too."""
        for layer_id, layer in self.visible():
            data = layer.data.points if isinstance(layer, CamerasLayer) and layer.data else layer.data
            if isinstance(data, PointCloud) and len(data.points):
                yield layer_id, data

    def splats(self) -> Iterator[tuple[str, SplatsLayer, GaussianCloud]]:
        """The Gaussian splats that are drawn."""
        for layer_id, layer in self.visible():
            if isinstance(layer, SplatsLayer) and layer.data is not None and len(layer.data):
                yield layer_id, layer, layer.data

    def splat_layers(self) -> dict[str, SplatsLayer]:
        """All layers of Gaussian splats, hidden ones too."""
        return {
            layer_id: layer
            for layer_id, layer in self._layers.items()
            if isinstance(layer, SplatsLayer) and layer.data is not None and len(layer.data)
        }

    def fields(self) -> Iterator[tuple[str, FieldLayer]]:
        """The radiance fields and fields of views that are drawn."""
        for layer_id, layer in self.visible():
            if isinstance(layer, FieldLayer):
                yield layer_id, layer

    def depth_range(self, pose: CameraPose) -> tuple[float, float]:
        """The depths along the view between which the colours of "depth" lie: where most of splats and fields are."""
        corners = [layer.outer_points for _, layer, _ in self.splats()]
        corners += [layer.outer_points for _, layer in self.fields()]
        depths = (np.asarray(pose.position) - np.concatenate([np.zeros((0, 3)), *corners])) @ pose.axes[2]
        if not len(depths):
            return 0.0, 1.0
        low = float(depths.min()) if pose.parallel else max(float(depths.min()), 0.0)
        return low, max(float(depths.max()), low + 1e-6)

    def set_pictures(self, layer_id: str, pictures: Mapping[int, Picture]) -> None:
        """Show thumbnails of a layer's images; for another kind of layer, or none, there is nothing to show."""
        layer = self._layers.get(layer_id)
        if isinstance(layer, CamerasLayer):
            layer.set_pictures(pictures)

    @property
    def cameras_shown(self) -> bool:
        """Whether frustums are drawn."""
        return self._cameras_shown

    def show_cameras(self, on: bool) -> None:
        """Draw frustums, or only the points that were found from them."""
        self._cameras_shown = on
        for layer in self._layers.values():
            if isinstance(layer, CamerasLayer):
                layer.show_cameras(on)

    @property
    def sparse_shown(self) -> bool:
        """Whether sparse points of images are drawn."""
        return self._sparse_shown

    def show_sparse(self, on: bool) -> None:
        """Draw the sparse points of images or not."""
        self._sparse_shown = on
        for layer in self._layers.values():
            if isinstance(layer, CamerasLayer):
                layer.show_points(on)

    def show(self, layer_id: str, data: SceneData, style: LayerStyle) -> None:
        """Draw data under this id, in place of what had it; data already drawn are not uploaded again."""
        layer = self._layer_for(layer_id, data)
        if isinstance(layer, MeshLayer):
            layer.is_xray = self._is_xray
        layer.set(data, style, self._shading or style.shading)  # type: ignore[arg-type]
        self._clip_layer(layer)

    def remove(self, layer_id: str) -> None:
        """Forget a layer; an unknown id is no mistake, the layer may have been without a picture."""
        layer = self._layers.pop(layer_id, None)
        self._hidden.discard(layer_id)
        if layer is not None:
            for actor in layer.actors:
                self.renderer.RemoveActor(actor)
            layer.release()

    def set_visible(self, layer_id: str, visible: bool) -> None:
        """Draw a layer or not; raises KeyError for an id that is not there."""
        layer = self._layers[layer_id]
        if visible == (layer_id not in self._hidden):
            return
        self._hidden ^= {layer_id}
        for actor in layer.actors:
            self.renderer.AddActor(actor) if visible else self.renderer.RemoveActor(actor)
        self._put_fields_last()

    def set_shading(self, shading: Shading | None) -> None:
        """Draw every mesh so, or each as its own style says."""
        self._shading = shading
        for layer in self._layers.values():
            if isinstance(layer, MeshLayer) and layer.data is not None:
                layer.set(layer.data, layer.style, shading or layer.style.shading)
                self._clip_layer(layer)

    @property
    def is_xray(self) -> bool:
        """Whether meshes can be seen through."""
        return self._is_xray

    def set_xray(self, on: bool) -> None:
        """Let meshes be seen through."""
        self._is_xray = on
        for layer in self._layers.values():
            if isinstance(layer, MeshLayer) and layer.data is not None:
                layer.is_xray = on
                layer.set(layer.data, layer.style, layer.shading)
                self._clip_layer(layer)

    def set_clip(self, normal: Array | None, offset: float = 0.0) -> None:
        """Keep only where n . x <= offset; None keeps all."""
        self._clip, self.clip = None, None
        if normal is not None:
            self.clip = normal, offset
            self._clip = vtkPlane()
            self._clip.SetNormal(*(-normal))  # VTK keeps the side that its normal points to
            self._clip.SetOrigin(*(normal * offset))
        for layer in self._layers.values():
            self._clip_layer(layer)

    def keeps(self, point: Array) -> bool:
        """Whether the clip plane leaves this point."""
        return self.clip is None or bool(
            self.clip[0] @ point <= self.clip[1] + 1e-9 * (1 + abs(self.clip[1]))
        )

    def kept(self, points: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """Which points (N, 3) clip plane and crop box leave, or None for all."""
        left: NDArray[np.bool_] | None = None
        if self.clip is not None:
            left = points @ self.clip[0].astype(np.float32) <= self.clip[1]
        if self.crop is not None:
            box = np.linalg.inv(self.crop).astype(np.float32)
            inside = (np.abs(points @ box[:3, :3].T + box[:3, 3]) <= 1).all(1)
            left = inside if left is None else left & inside
        return left

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """Follow another theme or screen."""
        self._theme, self._ratio = theme, pixel_ratio
        self._paint_background()
        for layer in self._layers.values():
            layer.set_theme(theme, pixel_ratio)
            self._clip_layer(layer)

    def bounds(self, ids: Iterable[str] | None = None) -> Array | None:
        """(2, 3) around the given layers, or around all that are drawn; None when there is nothing."""
        layers = [self._layers[i] for i in ids] if ids is not None else [layer for _, layer in self.visible()]
        boxes = [box for box in (layer.bounds for layer in layers) if box is not None]
        if not boxes:
            return None
        return np.stack([np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)])

    def outer_points(self, ids: Iterable[str] | None = None) -> Array:
        """Points (N, 3) around the given layers, or around all that are drawn, to fit the camera to."""
        layers = [self._layers[i] for i in ids] if ids is not None else [layer for _, layer in self.visible()]
        return np.concatenate([np.zeros((0, 3)), *(layer.outer_points for layer in layers)])

    def apply(self, pose: CameraPose, aspect: float, extra: Array | None = None) -> None:
        """Give VTK's camera this pose, and near and far so that all layers and `extra` (N, 3) are seen.

        aspect: width over height of the picture."""
        box = self.bounds()
        corners = box_corners(box) if box is not None else np.array([pose.focal])
        _, _, back = pose.axes
        depths = (np.asarray(pose.position) - corners) @ back
        reach = max(float(np.ptp(depths)), pose.distance) * 0.01
        near, far = float(depths.min()) - reach, max(float(depths.max()), pose.distance) + reach
        self._lift_lines(pose, near, far, box)
        if extra is not None:  # the ground may reach past everything, but costs no precision in front
            far = max(far, float(((np.asarray(pose.position) - extra) @ back).max()))
            near *= 0.25
        behind = max(0.0, reach - near) if pose.parallel else 0.0
        camera = self.renderer.GetActiveCamera()
        camera.SetPosition(*(np.asarray(pose.position) + back * behind))
        camera.SetFocalPoint(*pose.focal)
        camera.SetViewUp(*pose.up)
        camera.SetParallelProjection(pose.parallel)
        camera.SetParallelScale(pose.half_height)
        camera.SetViewAngle(np.degrees(pose.view_angle))
        camera.SetWindowCenter(-2 * pose.shift[0] / aspect, 2 * pose.shift[1])
        camera.SetClippingRange(max(near + behind, pose.distance * 1e-3), far + behind)

    def _lift_lines(self, pose: CameraPose, near: float, far: float, box: Array | None) -> None:
        """Bring contours out of surfaces that they lie on, by a small part of the scene's size."""
        lift = 0.002 * (float(np.linalg.norm(box[1] - box[0])) if box is not None else 0.0)
        near = max(near, pose.distance * 1e-3)
        slope = 1 / (far - near) if pose.parallel else near * far / ((far - near) * pose.distance**2)
        for layer in self._layers.values():
            if isinstance(layer, SectionsLayer):
                layer.set_lift(lift * slope)

    def release(self) -> None:
        """Let go of all layers."""
        for layer_id in tuple(self._layers):
            self.remove(layer_id)
        self.renderer.RemoveAllLights()

    def _layer_for(self, layer_id: str, data: SceneData) -> Layer:
        kind = _KINDS[type(data)]
        layer = self._layers.get(layer_id)
        if isinstance(layer, kind):
            return layer
        was_hidden = layer_id in self._hidden
        self.remove(layer_id)
        layer = self._layers[layer_id] = kind(self._theme, self._ratio)
        if isinstance(layer, CamerasLayer):
            layer.show_cameras(self._cameras_shown)
            layer.show_points(self._sparse_shown)
        if was_hidden:
            self._hidden.add(layer_id)
        else:
            for actor in layer.actors:
                self.renderer.AddActor(actor)
        self._put_fields_last()
        return layer

    def _put_fields_last(self) -> None:
        """VTK draws in the order of its list: pictures of fields are laid over what is behind them."""
        for _, layer in self.fields():
            for actor in layer.actors:
                self.renderer.RemoveActor(actor)
                self.renderer.AddActor(actor)

    def _clip_layer(self, layer: Layer) -> None:
        if isinstance(layer, MeshLayer):
            layer.set_clipping(self._clip, self.clip, mix(self._theme.accent, "#f0ece6", 0.6))
        else:
            layer.set_clipping(self._clip)

    def _light(self) -> None:
        self.renderer.RemoveAllLights()
        self.renderer.AutomaticLightCreationOff()
        for position, intensity, tint in _LIGHTS:
            light = vtkLight()
            light.SetLightTypeToCameraLight()
            light.SetPosition(*position)
            light.SetFocalPoint(0, 0, 0)
            light.SetIntensity(intensity)
            light.SetDiffuseColor(*tint)
            light.SetSpecularColor(*tint)
            self.renderer.AddLight(light)

    def _paint_background(self) -> None:
        self.renderer.GradientBackgroundOn()
        self.renderer.SetBackground(*rgb(self._theme.viewport_bottom))
        self.renderer.SetBackground2(*rgb(self._theme.viewport_top))


def is_drawn(data: object) -> TypeGuard[SceneData]:
    """Whether data have a place in space where a viewport can draw them."""
    return type(data) in _KINDS
