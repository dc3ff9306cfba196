"""Checks that what Isokiln needs is on this machine. Each is done where its failure does no harm."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from app.directories import config_directory, state_directory
from app.system_info import describe_display, gpu_names

Level = Literal["ok", "warn", "fail"]
_GIB = 2**30
_LITTLE_MEMORY = 4 * _GIB
_LITTLE_DISK = 2 * _GIB
_IMPORT_SECONDS = 120

# Module → the package that brings it; each is imported in a process of its own, for a broken one may crash.
_NEEDED = {
    "numpy": "numpy",
    "scipy.sparse.linalg": "scipy",
    "pydantic": "pydantic",
    "shapely": "shapely",
    "skimage.measure": "scikit-image",
    "trimesh": "trimesh",
    "numba": "numba",
    "torch": "torch",
    "open3d": "open3d",
    "PySide6.QtWidgets": "PySide6-Essentials",
    "vtkmodules.vtkRenderingOpenGL2": "vtk",
}
_OPTIONAL = {
    "SimpleITK": ("SimpleITK", "NIfTI, NRRD and MHA files"),
    "pydicom": ("pydicom", "DICOM files"),
}
# Library → the Debian package that brings it.
_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libusb-1.0.so.0": "libusb-1.0-0",
}
_DRAW_A_BALL = """
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkRenderingCore import (
    vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow, vtkWindowToImageFilter,
)
import vtkmodules.vtkRenderingOpenGL2
ball, mapper, actor, renderer = vtkSphereSource(), vtkPolyDataMapper(), vtkActor(), vtkRenderer()
mapper.SetInputConnection(ball.GetOutputPort())
actor.SetMapper(mapper)
renderer.AddActor(actor)
window, picture = vtkRenderWindow(), vtkWindowToImageFilter()
window.SetOffScreenRendering(True)
window.SetSize(64, 64)
window.AddRenderer(renderer)
picture.SetInput(window)
picture.Update()
pixels = vtk_to_numpy(picture.GetOutput().GetPointData().GetScalars()).reshape(64, 64, -1)
assert pixels[32, 32].max() > 100, "the picture is empty"
lines = window.ReportCapabilities().splitlines()
print(next((line.split(":", 1)[1].strip() for line in lines if "renderer" in line.lower()), "unknown"))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report. advice: what to do, empty where all is well."""

    level: Level
    subject: str
    text: str
    advice: str = ""


def checks() -> Iterator[Finding]:
    """Every finding, as it is made; the slow ones last."""
    yield Finding("ok", "Python", platform.python_version())
    yield from _check_libraries()
    yield _check_display()
    yield _check_memory()
    yield _check_disk()
    yield _check_directories()
    for module, package in _NEEDED.items():
        yield _check_import(module, package)
    for module, (package, purpose) in _OPTIONAL.items():
        yield _check_optional(module, package, purpose)
    yield _check_drawing()
    yield _check_gpu()


def _check_libraries() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    missing = [package for library, package in _LIBRARIES.items() if not _can_load(library)]
    if not missing:
        yield Finding("ok", "system libraries", f"all {len(_LIBRARIES)} found")
        return
    advice = f"sudo apt-get install {' '.join(missing)}"
    yield Finding("fail", "system libraries", f"missing: {', '.join(missing)}", advice)


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _check_display() -> Finding:
    display = describe_display()
    if display:
        return Finding("ok", "display", display)
    advice = "The command line works without one. For the window, log in to a desktop or use xvfb-run."
    return Finding("warn", "display", "none", advice)


def _check_memory() -> Finding:
    memory = psutil.virtual_memory()
    text = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free"
    if memory.available >= _LITTLE_MEMORY:
        return Finding("ok", "memory", text)
    return Finding("warn", "memory", text, "Close other programs, or choose the preset Quick check.")


def _check_disk() -> Finding:
    free = shutil.disk_usage(state_directory()).free
    text = f"{free / _GIB:.1f} GiB free"
    if free >= _LITTLE_DISK:
        return Finding("ok", "disk", text)
    return Finding("warn", "disk", text, "Free some space: runs and projects need it.")


def _check_directories() -> Finding:
    folders = (config_directory(), state_directory(), Path(tempfile.gettempdir()))
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder):
                continue
        except OSError as error:
            return Finding(
                "fail", "folders", f"cannot write in {folder}: {error.strerror}", "Change its owner."
            )
    return Finding("ok", "folders", ", ".join(map(str, folders)))


def _check_import(module: str, package: str) -> Finding:
    answer = _try_python(f"import {module}")
    if answer.is_good:
        return Finding("ok", package, "imports")
    return Finding("fail", package, answer.text, f"pip install --force-reinstall {package}")


def _check_optional(module: str, package: str, purpose: str) -> Finding:
    answer = _try_python(f"import {module}")
    if answer.is_good:
        return Finding("ok", package, "imports")
    return Finding("warn", package, f"{answer.text}; needed for {purpose}", "pip install isokiln[medical]")


def _check_drawing() -> Finding:
    answer = _try_python(_DRAW_A_BALL)
    if not answer.is_good:
        advice = "Install the missing system libraries above and a graphics driver (Debian: libgl1-mesa-dri)."
        return Finding("fail", "3D drawing", answer.text, advice)
    if "llvmpipe" in answer.text.lower() or "software" in answer.text.lower():
        return Finding(
            "warn", "3D drawing", answer.text, "It works in software; a graphics driver makes it faster."
        )
    return Finding("ok", "3D drawing", answer.text)


def _check_gpu() -> Finding:
    gpus = gpu_names()
    if not gpus:
        return Finding("ok", "GPU", "no NVIDIA GPU; everything runs on the CPU")
    answer = _try_python("import torch; print(torch.cuda.is_available())")
    if answer.text.endswith("True"):
        return Finding("ok", "GPU", "; ".join(gpus))
    advice = "Install the CUDA build: pip install --force-reinstall torch"
    return Finding("warn", "GPU", f"{gpus[0]}, but torch cannot use it", advice)


@dataclass(frozen=True)
class _Answer:
    is_good: bool
    text: str


def _try_python(code: str) -> _Answer:
    """Run code in a process of its own: a broken library may end it, not us."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=_IMPORT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return _Answer(False, f"no answer within {_IMPORT_SECONDS} s")
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    last = lines[-1] if lines else ""
    if done.returncode < 0:
        last = f"ended by signal {-done.returncode}"
    return _Answer(done.returncode == 0, last)
