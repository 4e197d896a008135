"""Distributions, as the standard library writes them, against SciPy; and the laws of densities."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.special import logsumexp

from ebmlang.lang import Sort
from ebmlang.lang.distributions import DISTRIBUTIONS
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.lower.reference_densities import log_density
from ebmlang.passes import optimize
from tests.road import built, typed

SHARP = {"rtol": 1e-10, "atol": 1e-10}
"""float64; where the terms of a log density cancel, their rounding is left."""

LAW = settings(max_examples=25, deadline=None)

# Not as near to 0 as floats can be: slopes like 1 / x^2 overflow there.
ANY = st.integers(-64, 64).map(lambda n: n / 16)
POSITIVE = st.floats(0.1, 5.0)
UNIT = st.floats(0.01, 0.99)

SCALARS = {
    "normal": (ANY, [ANY, POSITIVE]),
    "student_t": (ANY, [POSITIVE, ANY, POSITIVE]),
    "cauchy": (ANY, [ANY, POSITIVE]),
    "laplace": (ANY, [ANY, POSITIVE]),
    "logistic": (ANY, [ANY, POSITIVE]),
    "uniform": (ANY, [st.floats(-3.0, 0.0), st.floats(0.5, 3.0)]),
    "exponential": (ANY, [POSITIVE]),
    "gamma": (ANY, [POSITIVE, POSITIVE]),
    "inv_gamma": (ANY, [POSITIVE, POSITIVE]),
    "beta": (st.integers(-8, 24).map(lambda n: n / 16), [POSITIVE, POSITIVE]),
    "lognormal": (ANY, [ANY, POSITIVE]),
    "half_normal": (ANY, [POSITIVE]),
    "half_cauchy": (ANY, [POSITIVE]),
    "von_mises": (ANY, [ANY, POSITIVE]),
    "poisson": (st.integers(-1, 9), [POSITIVE]),
    "bernoulli": (st.integers(-1, 2), [UNIT]),
    "binomial": (st.integers(-1, 6), [st.just(4.0), UNIT]),
}
"""Values of the left side, in the support and out of it, and of the parameters."""

SCIPY = {
    "normal": stats.norm.logpdf,
    "student_t": stats.t.logpdf,
    "cauchy": stats.cauchy.logpdf,
    "laplace": stats.laplace.logpdf,
    "logistic": stats.logistic.logpdf,
    "uniform": lambda x, a, b: stats.uniform.logpdf(x, a, b - a),
    "exponential": lambda x, r: stats.expon.logpdf(x, scale=1 / r),
    "gamma": lambda x, k, r: stats.gamma.logpdf(x, k, scale=1 / r),
    "inv_gamma": lambda x, k, s: stats.invgamma.logpdf(x, k, scale=s),
    "beta": stats.beta.logpdf,
    "lognormal": lambda x, m, s: stats.lognorm.logpdf(x, s, scale=math.exp(m)),
    "half_normal": lambda x, s: stats.halfnorm.logpdf(x, scale=s),
    "half_cauchy": lambda x, s: stats.halfcauchy.logpdf(x, scale=s),
    "von_mises": lambda x, m, k: (
        stats.vonmises.logpdf(x, k, loc=m) if abs(x) <= math.pi else -math.inf
    ),
    "poisson": stats.poisson.logpmf,
    "bernoulli": stats.bernoulli.logpmf,
    "binomial": stats.binom.logpmf,
}

VECTORS = {"dirichlet", "mv_normal", "categorical"}


def test_every_distribution_is_tested_here():
    assert set(SCALARS) | VECTORS == set(DISTRIBUTIONS)
    assert set(SCALARS) == set(SCIPY)


@cache
def energy_of(name) -> CompiledEnergy:
    """Return the energy of a scalar distribution; all that can be is an unknown."""
    record = DISTRIBUTIONS[name]
    counts = record.left_sort is Sort.INT
    lines = ["given y: int" if counts else "var y: real"]
    lines += [f"var a{i}: real" for i in range(len(record.parameters))]
    arguments = ", ".join(f"a{i}" for i in range(len(record.parameters)))
    lines.append(f"prefer d: y ~ {name}({arguments})")
    return compile_graph(optimize(built("\n".join(lines))), dtype=torch.float64)


def compute(name, left, parameters):
    energy = energy_of(name)
    point = {f"a{i}": torch.tensor([p], dtype=torch.float64) for i, p in enumerate(parameters)}
    if DISTRIBUTIONS[name].left_sort is Sort.INT:
        energy.bind({"y": np.int64(left)})
    else:
        point["y"] = torch.tensor([left], dtype=torch.float64)
    x = energy.pack(point).requires_grad_()
    value = energy.packed().energy(x)
    (slopes,) = torch.autograd.grad(value.sum(), x)
    return value.item(), slopes[0]


@pytest.mark.parametrize("name", SCALARS)
@LAW
@given(data=st.data())
def test_a_density_is_that_of_scipy(name, data):
    lefts, parameters = SCALARS[name]
    left = data.draw(lefts)
    values = [data.draw(parameter) for parameter in parameters]

    found, slopes = compute(name, left, values)

    expected = -float(SCIPY[name](left, *values))
    np.testing.assert_allclose(found, expected, **SHARP)
    assert torch.isfinite(slopes).all() or not math.isfinite(expected)


@pytest.mark.parametrize("name", SCALARS)
@LAW
@given(data=st.data())
def test_the_oracle_takes_the_parameters_in_the_same_meaning(name, data):
    lefts, parameters = SCALARS[name]
    left = data.draw(lefts)
    values = [data.draw(parameter) for parameter in parameters]

    found = log_density(name, np.asarray(left), tuple(np.asarray(v) for v in values))

    np.testing.assert_allclose(found, float(SCIPY[name](left, *values)), **SHARP)


EDGES = [
    ("uniform", 0.0, (0.0, 1.0), 0.0),
    ("uniform", 1.0, (0.0, 1.0), 0.0),
    ("exponential", 0.0, (2.0,), -math.log(2)),
    ("gamma", 0.0, (1.0, 2.0), -math.log(2)),
    ("gamma", 0.0, (2.0, 2.0), math.inf),
    ("inv_gamma", 0.0, (2.0, 2.0), math.inf),
    ("lognormal", 0.0, (0.0, 1.0), math.inf),
    ("beta", 0.0, (1.0, 1.0), 0.0),
    ("beta", 1.0, (1.0, 1.0), 0.0),
    ("beta", 0.0, (2.0, 1.0), math.inf),
    ("beta", 1.0, (1.0, 2.0), math.inf),
    ("half_normal", 0.0, (1.0,), -math.log(2 / math.sqrt(2 * math.pi))),
    ("half_cauchy", 0.0, (1.0,), -math.log(2 / math.pi)),
    ("bernoulli", 1, (1.0,), 0.0),
    ("bernoulli", 0, (0.0,), 0.0),
    ("bernoulli", 1, (0.0,), math.inf),
    ("binomial", 3, (3.0, 1.0), 0.0),
    ("poisson", 0, (0.0,), 0.0),
]


@pytest.mark.parametrize(("name", "left", "parameters", "expected"), EDGES)
def test_a_density_has_its_limit_at_the_edge_of_its_support(name, left, parameters, expected):
    found, _ = compute(name, left, parameters)

    np.testing.assert_allclose(found, expected, **SHARP)


FAR = [
    ("normal", 1e150, (0.0, 1.0), 1e300 / 2),
    ("laplace", -1e300, (0.0, 1.0), 1e300),
    ("logistic", 1e5, (0.0, 1.0), 1e5),
    ("logistic", -1e5, (0.0, 1.0), 1e5),
    ("von_mises", 1.0, (0.0, 1e4), None),
    ("student_t", 1e10, (2.0, 0.0, 1.0), None),
    ("gamma", 1e-200, (3.0, 1.0), None),
    ("beta", 1e-200, (3.0, 2.0), None),
]


@pytest.mark.parametrize(("name", "left", "parameters", "expected"), FAR)
def test_far_out_a_density_stays_finite_and_exact(name, left, parameters, expected):
    found, slopes = compute(name, left, parameters)

    scipy = -float(SCIPY[name](left, *parameters))
    np.testing.assert_allclose(found, scipy if expected is None else expected, rtol=1e-10)
    assert torch.isfinite(slopes).all()


# --- vectors -------------------------------------------------------------------------


def vector_energy(text, **point):
    energy = compile_graph(optimize(built(text)), dtype=torch.float64)
    tensors = {path: torch.tensor(np.array([value])) for path, value in point.items()}
    return energy.terms(tensors).energies["d"].item()


@LAW
@given(st.lists(POSITIVE, min_size=3, max_size=3), st.lists(UNIT, min_size=3, max_size=3))
def test_dirichlet_is_that_of_scipy(concentration, shares):
    x = np.array(shares) / math.fsum(shares)

    found = vector_energy(
        "var x: real[3]\nvar c: real[3]\nprefer d: x ~ dirichlet(c)", x=x, c=concentration
    )

    # SciPy wants the last share to be what the others leave.
    expected = -stats.dirichlet.logpdf(x[:-1], concentration)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_flat_dirichlet_is_flat_up_to_the_corners():
    text = "var x: real[3]\nprefer d: x ~ dirichlet([1, 1, 1])"

    assert vector_energy(text, x=[1.0, 0.0, 0.0]) == pytest.approx(-math.log(2))
    assert vector_energy(text, x=[1.5, -0.5, 0.0]) == math.inf


@LAW
@given(st.integers(0, 2**32 - 1))
def test_mv_normal_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    x, center, factor = rng.normal(size=3), rng.normal(size=3), rng.normal(size=(3, 3))
    covariance = factor @ factor.T + 0.5 * np.eye(3)

    found = vector_energy(
        "var x: real[3]\nvar m: real[3]\nvar s: real[3, 3]\nprefer d: x ~ mv_normal(m, s)",
        x=x, m=center, s=covariance,
    )  # fmt: skip

    expected = -stats.multivariate_normal.logpdf(x, center, covariance)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_categorical_is_minus_the_log_of_the_share_of_its_place(place):
    text = f"var p: simplex[3]\nprefer d: {place} ~ categorical(p)"

    assert vector_energy(text, p=[0.2, 0.3, 0.5]) == pytest.approx(
        -math.log([0.2, 0.3, 0.5][place])
    )


# --- arrays and laws of densities ----------------------------------------------------


def test_parameters_broadcast_to_the_left_side():
    text = "var x: real[2, 3]\nvar s: real[3]\nprefer d: x ~ normal([[1], [2]], s)"
    x, s = np.arange(6.0).reshape(2, 3), np.array([0.5, 1.0, 2.0])

    found = vector_energy(text, x=x, s=s)

    expected = -stats.norm.logpdf(x, np.array([[1.0], [2.0]]), s).sum()
    np.testing.assert_allclose(found, expected, **SHARP)


COMPOSED = {
    "or": "a or b or c",
    "mix": "mix(0.2: a, 0.3: b, 0.5: c)",
    "mix of weights that do not sum to one": "mix(2: a, 3: b, 5: c)",
    "exists": "exists m in [0, 1, 5]: x ~ normal(m, 0.5)",
    "unlike": "unlike(a, b)",
    "softmin": "softmin(a, b, c)",
    "tempered": "tempered(a, 3)",
    "repel": "repel(a, 3)",
    "and": "a and b",
}

LINES = """
var x: real
let a = x ~ normal(0, 1)
let b = x ~ normal(2, 0.5)
let c = x ~ student_t(3, -1, 2)
"""


@cache
def composed(name):
    text = f"{LINES}prefer d: {COMPOSED[name]}"
    return compile_graph(optimize(built(text)), dtype=torch.float64)


def logs_at(x):
    return (
        stats.norm.logpdf(x, 0, 1),
        stats.norm.logpdf(x, 2, 0.5),
        stats.t.logpdf(x, 3, -1, 2),
    )


def expected_at(name, x):
    a, b, c = logs_at(x)
    ring = [stats.norm.logpdf(x, m, 0.5) for m in (0, 1, 5)]
    return {
        "or": -logsumexp([a, b, c]) + math.log(3),
        "mix": -logsumexp([a, b, c], b=[0.2, 0.3, 0.5]),
        "mix of weights that do not sum to one": -logsumexp([a, b, c], b=[0.2, 0.3, 0.5]),
        "exists": -logsumexp(ring) + math.log(3),
        "unlike": -(2 * a - logsumexp([a, b])),
        "softmin": -logsumexp([a, b, c]),
        "tempered": -a / 3,
        "repel": 3 * a,
        "and": -a - b,
    }[name]


@pytest.mark.parametrize("name", COMPOSED)
@LAW
@given(x=st.floats(-50, 50))
def test_energies_are_joined_by_their_rules(name, x):
    found = composed(name).terms({"x": torch.tensor([x], dtype=torch.float64)}).energies["d"]

    np.testing.assert_allclose(found.item(), expected_at(name, x), **SHARP)


@pytest.mark.parametrize("name", ["or", "mix", "exists"])
def test_a_mixture_of_densities_is_a_density(name):
    energy = composed(name)

    def density(x):
        terms = energy.terms({"x": torch.tensor([x], dtype=torch.float64)})
        return math.exp(-terms.energies["d"].item())

    total, _ = quad(density, -math.inf, math.inf, epsabs=1e-8)
    assert math.isclose(total, 1.0, abs_tol=1e-6)


def test_a_density_that_speaks_of_its_own_left_side_is_a_plain_energy():
    program = typed("var x: real\nprefer d: x ~ normal(x / 2, 1)")

    assert program.body.terms[0].value.type.sort is Sort.ENERGY
