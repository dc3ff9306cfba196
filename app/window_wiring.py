"""Who hears whom in the window: every connection between its parts, in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.document import OpenDocument
from app.layer_facts import facts_of, style_change
from app.layer_look import kind_of, part_id
from app.layers import Layer
from app.method_panel import Choice
from app.project import UNDO_BUDGET_BYTES
from app.project_folder import Opened
from app.project_lock import lock_holder
from app.project_picture import picture_of
from app.recovery import Recovery, abandoned_recoveries, discard_recovery
from app.run_wiring import connect_runs
from app.system_info import gpu_names
from app.workflows import SPLATS, TEXT
from widgets.camera_path import restored_pose, stored_pose
from widgets.notices import NoticeAction
from widgets.viewport_fields import FieldFrames

if TYPE_CHECKING:
    from app.main_window import MainWindow


def connect_all(window: MainWindow) -> None:
    """Connect the parts of a window that was just made."""
    _connect_document(window)
    _connect_scene(window)
    _connect_files(window)
    connect_runs(window)
    _connect_start_page(window)


def _connect_document(window: MainWindow) -> None:
    document, shell = window.document, window.shell
    document.changed.connect(lambda: _show_title(window))
    document.changed.connect(window.conditions.update)
    document.begun.connect(window.runs.forget_all)
    document.changed.connect(lambda: _drop_read_only(window))
    document.opened.connect(lambda opened: _on_opened(window, opened))
    document.look = lambda: {"camera": stored_pose(window.viewport.camera)}
    document.failed.connect(shell.show_error)
    document.take_picture = lambda: picture_of(window.viewport)
    document.saved.connect(lambda: shell.toast(f"Saved “{document.title}”.", "ok"))
    document.locked.connect(lambda path: _ask_about_lock(window, path))
    document.recovery_found.connect(lambda recovery: ask_about_recovery(window, recovery))
    window.status_line.frame_wished.connect(shell.show_frame_settings)
    stack = window.project.undo_stack
    stack.indexChanged.connect(
        lambda _: window.history_view.set_memory(window.project.undo_bytes, UNDO_BUDGET_BYTES)
    )
    document.autosave_timer.start(round(shell.preferences.autosave_minutes * 60_000))


def _connect_scene(window: MainWindow) -> None:
    scene, panel = window.scene, window.method_panel
    window.project.state_changed.connect(lambda: _offer_inputs(window))
    window.project.state_changed.connect(window.exports.plan_again)
    scene.selection_changed.connect(lambda: _show_selection(window))
    panel.readiness_changed.connect(lambda _: window.conditions.update())
    _connect_fields(window)
    window.viewport.splats.failed.connect(lambda reason: _tell_of_slow_splats(window, reason))
    window.properties.renamed.connect(scene.rename)
    window.properties.display_changed.connect(
        lambda layer_id, name, value: scene.set_style(layer_id, style_change(name, value))
    )
    window.layer_list.import_wished.connect(window.files.import_files)
    window.layer_list.wished.connect(lambda wish, ids: _do_wish(window, wish, ids))
    for signal in (
        window.viewport.tool_changed,
        window.viewport.clip_changed,
        window.viewport.shading_changed,
    ):
        signal.connect(lambda _: window.conditions.update())
    window.pages.currentChanged.connect(lambda _: window.conditions.update())
    window.pages.currentChanged.connect(lambda _: window.splat_tools.refresh())


def _connect_fields(window: MainWindow) -> None:
    fields, frames = window.viewport.fields, window.field_frames
    fields.wished.connect(frames.want)
    frames.drawn.connect(fields.show_frames)
    frames.failed.connect(window.shell.show_error)
    frames.preparing.connect(fields.set_preparing)
    fields.draw_now = frames.now


def _tell_of_slow_splats(window: MainWindow, reason: str) -> None:
    """E19, once: the view tries the graphics card no second time."""
    window.shell.note("warning", f"Splats cannot be drawn by the graphics card: {reason}")
    window.shell.toast(
        "The graphics driver cannot draw splats (OpenGL 3.3 is needed), so the processor does: slower, in their own "
        "colours, and only roughly in depth among meshes. A newer driver helps.",
        "warning",
    )


def _connect_files(window: MainWindow) -> None:
    files, shell = window.files, window.shell
    files.leave_wished.connect(window.leave)
    files.sample_begun.connect(lambda workflow: _prepare_sample(window, workflow))
    files.failed.connect(shell.show_error)
    files.imported.connect(lambda layers: _on_imported(window, layers))
    files.noted.connect(lambda name, notes: _tell_notes(window, name, notes))
    files.inspect_wished.connect(window.imports.show)
    files.export_wished.connect(lambda: window.exports.show([x.id for x in window.scene.selected]))
    files.picture_wished.connect(lambda path, clear: _take_picture(window, path, clear))
    window.banners.chosen.connect(lambda banner, action: _on_banner(window, banner, action))
    files.unpack_wished.connect(window.packs.open)
    window.packs.packed.connect(lambda path: _on_exported(window, [path]))
    window.exports.earlier = lambda: window.scene.aside
    window.exports.failed.connect(shell.show_error)
    window.exports.cancelled.connect(lambda: shell.toast("The export was cancelled; no file was written."))
    window.exports.scale_wished.connect(shell.show_frame_settings)
    window.exports.exported.connect(lambda paths: _on_exported(window, paths))
    window.exports.exported.connect(lambda _: window.steps.note_export())
    window.paths.films.ended.connect(lambda path: _on_exported(window, [path]) if path else None)


def _connect_start_page(window: MainWindow) -> None:
    page, files = window.start_page, window.files
    page.new_wished.connect(lambda: _begin(window))
    page.open_wished.connect(files.open)
    page.import_wished.connect(files.import_files)
    page.start_wished.connect(lambda workflow: _begin(window, workflow))
    page.sample_wished.connect(window.files.open_sample)
    page.recent_wished.connect(lambda path: files.open_path(Path(path)))
    page.files_dropped.connect(window.open_paths)
    window.recent.show()
    window.pages.currentChanged.connect(lambda _: window.recent.show() if window.is_on_start_page else None)
    _offer_devices(window)
    page.set_device_line(_device_line())
    page.set_tip("Drop a file anywhere on this page to open it.")


# --- documents -------------------------------------------------------------------------------------------


def _show_title(window: MainWindow) -> None:
    document = window.document
    window.setWindowTitle(f"{document.title}[*] – Isokiln")
    window.setWindowModified(document.is_dirty)


def _on_opened(window: MainWindow, opened: Opened) -> None:
    window.show_project()
    window.runs.forget_all()
    window.runs.open_project_runs()
    window.workflows.follow(window.project.layers)
    _look_as_saved(window)
    _show_read_only(window, is_newer=opened.is_read_only)
    _show_missing(window)
    for note in opened.notes:
        window.shell.note("warning", note)
    if opened.backup_used is not None:
        window.shell.toast(opened.notes[0], "warning")


def _look_as_saved(window: MainWindow) -> None:
    """Look from where the project was looked at when it was saved; at all of it where that is not known."""
    try:
        window.viewport.camera = restored_pose(window.document.session["camera"])
    except (KeyError, TypeError, ValueError):
        window.scene.frame_all()


def _show_missing(window: MainWindow) -> None:
    missing = window.files.missing_layers()
    if not missing:
        window.banners.remove_banner("missing")
        return
    names = f"“{missing[0].name}”" if len(missing) == 1 else f"{len(missing)} layers"
    text = f"Files of {names} were not found. Everything else is here, and nothing is lost."
    window.banners.show_banner("missing", text, "warning", [NoticeAction("relink", "Locate…")])


def _show_read_only(window: MainWindow, *, is_newer: bool) -> None:
    if not window.document.is_read_only:
        return
    why = "was made by a newer Isokiln and " if is_newer else ""
    text = f"This project {why}is open read-only: changes can be saved under another name."
    window.banners.show_banner("read only", text, "warning", [NoticeAction("save_as", "Save as…")])


def _drop_read_only(window: MainWindow) -> None:
    if not window.document.is_read_only:
        window.banners.remove_banner("read only")


def _on_banner(window: MainWindow, banner: str, action: str) -> None:
    wishes = {("missing", "relink"): window.files.relink, ("read only", "save_as"): window.files.save_as}
    if (banner, action) in wishes:
        wishes[banner, action]()


def _ask_about_lock(window: MainWindow, path: Path) -> None:
    document: OpenDocument = window.document
    answers: list[tuple[str, Callable[[], None]]] = [
        ("Open read-only", lambda: document.open(path, read_only=True)),
        ("Save as copy…", lambda: window.files.open_copy(path)),
        ("Cancel", lambda: None),
    ]
    holder = lock_holder(path.parent)
    where = "another window"
    if holder is not None and not holder.is_here:  # Whether it still runs cannot be seen from here.
        where = f"a window on the machine {holder.host}"
        answers.insert(2, ("Take over", lambda: document.open(path, take_over=True)))
    window.shell.ask(
        f"“{path.stem}” is open in {where}",
        "Two programs that save the same project would undo each other's work.",
        answers,
        "warning",
    )


def ask_about_recovery(window: MainWindow, recovery: Recovery) -> None:
    """Offer unsaved work of a program that ended without saving it."""

    def recover() -> None:
        window.document.recover(recovery)
        window.runs.forget_all()
        window.runs.open_project_runs()
        window.show_project()
        window.scene.frame_all()

    window.shell.ask(
        f"Unsaved work from {recovery.saved_at:%H:%M}",
        f"Isokiln closed before “{recovery.title}” was saved.",
        [("Recover", recover), ("Open the last save", lambda: discard_recovery(recovery.uuid))],
        "warning",
    )


def offer_abandoned_work(window: MainWindow) -> None:
    """At start: unsaved work of projects that were never saved, or that are not being opened."""
    recovery = next(iter(abandoned_recoveries()), None)
    if recovery is not None:
        ask_about_recovery(window, recovery)


def _prepare_sample(window: MainWindow, workflow: str) -> None:
    """Samples are for trying: they begin with the preset that answers soonest."""
    window.show_project()
    window.workflows.choose(workflow)
    presets = list(window.method_panel.method.presets)
    if presets:
        window.method_panel.form.set_preset(presets[0])


def _begin(window: MainWindow, workflow: str = "") -> None:
    def begin() -> None:
        window.document.new()
        window.show_project()
        if workflow:
            window.workflows.choose(workflow)

    window.leave(begin)


# --- layers ----------------------------------------------------------------------------------------------


def _offer_inputs(window: MainWindow) -> None:
    offered = [x for x in window.project.layers if x.id not in window.scene.aside and not x.is_pending]
    choices = [Choice(x.id, x.name, kind_of(x)) for x in offered]
    window.method_panel.set_choices(choices, [x.id for x in window.scene.selected])
    _show_missing(window)
    if window.project.layers:
        window.show_project()


def _show_selection(window: MainWindow) -> None:
    current = window.scene.current
    window.properties.set_facts(facts_of(current) if current is not None else None)
    window.meshes.show_current(current)
    window.agreement.show(current)
    _show_splats(window)
    window.conditions.update()


def _show_splats(window: MainWindow) -> None:
    """Offer the tools for splats where there are any."""
    has_splats = window.splat_panels.has_splats or window.workflows.current == SPLATS
    for title in ("Splats", "Parts"):
        window.set_tab_shown(window.task_tabs, title, has_splats)
    has_edit = has_splats or window.edits.target is not None or window.workflows.current == TEXT
    window.set_tab_shown(window.task_tabs, "Edit", has_edit)
    window.splat_tools.refresh()
    window.splat_panels.refresh()
    window.parts.refresh()
    window.edits.refresh()
    window.scene_edits.refresh()
    window.pending.refresh()


def _do_wish(window: MainWindow, wish: str, ids: Sequence[str]) -> None:
    window.scene.select(ids)
    ids = list(dict.fromkeys(part_id(row_id)[0] for row_id in ids))
    wishes: dict[str, Any] = {
        "frame": window.scene.frame_selected,
        "isolate": window.scene.isolate_selected,
        "duplicate": window.scene.duplicate_selected,
        "export": lambda: window.exports.show(ids),
        "show_in_files": window.files.show_in_files,
        "properties": window.docks["dock_props"].show,
    }
    wishes[wish]()


def _on_imported(window: MainWindow, layers: Sequence[Layer]) -> None:
    window.show_project()
    window.workflows.follow(layers)
    window.scene.select([layer.id for layer in layers])
    window.scene.frame_all()


def _tell_notes(window: MainWindow, name: str, notes: Sequence[str]) -> None:
    for note in notes:
        window.shell.note("warning", f"{name}: {note}")
    more = f" (and {len(notes) - 1} more in the log)" if len(notes) > 1 else ""
    window.shell.toast(f"{name}: {notes[0]}{more}", "info")


def _take_picture(window: MainWindow, path: Path, is_transparent: bool) -> None:
    """Save what is seen; fields are first drawn sharp, beside what the person does."""
    fields = window.viewport.fields
    view = fields.finest_view(scale=2)

    def save(frames: FieldFrames | None = None) -> None:
        if frames is not None and fields.finest_view(scale=2) != frames.view:
            _take_picture(window, path, is_transparent)  # of the camera as it is now
            return
        with fields.given(frames):
            window.viewport.screenshot(path, transparent=is_transparent, scale=2)
        window.shell.toast(f"Saved {path.name}.", "ok")

    if view.fields:
        window.shell.toast("Drawing the picture in full sharpness…")
        window.field_frames.ask(view, save)
    else:
        save()


def _on_exported(window: MainWindow, paths: Sequence[Path]) -> None:
    names = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
    toast = window.shell.toast(
        f"Wrote {names} to {paths[0].parent}.", "ok", [NoticeAction("show", "Show in folder")]
    )
    toast.chosen.connect(lambda _: window.files.show_folder(paths[0].parent))


# --- the rest --------------------------------------------------------------------------------------------


def _offer_devices(window: MainWindow) -> None:
    devices = [("cpu", f"CPU, {os.cpu_count()} cores"), *(("cuda", name) for name in gpu_names()[:1])]
    window.method_panel.run_block.set_devices(devices, devices[-1][0])


def _device_line() -> str:
    gpus = gpu_names()
    gpu = ", ".join(gpus) if gpus else "none"
    note = "" if gpus else ": samples run, large scenes will be slow"
    return f"GPU: {gpu}. CPU: {os.cpu_count()} cores{note}."
