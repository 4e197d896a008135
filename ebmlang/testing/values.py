"""A case taken down the compiled road, and to the oracle, with the same kind of answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.api.load import loads
from ebmlang.check.program import Program
from ebmlang.graph import EnergyGraph
from ebmlang.graph.build import build_graph
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.lower.reference import Evaluation, evaluate
from ebmlang.passes import PASSES, Pass, optimize
from ebmlang.testing.strategies import Case

Array: TypeAlias = NDArray[Any]
"""Any: numbers or truth values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a spec says at every point of a case: one row for each point.

    Attributes:
        energies: Of its soft terms, weights included, by path [nats].
        margins: Of its constraints, by path.
        satisfied: Whether these hold.
        total: E without the requirements [nats].
        reports: Values of its reports, by path.
    """

    energies: Mapping[str, Array]
    margins: Mapping[str, Array]
    satisfied: Mapping[str, Array]
    total: Array
    reports: Mapping[str, Array]


def by_oracle(case: Case, program: Program | None = None) -> Values:
    """Return what the oracle says of a case; `program` is that of its text."""
    program = program or loads(case.text).program
    found = [
        evaluate(program, point=point, data=case.data, sizes=case.sizes) for point in case.points
    ]
    return Values(
        energies=_rows(found, "energies"),
        margins=_rows(found, "margins"),
        satisfied=_rows(found, "satisfied"),
        total=np.array([one.total for one in found]),
        reports=_rows(found, "reports"),
    )


def _rows(found: Sequence[Evaluation], name: str) -> dict[str, Array]:
    parts: list[Mapping[str, Any]] = [
        {
            "energies": one.energies,
            "margins": one.margins,
            "satisfied": one.satisfied,
            "reports": one.reports,
        }[name]
        for one in found
    ]
    return {path: np.stack([part[path] for part in parts]) for path in parts[0]}


def graph_of(case: Case, passes: Sequence[Pass] = PASSES) -> EnergyGraph:
    """Return the graph of a case behind some passes."""
    return optimize(build_graph(loads(case.text).program, case.sizes), passes)


def compiled(
    case: Case, dtype: torch.dtype = torch.float64, graph: EnergyGraph | None = None
) -> CompiledEnergy:
    """Return the energy of a case, or of a graph of it, with its data bound."""
    energy = compile_graph(graph or graph_of(case), dtype=dtype)
    energy.bind(
        {info.path: case.data[info.path] for info in energy.graph.givens if info.path in case.data}
    )
    return energy


def points_of(case: Case, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the points of a case as one batch, by path."""
    paths = case.points[0]
    return {
        path: torch.tensor(np.stack([point[path] for point in case.points]), dtype=dtype)
        for path in paths
    }


def by_torch(case: Case, energy: CompiledEnergy) -> Values:
    """Return what a compiled energy says of a case."""
    point = points_of(case, energy.dtype)
    terms = energy.terms(point)
    total = energy.packed().energy(energy.pack(point))
    return Values(
        energies=_arrays(terms.energies, case),
        margins=_arrays(terms.margins, case),
        satisfied=_arrays(terms.satisfied, case),
        total=_full(total, case),
        reports=_arrays(energy.reports(point), case),
    )


def _arrays(values: Mapping[str, Tensor], case: Case) -> dict[str, Array]:
    return {path: _full(value, case) for path, value in values.items()}


def _full(value: Tensor, case: Case) -> Array:
    array = value.detach().numpy()
    return np.broadcast_to(array, (len(case.points), *array.shape[1:]))


def gradients(case: Case, energy: CompiledEnergy) -> list[dict[str, Array]]:
    """Return the gradient of the total at each point, by path."""
    x = energy.pack(points_of(case, energy.dtype)).requires_grad_()
    total = energy.packed().energy(x)
    (slopes,) = (
        torch.autograd.grad(total.sum(), x) if total.requires_grad else (torch.zeros_like(x),)
    )
    rows = energy.unpack(slopes)
    return [{path: rows[path][i].numpy() for path in rows} for i in range(len(case.points))]
