"""What a run will take and make, judged by earlier runs of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.data_words import number
from app.layers import Layer
from app.project import Project
from recon.method import Method
from render.mesh import TriangleMesh
from widgets.job_rows import bytes_text

_FACE_BYTES = (
    12 + (12 + 12 + 3 + 4) / 2
)  # three indices; half a vertex with its normal, colour and uncertainty


class Estimates:
    """Answers for the project that is open."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def words(self, method: Method, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """One sentence for a method with settings and inputs (slot → layer id); "" where nothing is known."""
        parts = [self._mesh_words(settings, inputs), self._time_words(method, settings, inputs)]
        return " ".join(part for part in parts if part)

    def _mesh_words(self, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """Triangles and memory of the mesh of a field: the triangles of a surface grow as the square of the cells."""
        known = self._mesh_of_same_run(inputs)
        if known is None or not isinstance(settings.get("resolution"), int):
            return ""
        mesh, resolution = known
        faces = round(len(mesh.faces) * (settings["resolution"] / resolution) ** 2)
        size = bytes_text(round(faces * _FACE_BYTES))
        return f"About {number(_rounded(faces))} triangles, {size} of memory for the mesh."

    def _mesh_of_same_run(self, inputs: Mapping[str, str]) -> tuple[TriangleMesh, int] | None:
        """A mesh that came with a chosen field, and the resolution that it was extracted at."""
        chosen = (self._project.layer(layer_id) for layer_id in inputs.values())
        runs = {layer.origin.run for layer in chosen if layer is not None and layer.origin is not None}
        for layer in self._project.layers:
            is_of_run = layer.origin is not None and layer.origin.run in runs
            if is_of_run and isinstance(layer.data, TriangleMesh) and _resolution(layer):
                return layer.data, _resolution(layer)
        return None

    def _time_words(self, method: Method, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """The time by that of an earlier run of the method on the same input: it grows with the steps."""
        for layer in reversed(self._project.layers):
            origin = layer.origin
            if origin is None or origin.method != method.id or set(origin.inputs) != set(inputs.values()):
                continue
            seconds, steps = origin.figures.get("seconds"), origin.settings.get("steps")
            if isinstance(seconds, int | float) and isinstance(steps, int) and settings.get("steps"):
                guess = seconds * settings["steps"] / steps
                return f"About {_time(guess)}, judged by {layer.name}."
        return ""


def _resolution(layer: Layer) -> int:
    value = layer.origin.settings.get("resolution") if layer.origin is not None else None
    return value if isinstance(value, int) else 0


def _rounded(count: int) -> int:
    """Two significant figures: more would pretend to know."""
    digits = max(0, len(str(count)) - 2)
    return round(count, -digits)


def _time(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
