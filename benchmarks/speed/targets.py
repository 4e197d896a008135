"""The energies of the kit: each a spec, its data, and the numbers that hand-written forms use.

Needs neither torch nor JAX, so that every process of a run has the same numbers.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEED = 20_260_301


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An energy.

    Attributes:
        name: What the tables call it.
        dim: How many numbers a point has.
        text: The spec.
        data: What the spec is given.
        numbers: What the hand-written forms of `form` read.
        form: The name of its hand-written forms; two specs of one energy share them.
        spread: Standard deviation of the points at which it is evaluated.
        step: Step size of Langevin and leapfrog steps.
    """

    name: str
    dim: int
    text: str
    form: str
    data: Mapping[str, Array] = field(default_factory=dict)
    numbers: Mapping[str, Array] = field(default_factory=dict)
    spread: float = 1.0
    step: float = 0.1

    def points(self, count: int) -> Array:
        """Return points at which the energy is finite and its terms are at work."""
        rng = np.random.default_rng(SEED)
        return self.spread * rng.standard_normal((count, self.dim))


# --- a mixture -----------------------------------------------------------------------

RING_CORNERS, RING_RADIUS, RING_SD = 8, 4.0, 0.5


def build_ring() -> Target:
    """Return eight Gaussians on a ring in the plane, as a mixture."""
    angles = 2 * math.pi * np.arange(RING_CORNERS) / RING_CORNERS
    corners = RING_RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Target(
        name="ring",
        form="ring",
        dim=2,
        text=f"""
const K = {RING_CORNERS}
const corners = [
  [{RING_RADIUS} * cos(2 * pi * k / K), {RING_RADIUS} * sin(2 * pi * k / K)] for k in 0..K - 1
]
var x: real[2]
prefer ring: exists corner in corners: x ~ normal(corner, {RING_SD})
""",
        numbers={"corners": corners, "sd": np.array(RING_SD)},
        spread=3.0,
    )


# --- three terms that share an unknown -----------------------------------------------

PRODUCT_DIM, PRODUCT_ROWS, PRODUCT_WALLS, PRODUCT_DF = 32, 16, 8, 4.0


def draw_precision(dim: int, condition: float) -> Array:
    """Return a precision matrix of a condition number, in a drawn frame."""
    rng = np.random.default_rng(SEED)
    frame, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    eigenvalues = np.geomspace(1 / math.sqrt(condition), math.sqrt(condition), dim)
    precision = (frame * eigenvalues) @ frame.T
    return np.asarray((precision + precision.T) / 2)


def build_product() -> Target:
    """Return a quadratic, heavy-tailed readings and soft walls, in 32 dimensions."""
    rng = np.random.default_rng(SEED + 1)
    numbers = {
        "precision": draw_precision(PRODUCT_DIM, 10),
        "readings": rng.standard_normal((PRODUCT_ROWS, PRODUCT_DIM)) / math.sqrt(PRODUCT_DIM),
        "walls": rng.standard_normal((PRODUCT_WALLS, PRODUCT_DIM)) / math.sqrt(PRODUCT_DIM),
    }
    return Target(
        name="product",
        form="product",
        dim=PRODUCT_DIM,
        text=f"""
given precision: real[{PRODUCT_DIM}, {PRODUCT_DIM}]
given readings: real[{PRODUCT_ROWS}, {PRODUCT_DIM}]
given walls: real[{PRODUCT_WALLS}, {PRODUCT_DIM}]
var x: real[{PRODUCT_DIM}]
let pushed = walls @ x
prefer smooth: energy(dot(x, precision @ x) / 2)
prefer heavy: readings @ x ~ student_t({PRODUCT_DF}, 0, 1)
prefer inside: forall i in 0..{PRODUCT_WALLS - 1}: pushed[i] <= 1 within 0.5
""",
        data=numbers,
        numbers=numbers,
    )


# --- many small terms ----------------------------------------------------------------

TREE_TERMS, TREE_DIM = 200, 4

_TREE_TERM = (
    "(dot({a}, x) <= 1 within 0.5 and norm(x - {b}) <= 2 within 0.5)"
    " or not norm(x - {c}) <= 1 within 0.5"
)


@cache
def draw_tree() -> Mapping[str, Array]:
    """Return the constants of the tree's terms."""
    rng = np.random.default_rng(SEED + 2)
    # Three decimals, so that the written spec and the data say the same numbers.
    return MappingProxyType(
        {name: rng.standard_normal((TREE_TERMS, TREE_DIM)).round(3) for name in "abc"}
    )


def _show(row: Array) -> str:
    return f"[{', '.join(map(str, row.tolist()))}]"


def build_tree_of_terms() -> Target:
    """Return 200 small AND/OR/NOT terms, each written by itself."""
    numbers = draw_tree()
    terms = [
        f"prefer t{i}: "
        + _TREE_TERM.format(**{name: _show(array[i]) for name, array in numbers.items()})
        for i in range(TREE_TERMS)
    ]
    text = "\n".join([f"var x: real[{TREE_DIM}]", *terms, ""])
    return Target(
        name="tree of terms", form="tree", dim=TREE_DIM, text=text, numbers=numbers, spread=1.5
    )


def build_tree() -> Target:
    """Return the same as one quantifier."""
    givens = "\n".join(f"given {name}: real[{TREE_TERMS}, {TREE_DIM}]" for name in "abc")
    term = _TREE_TERM.format(a="a[i]", b="b[i]", c="c[i]")
    return Target(
        name="tree",
        form="tree",
        dim=TREE_DIM,
        text=f"""
{givens}
var x: real[{TREE_DIM}]
prefer tree: forall i in 0..{TREE_TERMS - 1}: {term}
""",
        data=draw_tree(),
        numbers=draw_tree(),
        spread=1.5,
    )


# --- densities with known moments ----------------------------------------------------

GAUSSIAN_DIM, GAUSSIAN_CONDITION = 32, 100.0
FUNNEL_DIM, FUNNEL_SCALE = 10, 3.0
BANANA_BEND, BANANA_SCALE = 0.03, 10.0

SCHOOLS = {
    "y": np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]),
    "sigma": np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]),
}
"""Source: Rubin, Estimation in parallel randomized experiments (1981), table 1."""


def build_gaussian() -> Target:
    """Return a Gaussian in 32 dimensions whose precision has condition number 100."""
    data = {"precision": draw_precision(GAUSSIAN_DIM, GAUSSIAN_CONDITION)}
    return Target(
        name="gaussian",
        form="gaussian",
        dim=GAUSSIAN_DIM,
        text=f"""
given precision: real[{GAUSSIAN_DIM}, {GAUSSIAN_DIM}]
var x: real[{GAUSSIAN_DIM}]
prefer gaussian: energy(dot(x, precision @ x) / 2)
""",
        data=data,
        numbers=data,
    )


def build_eight_schools() -> Target:
    """Return the eight schools, non-centred; a packed point has tau, not its logarithm."""
    return Target(
        name="eight schools",
        form="eight_schools",
        dim=10,
        text="""
given y: real[8]
given sigma: real[8]
var mu: real ~ normal(0, 5)
var tau: positive ~ half_cauchy(5)
var raw: real[8] ~ normal(0, 1)
prefer effects: y ~ normal(mu + tau * raw, sigma)
""",
        data=SCHOOLS,
        numbers=SCHOOLS,
    )


def build_funnel() -> Target:
    """Return Neal's funnel.

    Source: Neal, Slice sampling (2003), section 8.
    """
    return Target(
        name="funnel",
        form="funnel",
        dim=FUNNEL_DIM,
        text=f"""
var width: real ~ normal(0, {FUNNEL_SCALE})
var rest: real[{FUNNEL_DIM - 1}] ~ normal(0, exp(width / 2))
""",
    )


def build_banana() -> Target:
    """Return a Gaussian bent in the plane.

    Source: Haario, Saksman and Tamminen, Adaptive proposal distribution (1999), section 3.
    """
    return Target(
        name="banana",
        form="banana",
        dim=2,
        text=f"""
var x: real ~ normal(0, {BANANA_SCALE})
var y: real ~ normal({BANANA_BEND} * (x^2 - {BANANA_SCALE**2}), 1)
""",
        spread=3.0,
    )


ENERGIES: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {
        "ring": build_ring,
        "product": build_product,
        "tree": build_tree,
        "tree of terms": build_tree_of_terms,
    }
)
"""What energies and gradients are measured on."""

DENSITIES: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {
        "gaussian": build_gaussian,
        "eight schools": build_eight_schools,
        "funnel": build_funnel,
        "ring": build_ring,
        "banana": build_banana,
    }
)
"""What draws per second are measured on."""

TARGETS: Mapping[str, Callable[[], Target]] = MappingProxyType({**ENERGIES, **DENSITIES})
