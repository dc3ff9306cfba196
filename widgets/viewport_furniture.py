"""Everything around the layers of a viewport: grid, axes, scale bar, counts, legend, banner, view cube."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget

from render.field_pictures import Field
from render.frame import Axis
from render.view_field import ViewField
from widgets.theme import Theme, active_theme
from widgets.view_cube import ViewCube
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_grid import GroundGrid
from widgets.viewport_overlays import AxesAndScale, Banner, Counts, Legend, grouped, unit_label
from widgets.viewport_scene import ViewportScene
from widgets.viewport_splats_layer import SplatsLayer

FurnitureName = Literal["grid", "axes", "scale", "counts", "legend", "cube"]
FURNITURE: tuple[FurnitureName, ...] = get_args(FurnitureName)
_FIELD_STATES = {"refining": "refining", "preparing": "preparing calculations, once on this machine"}


class Furniture:
    """Keeps it all in its place and in step with camera and layers."""

    def __init__(self, parent: QWidget, scene: ViewportScene) -> None:
        self._scene = scene
        self._shown: set[FurnitureName] = set(FURNITURE)
        self.unit = "unit"
        self.fields_state = ""  # why pictures of fields are not sharp yet, a key of _FIELD_STATES
        self.grid = GroundGrid(active_theme())
        self.axes, self.counts = AxesAndScale(parent), Counts(parent)
        self.legend, self.banner, self.cube = Legend(parent), Banner(parent), ViewCube(parent)
        scene.renderer.AddActor(self.grid.actor)

    def is_shown(self, name: FurnitureName) -> bool:
        """Whether the user wants this piece."""
        return name in self._shown

    def set_shown(self, name: FurnitureName, shown: bool) -> None:
        """Show or hide one piece."""
        self._shown = self._shown | {name} if shown else self._shown - {name}
        self.grid.actor.SetVisibility(self.is_shown("grid"))
        self.axes.show_axes, self.axes.show_scale = self.is_shown("axes"), self.is_shown("scale")
        self.axes.update()
        self.counts.setVisible(self.is_shown("counts"))
        self.cube.setVisible(self.is_shown("cube"))
        self.describe()

    def set_theme(self, theme: Theme) -> None:
        """Follow another theme."""
        self.grid.set_theme(theme)
        for overlay in (self.axes, self.counts, self.legend, self.banner, self.cube):
            overlay.update()

    def follow(self, pose: CameraPose, size: Size, up_axis: Axis) -> NDArray[np.float64] | None:
        """Keep in step with the camera; returns what the grid takes of the ground, or None."""
        self.axes.follow(pose, size, self.unit)
        self._explain_depths(pose)
        self.cube.follow(pose)
        if not self.is_shown("grid"):
            return None
        return self.grid.place(pose, size, up_axis, self._scene.bounds())

    def describe(self) -> None:
        """Say what is drawn: counts, the unit, and what the colours mean."""
        self.counts.set_lines(tuple(self._count_lines()))
        units = {layer.data.frame.unit for _, layer in self._scene.visible() if layer.data is not None}
        self.unit = units.pop() if len(units) == 1 else "unit"
        self._explain_colors()
        self.place()

    def place(self) -> None:
        """Put the overlays at the edges of the parent."""
        parent = self.cube.parentWidget()
        if parent is None:
            return
        width, height, gap = parent.width(), parent.height(), active_theme().px(8)
        cube, legend, counts = self.cube.sizeHint(), self.legend.sizeHint(), self.counts.sizeHint()
        banner, axes = self.banner.sizeHint(), self.axes.sizeHint()
        self.cube.setGeometry(QRect(width - cube.width() - gap, gap, cube.width(), cube.height()))
        below = cube.height() + 2 * gap if self.is_shown("cube") else gap
        room = height - below - counts.height() - 2 * gap  # a low pane has a low legend
        tall = max(min(legend.height(), room), active_theme().px(96))
        self.legend.setGeometry(width - legend.width(), below + gap, legend.width(), tall)
        # In a narrow pane the counts stand above the scale bar; in one that is low too they would cover the rest.
        is_narrow = axes.width() + counts.width() > width
        lift = active_theme().px(32) if is_narrow else 0
        self.counts.setVisible(
            self.is_shown("counts") and not (is_narrow and height < active_theme().px(360))
        )
        self.counts.setGeometry(
            width - counts.width(), height - counts.height() - lift, counts.width(), counts.height()
        )
        self.axes.setGeometry(0, height - axes.height(), axes.width(), axes.height())
        self.banner.setGeometry(
            (width - banner.width()) // 2, gap + gap // 2, banner.width(), banner.height()
        )
        for overlay in (self.axes, self.counts, self.legend, self.banner, self.cube):
            overlay.raise_()

    def _count_lines(self) -> list[str]:
        faces = sum(len(mesh.faces) for _, _, mesh in self._scene.meshes())
        vertices = sum(len(mesh.vertices) for _, _, mesh in self._scene.meshes())
        planes = sum(sections.num_planes for _, _, sections in self._scene.sections())
        points = sum(len(sections.vertices) for _, _, sections in self._scene.sections())
        lines = []
        images = sum(len(posed) for _, _, posed in self._scene.cameras())
        dots = sum(len(cloud.points) for _, cloud in self._scene.clouds())
        uncounted = self._scene.uncounted
        splats = sum(_num_shown(layer) for key, layer, _ in self._scene.splats() if key not in uncounted)
        lines += [
            _field_words(layer.data, self.fields_state) for _, layer in self._scene.fields() if layer.data
        ]
        if splats:
            lines.append(_counted(splats, "splat"))
        if images or dots:
            parts = [_counted(images, "image")] if images else []
            lines.append(", ".join([*parts, _counted(dots, "point")] if dots else parts))
        if planes:
            lines.append(f"{_counted(planes, 'plane')}, {_counted(points, 'contour point')}")
        if faces or vertices:
            lines.append(f"{_counted(faces, 'triangle')}, {_counted(vertices, 'vertex', 'vertices')}")
        return lines

    def _explain_colors(self) -> None:
        for _, layer, _ in self._scene.meshes():
            name, value_range = layer.value_name(), layer.value_range()
            if name is not None and value_range is not None:
                style = layer.style
                unit = unit_label(style.value_unit) if style.value_unit else ""
                self.legend.set(name, unit, style.color_map, value_range)
                self.legend.setVisible(self.is_shown("legend"))
                return
        for _, splats, _ in self._scene.splats():
            name, value_range = splats.column_name(), splats.value_range()
            if name is not None and value_range is not None:
                title = "Scale, log\u2081\u2080" if name == "scale" else name
                self.legend.set(title, "", splats.style.color_map, value_range)
                self.legend.setVisible(self.is_shown("legend"))
                return
        self.legend.setVisible(self.is_shown("legend") and self._shows_depths)

    @property
    def _shows_depths(self) -> bool:
        return any(layer.style.splat_coloring == "depth" for _, layer, _ in self._scene.splats()) or any(
            layer.style.field_coloring == "depth" for _, layer in self._scene.fields()
        )

    def _explain_depths(self, pose: CameraPose) -> None:
        """The range of depths goes with the camera."""
        has_values = any(layer.value_range() for _, layer, _ in self._scene.meshes()) or any(
            layer.value_range() for _, layer, _ in self._scene.splats()
        )
        if not has_values and self._shows_depths and not self.legend.isHidden():
            unit = self.unit if self.unit != "unit" else ""
            self.legend.set("depth", unit, "viridis", self._scene.depth_range(pose))


def _field_words(field: Field, state: str) -> str:
    """What a field is, and why its picture is not sharp yet."""
    words = f"Field of {_counted(len(field), 'view')}" if isinstance(field, ViewField) else "Radiance field"
    return f"{words}, {_FIELD_STATES[state]}…" if state else words


def _num_shown(layer: SplatsLayer) -> int:
    cloud, marks = layer.data, layer.style.marks
    if marks is not None:
        return int(np.count_nonzero(marks.is_drawn))
    return 0 if cloud is None else len(cloud)


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"
