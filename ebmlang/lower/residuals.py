"""The residuals of a compiled energy that is a sum of squares.

    E(x) = constant + sum_i r_i(x)^2

The analysis finds the nodes that are squared and what each square is weighed with; here they become
one row of numbers per chain, the weights folded in by their roots. Methods for least squares need
the derivatives of each residual, which E alone does not give.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.framework import Inputs
from ebmlang.analysis.least_squares import Residual, find_residuals
from ebmlang.graph import Node, RootKind
from ebmlang.lower.portions import count_rows, is_whole, list_portions
from ebmlang.lower.trace import trace_nodes
from ebmlang.runtime import ValueAndGradient

if TYPE_CHECKING:
    from ebmlang.lower.module import CompiledEnergy
    from ebmlang.lower.packed import PackedEnergy
    from ebmlang.lower.rows import RowEnergy

KNOWN = 1e-12
"""Relative width up to which an interval is one weight: far above what outward rounding opens,
far below what would change an answer."""

NOT_FORWARD = frozenset(("noisy_or", "extern"))
"""Operators whose kernels have no forward derivative, or are not known to have one."""


class Vector(Protocol):
    """A function from packed points, and the data that each has of its own, to residuals."""

    def __call__(self, x: Tensor, *columns: Tensor) -> Tensor:
        """Return `[chain, residual]`, with a forward derivative."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SquaredEnergy:
    """An energy over packed points that is a sum of squares; a `LeastSquares` of the runtime.

    Attributes:
        packed: The energy.
        vector: From packed points to residuals.
    """

    packed: "PackedEnergy"
    vector: Vector

    @property
    def dim(self) -> int:
        """The length of a packed point."""
        return self.packed.dim

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of points and values."""
        return self.packed.dtype

    @property
    def device(self) -> torch.device:
        """Where points and values live."""
        return self.packed.device

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.packed.energy(x)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.packed.requirements(x)

    def energy_and_gradient(self, x: Float[Tensor, "chain dim"]) -> ValueAndGradient:
        """Return the energy and its gradient; not differentiable."""
        return self.packed.energy_and_gradient(x)

    def lagrangian_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return the augmented Lagrangian and its gradient; None where that takes autograd."""
        return self.packed.lagrangian_and_gradient(x, *terms)

    def violation_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return half the squared violation and its gradient; None where that takes autograd."""
        return self.packed.violation_and_gradient(x, *terms)

    def residuals(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain residual"]:
        """Return what is squared [square roots of nats]."""
        return self.vector(x)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SquaredRows:
    """An energy by row that is a sum of squares; a `LeastSquares` and a `RowTarget`.

    Attributes:
        rows: The energy, with a row of data for each point.
        vector: From packed points and their data to residuals.
    """

    rows: "RowEnergy"
    vector: Vector

    @property
    def dim(self) -> int:
        """The length of a packed point."""
        return self.rows.dim

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of points and values."""
        return self.rows.dtype

    @property
    def device(self) -> torch.device:
        """Where points and values live."""
        return self.rows.device

    @property
    def data(self) -> Mapping[str, Tensor]:
        """The data of each point by path, each `[chain, ...]`."""
        return self.rows.data

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.rows.energy(x)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.rows.requirements(x)

    def residuals(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain residual"]:
        """Return what is squared [square roots of nats]."""
        return self.vector(x, *self.rows.columns)

    def take(self, index: Int[Tensor, " kept"]) -> "SquaredRows":
        """Return the energy of some of the points, each as often as it is named."""
        return replace(self, rows=self.rows.take(index))


def find_squares(energy: "CompiledEnergy") -> SquaredEnergy | None:
    """Return the energy with its residuals; None where it is not known to be a sum of squares.

    Args:
        energy: Bound to its data and weights: these decide what squares are weighed with.
    """
    vector = find_vector(energy)
    return None if vector is None else SquaredEnergy(packed=energy.packed(), vector=vector)


def find_vector(energy: "CompiledEnergy") -> Vector | None:
    """Return the residuals of an energy; None where it is not known to be a sum of squares.

    What squares are weighed with must be known, and so be the same for all rows of data.

    Args:
        energy: Bound to the data that all points share, and to its weights.
    """
    graph = energy.graph
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    shared = [given for given in graph.givens if not given.by_row]
    givens = {g.path: v for g, v in zip(shared, energy.binding.givens, strict=True)}
    facts = GraphFacts(graph, Inputs(givens=givens, weights=energy.binding.weights))
    found = find_residuals(facts, total)
    if not found or not all(_is_known(residual) for residual in found):
        return None
    required = [number for _, number in graph.roots_of(RootKind.HARD)]
    ends = [*required, *(residual.node for residual in found)]
    needed = set().union(*(graph.ancestors(number) | {number} for number in ends))
    if NOT_FORWARD & _operators([graph.nodes[number] for number in needed]):
        return None
    return _build_vector(energy, found)


def _operators(nodes: Iterable[Node]) -> set[str]:
    """Return the names of all operators, those inside recurrences included."""
    found: set[str] = set()
    for node in nodes:
        found.add(node.operator)
        if node.operator == "scan":
            found |= _operators(node.option("body").nodes)
    return found


def _is_known(residual: Residual) -> bool:
    weight = residual.weight
    if not np.isfinite(weight.upper).all():
        return False
    return bool((weight.upper - weight.lower <= KNOWN * weight.upper).all())


def _build_vector(energy: "CompiledEnergy", found: tuple[Residual, ...]) -> Vector:
    """Return the function that computes all residuals side by side, without those of weight 0."""
    trace = trace_nodes(energy, [residual.node for residual in found])
    kept: list[Tensor] = []
    roots: list[Tensor] = []
    for residual in found:
        weight = (residual.weight.lower / 2 + residual.weight.upper / 2).ravel()
        places = np.flatnonzero(weight)
        kept.append(torch.tensor(places, device=energy.device))
        root = np.sqrt(weight[places])
        roots.append(torch.tensor(root, dtype=energy.dtype, device=energy.device))

    graph = energy.graph
    nodes = {residual.node for residual in found}
    rows = count_rows(graph, nodes.union(*(graph.ancestors(number) for number in nodes)))

    def residuals(x: Tensor, *columns: Tensor) -> Tensor:
        if not is_whole(x, rows):
            portions = list_portions(len(x), rows)
            return torch.cat(
                [residuals(x[part], *(column[part] for column in columns)) for part in portions]
            )
        parts = [value.reshape(len(x), -1) for value in trace(x, *columns)]
        weighed = [
            root * part.index_select(1, places)
            for part, places, root in zip(parts, kept, roots, strict=True)
        ]
        return torch.cat(weighed, 1)

    return residuals
