"""Sums in few calls, and numbers moved into them, are the sums that they were."""

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.analysis.sums import find_sums
from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.lower.emit import Program, emit_gradient
from ebmlang.lower.execution import execute
from ebmlang.passes.simplification import move_inward
from tests.counting import Counting
from tests.lower.sketch import Sketch

DIM, CHAINS = 3, 5
EXACT = {"rtol": 1e-11, "atol": 1e-11}
"""Other orders of summation, and factors multiplied earlier, in float64."""

LEAVES = ("x", "fixed", "one", "mul", "scaled", "div", "square", "vecmat", "matvec", "spread")
"""What is added up: unknowns, what is known, products of both, and something smaller."""

Tree = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(("add", "sub")), inner, inner),
        st.tuples(st.just("times"), inner),
        st.tuples(st.just("kept"), inner),
    ),
    max_leaves=9,
)


class _Writer:
    """Writes trees as vectors of a graph; what is `kept` has another use too."""

    def __init__(self) -> None:
        self.s = Sketch()
        self.x = self.s.variable("x", (DIM,))
        self.weight = self.s("reshape", self.s.weight("m", 1.7), rank=0, shape=(1,))
        self.kept: list[int] = []
        self._rng = np.random.default_rng(3)

    def write(self, tree: object) -> int:
        s = self.s
        match tree:
            case (("add" | "sub") as operator, one, other):
                return s(operator, self.write(one), self.write(other))
            case ("times", inner):
                return s("mul", self.write(inner), self.weight)
            case ("kept", inner):
                self.kept.append(self.write(inner))
                return self.kept[-1]
        numbers = s.constant(self._rng.normal(size=DIM))
        matrix = s.constant(self._rng.normal(size=(DIM, DIM)))
        wave = s("sin", s("mul", self.x, numbers))
        match tree:
            case "x":
                return self.x
            case "fixed":
                return s("mul", numbers, self.weight)
            case "one":
                return self.weight
            case "mul":
                return s("mul", self.x, wave)
            case "scaled":
                return s("mul", wave, numbers)
            case "div":
                return s("div", self.x, s("exp", wave))
            case "square":
                return s("square", wave)
            case "vecmat":
                return s("vecmat", wave, matrix)
            case "matvec":
                return s("matvec", matrix, wave)
        assert tree == "spread"
        return s("reshape", s("sum", wave, axes=(-1,)), rank=0, shape=(1,))

    def graph(self, tree: object) -> EnergyGraph:
        s, whole = self.s, self.write(tree)
        # Of the shape of the point, and dependent on it, whatever the tree is.
        slope = s("add", whole, s("sin", self.x))
        value = s("sum", s("sin", slope), axes=(-1,))
        for kept in self.kept:
            value = s("add", value, s("sum", s("cos", kept), axes=(-1,)))
        s.root(RootKind.GRADIENT, slope, "x")
        return s.graph(value)


def _bind(program: Program) -> Callable[[torch.Tensor], tuple[torch.Tensor, ...]]:
    functions = execute(program, [])
    constants = tuple(torch.tensor(c.array) for c in program.constants)
    weights = tuple(torch.tensor(1.3).double() for _ in program.weights)
    prepared = functions.prepare(constants, (), weights, torch.float64, None)
    return lambda x: functions.value_and_gradient(x, prepared)


@given(tree=Tree)
def test_a_sum_in_few_calls_is_the_sum(tree):
    graph = _Writer().graph(tree)
    moved = move_inward(graph)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(CHAINS, DIM)))
    before = x.clone()

    expected = _bind(emit_gradient(graph, joins_sums=False))(x)

    for one, joins in ((graph, True), (moved, False), (moved, True)):
        found = _bind(emit_gradient(one, joins_sums=joins))(x)
        np.testing.assert_allclose(found[0], expected[0], **EXACT)
        np.testing.assert_allclose(found[1], expected[1], **EXACT)
    assert torch.equal(x, before)


@given(tree=Tree)
def test_a_sum_takes_as_many_calls_as_it_says(tree):
    graph = _Writer().graph(tree)
    x = torch.zeros((CHAINS, DIM), dtype=torch.float64)
    sums = find_sums(graph)
    steps = len(sums.inner) + len(sums.by_node)
    calls = sum(whole.calls for whole in sums.by_node.values())

    def count(one: EnergyGraph, joins: bool) -> int:
        evaluate = _bind(emit_gradient(one, joins_sums=joins))
        with Counting() as seen:
            evaluate(x)
        return seen.count

    joined = count(graph, joins=True)
    assert count(graph, joins=False) - joined == steps - calls
    assert calls <= steps
    assert count(move_inward(graph), joins=True) <= joined
