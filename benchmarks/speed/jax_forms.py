"""The targets in JAX, and jitted gradients and scans of them; runs in the peers' environment."""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed.targets import (
    BANANA_BEND,
    BANANA_SCALE,
    FUNNEL_SCALE,
    PRODUCT_DF,
    Target,
)

# Any: JAX's arrays and traced values have no common type that is worth a name here.
Energy = Callable[[Any], Any]
Numbers = Mapping[str, Any]

LEAPFROGS = 8
SCAN = 100
"""Steps per call of a scan."""


def build_ring(numbers: Numbers) -> Energy:
    corners, variance = numbers["corners"], numbers["sd"] ** 2

    def energy(x: Any) -> Any:
        logits = x @ (corners.T / variance) - (corners**2).sum(1) / (2 * variance)
        return (x**2).sum() / (2 * variance) - jax.nn.logsumexp(logits)

    return energy


def build_product(numbers: Numbers) -> Energy:
    precision, readings, walls = (numbers[name] for name in ("precision", "readings", "walls"))

    def energy(x: Any) -> Any:
        smooth = x @ (precision @ x) / 2
        heavy = (PRODUCT_DF + 1) / 2 * jnp.log1p((readings @ x) ** 2 / PRODUCT_DF).sum()
        return smooth + heavy + (jax.nn.relu((walls @ x - 1) / 0.5) ** 2 / 2).sum()

    return energy


def build_tree(numbers: Numbers) -> Energy:
    a, b, c = (numbers[name] for name in "abc")

    def energy(x: Any) -> Any:
        # Distances as products of matrices: a fifth faster than by differences.
        own = (x**2).sum()
        to_b = jnp.sqrt(jnp.maximum((b**2).sum(1) - 2 * b @ x + own, 1e-12))
        to_c = jnp.sqrt(jnp.maximum((c**2).sum(1) - 2 * c @ x + own, 1e-12))
        over = jax.nn.relu((a @ x - 1) / 0.5)
        far, near = jax.nn.relu((to_b - 2) / 0.5), jax.nn.relu((1 - to_c) / 0.5)
        first, second = (over**2 + far**2) / 2, near**2 / 2
        low, high = jnp.minimum(first, second), jnp.maximum(first, second)
        return (low - jnp.log1p(jnp.exp(low - high) - jnp.exp(-high))).sum()

    return energy


def build_gaussian(numbers: Numbers) -> Energy:
    precision = numbers["precision"]
    return lambda x: x @ (precision @ x) / 2


def build_eight_schools(numbers: Numbers) -> Energy:
    y, sigma = numbers["y"], numbers["sigma"]

    def energy(x: Any) -> Any:
        mu, tau, raw = x[0], x[1], x[2:]
        effects = (y - mu - tau * raw) / sigma
        return (mu / 5) ** 2 / 2 + jnp.log1p((tau / 5) ** 2) + (raw**2 + effects**2).sum() / 2

    return energy


def build_funnel(numbers: Numbers) -> Energy:
    del numbers

    def energy(x: Any) -> Any:
        width, rest = x[0], x[1:]
        spread = (rest**2).sum() * jnp.exp(-width) / 2
        return (width / FUNNEL_SCALE) ** 2 / 2 + spread + width * (rest.shape[0] / 2)

    return energy


def build_banana(numbers: Numbers) -> Energy:
    del numbers

    def energy(x: Any) -> Any:
        ridge = x[1] - BANANA_BEND * (x[0] ** 2 - BANANA_SCALE**2)
        return (x[0] / BANANA_SCALE) ** 2 / 2 + ridge**2 / 2

    return energy


FORMS: Mapping[str, Callable[[Numbers], Energy]] = MappingProxyType(
    {
        "ring": build_ring,
        "product": build_product,
        "tree": build_tree,
        "gaussian": build_gaussian,
        "eight_schools": build_eight_schools,
        "funnel": build_funnel,
        "banana": build_banana,
    }
)


def build_form(target: Target, dtype: Any = jnp.float32) -> Energy:
    """Return the energy of one point."""
    numbers = {name: jnp.asarray(array, dtype=dtype) for name, array in target.numbers.items()}
    return FORMS[target.form](numbers)


def build_gradient(target: Target) -> Callable[[Any], Any]:
    """Return energy and gradient of a batch, jitted."""
    return jax.jit(jax.vmap(jax.value_and_grad(build_form(target))))


def build_langevin(target: Target) -> Callable[[Any, Any], Any]:
    """Return `SCAN` unadjusted Langevin steps of a batch as one call."""
    size, gradient = target.step, jax.vmap(jax.grad(build_form(target)))

    def step(x: Any, key: Any) -> tuple[Any, None]:
        noise = jax.random.normal(key, x.shape, x.dtype)
        return x - size**2 / 2 * gradient(x) + size * noise, None

    def run(x: Any, key: Any) -> Any:
        return jax.lax.scan(step, x, jax.random.split(key, SCAN))[0]

    return jax.jit(run)


def build_hmc(target: Target) -> Callable[[Any, Any], Any]:
    """Return `SCAN // LEAPFROGS` HMC trajectories of a batch as one call."""
    size, both = target.step, jax.vmap(jax.value_and_grad(build_form(target)))

    def step(x: Any, key: Any) -> tuple[Any, None]:
        first, second = jax.random.split(key)
        momentum = jax.random.normal(first, x.shape, x.dtype)
        begun, slope = both(x)
        before = begun + (momentum**2).sum(1) / 2

        def leap(state: Any, _: None) -> tuple[Any, None]:
            position, momentum, _, slope = state
            momentum = momentum - size / 2 * slope
            position = position + size * momentum
            value, slope = both(position)
            return (position, momentum - size / 2 * slope, value, slope), None

        state = (x, momentum, begun, slope)
        (position, momentum, value, _), _ = jax.lax.scan(leap, state, None, LEAPFROGS)
        after = value + (momentum**2).sum(1) / 2
        accepted = jnp.log(jax.random.uniform(second, after.shape)) < before - after
        return jnp.where(accepted[:, None], position, x), None

    def run(x: Any, key: Any) -> Any:
        return jax.lax.scan(step, x, jax.random.split(key, SCAN // LEAPFROGS))[0]

    return jax.jit(run)


def build_call(kind: str, target: Target, size: int) -> tuple[Callable[[], object], float]:
    """Return a call to time, and how many gradients of the whole batch it takes.

    Args:
        kind: `energies`, `langevin` or `hmc`.
        target: Of it.
        size: Points or chains.
    """
    x = jnp.asarray(target.points(size), dtype=jnp.float32)
    key = jax.random.PRNGKey(0)
    if kind == "energies":
        gradient = build_gradient(target)
        return lambda: jax.block_until_ready(gradient(x)), 1
    steps = {"langevin": build_langevin, "hmc": build_hmc}[kind](target)
    gradients = {"langevin": SCAN, "hmc": SCAN // LEAPFROGS * LEAPFROGS}[kind]
    return lambda: jax.block_until_ready(steps(x, key)), gradients


def read_values(target: Target, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and gradients at points, to hold them against the other forms."""
    values, slopes = build_gradient(target)(jnp.asarray(points, dtype=jnp.float32))
    return np.asarray(values), np.asarray(slopes)
