"""`isokiln run`: a method on files, in the same worker process as in the window."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import recon
from app.cli_options import add_model_options, given_values, make_model, model_from
from app.cli_outputs import check_output, tell_notes, write_outputs
from app.errors import ErrorReport, describe_death, describe_event
from app.run_progress import RunProgress
from app.time_left import describe_duration
from app.worker_process import WorkerProcess
from recon import formats, run_folder
from recon.errors import InputError, SettingsError
from recon.formats.reading import ReadOptions
from recon.method import InputSlot, Method
from recon.run_folder import RunFolder
from render.scene_data import SceneData

_READ_AS = {
    "cross_sections": "slices",
    "images": "photos",
    "posed_images": "scene",
}  # what a folder of pictures is for a slot of this kind
_TARGETS = {
    "posed_images": ("SCENE", "folder to make, with images, a COLMAP model and transforms.json"),
    "view_field": (
        "FOLDER",
        "folder to make, with edited and novel views, their scores and depth; or FILE.npz",
    ),
}  # what -o is called and said to be, by the kind of the result
INTERRUPTED = 130  # what a shell expects of a program that Ctrl+C ended


class RunFailed(Exception):
    """The worker told why, or died; the argument is the ErrorReport."""

    def __init__(self, report: ErrorReport) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True)
class _Plan:
    """One `isokiln run`, checked before anything is computed."""

    method: Method
    settings: Mapping[str, Any]
    sources: Mapping[str, Path]
    output: Path
    folder: Path | None
    options: argparse.Namespace


def main(arguments: Sequence[str]) -> int:
    """Run `isokiln run ARGUMENTS`; returns the exit status."""
    if not arguments or arguments[0].startswith("-"):
        _overview().parse_args(arguments or ["--help"])
        return 2
    plan = _plan(arguments)
    folder = _folder(plan)
    progress = RunProgress(sys.stderr)
    if folder.status().state != "done":
        try:
            if not _compute(folder, progress):
                return _tell_how_to_resume(folder, arguments, plan)
        except RunFailed:
            if not folder.has_checkpoint and plan.folder is None:
                shutil.rmtree(folder.path)
            else:
                _tell_how_to_resume(folder, arguments, plan)
            raise
    try:
        files = write_outputs(plan.output, folder.outputs, plan.options, plan.method, folder)
    except Exception:
        print(f"The result is kept in {folder.path}.", file=sys.stderr)
        _tell_how_to_write(folder, arguments, plan)
        raise
    _sum_up(folder, files, plan)
    if plan.folder is None:
        shutil.rmtree(folder.path)
    return 0


def method_parser(method: Method) -> argparse.ArgumentParser:
    """The command line of one method, made from its settings."""
    parser = argparse.ArgumentParser(
        prog=f"isokiln run {method.id}",
        description=method.summary,
        epilog="Exit status: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl+C with its checkpoint kept.",
        allow_abbrev=False,
    )
    for slot in method.inputs:
        if slot.optional:
            parser.add_argument(f"--{slot.name}", type=Path, metavar="FILE", help=slot.title)
        else:
            parser.add_argument(slot.name, type=Path, metavar=slot.name.upper(), help=slot.title)
    name, target = _TARGETS.get(method.makes, ("OUT", "file to write"))
    parser.add_argument("-o", "--output", type=Path, required=True, metavar=name, help=target)
    parser.add_argument(
        "--also", type=Path, metavar="FOLDER", help="keep there what OUT cannot hold, as .npz"
    )
    names = [preset_word(name) for name in method.presets]
    if names:
        parser.add_argument(
            "--preset", choices=names, help=f"settings to start from ({method.default_preset})"
        )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(default auto)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument(
        "--folder", type=Path, metavar="RUN", help="keep the run here; one that was interrupted here resumes"
    )
    parser.add_argument("--json", action="store_true", help="sum up as JSON on standard output")
    add_model_options(parser, method.settings, "settings")
    add_model_options(parser, ReadOptions, "reading the input", "read-")
    _add_export_options(parser)
    return parser


def _add_export_options(parser: argparse.ArgumentParser) -> None:
    from recon.formats.export import ExportOptions

    add_model_options(parser, ExportOptions, "writing the output", "write-")


def _overview() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isokiln run",
        usage="isokiln run METHOD INPUT -o OUT [--setting value …]",
        description="Run a method. `isokiln run METHOD --help` lists its settings.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="methods:\n" + "\n".join(f"  {method.id:14} {method.title}" for method in recon.METHODS),
    )
    return parser


def _plan(arguments: Sequence[str]) -> _Plan:
    method = recon.method_by_id(arguments[0])
    options = method_parser(method).parse_args(arguments[1:])
    values = {**_preset(method, getattr(options, "preset", None)), **given_values(options, method.settings)}
    settings = make_model(method.settings, values)
    model_from(options, ReadOptions, "read-")
    named = {slot.name: getattr(options, slot.name) for slot in method.inputs}
    sources = {name: path for name, path in named.items() if path is not None}
    check_output(options.output, list(sources.values()), method.makes)
    return _Plan(method, settings.model_dump(mode="json"), sources, options.output, options.folder, options)


def _preset(method: Method, wish: str | None) -> Mapping[str, Any]:
    """The changed settings of a preset; of the default one where none is named."""
    by_word = {preset_word(name): values for name, values in method.presets.items()}
    return by_word.get(wish or preset_word(method.default_preset), {})


def preset_word(name: str) -> str:
    """What a preset is called on the command line: "Quick check" is "quick"."""
    return name.split()[0].lower()


def _folder(plan: _Plan) -> RunFolder:
    """The run folder: the one to resume, or a new one with the input read into it."""
    sources = {slot: str(path.absolute()) for slot, path in plan.sources.items()}
    if plan.folder is not None and (plan.folder / "run.json").exists():
        return _same_run(RunFolder(plan.folder.absolute()), plan, sources)
    inputs = {slot.name: _read_input(slot, plan) for slot in plan.method.inputs if slot.name in plan.sources}
    place = plan.folder or Path(tempfile.mkdtemp(prefix=f"isokiln-{plan.method.id}-"))
    return run_folder.create(
        place,
        plan.method.id,
        plan.settings,
        inputs,
        plan.options.seed,
        plan.options.device,
        preview_share=0.0,
        sources=sources,
    )


def _same_run(folder: RunFolder, plan: _Plan, sources: Mapping[str, str]) -> RunFolder:
    """The run in a folder, if it is what the command line asks for. Raises SettingsError."""
    manifest = folder.manifest
    asked = (plan.method.id, dict(plan.settings), plan.options.seed, dict(sources))
    if (manifest.method, manifest.settings, manifest.seed, manifest.sources) != asked:
        raise SettingsError(
            f"{folder.path} holds a run of another method, input, seed or settings.",
            "Give what it was started with, or another folder.",
        )
    return folder


def _read_input(slot: InputSlot, plan: _Plan) -> SceneData:
    """One input of the method. Raises InputError where the file holds something else."""
    path = plan.sources[slot.name]
    data = _read(path, plan.options, slot)
    if not slot.fits(data):
        raise InputError(
            f"{path.name} does not hold {slot.title.lower()}: it holds {formats.in_words(data)}.",
            f"{plan.method.title} needs {slot.title.lower()}; `isokiln validate {path.name}` tells what is in it.",
        )
    return data


def _read(path: Path, options: argparse.Namespace, slot: InputSlot) -> SceneData:
    """Read an input, a folder of pictures as what the slot takes, and tell what the reader noticed."""
    wishes = model_from(options, ReadOptions, "read-")
    if wishes.read_as == "auto" and slot.kind in _READ_AS:
        wishes = wishes.model_copy(update={"read_as": _READ_AS[slot.kind]})
    if not slot.needs_photos:
        wishes = wishes.model_copy(update={"missing_images": "keep"})
    reading = formats.read(path, wishes)
    tell_notes(path, reading.notes)
    data: SceneData = reading.data
    return data


def _compute(folder: RunFolder, progress: RunProgress) -> bool:
    """Run a folder in a worker. True when done, False when Ctrl+C ended it. Raises RunFailed."""
    worker = WorkerProcess(output=subprocess.PIPE)
    is_ending = False
    try:
        worker.run(folder.path)
        while True:
            try:
                for event in _events(worker):
                    progress.show(event)
                    if event["event"] == "error":
                        raise RunFailed(describe_event(event))
                break
            except KeyboardInterrupt:
                if is_ending:
                    worker.kill()
                is_ending = True
                progress.say("Ending; Ctrl+C again ends at once.")
                worker.send("interrupt")
        worker.process.wait()
    finally:
        progress.close()
        last_words = worker.close(patience=5)
    if folder.status().state == "done":
        return True
    if is_ending:
        return False
    raise RunFailed(describe_death(worker.exit_status, last_words))


def _events(worker: WorkerProcess) -> Iterator[Mapping[str, Any]]:
    assert worker.process.stdout is not None
    for line in worker.process.stdout:
        yield json.loads(line)


def _tell_how_to_resume(folder: RunFolder, arguments: Sequence[str], plan: _Plan) -> int:
    status = folder.status()
    words = list(arguments) if plan.folder else [*arguments, "--folder", str(folder.path)]
    where = f" at step {status.step} of {status.stage}" if status.stage else ""
    print(f"Ended{where}. To go on: isokiln run {shlex.join(words)}", file=sys.stderr)
    return INTERRUPTED


def _tell_how_to_write(folder: RunFolder, arguments: Sequence[str], plan: _Plan) -> None:
    words = list(arguments) if plan.folder else [*arguments, "--folder", str(folder.path)]
    print(f"To write it, with another -o: isokiln run {shlex.join(words)}", file=sys.stderr)


def _sum_up(folder: RunFolder, files: Sequence[Path], plan: _Plan) -> None:
    """The last line: costs and figures."""
    record = folder.result_record
    for note in record["figures"].get("notes", ()):
        print(f"note: {note}", file=sys.stderr)
    if plan.options.json:
        costs = {key: record[key] for key in ("wall_s", "cpu_s", "peak_bytes", "stopped")}
        names = [{"name": row["name"], "kind": row["kind"]} for row in record["outputs"]]
        run = {"method": plan.method.id, "settings": dict(plan.settings), "seed": plan.options.seed}
        kept = {"folder": str(plan.folder.absolute())} if plan.folder else {}
        summary = {
            **run, **kept, "outputs": names, "files": list(map(str, files)), "figures": record["figures"], **costs
        }  # fmt: skip
        print(json.dumps(summary))
        return
    parts = [
        ", ".join(str(path) for path in files),
        f"{describe_duration(record['wall_s'])} wall, {record['cpu_s']:.1f} CPU-s",
        f"{record['peak_bytes'] / 2**20:.0f} MiB peak",
        *(f"{name.replace('_', ' ')} {_short(value)}" for name, value in _scalars(record["figures"])),
    ]
    print(" · ".join(parts))


def _scalars(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Single numbers and words of the figures and their tables; how long each part took stays for --json.

    A table of tables, such as one of figures for each solid, tells the names of its rows where it has several.
    """
    for name, value in figures.items():
        if isinstance(value, (int, float, str)) and value != "":
            yield prefix + name, value
        elif not isinstance(value, Mapping) or "seconds" in name:
            continue
        elif all(isinstance(row, Mapping) for row in value.values()):
            for label, row in value.items():
                yield from _scalars(row, f"{label} " if len(value) > 1 else "")
        else:
            yield from _scalars(value, f"{name} ")


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
