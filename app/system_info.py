"""What a report must tell about the machine, without importing what it tells about."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata

import psutil

from app.manifest import app_version

PACKAGES = (
    "numpy", "scipy", "torch", "numba", "PySide6-Essentials", "vtk", "open3d", "trimesh",
    "scikit-image", "shapely", "pydantic", "SimpleITK", "pydicom", "gsplat",
)  # fmt: skip


def describe_system() -> dict[str, str]:
    """Name → text: version, operating system, packages, memory, disk, display, GPUs."""
    memory = psutil.virtual_memory()
    return {
        "Isokiln": app_version(),
        "Python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free",
        "disk": f"{shutil.disk_usage('.').free / 2**30:.1f} GiB free here",
        "display": describe_display() or "none",
        "GPU": ", ".join(gpu_names()) or "none",
        **{package: package_version(package) or "not installed" for package in PACKAGES},
    }


def describe_display() -> str:
    """What the window would open on; empty where there is nothing."""
    if sys.platform != "linux":
        return sys.platform
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        if os.environ.get(name):
            return f"{name}={os.environ[name]}"
    return ""


def gpu_names() -> list[str]:
    """Names, memory and driver of the NVIDIA GPUs, as their own tool tells them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = "--query-gpu=name,memory.total,memory.free,driver_version"
    try:
        answer = subprocess.run(
            [tool, query, "--format=csv,noheader"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []  # The tool is there but no GPU answers it.
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]


def package_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
