"""The limits that all kernels of splatting share."""

from __future__ import annotations

TILE = 16  # pixels along each side of a tile
ALPHA_MIN = 1 / 255  # what is fainter is not drawn
ALPHA_MAX = 0.999  # so that what lies behind keeps a gradient
TRANSMITTANCE_MIN = 1e-4  # a pixel is full where the next Gaussian would leave less than this
