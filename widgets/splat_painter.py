"""Gaussians on the graphics card: their textures, and how they get into VTK's picture.

Splats are blended back to front in a framebuffer of our own, against a copy of VTK's depth, and then laid over VTK's
picture. So their number of pixels can be smaller than the picture's, a picture can be drawn in several strokes, and
sixteen bits a channel keep what hundreds of thin layers add up to. Everything here needs VTK's context to be current.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QOpenGLContext

from widgets import splat_program as program
from widgets.colour_maps import color_map_table
from widgets.splat_camera import SplatCamera, SplatLook
from widgets.splat_program import ROW

Array = NDArray[np.float64]
_CHANNEL = "f2"  # the kind of number of a picture of splats
_STROKE = 1 << 17  # Gaussians whose results of the first step are held at once
_UNITS = {"means": 0, "shapes": 1, "base": 2, "bands": 3, "marks": 4, "paint": 5, "layers": 6, "depths": 7}
_SAMPLERS = {
    "means": "meanTexels", "shapes": "shapeTexels", "base": "baseTexels", "bands": "bandTexels",
    "marks": "markTexels", "paint": "paintTexels", "layers": "layerTexels", "depths": "depthColors",
}  # fmt: skip
_KINDS = {
    "means": (3, "f4", np.float32), "shapes": (4, "u4", np.uint32), "base": (4, "f2", np.float16),
    "bands": (4, "u4", np.uint32), "marks": (1, "u1", np.uint8), "paint": (4, "f1", np.uint8),
    "layers": (4, "f4", np.float32),
}  # fmt: skip


class _Loader:
    """Where moderngl finds OpenGL's functions: Qt knows on every platform."""

    def __init__(self, context: QOpenGLContext) -> None:
        self._context = context

    def load_opengl_function(self, name: str) -> int:
        return int(self._context.getProcAddress(name.encode()) or 0)

    load = load_opengl_function

    def release(self) -> None:
        """The context is not ours."""


@dataclass
class _Order:
    """Gaussians to draw, on the card, and the vertices made of them."""

    buffer: Any
    points: Any
    ids: NDArray[np.uint32]

    def release(self) -> None:
        self.points.release()
        self.buffer.release()


@dataclass(frozen=True)
class _Target:
    """A picture of splats."""

    frame: Any
    picture: Any
    depths: Any  # of the splats, times their alpha
    behind: Any  # VTK's depth

    def release(self) -> None:
        for thing in (self.frame, self.picture, self.depths, self.behind):
            thing.release()


class SplatPainter:
    """The textures of all layers of one view, and the two steps that draw them. Raises where OpenGL is too old."""

    def __init__(self) -> None:
        current = QOpenGLContext.currentContext()
        if current is None:
            raise RuntimeError("no OpenGL context is current")
        self._context = current
        loader: Any = _Loader(current)
        self._gl: Any = moderngl.create_context(require=330, context=loader)
        self._textures: dict[str, Any] = {}
        self.num_rows, self.band_stride = 0, 0
        gl = self._gl
        self._project = gl.program(vertex_shader=program.PROJECT, varyings=program.CAPTURED)
        self._splat = gl.program(vertex_shader=program.SPLAT_CORNERS, fragment_shader=program.SPLAT)
        self._compose = gl.program(vertex_shader=program.WHOLE_PICTURE, fragment_shader=program.COMPOSE)
        self._copiers: dict[bool, tuple[Any, Any]] = {}
        self._corners = gl.buffer(np.array(program.TRIANGLE, np.float32))
        self._whole = gl.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32))
        self._results = gl.buffer(reserve=_STROKE * program.CAPTURED_BYTES)
        self._orders: dict[str, _Order] = {}
        self._splats = gl.vertex_array(
            self._splat,
            [(self._corners, "2f", "corner"), (self._results, "4f 4f 4f/i", "place", "axes", "tint")],
        )
        self._compose_whole = gl.vertex_array(self._compose, [(self._whole, "2f", "corner")])
        self._textures["depths"] = self._depth_colors()
        self._targets: dict[str, _Target] = {}

    @property
    def largest_side(self) -> int:
        """Texels that a texture may be wide or high."""
        return int(self._gl.info["GL_MAX_TEXTURE_SIZE"])

    @property
    def renderer_name(self) -> str:
        """What draws, in the driver's words."""
        return str(self._gl.info["GL_RENDERER"])

    # Textures

    def allocate(self, num_rows: int, band_stride: int) -> None:
        """Make room for rows of Gaussians with so many texels of coefficients each; what was held is lost."""
        for name in tuple(self._textures):
            if name != "depths":
                self._textures.pop(name).release()
        self.num_rows, self.band_stride = num_rows, band_stride
        widths = {"bands": ROW * band_stride or 1, "paint": 1, "layers": 3}
        for name, (components, dtype, _) in _KINDS.items():
            height = 1 if name == "paint" or (name == "bands" and not band_stride) else num_rows
            size = widths.get(name, ROW), height
            texture = self._gl.texture(size, components, dtype=dtype)
            texture.filter = moderngl.NEAREST, moderngl.NEAREST
            self._textures[name] = texture

    def write(self, name: str, row: int, values: NDArray[Any]) -> None:
        """Put the texels of Gaussians into whole rows from `row` on; the rest of the last row is left empty."""
        if name == "paint":
            self._need_paint()
        components, _, dtype = _KINDS[name]
        texture = self._textures[name]
        width = texture.width
        flat = np.ascontiguousarray(values, dtype).reshape(-1)
        a_row = width * components
        rows = -(-len(flat) // a_row)
        if not rows:
            return
        if len(flat) != rows * a_row:
            flat = np.concatenate([flat, np.zeros(rows * a_row - len(flat), dtype)])
        texture.write(flat, viewport=(0, row, width, rows), alignment=1)

    def set_ids(self, order: str, ids: NDArray[np.uint32]) -> None:
        """Hold these Gaussians, the farthest first, under a name; the same array is not sent twice."""
        held = self._orders.get(order)
        if held is not None and held.ids is ids:
            return
        if held is None or held.buffer.size < ids.nbytes:
            if held is not None:
                held.release()
            buffer = self._gl.buffer(reserve=max(4 * ROW, int(1.25 * ids.nbytes)), dynamic=True)
            points = self._gl.vertex_array(self._project, [(buffer, "1u", "id")])
            held = self._orders[order] = _Order(buffer, points, ids)
        held.ids = ids
        held.buffer.orphan()
        if len(ids):
            held.buffer.write(np.ascontiguousarray(ids, np.uint32))

    def num_ids(self, order: str) -> int:
        """How many Gaussians are held under a name."""
        return len(self._orders[order].ids)

    # Drawing

    def begin(self, target: str, camera: SplatCamera, look: SplatLook, depth: Any | None) -> None:
        """Clear a picture of ours and take VTK's depth over. depth: VTK's texture object, None where nothing is."""
        size = -(-camera.size[0] // look.coarseness), -(-camera.size[1] // look.coarseness)
        frame = self._target(target, size).frame
        x, y, width, height = look.area or (0, 0, *camera.size)
        left, low = x // look.coarseness, y // look.coarseness
        right, high = -(-(x + width) // look.coarseness), -(-(y + height) // look.coarseness)
        frame.scissor = left, low, right - left, high - low
        frame.use()
        frame.depth_mask = True
        self._gl.disable(moderngl.BLEND | moderngl.CULL_FACE)
        frame.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        if depth is None:
            return
        frame.color_mask = [(False,) * 4] * 2
        frame.use()
        self._copy_depth(depth, look.coarseness)
        frame.color_mask = [(True,) * 4] * 2
        frame.use()

    def stroke(
        self, target: str, order: str, camera: SplatCamera, look: SplatLook, first: int, count: int
    ) -> None:
        """Draw some of the Gaussians of an order, from the `first` on, into a picture that was begun."""
        frame, held = self._targets[target].frame, self._orders[order]
        self._set_uniforms(camera, look)
        for name, texture in self._textures.items():
            texture.use(_UNITS[name])
        frame.use()
        frame.depth_mask = False
        end = min(first + count, len(held.ids))
        for start in range(first, end, _STROKE):
            number = min(_STROKE, end - start)
            held.points.transform(self._results, moderngl.POINTS, vertices=number, first=start)
            self._gl.enable_only(moderngl.BLEND | moderngl.DEPTH_TEST)
            self._gl.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
            self._gl.depth_func = "<="
            self._splats.render(moderngl.TRIANGLES, vertices=3, instances=number)

    def finish(self) -> None:
        """Wait until all is drawn, so that time can be measured."""
        self._gl.finish()

    def rename(self, target: str, name: str) -> None:
        """Call a picture by another name, in place of what had it."""
        gone = self._targets.pop(name, None)
        if gone is not None:
            gone.release()
        self._targets[name] = self._targets.pop(target)

    def compose(
        self, target: str, onto: Any, camera: SplatCamera, look: SplatLook, is_alone: bool = False
    ) -> None:
        """Lay a picture of ours over VTK's framebuffer `onto`, see `bound`. is_alone: nothing else has a depth there."""
        held = self._targets[target]
        onto.viewport = 0, 0, *camera.size
        onto.scissor = look.area or (0, 0, *camera.size)
        onto.use()
        kind = moderngl.NEAREST if look.coarseness == 1 else moderngl.LINEAR
        held.picture.filter = kind, kind
        held.picture.use(0)
        held.depths.use(1)
        width, height = held.picture.size
        values = {
            "splats": 0, "depths": 1, "opacity": look.opacity,
            "scale": (1 / (width * look.coarseness), 1 / (height * look.coarseness)),
        }  # fmt: skip
        for name, value in values.items():
            self._compose[name] = value
        self._gl.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        hides = look.opacity > 0.5
        self._lay(has_colors=True, has_depths=hides and is_alone, depth_func="1")
        if hides and not is_alone:
            self._lay(has_colors=False, has_depths=True, depth_func="<")
        onto.scissor = None
        onto.use()

    def bound(self) -> Any:
        """The framebuffer that VTK draws into now."""
        return self._gl.detect_framebuffer()

    def release(self) -> None:
        """Give everything back, if the context is still there and current."""
        if QOpenGLContext.currentContext() is not self._context:
            return  # it went, and what it held with it
        things: list[Any] = [*self._orders.values(), *self._targets.values()]
        things += [self._splats, self._compose_whole]
        things += [each for pair in self._copiers.values() for each in pair]
        things += [self._project, self._splat, self._compose, self._corners, self._whole]
        things += [self._results, *self._textures.values()]
        for thing in things:
            thing.release()
        self._textures.clear()
        self._copiers.clear()
        self._orders.clear()
        self._targets.clear()
        self._gl.release()

    # Inner life

    def _lay(self, has_colors: bool, has_depths: bool, depth_func: str) -> None:
        self._compose["hasColors"], self._compose["hasDepths"] = has_colors, has_depths
        self._gl.enable_only(moderngl.BLEND | (moderngl.DEPTH_TEST if has_depths else 0))
        self._gl.depth_func = depth_func
        self._compose_whole.render(moderngl.TRIANGLES, vertices=3)

    def _need_paint(self) -> None:
        """Make room for colours that stand for values, if there is none yet."""
        if self._textures["paint"].height != self.num_rows or self._textures["paint"].width != ROW:
            self._textures["paint"].release()
            texture = self._textures["paint"] = self._gl.texture((ROW, self.num_rows), 4, dtype="f1")
            texture.filter = moderngl.NEAREST, moderngl.NEAREST

    def _depth_colors(self) -> Any:
        texture = self._gl.texture((256, 1), 3, color_map_table("viridis"), dtype="f1", alignment=1)
        texture.repeat_x = texture.repeat_y = False
        return texture

    def _target(self, name: str, size: tuple[int, int]) -> _Target:
        held = self._targets.get(name)
        if held is None or held.picture.size != size:
            if held is not None:
                held.release()
            picture = self._gl.texture(size, 4, dtype=_CHANNEL)
            picture.repeat_x = picture.repeat_y = False
            depths = self._gl.texture(size, 1, dtype="f4")
            behind = self._gl.depth_renderbuffer(size)
            frame = self._gl.framebuffer([picture, depths], behind)
            held = self._targets[name] = _Target(frame, picture, depths, behind)
        return held

    def _copy_depth(self, depth: Any, coarseness: int) -> None:
        samples = depth.GetSamples()
        size = depth.GetWidth(), depth.GetHeight()
        has_samples = samples > 1
        if has_samples not in self._copiers:
            source = program.DEPTH_COPY_OF_SAMPLES if has_samples else program.DEPTH_COPY
            copier = self._gl.program(vertex_shader=program.WHOLE_PICTURE, fragment_shader=source)
            whole = self._gl.vertex_array(copier, [(self._whole, "2f", "corner")])
            self._copiers[has_samples] = whole, copier
        whole, copier = self._copiers[has_samples]
        texture = self._gl.external_texture(depth.GetHandle(), size, 1, samples if has_samples else 0, "f4")
        texture.use(0)
        copier["scene"] = 0
        copier["coarseness"] = coarseness
        if has_samples:
            copier["samples"] = samples
        self._gl.enable_only(moderngl.DEPTH_TEST)
        self._gl.depth_func = "1"  # always
        whole.render(moderngl.TRIANGLES, vertices=3)

    def _set_uniforms(self, camera: SplatCamera, look: SplatLook) -> None:
        moved = np.eye(4) if look.moved is None else look.moved
        crop = np.eye(4) if look.crop_from_world is None else look.crop_from_world
        values: dict[str, Any] = {
            "view": _columns(camera.view), "projection": _columns(camera.projection),
            "size": camera.size, "tangents": camera.tangents, "eye": tuple(camera.eye),
            "forward": tuple(camera.forward), "near": camera.near, "isParallel": camera.is_parallel,
            "coarseness": float(look.coarseness), "threshold": look.threshold,
            "line": look.line, "pixelRatio": look.pixel_ratio, "depthRange": look.depth_range, "clip": look.clip,
            "cropFromWorld": _columns(crop), "hasCrop": look.crop_from_world is not None,
            "accent": look.accent, "moved": _columns(moved), "hasMoved": look.moved is not None,
            "movedScale": float(np.cbrt(np.linalg.det(moved[:3, :3]))), "bandStride": max(1, self.band_stride),
        }  # fmt: skip
        for name, value in values.items():
            self._project[name] = value
        for name, sampler in _SAMPLERS.items():
            self._project[sampler] = _UNITS[name]
        self._splat["size"] = camera.size
        self._splat["linePixel"] = (0.5 + 0.5 * look.line) * camera.size[0] / look.coarseness


def _columns(matrix: Array) -> tuple[float, ...]:
    return tuple(matrix.T.reshape(-1).tolist())
