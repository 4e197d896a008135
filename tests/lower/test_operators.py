"""Every operator, as emitted and run by torch, against its own definition in NumPy."""

import itertools

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, RootKind
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.kernels import EMPTY, KERNELS
from ebmlang.lower.module import compile_graph
from tests.lower.sketch import Sketch, evaluate

CHAINS = 3
SHARP = {"rtol": 1e-10, "atol": 1e-12}
"""float64: rounding of well-conditioned operations."""
CLOSE = {"rtol": 2e-4, "atol": 2e-4}
"""float32: a thousand roundings, where a matrix of condition 100 is inverted."""

SIZES = {"m": 2, "n": 3, "p": 4, "k": 2, "3": 3}

STRUCTURAL = {
    "reshape": [([(2, 3, 4)], {"rank": 2, "shape": (4, 3)}), ([()], {"rank": 0, "shape": (1, 1)})],
    "expand": [([(1, 3)], {"shape": (2, 3)}), ([(3,)], {"shape": (2, 3)})],
    "stack": [([(2, 3)] * 3, {"axis": -1}), ([(2, 3)] * 2, {"axis": -3}), ([()], {"axis": -1})],
    "concat": [([(2, 3), (2, 1)], {"axis": -1}), ([(1, 3), (2, 3), (1, 3)], {"axis": -2})],
    "take": [
        ([(4, 3), ()], {"axis": -2}),
        ([(4, 3), (5,)], {"axis": -2}),
        ([(4, 3), (2, 5)], {"axis": -1}),
    ],
    "gather": [
        ([(2, 4, 3), (2,)], {"rank": 1}),
        ([(4,), ()], {"rank": 0}),
        ([(1, 4), (5,)], {"rank": 0}),
        ([(5, 4), (1,)], {"rank": 0}),
    ],
    "moveaxis": [([(2, 3, 4)], {"source": -1, "target": -3})],
    "slice": [([(2, 5)], {"axis": -1, "start": 1, "stop": 4})],
    "scatter": [
        ([(2, 5), (5,)], {"axis": -1, "size": 4}),
        ([(5, 3), (5,)], {"axis": -2, "size": 3}),
        ([(2, 5, 2, 3), (5, 2)], {"axis": -2, "size": 4}),
    ],
}


def cases_of(record):
    count = len(record.parameters)
    match record.family:
        case Family.ELEMENTWISE:
            whole = ([(2, 3)] * count, {})
            mixed = ([((2, 1), (1, 3), (2, 3), (1, 1))[i] for i in range(count)], {})
            return [whole, mixed, ([()] * count, {})]
        case Family.REDUCTION:
            return [([(2, 3, 4)], {"axes": axes}) for axes in [(-1,), (-3, -1), (-2,), ()]]
        case Family.CORE:
            own = [tuple(SIZES[name] for name in names) for names in record.core.operands]
            loops = [((), ()), ((5,), ()), ((), (5,)), ((4, 1), (5,))]
            return [
                ([(*(lead[i] if count > 1 else lead[0]), *own[i]) for i in range(count)], {})
                for lead in loops
            ]
        case Family.STRUCTURAL:
            return STRUCTURAL[record.name]


def leaf_kind(name, place):
    if (name, place) in {("where", 0), ("to_int", 0)}:
        return Kind.BOOL
    return Kind.INT if name in ("take", "gather", "scatter") and place == 1 else Kind.REAL


def draw(record, place, shape, rng):
    kind = leaf_kind(record.name, place)
    if kind is Kind.BOOL:
        return rng.random(shape) < 0.5
    if kind is Kind.INT:
        return rng.integers(0, 3, shape)
    low, high = record.region[min(place, len(record.region) - 1)]
    return rng.uniform(low, high, shape)


def positive_definite(s, number):
    """Make a matrix that has a Cholesky factor out of any matrix."""
    n = s.builder.nodes[number].shape[-1]
    return s("add", s("matmul", number, s("transpose", number)), s.constant(np.eye(n)))


def sketch_case(name, shapes, options, varying):
    """Return the graph of one operator, its node, and values of its leaves for each chain."""
    record = OPERATORS[name]
    rng = np.random.default_rng(list(name.encode()))
    s = Sketch()
    operands, points, data = [], {}, {}
    for place, (shape, varies) in enumerate(zip(shapes, varying, strict=True)):
        kind, path = leaf_kind(name, place), f"x{place}"
        if varies and kind is Kind.REAL:
            operands.append(s.variable(path, shape))
            points[path] = np.stack([draw(record, place, shape, rng) for _ in range(CHAINS)])
        else:
            operands.append(s.given(path, shape, kind))
            data[path] = draw(record, place, shape, rng)
    if name == "cholesky":
        operands = [positive_definite(s, operands[0])]
    out = s(name, *operands, **options)
    s.root(RootKind.REPORT, out, "out")
    return s.graph(), out, points, data


CASES = [
    pytest.param(
        name, shapes, options, varying, id=f"{name}-{i}-{''.join('nv'[v] for v in varying)}"
    )
    for name, record in OPERATORS.items()
    for i, (shapes, options) in enumerate(cases_of(record))
    for varying in itertools.islice(itertools.product([True, False], repeat=len(shapes)), 8)
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("name", "shapes", "options", "varying"), CASES)
def test_each_operator_has_the_value_of_its_definition(name, shapes, options, varying, dtype):
    graph, out, points, data = sketch_case(name, shapes, options, varying)
    energy = compile_graph(graph, dtype=dtype)
    energy.bind(data)

    point = {path: torch.tensor(value, dtype=dtype) for path, value in points.items()}
    found = energy.reports(point)["out"].numpy()

    assert len(found) == (CHAINS if points else 1)
    for chain, value in enumerate(found):
        leaves = {**data, **{path: values[chain] for path, values in points.items()}}
        expected = evaluate(graph, leaves)[out]
        assert value.shape == expected.shape
        tolerance = SHARP if dtype is torch.float64 else CLOSE
        np.testing.assert_allclose(value, expected, **tolerance)


DIFFERENTIABLE = [
    name
    for name in OPERATORS
    if name not in ("to_int", "nonnegative", "less_equal")  # their values are no real numbers
]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_each_operator_has_the_gradient_of_its_value(name):
    shapes, options = cases_of(OPERATORS[name])[0]
    graph, _, points, data = sketch_case(name, shapes, options, [True] * len(shapes))
    energy = compile_graph(graph, dtype=torch.float64)
    energy.bind(data)
    x = energy.pack({path: torch.tensor(value) for path, value in points.items()})

    def value(row):
        return energy.reports(energy.unpack(row))["out"]

    assert torch.autograd.gradcheck(value, (x.requires_grad_(),))


def test_every_operator_has_a_kernel_and_every_kernel_an_operator():
    assert set(KERNELS) == set(OPERATORS)


def test_every_reduction_says_what_it_is_over_nothing():
    reductions = {r.name for r in OPERATORS.values() if r.family is Family.REDUCTION}

    assert set(EMPTY) == reductions


@pytest.mark.parametrize("name", sorted(set(EMPTY) - {"mean"}))
@pytest.mark.parametrize("varies", [True, False])
def test_reductions_over_nothing_have_the_value_of_their_law(name, varies):
    s = Sketch()
    x = s.variable("x", (2, 0)) if varies else s.given("x", (2, 0))
    s.root(RootKind.REPORT, s(name, x, axes=(-1,)), "out")
    energy = compile_graph(s.graph(), dtype=torch.float64)
    energy.bind({} if varies else {"x": np.zeros((2, 0))})

    found = energy.reports({"x": torch.zeros((3, 2, 0))} if varies else {})["out"]

    expected = OPERATORS[name].evaluate(np.zeros((2, 0)), axes=(-1,))
    np.testing.assert_array_equal(found.numpy(), np.broadcast_to(expected, found.shape))


NUMBERS = [2, 0.5, -1, -0.5, 1, 0, 3, -12, 1.5]


@pytest.mark.parametrize("exponent", NUMBERS)
def test_powers_with_a_known_exponent(exponent):
    s = Sketch()
    x = s.variable("x")
    s.root(RootKind.REPORT, s("pow", x, s.constant(float(exponent))), "out")
    energy = compile_graph(s.graph(), dtype=torch.float64)
    x = torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64, requires_grad=True)

    out = energy.reports({"x": x})["out"]
    (gradient,) = torch.autograd.grad(out.sum(), x)

    points = x.detach().numpy()
    np.testing.assert_allclose(out.detach().numpy(), points**exponent, **SHARP)
    np.testing.assert_allclose(gradient.numpy(), exponent * points ** (exponent - 1.0), **SHARP)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "mod", "pow", "minimum", "maximum"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_number_next_to_a_variable_is_written_into_the_code(name, first, dtype):
    s = Sketch()
    x, number = s.variable("x", (2,)), s.constant([0.7])
    out = s(name, *((number, x) if first else (x, number)))
    s.root(RootKind.REPORT, out, "out")
    graph = s.graph()
    energy = compile_graph(graph, dtype=dtype)
    point = torch.tensor([[0.3, 1.9], [0.5, 0.8]], dtype=dtype)

    found = energy.reports({"x": point})["out"]

    assert found.dtype == dtype
    assert [
        c.array.size for c in energy.program.constants if c.array.size > 0 and c.array.any()
    ] == []
    expected = [evaluate(graph, {"x": row})[out] for row in point.double().numpy()]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["add", "mul", "div", "pow", "mod", "sum", "mean", "det", "exp"])
def test_whole_numbers_meet_reals_in_the_dtype_of_the_model(name):
    s = Sketch()
    whole = s.given("n", (3, 3), Kind.INT)
    if name in ("sum", "mean"):
        out = s(name, whole, axes=(-1,))
    elif name in ("det", "exp"):
        out = s(name, whole)
    else:
        out = s(name, whole, s.given("a", (3, 3)))
    s.root(RootKind.REPORT, out, "out")
    graph = s.graph()
    energy = compile_graph(graph, dtype=torch.float64)
    n = np.array([[3, 1, 2], [1, 5, 2], [7, 1, 9]])
    data = {"n": n, "a": n / 7 + 0.1} if len(graph.givens) == 2 else {"n": n}
    energy.bind(data)

    found = energy.reports({})["out"][0]

    assert found.dtype == (torch.int64 if name == "sum" else torch.float64)
    np.testing.assert_allclose(found.numpy(), evaluate(graph, data)[out], **SHARP)


def test_whole_powers_stay_whole_where_the_exponent_is_known():
    s = Sketch()
    s.root(RootKind.REPORT, s("pow", s.given("n", (2,), Kind.INT), s.constant([3, 2])), "out")
    energy = compile_graph(s.graph())
    energy.bind({"n": [5, -7]})

    assert energy.reports({})["out"].tolist() == [[125, 49]]
    assert energy.reports({})["out"].dtype == torch.int64


PLACES = [2, [0, 1, 2, 3], [1, 2], [3, 1, 1], [], [[0, 3], [2, 2]]]


@pytest.mark.parametrize("places", PLACES)
def test_known_places_are_taken_along_an_axis(places):
    s = Sketch()
    index = s.constant(np.asarray(places, dtype=np.int64))
    s.root(RootKind.REPORT, s("take", s.variable("x", (4, 2)), index, axis=-2), "out")
    energy = compile_graph(s.graph())
    x = torch.arange(24.0).reshape(3, 4, 2)

    found = energy.reports({"x": x})["out"]

    expected = np.take(x.numpy(), np.asarray(places, dtype=np.int64), axis=1)
    np.testing.assert_array_equal(found.numpy(), expected)
