"""Every kind of scene data by its name: what a layer may hold and a project file may store."""

from __future__ import annotations

from render.cross_sections import CrossSections
from render.mesh import TriangleMesh

SceneData = CrossSections | TriangleMesh
SCENE_DATA_KINDS: dict[str, type[CrossSections] | type[TriangleMesh]] = {
    "cross_sections": CrossSections,
    "mesh": TriangleMesh,
}
