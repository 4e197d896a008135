"""Effective draws per gradient and per second, beside NumPyro, nutpie and BlackJAX.

    python benchmarks/peers.py --peers /path/to/python      # one with numpyro, nutpie, pymc
    python benchmarks/peers.py --chains 4 --models kidscore
    python benchmarks/peers.py --models gaussian funnel ring banana --tiers straight native

Posteriors are those of `examples/posteriors`; densities with known means those of the speed kit,
`benchmarks/speed/targets.py`, in float32, and BlackJAX is run on these and on the eight schools.

Prints a table in Markdown, as in `docs/peers.md`. Every run is a process of its own, on one core,
measured in CPU seconds; one that takes more than `LIMIT` of them is stopped and said so. A peer
that is not installed is left out with a message. Effective sample sizes are ArviZ's bulk ones, of
the least effective quantity of `examples/posteriors/references.json`, or coordinate of a density;
`worst z` is the largest distance of a mean from its reference, in errors of both.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
POSTERIORS = ROOT / "examples" / "posteriors"
REFERENCES = json.loads((POSTERIORS / "references.json").read_text(encoding="utf-8"))

MODELS = (
    "eight_schools",
    "eight_schools_centered",
    "kidscore",
    "autoregression",
    "regression",
    "gaussian_process",
)

DENSITIES = ("gaussian", "funnel", "ring", "banana")
"""Names of the speed kit's; all have mean 0 in every coordinate."""

BLACKJAX: Mapping[int, tuple[str, ...]] = {
    4: ("blackjax-nuts", "blackjax-mclmc"),
    1024: ("blackjax-meads", "blackjax-chees"),
}
"""Its algorithms by the number of chains: those that did best there."""

PLANS: Mapping[int, tuple[int, int]] = {4: (1000, 1000), 1024: (300, 20)}
"""Warm-up and draws of each chain, by the number of chains: few chains have to be long."""

FEW_CHAINS = 64
"""Up to so many, an OR is sampled with NUTS here: what `ebm sample` does is no kernel."""

LIMIT = 300
"""CPU seconds after which a run is stopped."""

REPEATS = {"native": 25}
"""By tier of ours, how many times as many draws are made as count, and divided by in the time: what
takes a few milliseconds is noise."""

SEED = 1

OURS = "ebmlang"


def find_data(model: str) -> Path:
    """Return the data of a posterior; both forms of eight schools share theirs."""
    own = POSTERIORS / f"{model}.json"
    return own if own.exists() else POSTERIORS.parent / "eight_schools.json"


def run_ours(model: str, out: Path, chains: int, warmup: int, draws: int) -> dict[str, object]:
    """Sample with the method that the plan chooses, and write the draws by quantity."""
    begun = time.process_time()
    repeats = REPEATS.get(os.environ.get("EBM_TIER", ""), 1)
    import torch

    torch.set_num_threads(1)
    import ebmlang
    from ebmlang.api.compile import compile_model, lay_out
    from ebmlang.api.sample import choose_method
    from ebmlang.sample import Plan, sample
    from ebmlang.sample.draws import MemorySink
    from ebmlang.sample.methods import METHODS

    class TimedSink(MemorySink):
        """Remembers when the warm-up ended."""

        warmed_at = 0.0

        def warmed(self, place: object) -> None:
            del place
            self.warmed_at = time.process_time()

    if model in DENSITIES:
        from benchmarks.speed.targets import DENSITIES as TARGETS

        target = TARGETS[model]()
        bound = ebmlang.loads(target.text).bind(dict(target.data))
    else:
        spec = POSTERIORS / f"{model}.ebm"
        spec = spec if spec.exists() else POSTERIORS.parent / spec.name
        bound = ebmlang.load(spec).bind(find_data(model))
    method = choose_method(bound, chains)
    if method not in METHODS:
        # Branches and particles are no kernels; what is timed here is one.
        method = "ensemble" if chains > FEW_CHAINS else "nuts"
    module = compile_model(bound, dtype=torch.float32 if model in DENSITIES else None)
    sink = TimedSink()
    found = sample(
        module.packed(),
        lay_out(module),
        METHODS[method](),
        seed=SEED,
        chains=chains,
        plan=Plan(warmup=warmup, draws=draws * repeats),
        sink=sink,
    )
    ended = time.process_time()
    points = torch.cat([chunk.points for chunk in sink.chunks], dim=1)[:, :draws]
    gradients = torch.cat([chunk.gradients for chunk in sink.chunks], dim=1)[:, :draws]
    flat = module.unpack(points.flatten(0, 1))
    with torch.no_grad():
        values = {**flat, **module.reports(flat)}
    np.savez(
        out,
        **{k: v.reshape(*points.shape[:2], *v.shape[1:]).numpy() for k, v in values.items()},
    )
    sampling = ended - sink.warmed_at
    return {
        "total": ended - begun - sampling * (1 - 1 / repeats),
        "sampling": sampling / repeats,
        "warmup_gradients": int(found.warmup_gradients.sum()),
        "gradients": int(gradients.sum()),
        "method": method,
    }


def measure(python: str, sampler: str, model: str, chains: int) -> str:
    """Run one sampler on one posterior and return its row of the table."""
    warmup, draws = PLANS[chains]
    library, _, tier = sampler.partition(" ")
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"EBM_TIER": tier} if tier else {})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "draws.npz"
        numbers = [str(number) for number in (chains, warmup, draws)]
        if library == OURS:
            command = [sys.executable, __file__, "--run", model, str(out), *numbers]
        else:
            command = [python, "-W", "ignore", *_call_peer(library, model, str(out))]
            command += [*numbers, str(SEED)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            preexec_fn=_limit_time,
            check=False,
            env=environment,
        )
        head = f"| {model} | {chains} | {sampler}"
        if done.returncode:
            # Out of time, a process ends by a signal, and so without a message.
            end = done.stderr.strip().splitlines()[-1:] or [f"stopped after {LIMIT} s"]
            return f"{head} | {end[0][:160]} | | | | | | |"
        found = json.loads(done.stdout.splitlines()[-1])
        with np.load(out) as archive:
            values = dict(archive)
        ess, z = judge_zero(values) if model in DENSITIES else judge(model, _name(values))
    every = found["gradients"] + found["warmup_gradients"]
    name = f"{head} ({found['method']})" if "method" in found else head
    return (
        f"{name} | {ess:,.0f} | {1000 * ess / found['gradients']:.1f} | {1000 * ess / every:.1f}"
        f" | {ess / found['sampling']:,.0f} | {ess / found['total']:,.0f}"
        f" | {found['total']:.1f} | {z:.1f} |"
    )


def _call_peer(library: str, model: str, out: str) -> list[str]:
    if model in DENSITIES or library.startswith("blackjax"):
        name = model.replace("_", " ")
        return [str(ROOT / "benchmarks" / "peer_densities.py"), library, name, out]
    script = str(ROOT / "benchmarks" / "peer_models.py")
    return [script, library, model, str(find_data(model)), out]


def _name(values: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Return draws by quantity; BlackJAX's are packed points of the eight schools."""
    if set(values) != {"x"}:
        return values
    x = values["x"]
    named = {"mu": x[..., 0], "tau": x[..., 1], "raw": x[..., 2:]}
    return {**named, "theta": x[..., :1] + x[..., 1:2] * x[..., 2:]}


def judge_zero(values: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return the least bulk ESS of all coordinates, and the largest z of their means from 0."""
    from arviz_stats.base import array_stats

    axes = {"chain_axis": 0, "draw_axis": 1}
    sizes, distances = [], []
    for drawn in values.values():
        for column in drawn.reshape(*drawn.shape[:2], -1).transpose(2, 0, 1).astype(float):
            sizes.append(float(array_stats.ess(column, **axes, method="bulk")))
            error = float(array_stats.mcse(column, **axes, method="mean"))
            distances.append(abs(column.mean()) / error)
    return min(sizes), max(distances)


def judge(model: str, values: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return the least bulk ESS of the reference's quantities, and the largest z of their means."""
    from arviz_stats.base import array_stats

    axes = {"chain_axis": 0, "draw_axis": 1}
    name = "eight_schools" if model.startswith("eight_schools") else model
    sizes, distances = [], []
    for quantity, known in REFERENCES[name]["quantities"].items():
        path, _, index = quantity.rstrip("]").partition("[")
        drawn = values[path][..., int(index)] if index else values[path]
        sizes.append(float(array_stats.ess(drawn, **axes, method="bulk")))
        error = np.hypot(array_stats.mcse(drawn, **axes, method="mean"), known["mean_error"])
        distances.append(abs(drawn.mean() - known["mean"]) / error)
    return min(sizes), max(distances)


def find_peers(python: str) -> dict[str, str]:
    """Return the versions of the peers that an interpreter has; say which it has not."""
    versions = {}
    for peer in ("numpyro", "nutpie", "blackjax"):
        code = f"import {peer}; print({peer}.__version__)"
        done = subprocess.run(
            [python, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{peer} is left out: `{python}` cannot import it", file=sys.stderr)
        else:
            versions[peer] = done.stdout.split()[-1]
    return versions


def _limit_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))


def main() -> None:
    """Measure everything asked for and print it as a table."""
    if sys.argv[1:2] == ["--run"]:
        model, out, *numbers = sys.argv[2:]
        chains, warmup, draws = map(int, numbers)
        print(json.dumps(run_ours(model, Path(out), chains, warmup, draws)))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, help="the peers' Python")
    known = (*MODELS, *DENSITIES)
    parser.add_argument("--models", nargs="*", choices=known, default=MODELS)
    parser.add_argument(
        "--tiers", nargs="*", default=[""], help="of ours, such as straight, native"
    )
    parser.add_argument("--chains", nargs="*", type=int, choices=PLANS, default=list(PLANS))
    asked = parser.parse_args()
    versions = find_peers(asked.peers)
    print(f"Python {platform.python_version()}, {platform.machine()}; ", end="")
    print(", ".join(f"{peer} {version}" for peer, version in versions.items()) + "\n")
    print(
        "| posterior | chains | sampler | ESS | per 1,000 gradients | with warm-up"
        " | ESS per s | in all | CPU s in all | worst z |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for chains in asked.chains:
        for model in asked.models:
            ours = [f"{OURS} {tier}".strip() for tier in asked.tiers]
            on_jax = model in DENSITIES or model == "eight_schools"
            blackjax = BLACKJAX[chains] if on_jax and "blackjax" in versions else ()
            others = [peer for peer in versions if peer != "blackjax"]
            for sampler in (*ours, *others, *blackjax):
                print(measure(asked.peers, sampler, model, chains), flush=True)


if __name__ == "__main__":
    main()
