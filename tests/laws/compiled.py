"""A case taken down the compiled road, and to the oracle, with the same kind of answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ebmlang.check.program import Program
from ebmlang.graph import EnergyGraph
from ebmlang.graph.build import build_graph
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.lower.reference import Evaluation, evaluate
from ebmlang.passes import PASSES, Pass, optimize
from tests.laws.strategies import Case
from tests.road import typed

torch.set_num_threads(1)


@dataclass(frozen=True, kw_only=True)
class Values:
    """What a spec says at every point of a case: one row for each point."""

    energies: Mapping[str, np.ndarray]
    margins: Mapping[str, np.ndarray]
    satisfied: Mapping[str, np.ndarray]
    total: np.ndarray
    reports: Mapping[str, np.ndarray]


def by_oracle(case: Case, program: Program | None = None) -> Values:
    program = program or typed(case.text)
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


def _rows(found: Sequence[Evaluation], name: str) -> dict[str, np.ndarray]:
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
    return optimize(build_graph(typed(case.text), case.sizes), passes)


def compiled(
    case: Case, dtype: torch.dtype = torch.float64, graph: EnergyGraph | None = None
) -> CompiledEnergy:
    energy = compile_graph(graph or graph_of(case), dtype=dtype)
    energy.bind(
        {info.path: case.data[info.path] for info in energy.graph.givens if info.path in case.data}
    )
    return energy


def points_of(case: Case, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    paths = case.points[0]
    return {
        path: torch.tensor(np.stack([point[path] for point in case.points]), dtype=dtype)
        for path in paths
    }


def by_torch(case: Case, energy: CompiledEnergy) -> Values:
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


def _arrays(values: Mapping[str, torch.Tensor], case: Case) -> dict[str, np.ndarray]:
    return {path: _full(value, case) for path, value in values.items()}


def _full(value: torch.Tensor, case: Case) -> np.ndarray:
    array = value.detach().numpy()
    return np.broadcast_to(array, (len(case.points), *array.shape[1:]))


def gradients(case: Case, energy: CompiledEnergy) -> list[dict[str, np.ndarray]]:
    """Return the gradient of the total at each point, by path."""
    x = energy.pack(points_of(case, energy.dtype)).requires_grad_()
    total = energy.packed().energy(x)
    (slopes,) = (
        torch.autograd.grad(total.sum(), x) if total.requires_grad else (torch.zeros_like(x),)
    )
    rows = energy.unpack(slopes)
    return [{path: rows[path][i].numpy() for path in rows} for i in range(len(case.points))]
