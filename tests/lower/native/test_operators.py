"""Every operator in machine code, against its own definition in NumPy and against torch."""

import itertools

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, RootKind
from ebmlang.lang.operator import Family, Result
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.kernels import EMPTY
from ebmlang.lower.module import compile_graph
from ebmlang.lower.native.build import find_compiler
from ebmlang.lower.native.lowering import RULES
from tests.lower.native.unit import build_functions, reports
from tests.lower.sketch import Sketch, evaluate
from tests.lower.test_operators import cases_of, sketch_case

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

SHARP = {"rtol": 1e-10, "atol": 1e-12}
"""float64: rounding of well-conditioned operations."""
CLOSE = {"rtol": 2e-4, "atol": 2e-4}
"""float32: a thousand roundings, where a matrix of condition 100 is inverted."""

DTYPES = {torch.float64: SHARP, torch.float32: CLOSE}

CHOSEN = {
    Family.ELEMENTWISE: ((1, True), (2, False)),
    Family.REDUCTION: ((1, True), (2, True)),
    Family.CORE: ((0, False), (3, True)),
}
"""By family, which cases, and whether all operands vary or only the first: each takes a while to
compile. Of the others all."""


def few_cases(record):
    cases = cases_of(record)
    for place, all_vary in CHOSEN.get(record.family, [(i, True) for i in range(len(cases))]):
        shapes, options = cases[place]
        yield record.name, shapes, options, [all_vary or i == 0 for i in range(len(shapes))]


CASES = [case for record in OPERATORS.values() for case in few_cases(record)]


def test_every_operator_has_a_rule_and_every_rule_an_operator():
    assert set(RULES) == set(OPERATORS)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_operator_has_the_value_of_its_definition(dtype):
    sketched = [sketch_case(*case) for case in CASES]
    energies = []
    for graph, _, _, data in sketched:
        energies.append(compile_graph(graph, dtype=dtype))
        energies[-1].bind(data)
    functions = build_functions([reports(energy) for energy in energies])

    for case, (graph, out, points, data), energy, function in zip(
        CASES, sketched, energies, functions, strict=True
    ):
        x = energy.pack({path: torch.tensor(value) for path, value in points.items()})
        (found,) = function(x)
        for chain, value in enumerate(found.numpy()):
            leaves = {**data, **{path: values[chain] for path, values in points.items()}}
            expected = np.asarray(evaluate(graph, leaves)[out], dtype=float).reshape(-1)
            np.testing.assert_allclose(
                value.reshape(-1), expected, **DTYPES[dtype], err_msg=str(case)
            )


NUMBERS = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -2.5, 1e-30, -1e30, 700.0, -40.0]

APART = {"trigamma", "lgamma", "digamma", "mod", "bessel_ratio", "log_bessel_i0"}
"""Where torch and the C library differ at poles and infinities, and no spec is to rely on them."""


@pytest.mark.slow
def test_at_nan_and_infinities_each_operator_does_as_in_torch():
    names = [
        name
        for name, record in OPERATORS.items()
        if record.family is Family.ELEMENTWISE
        and name not in APART
        and record.result is not Result.INT
        and name != "where"
    ]
    energies = []
    for name in names:
        s = Sketch()
        operands = [s.variable(path) for path in OPERATORS[name].parameters]
        s.root(RootKind.REPORT, s(name, *operands), "out")
        energies.append(compile_graph(s.graph(), dtype=torch.float64))
    functions = build_functions([reports(energy) for energy in energies])

    for name, energy, function in zip(names, energies, functions, strict=True):
        points = list(itertools.product(NUMBERS, repeat=energy.dim))
        x = torch.tensor(points[:: max(1, len(points) // 1000)], dtype=torch.float64)
        (found,) = function(x)
        expected = energy.reports(energy.unpack(x))["out"].double()
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300, err_msg=name)


@pytest.mark.slow
def test_reductions_over_nothing_have_the_value_of_their_law():
    names = sorted(set(EMPTY) - {"mean"})
    energies = []
    for name in names:
        s = Sketch()
        s.variable("y")
        s.root(RootKind.REPORT, s(name, s.variable("x", (2, 0)), axes=(-1,)), "out")
        energies.append(compile_graph(s.graph(), dtype=torch.float64))
    functions = build_functions([reports(energy) for energy in energies])

    for name, function in zip(names, functions, strict=True):
        (found,) = function(torch.zeros((3, 1), dtype=torch.float64))
        expected = OPERATORS[name].evaluate(np.zeros((2, 0)), axes=(-1,))
        np.testing.assert_array_equal(found, np.broadcast_to(expected, (3, 2)))


@pytest.mark.slow
def test_long_axes_are_loops_and_give_the_same_values():
    """Past a few elements there are loops, accumulators in memory, and sums side by side."""
    cases = []
    rng = np.random.default_rng(3)
    for name in ("sum", "prod", "max", "logsumexp", "noisy_or", "norm"):
        for axes in ((-1,), (-2,), (-3,), (-3, -1)):
            cases.append((name, [(5, 37, 18)], {"axes": axes}))
    cases += [
        *((name, [shape, (19,)], {}) for name in ("matvec",) for shape in ((37, 19), (3, 37, 19))),
        ("matmul", [(18, 19), (19, 21)], {}),
        ("vecmat", [(19,), (19, 40)], {}),
        ("cumsum", [(30, 20)], {}),
        ("others", [(3, 40)], {}),
        ("concat", [(30, 3), (30, 4)], {"axis": -1}),
        ("stack", [(30,), (30,)], {"axis": -1}),
        ("scatter", [(4, 25), (25,)], {"axis": -1, "size": 30}),
        ("take", [(40, 3), (25,)], {"axis": -2}),
        ("reshape", [(20, 6, 4)], {"rank": 3, "shape": (5, 4, 24)}),
        ("moveaxis", [(20, 6, 4)], {"source": -1, "target": -3}),
        ("softplus", [(20, 30)], {}),
    ]
    energies, expected = [], []
    for name, shapes, options in cases:
        s = Sketch()
        point, operands, data = {}, [], {}
        for place, shape in enumerate(shapes):
            if name in ("scatter", "take") and place == 1:
                operands.append(s.given("i", shape, Kind.INT))
                data["i"] = rng.integers(0, 30, shape)
            else:
                operands.append(s.variable(f"x{place}", shape))
                point[f"x{place}"] = rng.uniform(0.5, 1.5, (9, *shape))
        out = s(name, *operands, **options)
        # Read again element by element, so that loops are shared and values are kept.
        s.root(RootKind.REPORT, s("add", out, s("sqrt", out)), "out")
        s.root(RootKind.REPORT, s("square", operands[0]), "operand")
        energy = compile_graph(s.graph(), dtype=torch.float64)
        energy.bind(data)
        energies.append(energy)
        by_chain = []
        for chain in range(9):
            leaves = {**data, **{path: values[chain] for path, values in point.items()}}
            value = np.asarray(evaluate(energy.graph, leaves)[out])
            by_chain.append((value + np.sqrt(value)).reshape(-1))
        x = energy.pack({path: torch.tensor(values) for path, values in point.items()})
        expected.append((x, np.stack(by_chain)))
    functions = build_functions([reports(energy) for energy in energies])

    for case, function, (x, values) in zip(cases, functions, expected, strict=True):
        found, _ = function(x)
        np.testing.assert_allclose(
            found.reshape(values.shape), values, rtol=1e-11, err_msg=str(case)
        )
