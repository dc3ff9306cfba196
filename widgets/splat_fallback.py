"""Gaussian splats where the graphics card cannot draw them: pictures made by the processor, laid into VTK's.

A picture is made in a thread of its own, with few pixels while the camera moves; until it comes the last one stays.
It has one depth a pixel, the mean of what is seen there, so that splats hide meshes and are hidden by them as a whole:
where a mesh stands within a haze of splats it is wholly before it or wholly behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from render.gaussians import GaussianCloud
from widgets.depth_picture import DepthPicture, DepthPixels
from widgets.splat_order import Sorter
from widgets.viewport_camera import CameraPose, pinhole
from widgets.viewport_scene import ViewportScene

_COARSENESS = 4  # pixels along a side of one that is drawn while the camera moves


@dataclass(frozen=True)
class _Wish:
    """A picture to make, all that it depends on."""

    pose: CameraPose
    size: tuple[int, int]
    coarseness: int
    versions: tuple[object, ...]


class SplatsByCpu(QObject):
    """Keeps an actor with the newest picture in the scene. picture_wished: there is a newer one."""

    picture_wished = Signal()

    def __init__(self, parent: QObject, scene: ViewportScene) -> None:
        super().__init__(parent)
        self._scene = scene
        self._worker = Sorter(self)
        self._worker.done.connect(self._on_made)
        self._hung = DepthPicture()
        self._wanted: _Wish | None = None
        self._shown: _Wish | None = None
        self._is_busy = False
        for actor in self._hung.actors:
            scene.renderer.AddActor(actor)

    @property
    def is_sharp(self) -> bool:
        """Whether the picture has all the pixels that it can have, for the camera as it is."""
        return self._shown == self._wanted and (self._wanted is None or self._wanted.coarseness == 1)

    def prepare(self, pose: CameraPose, size: tuple[int, int], is_moving: bool, at_once: bool) -> None:
        """Want a picture of all visible splats for this camera; at_once: wait for it."""
        clouds = tuple((layer_id, layer.version) for layer_id, layer, _ in self._scene.splats())
        if not clouds:
            self._wanted = self._shown = None
            self._hung.set(None, is_smooth=False)
            return
        clip = self._scene.clip
        cut = None if clip is None else (*clip[0].tolist(), clip[1])
        self._wanted = _Wish(pose, size, _COARSENESS if is_moving else 1, (clouds, cut))
        if at_once and self._shown != self._wanted:
            self._show(self._wanted, self._picture(self._wanted)())
        elif self._shown != self._wanted and not self._is_busy:
            self._begin(self._wanted)
        self._hung.follow(self._scene.renderer, 1.0, None)

    def release(self) -> None:
        """End the thread and take the picture away."""
        self._worker.stop()
        for actor in self._hung.actors:
            self._scene.renderer.RemoveActor(actor)

    def _begin(self, wish: _Wish) -> None:
        self._is_busy = True
        make = self._picture(wish)
        self._worker.do(lambda: (wish, make()))

    def _on_made(self, made: object) -> None:
        self._is_busy = False
        assert isinstance(made, tuple)
        wish, picture = made
        if self._wanted is not None:
            self._show(wish, picture)
            self.picture_wished.emit()

    def _show(self, wish: _Wish, picture: DepthPixels) -> None:
        self._hung.set(picture, is_smooth=wish.coarseness > 1)
        self._shown = wish

    def _picture(self, wish: _Wish) -> Callable[[], DepthPixels]:
        """Work for the thread, with what it needs taken from the scene now."""
        parts = []
        for _, layer, cloud in self._scene.splats():
            marks = layer.style.marks
            kept = self._scene.kept(cloud.means)
            shown = np.ones(len(cloud), bool) if marks is None else marks.is_drawn
            parts.append((cloud, shown if kept is None else shown & kept, layer.style.opacity))
        return lambda: _draw(parts, wish)


def _draw(parts: list[tuple[GaussianCloud, NDArray[np.bool_], float]], wish: _Wish) -> DepthPixels:
    """Colours and mean depths of all clouds together."""
    from render.splat_pictures import colors_from, splat_channels  # numba is imported in the thread only

    size = max(1, wish.size[0] // wish.coarseness), max(1, wish.size[1] // wish.coarseness)
    camera = pinhole(wish.pose, size)
    clouds = [cloud.subset(shown) for cloud, shown, _ in parts]
    values = [colors_from(cloud, camera.cam_from_world) for cloud in clouds]
    together = _joined(clouds, [opacity for _, _, opacity in parts])
    depths = together.means @ camera.cam_from_world[2, :3] + camera.cam_from_world[2, 3]
    channels = np.concatenate([np.concatenate(values), depths[:, None]], 1).astype(np.float32)
    focal = (camera.focal, camera.focal)
    picture, alpha = splat_channels(together, channels, camera.cam_from_world, focal, camera.center, size)
    rgb = np.minimum(np.clip(picture[..., :3], 0, None), alpha[..., None])
    rgba = (np.concatenate([rgb, alpha[..., None]], -1) * 255).round().astype(np.uint8)
    away = np.where(alpha > 1 / 512, picture[..., 3] / np.maximum(alpha, 1e-6), 0)
    return DepthPixels(rgba, away.astype(np.float32), camera)


def _joined(clouds: list[GaussianCloud], opacities: list[float]) -> GaussianCloud:
    """All Gaussians as one cloud; their colours are no part of it."""
    alphas = np.concatenate([cloud.opacities * share for cloud, share in zip(clouds, opacities, strict=True)])
    alphas = np.clip(alphas, 1e-6, 1 - 1e-6)
    logits = np.log(alphas / (1 - alphas))
    sh = np.zeros((len(logits), 1, 3), np.float32)
    fades = all(cloud.is_antialiased for cloud in clouds)
    return GaussianCloud(
        np.concatenate([cloud.means for cloud in clouds]),
        np.concatenate([cloud.quats for cloud in clouds]),
        np.concatenate([cloud.log_scales for cloud in clouds]),
        logits.astype(np.float32),
        sh,
        is_antialiased=fades,
    )
