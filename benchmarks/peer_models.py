"""The posteriors of `examples/posteriors` in NumPyro and PyMC, sampled for `peers.py`.

    python benchmarks/peer_models.py numpyro kidscore kidscore.json out.npz 4 1000 1000 1

Runs in an environment that has the peer; needs nothing of ebmlang. Writes draws by quantity, and
prints one line of JSON: CPU seconds in all, CPU seconds of the draws alone, gradients of the
warm-up and of the draws. nutpie samples the PyMC form.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np

Data = Mapping[str, np.ndarray]

# --- NumPyro -------------------------------------------------------------------------


def _numpyro_model(name: str, data: Data) -> Callable[[], None]:
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    def regress(design: np.ndarray, y: np.ndarray, sigma: Any) -> None:
        beta = numpyro.sample("beta", dist.Normal(0, 10).expand([design.shape[1]]).to_event(1))
        numpyro.sample("y", dist.Normal(jnp.asarray(design) @ beta, sigma), obs=y)

    def eight_schools() -> None:
        mu = numpyro.sample("mu", dist.Normal(0, 5))
        tau = numpyro.sample("tau", dist.HalfCauchy(5))
        raw = numpyro.sample("raw", dist.Normal(0, 1).expand([8]).to_event(1))
        theta = numpyro.deterministic("theta", mu + tau * raw)
        numpyro.sample("y", dist.Normal(theta, data["sigma"]), obs=data["y"])

    def eight_schools_centered() -> None:
        mu = numpyro.sample("mu", dist.Normal(0, 5))
        tau = numpyro.sample("tau", dist.HalfCauchy(5))
        theta = numpyro.sample("theta", dist.Normal(mu, tau).expand([8]).to_event(1))
        numpyro.sample("y", dist.Normal(theta, data["sigma"]), obs=data["y"])

    def kidscore() -> None:
        flat = dist.ImproperUniform(dist.constraints.real_vector, (), (3,))
        beta = numpyro.sample("beta", flat)
        sigma = numpyro.sample("sigma", dist.HalfCauchy(2.5))
        mean = beta[0] + beta[1] * data["mom_hs"] + beta[2] * data["mom_iq"]
        numpyro.sample("y", dist.Normal(mean, sigma), obs=data["kid_score"])

    def autoregression() -> None:
        alpha = numpyro.sample("alpha", dist.Normal(0, 10))
        beta = numpyro.sample("beta", dist.Normal(0, 10).expand([5]).to_event(1))
        sigma = numpyro.sample("sigma", dist.HalfCauchy(2.5))
        lags, following = _lags(data["y"])
        numpyro.sample("y", dist.Normal(alpha + lags @ beta, sigma), obs=following)

    def regression() -> None:
        regress(data["X"], data["y"], numpyro.sample("sigma", dist.HalfNormal(10)))

    def gaussian_process() -> None:
        rho = numpyro.sample("rho", dist.Gamma(25, 4))
        alpha = numpyro.sample("alpha", dist.HalfNormal(2))
        sigma = numpyro.sample("sigma", dist.HalfNormal(1))
        apart = data["x"][:, None] - data["x"]
        smooth = alpha**2 * jnp.exp(-((apart / rho) ** 2) / 2)
        covariance = smooth + sigma * jnp.eye(len(apart))
        law = dist.MultivariateNormal(jnp.zeros(len(apart)), covariance_matrix=covariance)
        numpyro.sample("y", law, obs=data["y"])

    models = (
        eight_schools,
        eight_schools_centered,
        kidscore,
        autoregression,
        regression,
        gaussian_process,
    )
    return {model.__name__: model for model in models}[name]


def run_numpyro(name: str, data: Data, chains: int, warmup: int, draws: int, seed: int) -> dict:
    """Sample with NUTS, all chains as one batch."""
    import jax
    from numpyro.infer import MCMC, NUTS

    jax.config.update("jax_enable_x64", True)
    begun = time.process_time()
    mcmc = MCMC(
        NUTS(_numpyro_model(name, data)),
        num_warmup=warmup,
        num_samples=draws,
        num_chains=chains,
        chain_method="vectorized",
        progress_bar=False,
    )
    key = jax.random.PRNGKey(seed)
    mcmc.warmup(key, extra_fields=("num_steps",), collect_warmup=True)
    warmup_gradients = int(np.sum(mcmc.get_extra_fields()["num_steps"]))
    mcmc.run(key, extra_fields=("num_steps",))
    jax.block_until_ready(mcmc.get_samples())
    total = time.process_time() - begun
    values = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
    gradients = int(np.sum(mcmc.get_extra_fields()["num_steps"]))

    # Each call compiles anew: the cost of a gradient is what a longer run takes more.
    costs = []
    for length in (draws, 4 * draws):
        mcmc.num_samples = length
        mcmc.post_warmup_state = mcmc.last_state
        begun = time.process_time()
        mcmc.run(mcmc.last_state.rng_key, extra_fields=("num_steps",))
        jax.block_until_ready(mcmc.get_samples())
        steps = np.asarray(mcmc.get_extra_fields()["num_steps"])
        costs.append((time.process_time() - begun, int(steps.sum())))
    (short, few), (long, many) = costs
    return {
        "values": values,
        "total": total,
        "sampling": (long - short) / (many - few) * gradients,
        "warmup_gradients": warmup_gradients,
        "gradients": gradients,
    }


# --- PyMC, for nutpie ----------------------------------------------------------------


def _pymc_model(name: str, data: Data) -> Any:
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        match name:
            case "eight_schools":
                mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
                raw = pm.Normal("raw", 0, 1, shape=8)
                theta = pm.Deterministic("theta", mu + tau * raw)
                pm.Normal("y", theta, data["sigma"], observed=data["y"])
            case "eight_schools_centered":
                mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
                theta = pm.Normal("theta", mu, tau, shape=8)
                pm.Normal("y", theta, data["sigma"], observed=data["y"])
            case "kidscore":
                beta, sigma = pm.Flat("beta", shape=3), pm.HalfCauchy("sigma", 2.5)
                mean = beta[0] + beta[1] * data["mom_hs"] + beta[2] * data["mom_iq"]
                pm.Normal("y", mean, sigma, observed=data["kid_score"])
            case "autoregression":
                alpha, beta = pm.Normal("alpha", 0, 10), pm.Normal("beta", 0, 10, shape=5)
                sigma = pm.HalfCauchy("sigma", 2.5)
                lags, following = _lags(data["y"])
                pm.Normal("y", alpha + pt.dot(lags, beta), sigma, observed=following)
            case "regression":
                beta = pm.Normal("beta", 0, 10, shape=data["X"].shape[1])
                sigma = pm.HalfNormal("sigma", 10)
                pm.Normal("y", pt.dot(data["X"], beta), sigma, observed=data["y"])
            case "gaussian_process":
                rho, alpha = pm.Gamma("rho", 25, 4), pm.HalfNormal("alpha", 2)
                sigma = pm.HalfNormal("sigma", 1)
                apart = data["x"][:, None] - data["x"]
                smooth = alpha**2 * pt.exp(-((apart / rho) ** 2) / 2)
                covariance = smooth + sigma * pt.eye(len(apart))
                pm.MvNormal("y", np.zeros(len(apart)), cov=covariance, observed=data["y"])
    return model


def run_nutpie(name: str, data: Data, chains: int, warmup: int, draws: int, seed: int) -> dict:
    """Sample with nutpie's NUTS."""
    begun = time.process_time()
    return sample_by_nutpie(_pymc_model(name, data), begun, chains, warmup, draws, seed)


def sample_by_nutpie(
    model: Any, begun: float, chains: int, warmup: int, draws: int, seed: int
) -> dict:
    """Sample a model of PyMC, begun at a CPU time, one chain after another, on one core."""
    import nutpie

    compiled = nutpie.compile_pymc_model(model)
    compiled_at = time.process_time()
    trace = nutpie.sample(
        compiled,
        draws=draws,
        tune=warmup,
        chains=chains,
        cores=1,
        seed=seed,
        progress_bar=False,
        save_warmup=True,
    )
    ended = time.process_time()
    gradients = int(trace.sample_stats.n_steps.sum())
    warmup_gradients = int(trace.warmup_sample_stats.n_steps.sum())
    share = gradients / (gradients + warmup_gradients)
    values = {str(k): np.asarray(v) for k, v in trace.posterior.data_vars.items()}
    return {
        "values": values,
        "total": ended - begun,
        # It does not tell apart the times; what costs are the gradients.
        "sampling": (ended - compiled_at) * share,
        "warmup_gradients": warmup_gradients,
        "gradients": gradients,
    }


# --- both ----------------------------------------------------------------------------


def _lags(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the five values before each value, the nearest first, and the values."""
    columns = [y[5 - k : len(y) - k] for k in range(1, 6)]
    return np.stack(columns, axis=1), y[5:]


PEERS = {"numpyro": run_numpyro, "nutpie": run_nutpie}


def main() -> None:
    """Run one peer on one posterior."""
    peer, name, data_file, out, *numbers = sys.argv[1:]
    chains, warmup, draws, seed = map(int, numbers)
    with open(data_file, encoding="utf-8") as file:
        data = {key: np.asarray(value, dtype=float) for key, value in json.load(file).items()}
    found = PEERS[peer](name, data, chains, warmup, draws, seed)
    np.savez(out, **found.pop("values"))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
