"""The densities of the speed kit in NumPyro, nutpie and BlackJAX, sampled for `peers.py`.

    PYTHONPATH=. python benchmarks/peer_densities.py blackjax-nuts funnel out.npz 4 1000 1000 1

Runs in an environment that has the peer. Writes draws of packed points as `x`, and prints one line
of JSON as `peer_models` does. Warm-up and draws are compiled before the clock starts.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peer_models import sample_by_nutpie
from benchmarks.speed.targets import (
    BANANA_BEND,
    BANANA_SCALE,
    DENSITIES,
    FUNNEL_DIM,
    FUNNEL_SCALE,
    Target,
)

# Any: values of JAX, as in `jax_forms`.

MCLMC_STEPS = 10
"""Steps of MCLMC per draw of the plan: each goes a part of the way of a trajectory."""


def _find_density(target: Target) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return the log density over free coordinates, and the way back to packed points."""
    import jax.numpy as jnp

    from benchmarks.speed.jax_forms import build_form

    energy = build_form(target, dtype=jnp.float32)
    if target.form != "eight_schools":
        return lambda q: -energy(q), lambda q: q

    def to_written(q: Any) -> Any:
        return q.at[..., 1].set(jnp.exp(q[..., 1]))

    return lambda q: q[1] - energy(to_written(q)), to_written


def _starts(target: Target, chains: int, seed: int) -> Any:
    import jax.numpy as jnp

    rng = np.random.default_rng(seed)
    spread = min(1.0, target.spread) if target.form == "eight_schools" else target.spread
    return jnp.asarray(spread * rng.standard_normal((chains, target.dim)), dtype=jnp.float32)


LONG = 0.5
"""CPU seconds over which a short run is repeated: one of a few milliseconds is noise."""


def _time(run: Callable[[Any], Any], key: Any) -> tuple[Any, float, float]:
    """Return what a compiled run gives, the CPU seconds of a call, and those of all but one."""
    import jax

    jax.block_until_ready(run(key))
    begun, calls, spent = time.process_time(), 0, 0.0
    while calls == 0 or spent < LONG:
        found = jax.block_until_ready(run(key))
        calls, spent = calls + 1, time.process_time() - begun
    return found, spent / calls, spent * (1 - 1 / calls)


def run_blackjax(
    kind: str, target: Target, chains: int, warmup: int, draws: int, seed: int
) -> dict[str, Any]:
    """Sample with one of BlackJAX's algorithms, all chains as one batch."""
    import jax

    begun = time.process_time()
    density, to_written = _find_density(target)
    first, second = jax.random.split(jax.random.PRNGKey(seed))
    starts = _starts(target, chains, seed)
    kinds = {"nuts": _nuts, "mclmc": _mclmc, "meads": _meads, "chees": _chees}
    adapt = kinds[kind](density, starts, warmup, draws)
    state, step, count, per_step = adapt(first)

    @jax.jit
    def run(key: Any) -> Any:
        def move(state: Any, key: Any) -> tuple[Any, Any]:
            state, gradients = step(key, state)
            return state, (state.position, gradients)

        _, found = jax.lax.scan(move, state, jax.random.split(key, count))
        return found

    (positions, gradients), seconds, repeated = _time(run, second)
    values = np.moveaxis(np.asarray(to_written(positions)), 0, 1)
    spent = int(np.sum(gradients)) if per_step is None else per_step * count * chains
    return {
        "values": {"x": values},
        "total": time.process_time() - begun - repeated,
        "sampling": seconds,
        "warmup_gradients": 0,
        "gradients": spent,
    }


Adapt = Callable[[Any], tuple[Any, Callable[[Any, Any], tuple[Any, Any]], int, int | None]]
"""From a key to the state after the warm-up, a step, how many, and the gradients of one."""


def _nuts(density: Any, starts: Any, warmup: int, draws: int) -> Adapt:
    import blackjax
    import jax

    def adapt(key: Any) -> Any:
        adaptation = blackjax.window_adaptation(blackjax.nuts, density)

        def single(key: Any, start: Any) -> Any:
            (state, parameters), _ = adaptation.run(key, start, num_steps=warmup)
            return state, parameters

        keys = jax.random.split(key, len(starts))
        state, parameters = jax.jit(jax.vmap(single))(keys, starts)
        kernel = blackjax.nuts.build_kernel()

        def step(key: Any, state: Any) -> Any:
            def one(key: Any, state: Any, size: Any, matrix: Any) -> Any:
                state, info = kernel(key, state, density, size, matrix)
                return state, info.num_integration_steps

            keys = jax.random.split(key, len(starts))
            sizes, matrices = parameters["step_size"], parameters["inverse_mass_matrix"]
            return jax.vmap(one)(keys, state, sizes, matrices)

        return state, step, draws, None

    return adapt


def _mclmc(density: Any, starts: Any, warmup: int, draws: int) -> Adapt:
    import blackjax
    import jax

    def adapt(key: Any) -> Any:
        kernel = blackjax.mcmc.mclmc.build_kernel()

        def single(key: Any, start: Any) -> Any:
            first, second = jax.random.split(key)
            state = blackjax.mcmc.mclmc.init(start, density, first)
            state, found, _ = blackjax.mclmc_find_L_and_step_size(
                kernel, warmup * MCLMC_STEPS, state, second, logdensity_fn=density
            )
            return state, found

        keys = jax.random.split(key, len(starts))
        state, found = jax.jit(jax.vmap(single))(keys, starts)

        def step(key: Any, state: Any) -> Any:
            def one(key: Any, state: Any, found: Any) -> Any:
                matrix = found.inverse_mass_matrix
                return kernel(key, state, density, matrix, found.L, found.step_size)[0]

            keys = jax.random.split(key, len(starts))
            return jax.vmap(one)(keys, state, found), 0

        # McLachlan's integrator takes two gradients a step.
        return state, step, draws * MCLMC_STEPS, 2

    return adapt


def _meads(density: Any, starts: Any, warmup: int, draws: int) -> Adapt:
    import blackjax
    import jax

    def adapt(key: Any) -> Any:
        adaptation = blackjax.meads_adaptation(density, len(starts))
        run = jax.jit(lambda key, x: adaptation.run(key, x, num_steps=warmup * 4)[0])
        state, parameters = run(key, starts)
        kernel = blackjax.ghmc(density, **parameters)

        def step(key: Any, state: Any) -> Any:
            keys = jax.random.split(key, len(starts))
            return jax.vmap(kernel.step)(keys, state)[0], 0

        return state, step, draws * 10, 1

    return adapt


def _chees(density: Any, starts: Any, warmup: int, draws: int) -> Adapt:
    import blackjax
    import jax
    import optax

    def adapt(key: Any) -> Any:
        adaptation = blackjax.chees_adaptation(density, len(starts))
        (state, parameters), _ = adaptation.run(key, starts, 0.1, optax.adam(0.02), warmup)
        kernel = blackjax.dynamic_hmc(density, **parameters)

        def step(key: Any, state: Any) -> Any:
            keys = jax.random.split(key, len(starts))
            state, info = jax.vmap(kernel.step)(keys, state)
            return state, info.num_integration_steps

        return state, step, draws, None

    return adapt


# --- NumPyro and nutpie --------------------------------------------------------------


def run_numpyro(target: Target, chains: int, warmup: int, draws: int, seed: int) -> dict[str, Any]:
    """Sample with NumPyro's NUTS, all chains as one batch."""
    import jax
    from numpyro.infer import MCMC, NUTS

    begun = time.process_time()
    density, to_written = _find_density(target)
    kernel = NUTS(potential_fn=lambda q: -density(q))
    mcmc = MCMC(
        kernel,
        num_warmup=warmup,
        num_samples=draws,
        num_chains=chains,
        chain_method="vectorized",
        progress_bar=False,
    )
    key, starts = jax.random.PRNGKey(seed), _starts(target, chains, seed)
    mcmc.warmup(key, init_params=starts, extra_fields=("num_steps",), collect_warmup=True)
    warmup_gradients = int(np.sum(mcmc.get_extra_fields()["num_steps"]))
    mcmc.post_warmup_state = mcmc.last_state
    mcmc.run(mcmc.last_state.rng_key, extra_fields=("num_steps",))
    values = np.asarray(to_written(mcmc.get_samples(group_by_chain=True)))
    gradients = int(np.sum(mcmc.get_extra_fields()["num_steps"]))
    total = time.process_time() - begun
    # Each call compiles anew: the cost of a gradient is what a longer run takes more.
    costs = []
    for length in (draws, 4 * draws):
        mcmc.num_samples = length
        mcmc.post_warmup_state = mcmc.last_state
        begun = time.process_time()
        mcmc.run(mcmc.last_state.rng_key, extra_fields=("num_steps",))
        jax.block_until_ready(mcmc.get_samples())
        costs.append(
            (time.process_time() - begun, int(np.sum(mcmc.get_extra_fields()["num_steps"])))
        )
    (short, few), (long, many) = costs
    return {
        "values": {"x": values},
        "total": total,
        "sampling": max(1e-9, (long - short) / max(1, many - few) * gradients),
        "warmup_gradients": warmup_gradients,
        "gradients": gradients,
    }


def run_nutpie(target: Target, chains: int, warmup: int, draws: int, seed: int) -> dict[str, Any]:
    """Sample with nutpie's NUTS, one chain after another, on one core."""
    import pymc as pm
    import pytensor.tensor as pt

    begun = time.process_time()
    with pm.Model() as model:
        match target.form:
            case "gaussian":
                precision = target.numbers["precision"]
                x = pm.Flat("x", shape=target.dim)
                pm.Potential("energy", -pt.dot(x, pt.dot(precision, x)) / 2)
            case "funnel":
                width = pm.Normal("width", 0, FUNNEL_SCALE)
                pm.Normal("rest", 0, pt.exp(width / 2), shape=FUNNEL_DIM - 1)
            case "banana":
                x = pm.Normal("x", 0, BANANA_SCALE)
                pm.Normal("y", BANANA_BEND * (x**2 - BANANA_SCALE**2), 1)
            case "ring":
                corners, sd = target.numbers["corners"], float(target.numbers["sd"])
                x = pm.Flat("x", shape=2)
                pm.Potential("energy", pt.logsumexp(-((x - corners) ** 2).sum(1) / (2 * sd**2)))
            case form:
                raise ValueError(f"{form} is in peer_models")
    return sample_by_nutpie(model, begun, chains, warmup, draws, seed)


def main() -> None:
    """Run one peer on one density."""
    peer, name, out, *numbers = sys.argv[1:]
    chains, warmup, draws, seed = map(int, numbers)
    target = DENSITIES[name]()
    library, _, kind = peer.partition("-")
    match library:
        case "blackjax":
            found = run_blackjax(kind, target, chains, warmup, draws, seed)
        case "numpyro":
            found = run_numpyro(target, chains, warmup, draws, seed)
        case _:
            found = run_nutpie(target, chains, warmup, draws, seed)
    np.savez(out, **found.pop("values"))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
