"""What `solve` found as arrays over its designs, from memory or from the file it was written to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.numbers import tame
from ebmlang.runs.design import Designs
from ebmlang.runs.plain import make_plain

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolvedRun:
    """Designs as arrays, lowest energy first.

    Attributes:
        status: How the search ended, as the file has it.
        nearest: Whether there is no design, and what is here is the point nearest to one.
        energies: One per design [nats].
        terms: Each soft term's share, by path, one per design [nats].
        margins: By path, one per design [tolerances].
        variables, reports: By path, `[design, ...]`.
        end_energies: Where each start ended, in their order [nats]; empty where that is not kept.
        end_feasible: Whether everything required holds there.
    """

    status: str
    nearest: bool
    energies: Floats
    terms: Mapping[str, Floats]
    margins: Mapping[str, Floats]
    variables: Mapping[str, Floats]
    reports: Mapping[str, Floats]
    end_energies: Floats
    end_feasible: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many designs there are."""
        return len(self.energies)


def take_designs(designs: Designs) -> SolvedRun:
    """Return what a search in this process has found."""
    found = read_designs(make_plain(designs.describe()))
    # Our own results have the form that our own reader knows.
    assert found is not None
    return found


# Any: what JSON holds.
def read_designs(described: Mapping[str, Any]) -> SolvedRun | None:
    """Return what `ebm solve --out` has written; None where it is something else.

    Args:
        described: The object in the file. Of designs that are not of one form, what they share is
            read.
    """
    listed = described.get("designs")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        return None
    nearest = described.get("nearest")
    is_nearest = not listed and isinstance(nearest, Mapping)
    points: list[Mapping[str, Any]] = [nearest] if isinstance(nearest, Mapping) else []
    points = listed or points
    ends = described.get("ends")
    energies, feasible = _read_ends(ends if isinstance(ends, Mapping) else {})
    return SolvedRun(
        status=str(described.get("status", "")),
        nearest=is_nearest,
        energies=tame([_number(one.get("energy")) for one in points]),
        terms=_read_group(points, "terms"),
        margins=_read_group(points, "margins"),
        variables=_read_group(points, "variables"),
        reports=_read_group(points, "reports"),
        end_energies=energies,
        end_feasible=feasible,
    )


def _read_ends(ends: Mapping[str, Any]) -> tuple[Floats, NDArray[np.bool_]]:
    energies, feasible = ends.get("energies"), ends.get("feasible")
    if not isinstance(energies, list) or not isinstance(feasible, list):
        return np.empty(0), np.empty(0, dtype=bool)
    # Where one is shorter, the file is not whole; what there is, is still worth a look.
    pairs = list(zip(energies, feasible, strict=False))
    return tame([_number(e) for e, _ in pairs]), np.array([f is True for _, f in pairs])


def _read_group(points: Sequence[Mapping[str, Any]], name: str) -> dict[str, Floats]:
    groups = [point.get(name) for point in points]
    known = [group for group in groups if isinstance(group, Mapping)]
    if not known or len(known) < len(groups):
        return {}
    stacked = {}
    for path in known[0]:
        values = [_array(group.get(path)) for group in known]
        if all(value is not None and value.shape == values[0].shape for value in values):  # type: ignore[union-attr]
            stacked[str(path)] = np.stack(values)  # type: ignore[arg-type]
    return stacked


def _array(value: object) -> Floats | None:
    """Return nested lists of numbers as an array; None where they are something else."""
    try:
        # JSON has null for what is no number, and NumPy makes it one.
        return tame(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
