"""How much work a picture is worth: all of it at rest, less while the camera moves and pictures are slow."""

from __future__ import annotations

from typing import Any

from widgets.viewport_proxy import Proxies
from widgets.viewport_scene import ViewportScene

_SLOW = 0.045  # seconds; a full picture that takes longer is made cheaper while the camera moves


class Detail:
    """Chooses samples a pixel, coarse meshes and the way translucency is sorted, before each picture."""

    def __init__(self, scene: ViewportScene, multi_samples: int) -> None:
        self._scene, self._samples = scene, multi_samples
        self._proxies = Proxies()
        self._full_seconds = 0.0
        self._is_cheap = False

    @property
    def is_cheap(self) -> bool:
        """Whether the last picture was a cheap one."""
        return self._is_cheap

    @property
    def full_seconds(self) -> float:
        """What the last full picture took."""
        return self._full_seconds

    def layers_changed(self) -> None:
        """Begin with the proxies of large meshes."""
        shown = {layer_id for layer_id, _, _ in self._scene.meshes()}
        for layer_id, _, mesh in self._scene.meshes():
            self._proxies.want(layer_id, mesh)
        for layer_id in set(self._scene.layers) - shown:
            self._proxies.forget(layer_id)

    def prepare(self, window: Any, is_moving: bool) -> None:
        """Set up the next picture of VTK's window."""
        self._is_cheap = is_moving and self._full_seconds > _SLOW
        samples = 0 if self._is_cheap else self._samples
        if window is not None and window.GetMultiSamples() != samples:
            window.SetMultiSamples(samples)
        veils = any(layer.opacity < 1 for _, layer, _ in self._scene.meshes())
        # Without it translucent triangles of one mesh show in the order in which they are stored.
        self._scene.renderer.SetUseOIT(veils and not self._is_cheap)
        for layer_id, layer, mesh in self._scene.meshes():
            coarse = self._proxies.ready(layer_id, mesh) if self._is_cheap else None
            layer.show_coarse(coarse)
            if coarse is None:
                layer.close_cut()

    def note(self, seconds: float) -> None:
        """Learn from the picture just made."""
        if not self._is_cheap:
            self._full_seconds = seconds

    def release(self) -> None:
        """End the thread that makes proxies."""
        self._proxies.release()
