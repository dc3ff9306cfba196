"""How long files of splats take to write and to read, in CPU-seconds, and how large they are.

python tests/benchmarks/bench_splat_files.py [--count 1000000] [--degree 3] [FILE …]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from recon import formats
from render.gaussians import GaussianCloud
from tests.recon.formats.splat_examples import usual_cloud

NAMES = ("a.npz", "a.ply", "a.compressed.ply", "a.spz", "a.splat", "a.glb")


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def show(title: str, cloud: GaussianCloud, folder: Path) -> None:
    print(f"{title}: {len(cloud):,} Gaussians, degree {cloud.sh_degree}")
    for name in NAMES:
        path = folder / name
        written = seconds(partial(formats.write, path, cloud))
        read = seconds(partial(formats.read, path))
        print(f"  {name:17} write {written:5.2f}  read {read:5.2f}  {path.stat().st_size / 1e6:7.1f} MB")
        path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--degree", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for file in options.files:
            print(f"{file.name}: read {seconds(partial(formats.read, file)):.2f}")
            cloud = formats.read(file).data
            assert isinstance(cloud, GaussianCloud)
            show(file.name, cloud, Path(folder))
        show("random", usual_cloud(options.count, options.degree, extra=True), Path(folder))


if __name__ == "__main__":
    main()
