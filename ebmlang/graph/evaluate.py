"""The value of a node that depends on nothing but constants, in NumPy.

Building needs it where a number decides the shape of the graph: the `where` of a quantifier,
an index to be checked. Constraints are read crisply: whether they hold.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph.node import Kind, Node
from ebmlang.graph.values import Scope, Value
from ebmlang.lang.logics import DUAL, RELATIONS
from ebmlang.lang.table import OPERATORS

Array = NDArray[Any]
"""Any: float64, int64 or bool."""


class NumpyAlgebra:
    """Operators of the table applied to arrays, as the tables of `lang.logics` want them."""

    def __call__(self, operator: str, *values: Array) -> Array:
        """Return the operator's value."""
        return OPERATORS[operator].evaluate(*values)

    def number(self, value: float) -> Array:
        """Return a number as an array."""
        return np.asarray(value)


def evaluate_constant(scope: Scope, value: Value) -> Array | None:
    """Return a value's array, a constraint's truth; None if it depends on anything unknown."""
    return evaluate_node(scope.builder.nodes, scope.use(value))


def evaluate_node(nodes: Sequence[Node], number: int) -> Array | None:
    """Return a node's array, a constraint's truth; None if it depends on anything unknown."""
    with np.errstate(all="ignore"):
        return _Evaluation(nodes).value(number)


class _Evaluation:
    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._known: dict[tuple[int, bool], Array | None] = {}

    def value(self, number: int) -> Array | None:
        return self._remember(number, negated=False)

    def _remember(self, number: int, *, negated: bool) -> Array | None:
        key = (number, negated)
        if key not in self._known:
            node = self._nodes[number]
            if node.kind is Kind.CONSTRAINT:
                self._known[key] = self._holds(node, negated=negated)
            else:
                self._known[key] = self._array(node)
        return self._known[key]

    def _array(self, node: Node) -> Array | None:
        if node.operator == "constant":
            return node.option("value").array  # type: ignore[no-any-return]
        inputs = self._inputs(node)
        if inputs is None:
            return None
        if node.operator == "holds":
            return inputs[0]
        if node.operator not in OPERATORS:
            return None
        try:
            return np.asarray(OPERATORS[node.operator].evaluate(*inputs, **dict(node.options)))
        except np.linalg.LinAlgError:
            return None

    def _inputs(self, node: Node, *, negated: bool = False) -> list[Array] | None:
        if not node.inputs:
            return None
        arrays = [
            self._remember(number, negated=negated and self._is_constraint(number))
            for number in node.inputs
        ]
        known = [array for array in arrays if array is not None]
        return known if len(known) == len(arrays) else None

    def _is_constraint(self, number: int) -> bool:
        return self._nodes[number].kind is Kind.CONSTRAINT

    def _holds(self, node: Node, *, negated: bool) -> Array | None:
        if node.operator == "not":
            return self._remember(node.inputs[0], negated=not negated)
        inputs = self._inputs(node, negated=negated)
        if inputs is None:
            return None
        if node.operator in RELATIONS:
            f = NumpyAlgebra()
            rule = RELATIONS[node.operator]
            if negated:
                operands = rule.negated_operands(f, *inputs)
                return np.asarray(RELATIONS[rule.negation].margin(f, *operands) >= 0)
            return np.asarray(rule.margin(f, *inputs) >= 0)
        operator = DUAL.get(node.operator, node.operator) if negated else node.operator
        match operator:
            case "and":
                return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*inputs)))
            case "or":
                return np.asarray(np.logical_or.reduce(np.broadcast_arrays(*inputs)))
            case "all":
                return np.asarray(np.all(inputs[0], axis=node.option("axes")))
            case "any":
                return np.asarray(np.any(inputs[0], axis=node.option("axes")))
            case "scale":
                return inputs[0]
            case "guard":
                mask, holds = inputs
                return np.where(mask, holds, node.option("neutral") is not negated)
            case _:
                return np.asarray(OPERATORS[operator].evaluate(*inputs, **dict(node.options)))
