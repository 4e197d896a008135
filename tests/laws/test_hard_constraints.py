"""What is required holds of every draw, and the law of the draws is that of rejection sampling."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import ebmlang
from tests.laws.agreement import Array, assert_same_law

EXACT = 20_000
"""Exact draws to compare with: so many that the error is the run's alone."""


@dataclass(frozen=True, kw_only=True)
class Hard:
    """A spec with requirements, and how to draw from it by rejection.

    Attributes:
        text: The spec.
        variable: Its only one.
        propose: Draws points of its domain.
        log_chance: Of a point to be kept, where everything required holds; at most 0.
        holds: Whether everything required holds, of points `[..., axis]`.
    """

    text: str
    variable: str
    propose: Callable[[int, np.random.Generator], Array]
    log_chance: Callable[[Array], Array]
    holds: Callable[[Array], NDArray[np.bool_]]


def on_the_sphere(count: int, rng: np.random.Generator) -> Array:
    x = rng.normal(size=(count, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def certainly(x: Array) -> Array:
    return np.zeros(x.shape[:-1])


def distance(p: Array, center: tuple[float, float]) -> Array:
    return np.linalg.norm(p - np.array(center), axis=-1)


CASES = {
    "a Gaussian in a polytope": Hard(
        text="""
            var x: real[3]
            prefer bell: x ~ normal(0, 1)
            require low: x[0] + x[1] + x[2] >= 1
            require near: x[0] - x[1] <= 0.5
            require flat: x[2] <= 1
        """,
        variable="x",
        propose=lambda count, rng: rng.normal(size=(count, 3)),
        log_chance=certainly,
        holds=lambda x: (x.sum(-1) >= 1) & (x[..., 0] - x[..., 1] <= 0.5) & (x[..., 2] <= 1),
    ),
    "a Gaussian on a cap of the sphere": Hard(
        text="""
            var u: unit[3]
            prefer bell: energy(norm(u - [1, 0, 0])^2)
            require cap: u[2] >= 0.5
        """,
        variable="u",
        propose=on_the_sphere,
        log_chance=lambda u: -np.square(u - np.array([1.0, 0.0, 0.0])).sum(-1),
        holds=lambda u: u[..., 2] >= 0.5,
    ),
    "two discs without a third": Hard(
        text="""
            var p: real[2] in [-2, 2]
            require inside: norm(p - [-0.8, 0]) <= 1 or norm(p - [0.8, 0]) <= 1
            require outside: not norm(p - [0, 0.6]) <= 0.5
        """,
        variable="p",
        propose=lambda count, rng: rng.uniform(-2, 2, size=(count, 2)),
        log_chance=certainly,
        holds=lambda p: (
            ((distance(p, (-0.8, 0)) <= 1) | (distance(p, (0.8, 0)) <= 1))
            & (distance(p, (0, 0.6)) >= 0.5)
        ),
    ),
}


def reject(case: Hard) -> Array:
    """Return exact draws `[draw, axis]`."""
    rng = np.random.default_rng(0)
    kept: list[Array] = []
    while sum(map(len, kept)) < EXACT:
        x = case.propose(4 * EXACT, rng)
        x = x[case.holds(x)]
        kept.append(x[np.log(rng.uniform(size=len(x))) < case.log_chance(x)])
    return np.concatenate(kept)[:EXACT]


def measure(x: Array) -> dict[str, Array]:
    """Return coordinates, and how far points lie out along two slanted directions."""
    axes = {f"x[{k}]": x[..., k] for k in range(x.shape[-1])}
    return axes | {"sum": x.sum(-1), "radius": np.linalg.norm(x - 0.5, axis=-1)}


@pytest.mark.slow
@pytest.mark.parametrize("method", [None, "reflection", "hmc"])
@pytest.mark.parametrize("name", CASES)
def test_every_draw_satisfies_and_the_law_is_that_of_rejection_sampling(name, method):
    case = CASES[name]

    samples = ebmlang.loads(case.text).sample(
        chains=128, warmup=200, draws=200, seed=1, method=method
    )

    x = np.asarray(samples.draws[case.variable])
    assert case.holds(x).all()
    assert_same_law(measure(x), measure(reject(case)))
