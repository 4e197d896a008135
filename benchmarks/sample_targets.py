"""Ensemble samplers on targets whose moments are known: error of second moments per gradient.

    b2 = max_i (mean(x_i^2) - E x_i^2)^2 / Var x_i^2

    python benchmarks/sample_targets.py                  all targets, seeds 0 to 4
    python benchmarks/sample_targets.py --method meads --target banana --seeds 10

Chains start from N(0, I), in float32, on one thread. Gradients are all that a chain has cost, those
of settling and of the warm-up included. On icg100, b2 is that of the last state, elsewhere that of
all draws after the warm-up. The last columns are the first coordinate's mean and standard
deviation and the second one's variance, for the eye.

Sources: icg100, banana and funnel10 as in Hoffman and Sountsov, Tuning-Free Generalized
Hamiltonian Monte Carlo (2022), section 4, and Neal, Slice sampling (2003), section 8; rosen36
as in Grumitt, Dai and Seljak, Deterministic Langevin Monte Carlo (2022), section 4.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.loop import Plan, sample
from ebmlang.sample.sampler import Sampler
from ebmlang.sample.samplers.ensemble import Ensemble, build_ensemble
from ebmlang.sample.samplers.meads import build_meads
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

CPU = torch.device("cpu")
FUNNEL_SCALE = 3.0
BANANA_BEND, BANANA_SCALE = 0.03, 10.0
ROSEN_PAIRS, ROSEN_NOISE = 18, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A target, and how long it is run.

    Attributes:
        dim: Its dimensions.
        energy: Of points.
        squares: E x_i^2.
        variances: Var x_i^2.
        chains: How many.
        warmup: Iterations.
        draws: Iterations after that.
        budget: Gradients per chain that the run must not pass.
        bound: b2 that it must reach within them.
        last: Whether b2 is that of the last state alone.
    """

    dim: int
    energy: Callable[[Tensor], Tensor]
    squares: np.ndarray
    variances: np.ndarray
    chains: int
    warmup: int
    draws: int
    budget: int
    bound: float
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTarget:
    """A target made of a torch function, without requirements."""

    dim: int
    energy: Callable[[Tensor], Tensor]
    dtype: torch.dtype = torch.float32
    device: torch.device = CPU

    def requirements(self, x: Tensor) -> Tensor:
        return x.new_empty(len(x), 0)


def build_icg() -> Case:
    rng = np.random.RandomState(10)
    eigenvalues = 1 / np.sort(rng.gamma(0.5, 1, size=100))
    q, r = np.linalg.qr(rng.randn(100, 100))
    q = q * np.sign(np.diag(r))
    precision = torch.tensor((q / eigenvalues) @ q.T, dtype=torch.float32)
    squares = np.diag((q * eigenvalues) @ q.T)
    return Case(
        dim=100,
        energy=lambda x: (x * (x @ precision)).sum(1) / 2,
        squares=squares,
        variances=2 * squares**2,
        chains=2048,
        warmup=50,
        draws=25,
        budget=400,
        bound=5e-3,
        last=True,
    )


def build_banana() -> Case:
    # x1 = c (z^2 - 1) + noise with z standard normal and c = 3.
    c = BANANA_BEND * BANANA_SCALE**2
    fourth = c**4 * 60 + 6 * c**2 * 2 + 3

    def energy(x: Tensor) -> Tensor:
        ridge = x[:, 1] - BANANA_BEND * (x[:, 0].square() - BANANA_SCALE**2)
        return (x[:, 0] / BANANA_SCALE).square() / 2 + ridge.square() / 2

    squares = np.array([BANANA_SCALE**2, 2 * c**2 + 1])
    return Case(
        dim=2,
        energy=energy,
        squares=squares,
        variances=np.array([2 * BANANA_SCALE**4, fourth - squares[1] ** 2]),
        chains=512,
        warmup=100,
        draws=120,
        budget=1000,
        bound=1e-2,
    )


def build_funnel() -> Case:
    def energy(x: Tensor) -> Tensor:
        width, rest = x[:, 0], x[:, 1:]
        spread = (rest.square() * torch.exp(-width)[:, None]).sum(1) / 2
        return (width / FUNNEL_SCALE).square() / 2 + spread + width * (rest.shape[1] / 2)

    v = FUNNEL_SCALE**2
    return Case(
        dim=10,
        energy=energy,
        squares=np.array([v] + [math.exp(v / 2)] * 9),
        variances=np.array([2 * v**2] + [3 * math.exp(2 * v) - math.exp(v)] * 9),
        chains=512,
        warmup=200,
        draws=300,
        budget=3000,
        bound=1e-2,
    )


def build_rosen() -> Case:
    def energy(x: Tensor) -> Tensor:
        along, across = x[:, :ROSEN_PAIRS], x[:, ROSEN_PAIRS:]
        ridge = across - along.square()
        return ((along - 1).square() / 2 + ridge.square() / (2 * ROSEN_NOISE)).sum(1)

    # Moments of N(1, 1): E x^2 = 2, E x^4 = 10, E x^8 = 764.
    second, fourth, eighth = 2.0, 10.0, 764.0
    square = fourth + ROSEN_NOISE
    across = eighth + 6 * fourth * ROSEN_NOISE + 3 * ROSEN_NOISE**2 - square**2
    return Case(
        dim=2 * ROSEN_PAIRS,
        energy=energy,
        squares=np.array([second] * ROSEN_PAIRS + [square] * ROSEN_PAIRS),
        variances=np.array([fourth - second**2] * ROSEN_PAIRS + [across] * ROSEN_PAIRS),
        chains=512,
        warmup=80,
        draws=100,
        budget=1000,
        bound=1e-2,
    )


CASES: Mapping[str, Callable[[], Case]] = MappingProxyType(
    {"icg100": build_icg, "banana": build_banana, "rosen36": build_rosen, "funnel10": build_funnel}
)


# Any: each sampler has a state of its own.
METHODS: Mapping[str, Callable[[], Sampler[Any]]] = MappingProxyType(
    {
        "ensemble": build_ensemble,
        "not straightened": lambda: Ensemble(name="ensemble", straightens=False),
        "meads": build_meads,
    }
)


def build_reals(dim: int) -> Layout:
    return build_layout({"x": ConcreteDomain(kind=DomainKind.REAL, shape=(dim,))})


def measure(name: str, method: str, seed: int, chains: int | None, length: float) -> None:
    """Run one target once and print what came of it."""
    case = CASES[name]()
    count = chains or case.chains
    starts = np.random.default_rng(seed).standard_normal((count, case.dim))
    started = time.process_time()
    draws = sample(
        FunctionTarget(dim=case.dim, energy=case.energy),
        build_reals(case.dim),
        METHODS[method](),
        seed=seed,
        chains=count,
        plan=Plan(warmup=round(case.warmup * length), draws=round(case.draws * length)),
        starts=torch.tensor(starts, dtype=torch.float32),
    )
    seconds = time.process_time() - started
    points = draws.chunk.points.double()
    gradients = int(draws.warmup_gradients.max() + draws.chunk.gradients.sum(1).max())
    seen = (points[:, -1:] if case.last else points).square().mean((0, 1)).numpy()
    error = float(np.max((seen - case.squares) ** 2 / case.variances))
    verdict = "ok" if error < case.bound and gradients <= case.budget else "MISSED"
    print(
        f"{name:9} {method:16} seed {seed:3}  {gradients:5} gradients  b2 {error:.1e}"
        f" (< {case.bound:.0e})  {seconds:5.1f} s  diverged"
        f" {int((draws.chunk.diverged > 0).sum()):5}  mean {float(points[..., 0].mean()):7.3f}"
        f"  sd {float(points[..., 0].std()):7.3f}  var {float(points[..., 1].var()):8.2f}"
        f"  {verdict}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", choices=list(METHODS), default="ensemble")
    parser.add_argument("--target", choices=list(CASES), action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--chains", type=int)
    parser.add_argument("--length", type=float, default=1.0, help="multiplies all iterations")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for name in chosen.target or CASES:
        for seed in range(chosen.seeds):
            measure(name, chosen.method, seed, chosen.chains, chosen.length)


if __name__ == "__main__":
    main()
