"""What the numbers of a scene mean: which way is up, in which unit, in whose body axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Axis = Literal["+X", "-X", "+Y", "-Y", "+Z", "-Z"]
PatientAxes = Literal["LPS", "RAS"]
Unit = Literal["unit", "m", "cm", "mm", "um", "in", "ft"]

METRES_PER_UNIT: dict[str, float] = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "in": 0.0254, "ft": 0.3048}


def axis_vector(axis: Axis) -> NDArray[np.float64]:
    """(3,) the unit vector along an axis."""
    vector = np.zeros(3)
    vector["XYZ".index(axis[1])] = 1.0 if axis[0] == "+" else -1.0
    return vector


@dataclass(frozen=True)
class Frame:
    """The world frame of scene data, always right-handed.

    up: the axis that points up. unit: name of one unit of length; "unit" where nobody said.
    patient_axes: "LPS" or "RAS" for medical data whose file says so, else None.
    """

    up: Axis = "+Z"
    unit: Unit = "unit"
    patient_axes: PatientAxes | None = None

    def __post_init__(self) -> None:
        if self.up not in get_args(Axis):
            raise ValueError(f"unknown up axis {self.up!r}")
        if self.unit not in get_args(Unit):
            raise ValueError(f"unknown unit {self.unit!r}")
        if self.patient_axes is not None and self.patient_axes not in get_args(PatientAxes):
            raise ValueError(f"unknown patient axes {self.patient_axes!r}")

    @property
    def up_vector(self) -> NDArray[np.float64]:
        """(3,) the unit vector that points up."""
        return axis_vector(self.up)

    @property
    def metres_per_unit(self) -> float | None:
        """Length of one unit in metres, or None where the scale is unknown."""
        return METRES_PER_UNIT.get(self.unit)
