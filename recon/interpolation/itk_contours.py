"""Run ITK's morphological contour interpolation in a process of its own: `python -m … IN.npy OUT.npy`.

ITK's modules crash in a process that has loaded Qt, and take seconds to import that cannot be interrupted.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np


def main(source: Path, target: Path) -> None:
    """Fill the layers between the labelled ones of a (X, Y, Z) uint8 volume along its last axis."""
    itk = importlib.import_module("itk")
    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(1)
    volume = np.load(source, allow_pickle=False)
    # ITK's axes run the other way than numpy's, so the last axis here is its first, number 0.
    interpolator = itk.MorphologicalContourInterpolator.New(itk.image_from_array(volume))
    interpolator.SetAxis(0)
    interpolator.Update()
    np.save(target, itk.array_from_image(interpolator.GetOutput()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
