"""What runs on photos say of their result: in rows, in a line, and image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.data_words import counted, number
from render.rendered_views import RenderedViews

Rows = list[tuple[str, str]]
Table = list[tuple[str, float | None, str]]  # image, figure, why there is none

_TITLES = {
    "psnr": ("PSNR", "{:.1f} dB"),
    "psnr_held_out": ("Held-out PSNR", "{:.1f} dB"),
    "psnr_trained": ("PSNR of trained photos", "{:.1f} dB"),
    "excluded_depth": ("Depth left out", "{:.1%}"),
    "excluded_normals": ("Normals left out", "{:.1%}"),
    "beta": ("Blur of the surface", "{:.3g}"),
    "reprojection_error_px": ("Reprojection", "{:.2f} px"),
    "track_length": ("Views of a point", "{:.1f}"),
    "voxel": ("Voxel", "{:.3g}"),
}
_SUMMARY = {
    "psnr_held_out": "held-out PSNR",
    "psnr": "PSNR",
    "psnr_trained": "PSNR of trained photos",
}  # the first
_STARTS = {"depth": "the fused depth", "sphere": "a sphere"}
_ALIGNMENT = {"scale": "Depth scale", "shift": "Depth shift", "inliers": "Depth inliers",
              "median_error": "Depth error"}  # fmt: skip


def surface_rows(figures: Mapping[str, Any]) -> Rows:
    """Rows (label, value) for a layer that a run on photos made; none for others."""
    rows = [
        (title, pattern.format(float(figures[key])))
        for key, (title, pattern) in _TITLES.items()
        if figures.get(key) is not None
    ]
    if "registered" in figures:
        rows.insert(
            0, ("Registered", f"{figures['registered']} of {counted(int(figures['images']), 'image')}")
        )
    if "aligned_images" in figures:
        rows.append(
            ("Depth aligned", f"{figures['aligned_images']} of {counted(int(figures['images']), 'image')}")
        )
    if figures.get("start") in _STARTS:
        rows.append(("Started from", _STARTS[figures["start"]]))
    if "views_fused" in figures:
        rows.append(("Views fused", f"{figures['views_fused']} of {figures['views']}"))
    calibration = figures.get("calibration")
    if isinstance(calibration, Mapping):
        rows += [
            (f"Calibration, {key}", f"{float(value):.3g}")
            for key, value in calibration.items()
            if _is_number(value)
        ]
    for key, title in (("cpu_seconds", "CPU time"), ("seconds", "Time")):
        if _is_number(figures.get(key)):
            rows.append((title, f"{float(figures[key]):.0f} s"))
    notes = [*_texts(figures.get("notes")), *_texts(figures.get("note"))]
    return rows + [("Note", note) for note in notes]


def surface_summary(figures: Mapping[str, Any]) -> str:
    """One line on a finished run: "PSNR 27.3 dB, 41 200 triangles"; "" where there is nothing to say."""
    parts = []
    if "registered" in figures:
        parts.append(f"{figures['registered']} of {counted(int(figures['images']), 'image')} have a pose")
    for key, title in _SUMMARY.items():
        if figures.get(key) is not None:
            parts.append(f"{title} {float(figures[key]):.1f} dB")
            break
    faces = figures.get("faces", figures.get("triangles"))
    if _is_number(faces) and faces is not None:
        parts.append(f"{number(int(faces))} triangles")
    return ", ".join(parts)


def image_tables(figures: Mapping[str, Any], views: RenderedViews | None) -> dict[str, Table]:
    """Figures of each image by what they are, to be drawn as bars."""
    tables: dict[str, Table] = {}
    if views is not None:
        held_out = ["held out" if is_out else "" for is_out in views.is_held_out]
        tables["PSNR, dB"] = [
            (name, float(value), note)
            for name, value, note in zip(views.names, views.psnr, held_out, strict=True)
        ]
    rows = figures.get("alignment", ())
    for key, title in _ALIGNMENT.items():
        if rows and any(row.get(key) is not None for row in rows):
            tables[title] = [(str(row["image"]), row.get(key), str(row.get("reason", ""))) for row in rows]
    return tables


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()
