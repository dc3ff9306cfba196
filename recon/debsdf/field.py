"""Trained networks as scene data and back, bit by bit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.debsdf.color_network import NUM_HARMONICS, ColorNetwork
from recon.debsdf.losses import blended_uncertainty
from recon.debsdf.network_layout import NetworkLayout
from recon.debsdf.sdf_network import CHUNK, SdfNetwork
from recon.errors import InputError
from render.frame import Frame
from render.sdf_field import SdfField

KIND, VERSION = "debsdf", 1


@dataclass(frozen=True)
class TrainedField:
    """Networks over the box [-1, 1]^3 and where the box is.

    color: None where only the shape is known. world_from_box: (4, 4) similarity. bounds_in_box: (2, 3) what to
    extract.
    """

    sdf: SdfNetwork
    color: ColorNetwork | None
    world_from_box: NDArray[np.float64]
    bounds_in_box: NDArray[np.float64]
    frame: Frame = Frame()

    @property
    def scale(self) -> float:
        """World units a box unit."""
        return float(np.cbrt(np.linalg.det(self.world_from_box[:3, :3])))


@torch.no_grad()
def look_at_surface(
    trained: TrainedField, points: NDArray[np.floating]
) -> tuple[NDArray[np.uint8] | None, NDArray[np.float32] | None]:
    """Colours (P, 3) and blended uncertainty (P,) of points (P, 3) of the box on the surface, seen against their
    normals by no camera in particular; None without a colour network."""
    color = trained.color
    if color is None:
        return None, None
    colors, uncertainty = [np.zeros((0, 3), np.uint8)], [np.zeros(0, np.float32)]
    device = next(trained.sdf.parameters()).device
    for start in range(0, len(points), CHUNK):
        at = torch.from_numpy(np.asarray(points[start : start + CHUNK], np.float32)).to(device)
        _, gradients, features = trained.sdf.field(at)
        normals = torch.nn.functional.normalize(gradients, dim=1)
        nowhere = torch.full((len(at),), -1, device=device)
        shared = color.shared(features, -normals, nowhere)
        rgb = color.colors(shared, normals, at)
        colors.append((rgb.clamp(0, 1) * 255).round().byte().cpu().numpy())
        uncertainty.append(blended_uncertainty(*color.uncertainties(shared)).cpu().numpy())
    return np.concatenate(colors), np.concatenate(uncertainty)


def to_sdf_field(trained: TrainedField) -> SdfField:
    """The networks as arrays, with the layout that tells how to read them."""
    layout = {
        "kind": KIND,
        "version": VERSION,
        "sdf": json.loads(trained.sdf.layout.to_json()),
        "color": None if trained.color is None else _color_layout(trained.color),
    }
    arrays = _arrays("sdf", trained.sdf)
    if trained.color is not None:
        arrays |= _arrays("color", trained.color)
    return SdfField(json.dumps(layout), arrays, trained.world_from_box, trained.bounds_in_box, trained.frame)


def from_sdf_field(field: SdfField, device: str = "cpu") -> TrainedField:
    """The networks that `to_sdf_field` took apart. Raises InputError for any other field."""
    try:
        layout = json.loads(field.layout)
        if (layout["kind"], layout["version"]) != (KIND, VERSION):
            raise ValueError(f"kind {layout['kind']!r}, version {layout['version']!r}")
        sdf = SdfNetwork(NetworkLayout.from_json(json.dumps(layout["sdf"])))
        color = None if layout["color"] is None else _make_color(layout["color"])
        _load("sdf", sdf, field)
        if color is not None:
            _load("color", color, field)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            "This trained surface is not one that this version can read.",
            "Extract it with the version that made it, or train it again.",
            str(error),
        ) from error
    moved = None if color is None else color.to(device)
    return TrainedField(sdf.to(device), moved, field.world_from_box, field.bounds_in_box, field.frame)


def _arrays(prefix: str, network: torch.nn.Module) -> dict[str, NDArray[np.generic]]:
    state: dict[str, Tensor] = network.state_dict()
    return {f"{prefix}.{name}": value.detach().cpu().numpy() for name, value in state.items()}


def _load(prefix: str, network: torch.nn.Module, field: SdfField) -> None:
    state = {
        name.removeprefix(f"{prefix}."): torch.tensor(array)
        for name, array in field.parameters.items()
        if name.startswith(f"{prefix}.")
    }
    wanted = network.state_dict()
    wrong = [name for name, value in state.items() if name in wanted and value.dtype != wanted[name].dtype]
    if wrong:
        raise ValueError(f"parameters of another type: {', '.join(wrong)}")
    network.load_state_dict(state)


def _color_layout(color: ColorNetwork) -> dict[str, int]:
    num_images, code_size = color.codes.shape
    first, branch = color.color[0], color.uncertainty[0]
    assert isinstance(first, torch.nn.Linear) and isinstance(branch, torch.nn.Linear)
    return {
        "num_features": branch.in_features - NUM_HARMONICS - code_size,
        "num_images": num_images,
        "code_size": code_size,
        "width": first.out_features,
    }


def _make_color(layout: dict[str, Any]) -> ColorNetwork:
    return ColorNetwork(generator=torch.Generator(), **layout)
