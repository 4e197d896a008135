"""Counted costs against what torch is seen to do, and against closed forms."""

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.analysis.cost import add_up, infer_costs
from ebmlang.api.graphs import find_graph
from ebmlang.graph import RootKind
from ebmlang.lang.costs import COSTS, PRODUCTS
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.gradient import differentiate
from tests.counting import Counting

CHAINS = 3


def _costs(text, **data):
    model = ebmlang.loads(text).bind(data)
    return infer_costs(find_graph(model)[0])


def _derived_costs(text, **data):
    """Return the costs, the gradient counted on the graph that derives it."""
    graph, _ = find_graph(ebmlang.loads(text).bind(data))
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    return infer_costs(graph, differentiate(graph, total))


def _count_derived(text, **data):
    """Return what torch does for E with its gradient as emitted, at a batch of points."""
    packed = ebmlang.loads(text).bind(data).compile().packed()
    x = torch.rand(CHAINS, packed.dim, dtype=torch.float64)
    packed.energy_and_gradient(x)  # Compiles.
    with Counting() as seen:
        packed.energy_and_gradient(x)
    return seen


def _count(text, *, gradient, **data):
    """Return what torch does for E, or for its gradient alone, at a batch of points."""
    packed = ebmlang.loads(text).bind(data).compile().packed()
    x = torch.rand(CHAINS, packed.dim, dtype=torch.float64, requires_grad=True)
    with Counting() as forward:
        energy = packed.energy(x)
    if not gradient:
        return forward
    with Counting() as reverse:
        torch.autograd.grad(energy.sum(), x)
    return reverse


def test_every_operator_has_a_cost():
    core = {name for name, operator in OPERATORS.items() if operator.family is Family.CORE}

    assert set(PRODUCTS) == core
    assert set(COSTS) == set(OPERATORS) - core


PRODUCT_SPECS = {
    "matvec": "given a: real[80, 90]\nvar x: real[90]\nminimize e: sum((a @ x)^2)",
    "matmul": "given a: real[80, 90]\nvar x: real[90, 2]\nminimize e: sum((a @ x)^2)",
    "two products": (
        "given a: real[80, 90]\nvar x: real[90]\n"
        "let y = a @ x\nminimize e: sum((transpose(a) @ y)^2)"
    ),
}


@pytest.mark.parametrize("name", PRODUCT_SPECS)
@pytest.mark.parametrize("gradient", [False, True])
def test_products_of_matrices_are_counted_exactly(name, gradient):
    data = {"a": np.ones((80, 90))}
    costs = _costs(PRODUCT_SPECS[name], **data)

    seen = _count(PRODUCT_SPECS[name], gradient=gradient, **data)

    expected = costs.gradient.products - costs.energy.products if gradient else None
    assert seen.flops == CHAINS * (costs.energy.products if expected is None else expected)


@pytest.mark.parametrize("name", PRODUCT_SPECS)
def test_products_in_emitted_gradients_are_counted_exactly(name):
    data = {"a": np.ones((80, 90))}

    seen = _count_derived(PRODUCT_SPECS[name], **data)

    assert seen.flops == CHAINS * _derived_costs(PRODUCT_SPECS[name], **data).gradient.products


def test_a_dot_product_takes_two_operations_per_element():
    text = "given a: real[9]\nvar x: real[9]\nminimize e: dot(a, x)^2"

    assert _costs(text, a=np.ones(9)).energy.products == 2 * 9
    assert _count(text, gradient=False, a=np.ones(9)).flops == CHAINS * 2 * 9


FUNCTION_SPECS = (
    "var x: real[6]\nminimize e: sum(exp(x)) + sum(sin(x))",
    "var x: real[6]\nminimize e: sum(log1p(exp(x)) * cos(x))",
    "var x: real[4]\nvar y: real[5]\nminimize e: sum a in x: sum b in y: exp(a * b)",
)


@pytest.mark.parametrize("text", FUNCTION_SPECS)
@pytest.mark.parametrize("gradient", [False, True])
def test_functions_are_counted_as_torch_evaluates_them(text, gradient):
    costs = _costs(text)

    seen = _count(text, gradient=gradient)

    work = costs.gradient.functions - costs.energy.functions if gradient else costs.energy.functions
    assert seen.functions == CHAINS * work


@pytest.mark.parametrize("text", FUNCTION_SPECS)
def test_functions_in_emitted_gradients_are_counted_exactly(text):
    seen = _count_derived(text)

    assert seen.functions == CHAINS * _derived_costs(text).gradient.functions


def test_elementwise_arithmetic_is_counted_as_torch_does_it():
    text = "var x: real[6]\nvar y: real[6]\nminimize e: sum(abs(x * y - x / y))"

    seen = _count(text, gradient=False)

    # Torch reads six elements to write one sum, which is no elementwise arithmetic.
    assert seen.arithmetic + CHAINS * 6 == CHAINS * _costs(text).energy.arithmetic


TERMS = """
given a: real[4, 4]
var x: real[4]
let y = a @ x
prefer first: y[0] <= 1 within 0.1 or y[1] <= 1 within 0.1
prefer second: sum(y) >= 2 within 0.1
minimize third: norm(x)
require fourth: norm(x) <= 3
"""


@pytest.mark.parametrize("infer", [_costs, _derived_costs])
def test_terms_add_up_to_the_whole(infer):
    costs = infer(TERMS, a=np.eye(4))

    soft = [term for term in costs.terms if not term.required]
    for parts, whole in (
        (add_up(term.energy for term in soft), costs.energy),
        (add_up(term.gradient for term in soft), costs.gradient),
    ):
        assert parts.operations == pytest.approx(whole.operations)
        assert parts.traffic == pytest.approx(whole.traffic)
        assert parts.calls == pytest.approx(whole.calls)


def test_work_that_two_terms_share_is_split_between_them():
    costs = _costs(TERMS, a=np.eye(4))

    by_path = {term.path: term for term in costs.terms}
    assert by_path["first"].energy.products == by_path["second"].energy.products == 4 * 4
    assert by_path["third"].shared == 0.0
    assert by_path["second"].shared > 0.0


def test_a_recurrence_costs_its_body_once_per_step():
    def cost(steps):
        return _costs(
            f"var u: real[{steps}]\n"
            "let s = scan t = 0.0 over a in u: sin(t) + a\n"
            f"minimize e: s[{steps}]^2"
        )

    more = cost(20).energy.functions - cost(10).energy.functions
    assert more == 10


def test_work_grows_as_the_pairs_do():
    def cost(count):
        return _costs(
            f"var p: real[{count}, 2]\nminimize e: sum a, b in pairs(p): exp(-norm(a - b))"
        ).gradient.functions

    # n (n - 1) / 2 pairs: 45 and 190.
    assert cost(20) / cost(10) == pytest.approx(190 / 45)


def test_what_no_unknown_reaches_costs_nothing():
    alone = _costs("var x: real\nminimize e: x^2")
    beside = _costs("given a: real[50]\nvar x: real\nminimize e: x^2 * sum(exp(a))", a=np.ones(50))

    assert beside.energy.functions == alone.energy.functions == 0
    assert beside.energy.operations == alone.energy.operations + 1
