"""The files of an edit: edited views with their scores, novel views with depth, measures, and the field."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.dn2n import EditSceneSettings
from recon.dn2n.calibration import Calibration, doubts
from recon.dn2n.consistency import Consistency, consistency
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_views import EditedPictures
from recon.dn2n.editors.editor import EditPlan
from recon.dn2n.measures import psnr, ssim
from recon.dn2n.repair import Repaired
from recon.dn2n.scene_depth import IN_WORDS, SceneDepth
from recon.dn2n.scene_views import HALF, SceneViews, spread_evenly
from recon.formats import native
from recon.method import Progress
from render.cameras import CameraSet, limited_size
from render.field_picture import FieldPicture
from render.images import PosedImages
from render.view_field import ViewField
from render.view_pictures import view_picture

Float = NDArray[np.float32]
Files = Generator[Progress, None, dict[str, Any]]

MOST_LEFT_OUT = 4  # views that are drawn without themselves, where none is held out


@dataclass(frozen=True, eq=False)
class EditRecord:
    """What led to a field. edited: all views as the editor made them. sources: (S,) of which the field is. calibration:
    of their photos."""

    views: SceneViews
    depth: SceneDepth
    edited: EditedPictures
    repaired: Repaired
    sources: NDArray[np.int64]
    calibration: Calibration
    plan: EditPlan
    settings: EditSceneSettings
    seed: int


@dataclass(frozen=True, eq=False)
class _Novel:
    """Cameras to draw from. views: (C,) the views of the scene that they are, −1 for none; these are not sources."""

    names: tuple[str, ...]
    cameras: CameraSet
    views: NDArray[np.int64]


def write_all(folder: Path, field: ViewField, record: EditRecord, cameras: PosedImages | None) -> Files:
    """Write the files; returns the figures. cameras: of novel views, None for the held-out ones."""
    yield from _write_edited(folder / "edited", record)
    _write_json(folder / "views.json", view_rows(record))
    novel = _novel_cameras(record, cameras)
    pictures = yield from _write_novel(folder, field, novel)
    yield Progress(0, 1, "Measuring")
    figures = _figures(field, record) | _of_novel(field, record, novel, pictures)
    _write_json(folder / "metrics.json", figures)
    native.write(folder / "field.npz", field)
    return figures | {"notes": list(notes(record))}


def view_rows(record: EditRecord) -> list[dict[str, Any]]:
    """For each view what was decided and why; held-out ones have no score."""
    files = picture_names(record.views.names)
    place = {int(view): k for k, view in enumerate(record.sources)}
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(record.views.names):
        row: dict[str, Any] = {"name": name, "file": f"edited/{files[i]}"}
        if i in place:
            verdict = asdict(record.repaired.verdicts[place[i]])
            row |= {key: _rounded(value) for key, value in verdict.items()}
        else:
            is_edited = bool(record.edited.is_edited[i])
            row |= {
                "decision": "held out" if is_edited else "not edited",
                "weight": 0.0,
                "reason": "It takes no part, to be foretold."
                if is_edited
                else "The editor has no picture of it.",
            }
        rows.append(row)
    return rows


def notes(record: EditRecord) -> Sequence[str]:
    """What a person should know of an edit."""
    plan, found = record.plan, [*record.plan.notes, *record.depth.notes]
    if plan.unknown:
        words = ", ".join(f"“{word}”" for word in plan.unknown)
        found.append(f"Not understood and left out: {words}.")
    found += doubts(record.calibration, len(record.sources), record.depth.source)
    dropped = sum(verdict.decision == "dropped" for verdict in record.repaired.verdicts)
    if dropped:
        found.append(
            f"{dropped} of {len(record.sources)} views were left out; the list of edited views (views.json) tells why."
        )
    return list(dict.fromkeys(found))


def picture_names(names: Sequence[str]) -> list[str]:
    """A file for each view: its name with .png; with its folders where names are not distinct."""
    stems = [PurePosixPath(name.replace("\\", "/")).stem for name in names]
    if len({stem.casefold() for stem in stems}) < len(stems):
        parts = [PurePosixPath(name.replace("\\", "/").strip("/")).with_suffix("").parts for name in names]
        common = _shared_folders([each[:-1] for each in parts])
        stems = ["-".join(each[common:]) for each in parts]
    if len({stem.casefold() for stem in stems}) < len(stems):
        stems = [f"{stem}-{i + 1}" for i, stem in enumerate(stems)]
    return [f"{stem}.png" for stem in stems]


def _shared_folders(folders: Sequence[tuple[str, ...]]) -> int:
    """How many outer folders are the same for all."""
    levels = list(zip(*folders, strict=False))  # as deep as the shallowest
    return next((k for k, level in enumerate(levels) if len(set(level)) > 1), len(levels))


def _write_edited(folder: Path, record: EditRecord) -> Generator[Progress, None, None]:
    folder.mkdir(parents=True, exist_ok=True)
    files = picture_names(record.views.names)
    for i, (file, picture) in enumerate(zip(files, record.edited.pictures, strict=True)):
        opacity = record.views.coverage.opacity
        shown = _bytes(picture) if opacity is None else np.dstack([_bytes(picture), opacity[i]])
        Image.fromarray(shown).save(folder / file)
        yield Progress(i + 1, len(files), "Writing edited views")


def _novel_cameras(record: EditRecord, cameras: PosedImages | None) -> _Novel:
    """Those that are given; else the held-out views; else a few, each to be drawn without itself."""
    if cameras is not None:
        names = tuple(cameras.images.names)
        sizes = np.array([limited_size(size, record.settings.novel_size) for size in cameras.cameras.size])
        nobody = np.full(len(names), -1)
        return _Novel(names, cameras.cameras.resized(sizes), nobody)
    views = np.flatnonzero(record.views.is_held_out)
    if not len(views):
        views = spread_evenly(len(record.views), MOST_LEFT_OUT)
    return _Novel(tuple(record.views.names[i] for i in views), record.views.cameras.select(views), views)


def _write_novel(
    folder: Path, field: ViewField, novel: _Novel
) -> Generator[Progress, None, list[FieldPicture]]:
    """One PNG and one depth (.npy, z-depth in the world's unit, 0 where nothing is) a camera."""
    for part in ("novel", "depth"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    drawn, files = [], picture_names(novel.names)
    for i, file in enumerate(files):
        picture = draw(without(field, novel.names[i]) if novel.views[i] >= 0 else field, novel.cameras, i)
        shown = _bytes(np.dstack([picture.filled, picture.alpha]) if field.is_cut_out else picture.filled)
        Image.fromarray(shown).save(folder / "novel" / file)
        np.save(folder / "depth" / Path(file).with_suffix(".npy").name, picture.depth)
        drawn.append(picture)
        yield Progress(i + 1, len(files), "Drawing novel views")
    return drawn


def draw(field: ViewField, cameras: CameraSet, index: int) -> FieldPicture:
    """A field from one camera."""
    width, height = (int(side) for side in cameras.size[index])
    return view_picture(
        field, cameras.cam_from_world[index], cameras.focal[index], cameras.center[index], (width, height)
    )


def without(field: ViewField, name: str) -> ViewField:
    """The field without one of its views, as it is where the view is none of its."""
    if name not in field.names:
        return field
    kept = np.array([i for i, other in enumerate(field.names) if other != name], np.int64)
    return replace(
        field,
        names=tuple(field.names[i] for i in kept),
        cameras=field.cameras.select(kept),
        **{part: getattr(field, part)[kept] for part in ("pictures", "originals", "depths", "weights")},
    )


def _figures(field: ViewField, record: EditRecord) -> dict[str, Any]:
    """Of the edit: the way, what became of views, how far they agree before and after."""
    repaired, plan = record.repaired, record.plan
    decisions = [verdict.decision for verdict in repaired.verdicts]
    views = record.depth.views.select(record.sources)
    edited = record.edited.pictures[record.sources]
    photos = np.asarray(record.views.rgb[record.sources] / np.float32(255), np.float32)
    return {
        "editor": record.settings.editor,
        "label": plan.label,
        "model": plan.model,
        "model_hash": plan.model_hash,
        "operations": list(plan.operations),
        "not_understood": list(plan.unknown),
        "way": repaired.route.way,
        "blended_by": "network" if field.network.size else "rule",
        "why": repaired.route.reason,
        "unexplained": _rounded(repaired.route.unexplained),
        "strengthened": _rounded(repaired.strengthened),
        "views": {name: decisions.count(name) for name in ("kept", "weakened", "dropped")},
        "depth": {
            "from": IN_WORDS[record.depth.source],
            "known": _rounded(record.depth.known),
            "tolerance": _rounded(record.depth.views.tolerance),
            **({"psnr_left_out": _rounded(record.depth.psnr)} if np.isfinite(record.depth.psnr) else {}),
        },
        "left_out": {
            name: _rounded(value) for name, value in asdict(record.calibration).items() if np.isfinite(value)
        },
        "change": _rounded(np.abs(edited - photos).mean()),
        "warp_photos": _warps(consistency(photos, views)),
        "warp_edited_alone": _warps(consistency(edited, views)),
        "warp_edited_together": _warps(consistency(repaired.pictures, views)),
        "seed": record.seed,
    }


def _of_novel(
    field: ViewField, record: EditRecord, novel: _Novel, pictures: Sequence[FieldPicture]
) -> dict[str, Any]:
    """Of novel views: their number, how far they agree, and against photos where they are views of the scene."""
    found: dict[str, Any] = {"novel_views": len(pictures)}
    sizes = {picture.alpha.shape for picture in pictures}
    if len(pictures) > 1 and len(sizes) == 1:
        seen = DepthViews(novel.cameras, np.stack([picture.depth for picture in pictures]))
        found["warp_novel"] = _warps(consistency(np.stack([picture.filled for picture in pictures]), seen))
    photos = record.views.rgb[record.sources]
    unedited = ViewField.of_photos(field.names, field.cameras, photos, field.depths)
    kept = {name: getattr(field, name) for name in ("weights", "network", "layout", "sharpness")}
    unedited = replace(unedited, **kept)
    rows = [
        _against_photo(unedited, record, novel, i, pictures[i])
        for i in np.flatnonzero(novel.views >= 0).tolist()
    ]
    names = ("psnr_unedited", "ssim_unedited", "psnr_to_edited_alone", "ssim_to_edited_alone")
    for name, column in zip(names, np.array(rows).T, strict=True) if rows else ():
        known = column[~np.isnan(column)]
        if len(known):
            found[name] = _rounded(known.mean())
    return found


def _against_photo(
    unedited: ViewField, record: EditRecord, novel: _Novel, index: int, picture: FieldPicture
) -> tuple[float, float, float, float]:
    """PSNR and SSIM of one view of the scene that the field foretells: without the edit to the photo, and with it to the
    photo's own edit, NaN where it has none. unedited: the field of the photos as they were given to the editor."""
    view = int(novel.views[index])
    plain = draw(without(unedited, novel.names[index]), novel.cameras, index)
    photo = _shown(np.asarray(record.views.rgb[view] / np.float32(255), np.float32), record.views, view)
    row = psnr(plain.filled, photo, plain.alpha > 0), ssim(plain.filled, photo)
    if not record.edited.is_edited[view]:
        return *row, np.nan, np.nan
    edited = _shown(record.edited.pictures[view], record.views, view)
    return *row, psnr(picture.filled, edited, picture.alpha > 0), ssim(picture.filled, edited)


def _shown(picture: Float, views: SceneViews, view: int) -> Float:
    """A view's picture (H, W, 3), black where it is cut out, as drawn ones are."""
    opacity = views.coverage.opacity
    return picture if opacity is None else np.where(opacity[view, ..., None] > HALF, picture, np.float32(0))


def _warps(found: Consistency) -> Mapping[str, float]:
    return {"short": _rounded(found.short), "far": _rounded(found.far)}


def _rounded(value: Any) -> Any:
    """Numbers to five decimals: what follows is noise of the machine."""
    return round(float(value), 5) if isinstance(value, (float, np.floating)) else value


def _bytes(picture: Float) -> NDArray[np.uint8]:
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
