"""Every operator's own definition against `math`, NumPy or SciPy, and every record complete."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, special

from ebmlang.lang.adjoints import ADJOINTS
from ebmlang.lang.operator import Family, Result, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.kernels import KERNELS
from ebmlang.lower.reference_operators import OPERATIONS

SHARP = {"rtol": 1e-12, "atol": 1e-14}
"""A few roundings of float64."""

FEW = settings(max_examples=15)
"""Each example is many numbers."""

SCALARS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "mod": lambda a, b: a - b * math.floor(a / b),
    "pow": lambda a, b: math.exp(b * math.log(a)),
    "neg": lambda a: -a,
    "minimum": min,
    "maximum": max,
    "abs": abs,
    "sqrt": math.sqrt,
    "square": lambda x: x**2,
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "relu": lambda x: max(x, 0.0),
    "erf": math.erf,
    "lgamma": math.lgamma,
    "floor": math.floor,
    "to_real": float,
    "to_int": int,
    "nonnegative": lambda x: x >= 0,
    "log1mexp": lambda x: math.log(1 - math.exp(-x)),
    "logaddexp": lambda a, b: math.log(math.exp(a) + math.exp(b)),
    "log_bessel_i0": lambda x: math.log(special.i0(x)),
    "supported": lambda x, lower, upper, e: e if lower <= x <= upper else math.inf,
    "where": lambda condition, yes, no: yes if condition else no,
    "sign": lambda x: math.copysign(1.0, x) if x else 0.0,
    "less_equal": lambda a, b: a <= b,
    "digamma": special.digamma,
    "trigamma": lambda x: special.zeta(2, x),
    "bessel_ratio": lambda x: special.i1(x) / special.i0(x),
}

VECTORS = {
    "sum": math.fsum,
    "prod": math.prod,
    "min": min,
    "max": max,
    "mean": lambda x: math.fsum(x) / len(x),
    "norm": lambda x: math.hypot(*x),
    "logsumexp": lambda x: math.log(math.fsum(map(math.exp, x))),
    "noisy_or": lambda x: -math.log(1 - math.prod(1 - math.exp(-c) for c in x)),
}

MATRICES = {
    "dot": lambda a, b: np.einsum("i,i->", a, b),
    "cross": lambda a, b: np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    ),
    "matmul": lambda a, b: np.einsum("ij,jk->ik", a, b),
    "matvec": lambda a, b: np.einsum("ij,j->i", a, b),
    "vecmat": lambda a, b: np.einsum("i,ij->j", a, b),
    "transpose": lambda x: np.array([list(row) for row in zip(*x, strict=True)]),
    "trace": lambda x: sum(x[i, i] for i in range(len(x))),
    "det": lambda x: np.prod(linalg.eigvals(x)).real,
    "logdet": lambda x: math.log(abs(np.prod(linalg.eigvals(x)))),
    "inv": lambda x: linalg.lstsq(x, np.eye(len(x)))[0],
    "solve": lambda a, b: linalg.lstsq(a, b)[0],
    "solve_matrix": lambda a, b: linalg.lstsq(a, b)[0],
    "cholesky": lambda x: linalg.cholesky(x, lower=True),
    "cumsum": lambda x: np.array([math.fsum(x[: i + 1]) for i in range(len(x))]),
    "sort": lambda x: np.array(sorted(x)),
    "sort_by": lambda x, keys: np.array([x[i] for i in sorted(range(len(x)), key=keys.item)]),
    "others": lambda x: np.array([math.prod(np.delete(x, i)) for i in range(len(x))]),
}


def of_family(family):
    return [name for name, record in OPERATORS.items() if record.family is family]


def test_the_formulas_here_cover_every_operator():
    assert set(SCALARS) == set(of_family(Family.ELEMENTWISE))
    assert set(VECTORS) == set(of_family(Family.REDUCTION))
    assert set(MATRICES) == set(of_family(Family.CORE))


def draw_operands(record, shape, rng):
    operands = [rng.uniform(low, high, shape) for low, high in record.region]
    if record.name in ("where", "to_int"):
        operands[0] = operands[0] > operands[0].mean()
    return operands


@pytest.mark.parametrize("name", of_family(Family.ELEMENTWISE))
@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_elementwise_operators_have_their_value_on_each_element(name, seed):
    record = OPERATORS[name]
    operands = draw_operands(record, (2, 3), np.random.default_rng(seed))

    found = record.evaluate(*operands)

    expected = np.vectorize(SCALARS[name])(*operands)
    np.testing.assert_allclose(found, expected, **SHARP)
    assert found.shape == infer_shape(record, tuple(o.shape for o in operands), {})


@pytest.mark.parametrize("name", of_family(Family.REDUCTION))
@pytest.mark.parametrize("axes", [(-1,), (-3, -1), (-2,), (-3, -2, -1)])
@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_reductions_have_their_value_on_each_line(name, axes, seed):
    record = OPERATORS[name]
    (x,) = draw_operands(record, (2, 3, 4), np.random.default_rng(seed))

    found = record.evaluate(x, axes=axes)

    kept = tuple(axis for axis in (-3, -2, -1) if axis not in axes)
    lines = np.transpose(x, [axis + 3 for axis in (*kept, *axes)])
    lines = lines.reshape(*(x.shape[axis] for axis in kept), -1)
    expected = np.apply_along_axis(VECTORS[name], -1, lines)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    assert found.shape == infer_shape(record, (x.shape,), {"axes": axes})


SIZES = {"m": 2, "n": 3, "p": 4, "k": 2, "3": 3}


@pytest.mark.parametrize("name", of_family(Family.CORE))
@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_operators_on_matrices_have_their_value(name, seed):
    record = OPERATORS[name]
    rng = np.random.default_rng(seed)
    operands = [
        rng.uniform(low, high, [SIZES[axis] for axis in own])
        for (low, high), own in zip(record.region, record.core.operands, strict=True)
    ]
    if name in ("det", "logdet", "inv", "solve", "solve_matrix", "cholesky"):
        # Definite, so that rounding is not amplified beyond the tolerance.
        operands[0] = operands[0] @ operands[0].T + np.eye(3)

    found = record.evaluate(*operands)

    np.testing.assert_allclose(found, MATRICES[name](*operands), rtol=1e-9, atol=1e-11)
    assert np.shape(found) == infer_shape(record, tuple(o.shape for o in operands), {})


def test_structural_operators_move_elements():
    x = np.arange(24).reshape(2, 3, 4)
    values = {
        "reshape": ([x], {"rank": 2, "shape": (4, 3)}, np.arange(24).reshape(2, 4, 3)),
        "expand": ([x[:1]], {"shape": (2, 3, 4)}, np.stack([x[0], x[0]])),
        "stack": ([x[0], x[1]], {"axis": -3}, x),
        "concat": ([x[:, :, :1], x[:, :, 1:]], {"axis": -1}, x),
        "take": ([x, np.array([[2, 0]])], {"axis": -2}, x[:, [[2, 0]], :]),
        "gather": ([x, np.array([2, 0])], {"rank": 1}, np.stack([x[0, 2], x[1, 0]])),
        "moveaxis": ([x], {"source": -1, "target": -3}, np.einsum("ijk->kij", x)),
        "slice": ([x], {"axis": -1, "start": 1, "stop": 3}, x[..., 1:3]),
        "scatter": (
            [x, np.array([1, 0, 1])],
            {"axis": -2, "size": 3},
            np.stack([x[:, 1], x[:, 0] + x[:, 2], 0 * x[:, 0]], axis=1),
        ),
    }

    assert set(values) == set(of_family(Family.STRUCTURAL))
    for name, (operands, options, expected) in values.items():
        np.testing.assert_array_equal(OPERATORS[name].evaluate(*operands, **options), expected)


# --- records -------------------------------------------------------------------------


@pytest.mark.parametrize("record", OPERATORS.values(), ids=OPERATORS.keys())
def test_every_record_is_complete(record):
    assert record.doc
    assert not record.doc.endswith(".")
    assert record.parameters
    assert (record.core is not None) == (record.family is Family.CORE)
    assert (record.shape is not None) == (record.family is Family.STRUCTURAL)
    assert len(record.region) in (1, len(record.parameters))
    assert all(low < high for low, high in record.region)


def test_every_operator_has_a_kernel():
    assert set(OPERATORS) <= set(KERNELS)


FROM_THE_GRAPH = {"take", "gather", "slice", "noisy_or", *(record.name for record in ADJOINTS)}
"""What only the graph applies; in a typed program these are indices and connectives, and no spec
has derivatives."""


def test_every_operator_of_a_program_has_a_rule_in_the_oracle():
    assert set(OPERATORS) - FROM_THE_GRAPH <= set(OPERATIONS)


@pytest.mark.parametrize(
    "name",
    [n for n, r in OPERATORS.items() if n in OPERATIONS and r.family is not Family.STRUCTURAL],
)
def test_the_oracle_agrees_with_the_definition(name):
    record = OPERATORS[name]
    rng = np.random.default_rng(0)
    if record.family is Family.CORE:
        operands = [
            rng.uniform(low, high, [2, *(SIZES[axis] for axis in own)])
            for (low, high), own in zip(record.region, record.core.operands, strict=True)
        ]
        if name == "cholesky":
            operands[0] = operands[0] @ np.swapaxes(operands[0], -1, -2) + np.eye(3)
        options = {}
    else:
        operands = draw_operands(record, (2, 3), rng)
        options = {"axes": (-1,)} if record.family is Family.REDUCTION else {}

    found = OPERATIONS[name](*operands, **options)

    np.testing.assert_allclose(found, record.evaluate(*operands, **options), rtol=1e-11)


@pytest.mark.parametrize("name", [n for n, r in OPERATORS.items() if r.commutative])
@given(a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_operands_of_commutative_operators_may_be_swapped(name, a, b):
    evaluate = OPERATORS[name].evaluate
    a, b = np.float64(a), np.float64(b)

    assert evaluate(a, b) == evaluate(b, a)


WHOLE = [n for n, r in OPERATORS.items() if r.result is Result.SAME and n != "square"]


@pytest.mark.parametrize("name", [*WHOLE, "square"])
def test_ints_stay_ints_where_the_record_says_so(name):
    record = OPERATORS[name]
    shape = {Family.CORE: (3, 3) if name in ("transpose", "trace") else (3,)}
    x = np.arange(1, 10).reshape(3, 3) if shape.get(record.family) == (3, 3) else np.arange(1, 4)
    options = {"axes": (-1,)} if record.family is Family.REDUCTION else {}

    found = record.evaluate(*[x] * len(record.parameters), **options)

    assert np.asarray(found).dtype.kind == "i"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sum", 0),
        ("prod", 1),
        ("min", math.inf),
        ("max", -math.inf),
        ("norm", 0),
        ("logsumexp", -math.inf),
        ("noisy_or", math.inf),
    ],
)
def test_reductions_over_nothing_keep_their_law(name, expected):
    assert OPERATORS[name].evaluate(np.zeros((0,)), axes=(-1,)) == expected


def test_whole_powers_are_exact():
    assert OPERATORS["pow"].evaluate(np.array(3), np.array(35)) == 3**35


@given(st.floats(1e-300, 700))
def test_log1mexp_is_exact_at_both_ends(x):
    found = OPERATORS["log1mexp"].evaluate(np.float64(x))

    expected = special.log1p(-math.exp(-x)) if x > 1 else math.log(-math.expm1(-x))
    assert math.isclose(found, expected, rel_tol=1e-13)


@given(st.floats(0, 1e6))
def test_log_bessel_i0_is_exact_near_zero_and_far_out(x):
    found = OPERATORS["log_bessel_i0"].evaluate(np.float64(x))

    # From the asymptotic form three terms are kept; at 500 the next is below 1e-9.
    assert math.isclose(found, math.log(special.i0e(x)) + x, rel_tol=1e-10, abs_tol=1e-10)
