"""What a run says of its result, in words: parts, holes, volume, agreement with the slices, contradictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.layers import Layer, Missing
from app.surface_words import surface_rows, surface_summary
from render.mesh import TriangleMesh

_MOST_NAMED = 4


def result_rows(layer: Layer) -> list[tuple[str, str]]:
    """Rows (label, value) about a layer that a run made; none for others."""
    origin = layer.origin
    if origin is None or isinstance(layer.data, Missing) or not origin.figures:
        return []
    figures = origin.figures
    rows = _solid_rows(_solid_of(layer, figures))
    rows += _bridge_rows(figures.get("bridges", {}).values())
    rows += _agreement_rows(figures.get("agreement", ()))
    rows += _contradiction_rows(figures.get("contradictions", ()))
    return rows + _distance_rows(figures, _unit(layer)) + surface_rows(figures)


def summary(figures: Mapping[str, Any], unit: str = "") -> str:
    """One line on a finished run: "1 part, 2 holes through, 0.2405 mm³"; "" where there is nothing to say."""
    solids = list(_solids(figures).values())
    if solids:
        volume = sum(float(solid["volume"]) for solid in solids)
        labels = f"{len(solids)} labels, " if len(solids) > 1 else ""
        genus = [solid["genus"] for solid in solids]
        through = f", genus {sum(genus)}" if all(g is not None for g in genus) else ""
        parts = sum(int(solid["components"]) for solid in solids)
        return f"{labels}{_counted(parts, 'part')}{through}, volume {_amount(volume, unit, '³')}"
    if "hausdorff95" in figures:
        return f"95 % within {_amount(float(figures['hausdorff95']), unit)}"
    return surface_summary(figures)


def agreement_words(table: Sequence[Mapping[str, Any]]) -> str:
    """How many planes agree: "15 of 15 planes"."""
    reached = sum(bool(entry.get("reached", True)) for entry in table)
    return f"{reached} of {_counted(len(table), 'plane')}"


def _solid_of(layer: Layer, figures: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The figures of the label that this layer is; those of the only one where there is one."""
    solids = _solids(figures)
    names = [name for name in solids if len(solids) == 1 or layer.name.startswith(f"{name} (")]
    return solids[names[0]] if names else None


def _solids(figures: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    solids = figures.get("solids", {})
    return solids if isinstance(solids, Mapping) else {}


def _solid_rows(solid: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if solid is None:
        return []
    rows = [("Parts", str(solid["components"]))]
    if solid.get("genus") is not None:
        rows.append(("Genus", _genus_words(int(solid["genus"]))))
    return [*rows, ("Watertight", "yes" if solid.get("watertight") else "no")]


def _genus_words(genus: int) -> str:
    return _counted(genus, "through hole") if genus else "0, no through hole"


def _bridge_rows(counts: Iterable[Mapping[str, int]]) -> list[tuple[str, str]]:
    """What was cut and filled between the slices, over all labels."""
    every = list(counts)
    cut, filled = (sum(int(each.get(done, 0)) for each in every) for done in ("cut", "filled"))
    words = [f"{_counted(cut, 'bridge')} cut"] * (cut > 0) + [f"{_counted(filled, 'pinhole')} filled"] * (
        filled > 0
    )
    return [("No slice showed", ", ".join(words))] if words else []


def _agreement_rows(table: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """How many planes agree, and which do not; the list of planes tells why."""
    if not table:
        return []
    missed = [str(int(entry["plane"]) + 1) for entry in table if not entry.get("reached", True)]
    if not missed:
        return [("Agreement", agreement_words(table))]
    more = f" and {len(missed) - _MOST_NAMED} more" if len(missed) > _MOST_NAMED else ""
    return [("Agreement", f"{agreement_words(table)}; not {', '.join(missed[:_MOST_NAMED])}{more}")]


def _contradiction_rows(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of planes whose contours say different things where they cross."""
    if not found:
        return []
    pairs = ["{} and {}".format(*(int(plane) + 1 for plane in pair["planes"])) for pair in found]
    more = f" and {len(pairs) - _MOST_NAMED} more pairs" if len(pairs) > _MOST_NAMED else ""
    return [("Contradict", f"Planes {', '.join(pairs[:_MOST_NAMED])}{more}, where they cross")]


def _distance_rows(figures: Mapping[str, Any], unit: str) -> list[tuple[str, str]]:
    names = (("chamfer", "Mean distance"), ("hausdorff95", "95 % within"), ("hausdorff", "Largest"))
    return [(title, _amount(float(figures[key]), unit)) for key, title in names if key in figures]


def _unit(layer: Layer) -> str:
    frame = layer.data.frame if isinstance(layer.data, TriangleMesh) else None
    return frame.unit if frame is not None and frame.unit != "unit" else ""


def _amount(x: float, unit: str, power: str = "") -> str:
    number = f"{x:.4g}" if abs(x) < 10_000 else f"{x:,.0f}".replace(",", "\u202f")
    return f"{number} {unit}{power}" if unit else number


def _counted(n: int, one: str) -> str:
    return f"{n:,} {one if n == 1 else one + 's'}".replace(",", "\u202f")
