"""Built-in effects: CPU-ms a view to prepare and to edit, and how far edited views disagree against unedited ones.

python -m tests.benchmarks.bench_editors [SCENE …] [--effects snow fog …]: posed photos with metric depth; without any, a
room of our own. Takes every other view, 320 pixels wide.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from recon.dn2n.editors import SceneView, make_editor
from recon.dn2n.editors.operations import EFFECTS
from recon.formats import read
from render.image_files import read_depth, read_image
from render.images import PosedImages
from tests.recon.dn2n.editor_scenes import disagreement, room_views

_WORDS = {
    "tint": "dark green", "colored light": "red light", "tinge": "bluish", "gloss": "glossy", "checks": "checkered", "clear": "clear air", "mono": "monochrome",
    "sand": "sandy", "dots": "dotted", "winter": "bare winter",
}  # fmt: skip


def views_of(path: Path, width: int = 320) -> list[SceneView]:
    posed = read(path).data
    assert isinstance(posed, PosedImages) and posed.depth is not None, "needs posed photos with metric depth"
    views = []
    for i in range(0, len(posed), 2):
        full = posed.cameras.size[i]
        size = (width, round(width * full[1] / full[0]))
        ratio = np.array(size) / full
        rgb = read_image(posed, i, size).astype(np.float32) / 255
        views.append(
            SceneView(
                posed.images.names[i], rgb, np.nan_to_num(read_depth(posed, i, size)), np.ones(rgb.shape[:2], np.float32),
                posed.cameras.cam_from_world[i], posed.cameras.focal[i] * ratio, posed.cameras.center[i] * ratio,
                posed.frame.up_vector,
            )
        )  # fmt: skip
    return views


def measure(views: list[SceneView], name: str) -> tuple[float, float, float]:
    """CPU-ms a view to prepare and to edit, and the disagreement as a multiple of that of the unedited views."""
    warm = make_editor("procedural", _WORDS.get(name, name))
    warm.prepare(views[:2], 0)
    warm.edit(views[0], 0)
    editor = make_editor("procedural", _WORDS.get(name, name))
    start = time.process_time()
    editor.prepare(views, 0)
    middle = time.process_time()
    pictures = [editor.edit(view, 0) for view in views]
    end = time.process_time()
    ratio = disagreement(views, pictures) / disagreement(views, [view.rgb for view in views])
    each = 1000 / len(views)
    return (middle - start) * each, (end - middle) * each, ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", type=Path)
    parser.add_argument("--effects", nargs="*", default=sorted(EFFECTS))
    wishes = parser.parse_args()
    for path in wishes.scenes or [None]:
        views = room_views(6, 320, 240) if path is None else views_of(path)
        print(
            f"{'room' if path is None else path.name}: {len(views)} views, {views[0].rgb.shape[1]}×{views[0].rgb.shape[0]}"
        )
        for name in wishes.effects:
            prepare, edit, ratio = measure(views, name)
            print(
                f"  {name:14} {prepare:5.1f} + {edit:5.1f} ms a view, disagreement × {ratio:.2f}, {EFFECTS[name].consistency}"
            )


if __name__ == "__main__":
    main()
