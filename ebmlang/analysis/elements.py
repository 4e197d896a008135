"""Single elements of the arrays of a graph: how each comes out of others.

The graph knows arrays only, so that it does not grow with their size. Some questions are about
single numbers: whether `x[3]` can go to infinity, whether the rows of a matrix hold each other.
Here every operator is read as one of a few forms between single elements.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.facts import GraphFacts
from ebmlang.graph import Node
from ebmlang.lang.facts import Envelope, Profile, Rules
from ebmlang.lang.operator import Array, Family, Operator
from ebmlang.lang.profiles import power_profile
from ebmlang.lang.table import OPERATORS

Element: TypeAlias = tuple[int, int]
"""A node's number, and the place of the element in the flat array."""

MATRIX_ENTRIES = 1_000_000
"""Most entries of a linear operator that is written out as a matrix; bounds time and memory."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear combination of elements."""

    terms: tuple[tuple[Element, float], ...]


@dataclass(frozen=True, slots=True)
class Products:
    """A sum of products of two elements each."""

    pairs: tuple[tuple[Element, Element], ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """One element over another that depends on an unknown, or on data that is missing."""

    over: Element
    under: Element


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of one number: `factor` times the operator `name`."""

    name: str
    profile: Profile
    of: Element
    factor: float = 1.0
    exponent: float = 1.0


@dataclass(frozen=True, slots=True)
class Extreme:
    """The least or the largest of some elements, but for a bounded amount."""

    name: str
    envelope: Envelope
    among: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """The Euclidean length of a vector of elements."""

    of: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of two elements; which one, depends on the unknowns."""

    yes: Element
    no: Element


@dataclass(frozen=True, slots=True)
class Supported:
    """An element where another lies between bounds, else infinity.

    Attributes:
        of: What has to lie between them.
        lower, upper: The bounds, as far as they are known now; else infinite.
        ends: The elements that they are.
        energy: The value inside.
    """

    of: Element
    lower: float
    upper: float
    ends: tuple[Element, Element]
    energy: Element


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything else: its bounds are all there is."""


Form: TypeAlias = (
    Combination | Products | Quotient | Applied | Extreme | Length | Either | Supported | Opaque
)

_OPAQUE = Opaque()


class Elements:
    """The elements of one graph, read when first asked for.

    Args:
        facts: Of the graph.
    """

    def __init__(self, facts: GraphFacts) -> None:
        self.facts = facts
        self.nodes: tuple[Node, ...] = facts.graph.nodes
        self._forms: dict[int, Callable[[int], Form]] = {}
        self._values: dict[int, Array | None] = {}

    def form(self, element: Element) -> Form:
        """Return how an element comes out of others."""
        number, place = element
        if number not in self._forms:
            self._forms[number] = self._read(number)
        return self._forms[number](place)

    def bounds(self, element: Element) -> tuple[float, float]:
        """Return what an element lies between, over the whole domain."""
        found = self.facts.bounds[element[0]].value
        return float(found.lower.flat[element[1]]), float(found.upper.flat[element[1]])

    def is_bounded(self, element: Element, factor: float) -> bool:
        """Return whether a multiple of an element has a lower bound."""
        low, high = self.bounds(element)
        return low > -math.inf if factor > 0 else high < math.inf

    def varies(self, number: int) -> bool:
        """Return whether a node depends on an unknown."""
        return self.facts.graph.varying[number]

    def value(self, number: int) -> Array | None:
        """Return the array of a node that depends on no unknown; None where nothing is known of it.

        Data for it may be missing, or NumPy refuse it, as the factor of a singular matrix.
        """
        if number not in self._values:
            self._values[number] = self._evaluate(number)
        return self._values[number]

    def _evaluate(self, number: int) -> Array | None:
        node, inputs = self.nodes[number], self.facts.inputs
        match node.operator:
            case "constant":
                return node.option("value").array  # type: ignore[no-any-return]
            case "given":
                found = inputs.givens.get(node.option("path"))
                return None if found is None else np.asarray(found)
            case "weight":
                return np.asarray(inputs.weights.get(node.option("path"), node.option("value")))
            case operator if operator in OPERATORS:
                operands = [self.value(i) for i in node.inputs]
                known = [operand for operand in operands if operand is not None]
                if len(known) < len(operands):
                    return None
                try:
                    with np.errstate(all="ignore"):
                        found = OPERATORS[operator].evaluate(*known, **dict(node.options))
                except np.linalg.LinAlgError:
                    return None
                return np.asarray(found)
            case _:
                bounds = self.facts.bounds[number].value
                return bounds.lower if not self.varies(number) and bounds.known else None

    # --- reading a node --------------------------------------------------------------

    def _read(self, number: int) -> Callable[[int], Form]:
        node = self.nodes[number]
        record = OPERATORS.get(node.operator)
        if record is None:
            return lambda _place: _OPAQUE
        if isinstance(record.facts, Profile):
            return self._function(node, record.facts)
        linear = self._linear(node, record)
        if linear is not None:
            return linear
        match record.name:
            case "mul":
                a, b = self._lined_up(node)
                return lambda i: Products((((node.inputs[0], a[i]), (node.inputs[1], b[i])),))
            case "dot" | "matvec" | "vecmat" | "matmul":
                return self._inner_products(node)
            case "div":
                a, b = self._lined_up(node)
                reciprocal = self._reciprocal(node, a, b)
                return lambda i: (
                    reciprocal(i) or Quotient((node.inputs[0], a[i]), (node.inputs[1], b[i]))
                )
            case "pow":
                return self._power(node)
            case "norm":
                rows = self._reduced(node)
                return lambda i: Length(tuple((node.inputs[0], j) for j in rows[i]))
            case "where":
                _, yes, no = self._lined_up(node)
                return lambda i: Either((node.inputs[1], yes[i]), (node.inputs[2], no[i]))
            case "supported":
                return self._supported(node)
        if isinstance(record.facts, Rules) and record.facts.envelope is not None:
            return self._extreme(node, record.facts.envelope)
        return lambda _place: _OPAQUE

    def _function(self, node: Node, profile: Profile) -> Callable[[int], Form]:
        (of,) = node.inputs
        return lambda i: Applied(node.operator, profile, (of, i))

    def _lined_up(self, node: Node) -> list[list[int]]:
        """Return for each operand of an elementwise operator its place by place of the result."""
        return [
            np.broadcast_to(_numbered(self.nodes[i].shape), node.shape).ravel().tolist()
            for i in node.inputs
        ]

    def _reduced(self, node: Node) -> list[list[int]]:
        """Return the places of a reduction's operand by place of the result."""
        source = _numbered(self.nodes[node.inputs[0]].shape)
        axes = sorted(axis % source.ndim for axis in node.option("axes"))
        kept = [axis for axis in range(source.ndim) if axis not in axes]
        count = math.prod(source.shape[axis] for axis in axes)
        moved = source.transpose(*kept, *axes)
        rows: list[list[int]] = moved.reshape(math.prod(node.shape), count).tolist()
        return rows

    def _extreme(self, node: Node, envelope: Envelope) -> Callable[[int], Form]:
        if OPERATORS[node.operator].family is Family.REDUCTION:
            rows = self._reduced(node)
            return lambda i: Extreme(
                node.operator, envelope, tuple((node.inputs[0], j) for j in rows[i])
            )
        places = self._lined_up(node)
        return lambda i: Extreme(
            node.operator,
            envelope,
            tuple((n, place[i]) for n, place in zip(node.inputs, places, strict=True)),
        )

    def _power(self, node: Node) -> Callable[[int], Form]:
        exponent = self.value(node.inputs[1])
        if exponent is None:
            return lambda _place: _OPAQUE
        base, power = self._lined_up(node)
        flat = exponent.ravel()

        def read(i: int) -> Form:
            value = float(flat[power[i]])
            profile = power_profile(value)
            return Applied("pow", profile, (node.inputs[0], base[i]), exponent=value)

        return read

    def _reciprocal(
        self, node: Node, over: list[int], under: list[int]
    ) -> Callable[[int], Applied | None]:
        numerator = self.value(node.inputs[0])
        if numerator is None:
            return lambda _place: None
        flat, profile = numerator.ravel(), power_profile(-1.0)
        return lambda i: Applied(
            "pow", profile, (node.inputs[1], under[i]), float(flat[over[i]]), -1.0
        )

    def _supported(self, node: Node) -> Callable[[int], Form]:
        low, high = self.value(node.inputs[1]), self.value(node.inputs[2])
        of, lower, upper, energy = self._lined_up(node)

        def read(i: int) -> Form:
            return Supported(
                (node.inputs[0], of[i]),
                -math.inf if low is None else float(low.flat[lower[i]]),
                math.inf if high is None else float(high.flat[upper[i]]),
                ((node.inputs[1], lower[i]), (node.inputs[2], upper[i])),
                (node.inputs[3], energy[i]),
            )

        return read

    def _inner_products(self, node: Node) -> Callable[[int], Form]:
        a, b = _paired(node, *(self.nodes[i].shape for i in node.inputs))
        first, second = node.inputs
        return lambda i: Products(
            tuple(((first, j), (second, k)) for j, k in zip(a[i], b[i], strict=True))
        )

    # --- linear operators ------------------------------------------------------------

    def _linear(self, node: Node, record: Operator) -> Callable[[int], Form] | None:
        """Return a reading as a linear combination of the operands that depend on unknowns."""
        moving = self._moving(node, record)
        if moving is None:
            return None
        match record.family:
            case Family.ELEMENTWISE:
                return self._scaled(node, record, moving)
            case Family.REDUCTION:
                return self._summed(node, record)
            case Family.STRUCTURAL:
                return self._moved(node, record)
            case Family.CORE:
                return self._transformed(node, record, moving)

    def _moving(self, node: Node, record: Operator) -> tuple[int, ...] | None:
        """Return the operands in which a node is linear, all others being known; or None."""
        assert isinstance(record.facts, Rules)
        count = len(node.inputs)
        varying = {k for k, i in enumerate(node.inputs) if self.varies(i)}
        for group in record.facts.linear:
            extended = {*group, *range(group[-1], count)} if len(record.parameters) == 1 else group
            members = tuple(k for k in extended if k < count)
            rest = [k for k in range(count) if k not in members]
            if varying <= set(members) and all(
                self.value(node.inputs[k]) is not None for k in rest
            ):
                return members
        return None

    def _operands(
        self, node: Node, members: tuple[int, ...], stand_in: Callable[[int], Array]
    ) -> list[Array]:
        """Return the known operands of a node, and for the others an array that stands in."""
        found = []
        for k, i in enumerate(node.inputs):
            value = None if k in members else self.value(i)
            found.append(stand_in(k) if value is None else value)
        return found

    def _scaled(
        self, node: Node, record: Operator, members: tuple[int, ...]
    ) -> Callable[[int], Form]:
        places = self._lined_up(node)
        factors: list[tuple[int, list[int], list[float]]] = []
        for member in members:

            def unit(k: int, member: int = member) -> Array:
                shape = self.nodes[node.inputs[k]].shape
                return np.ones(shape) if k == member else np.zeros(shape)

            with np.errstate(all="ignore"):
                slope = record.evaluate(*self._operands(node, members, unit))
            flat = np.broadcast_to(slope, node.shape).ravel().tolist()
            factors.append((node.inputs[member], places[member], flat))

        def read(i: int) -> Form:
            return Combination(
                tuple(((n, place[i]), slope[i]) for n, place, slope in factors if slope[i] != 0)
            )

        return read

    def _summed(self, node: Node, record: Operator) -> Callable[[int], Form]:
        rows = self._reduced(node)
        (source,) = node.inputs
        ones = np.ones(self.nodes[source].shape)
        total = record.evaluate(ones, **dict(node.options)).ravel()

        def read(i: int) -> Form:
            share = float(total[i]) / max(len(rows[i]), 1)
            return Combination(tuple(((source, j), share) for j in rows[i]))

        return read

    def _moved(self, node: Node, record: Operator) -> Callable[[int], Form]:
        owners: list[tuple[int, int]] = []
        first = 0
        for i in node.inputs:
            owners.append((first, i))
            first += math.prod(self.nodes[i].shape)
        sources = [
            _numbered(self.nodes[i].shape) + start
            if self.varies(i) or self.value(i) is None or record.parameters != ("x", "index")
            else self.value(i)
            for start, i in owners
        ]
        starts = [start for start, _ in owners]
        places = record.evaluate(*sources, **dict(node.options)).ravel().tolist()

        def read(i: int) -> Form:
            start, number = owners[bisect_right(starts, places[i]) - 1]
            return Combination((((number, places[i] - start), 1.0),))

        return read

    def _transformed(
        self, node: Node, record: Operator, members: tuple[int, ...]
    ) -> Callable[[int], Form] | None:
        size = math.prod(node.shape)
        matrices = []
        for member in members:
            shape = self.nodes[node.inputs[member]].shape
            count = math.prod(shape)
            if count * size > MATRIX_ENTRIES:
                return lambda _place: _OPAQUE
            basis = np.eye(count).reshape(count, *shape)

            def unit(k: int, member: int = member, basis: Array = basis) -> Array:
                other = np.zeros((1, *self.nodes[node.inputs[k]].shape))
                return basis if k == member else other

            with np.errstate(all="ignore"):
                columns = record.evaluate(*self._operands(node, members, unit))
            matrices.append((node.inputs[member], columns.reshape(count, size)))

        def read(i: int) -> Form:
            return Combination(
                tuple(
                    ((n, int(j)), float(matrix[j, i]))
                    for n, matrix in matrices
                    for j in np.flatnonzero(matrix[:, i])
                )
            )

        return read


def _numbered(shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def _paired(
    node: Node, a_shape: tuple[int, ...], b_shape: tuple[int, ...]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return which elements meet in each element of an inner product of any kind."""
    a, b = _numbered(a_shape), _numbered(b_shape)
    match node.operator:
        case "matvec":
            b = b[..., None, :]
        case "vecmat":
            a, b = a[..., None, :], np.swapaxes(b, -1, -2)
        case "matmul":
            a, b = a[..., :, None, :], np.swapaxes(b, -1, -2)[..., None, :, :]
    shape, size = np.broadcast_shapes(a.shape, b.shape), math.prod(node.shape)
    rows: list[list[int]] = np.broadcast_to(a, shape).reshape(size, shape[-1]).tolist()
    columns: list[list[int]] = np.broadcast_to(b, shape).reshape(size, shape[-1]).tolist()
    return rows, columns
