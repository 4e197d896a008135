"""The log partition function over many seeds: does the error bar tell the truth?

    python -m benchmarks.log_partition            # all, about a quarter of an hour on one core
    python -m benchmarks.log_partition gaussian20 funnel10

For each target: by how many stated errors the estimates are off, how many are said to be
unreliable, and the median error bar. Then the masses of modes of targets that have several. The
tables are those of docs/log-partition.md.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample import smc
from ebmlang.spaces import ConcreteDomain, Layout, build_layout
from ebmlang.testing.targets import find_target

ISLANDS, PARTICLES = 16, 256
MASS_ISLANDS, MASS_PARTICLES = 32, 1024
RADIUS, WIDTH = 0.5, 0.03
"""Of the ring of eight, and of its Gaussians."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A target with its log partition function, and where its modes are."""

    energy: Callable[[Tensor], Tensor]
    layout: Layout
    truth: float
    seeds: int = 0
    modes: Tensor | None = None
    dtype: torch.dtype = torch.float64

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def dim(self) -> int:
        return self.layout.dim

    def requirements(self, x: Tensor) -> Tensor:
        return x.new_empty(len(x), 0)


def gaussian20() -> Case:
    """A correlated Gaussian, of condition about 100, ten standard deviations from zero."""
    rng = torch.Generator().manual_seed(3)
    root = torch.randn(20, 20, generator=rng, dtype=torch.float64)
    covariance = root @ root.T / 20 + 0.1 * torch.eye(20, dtype=torch.float64)
    center = 3 * torch.randn(20, generator=rng, dtype=torch.float64)
    precision = torch.linalg.inv(covariance)
    half_log_det = float(torch.logdet(covariance)) / 2
    return Case(
        energy=lambda x: ((x - center) @ precision * (x - center)).sum(1) / 2,
        layout=real(20),
        truth=10 * math.log(2 * math.pi) + half_log_det,
        seeds=100,
    )


def gmm40() -> Case:
    target = find_target("gmm40")
    rng = torch.Generator().manual_seed(0)
    modes = 40 * (2 * torch.rand(40, 2, dtype=torch.float64, generator=rng) - 1)
    return Case(
        energy=target.energy,
        layout=real(2, -60.0, 60.0),
        truth=0.0,
        seeds=100,
        modes=modes,
    )


def ring8() -> Case:
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    modes = RADIUS * torch.stack([angle.cos(), angle.sin()], 1)

    def energy(x: Tensor) -> Tensor:
        squares = (x[:, None] - modes).square().sum(2) / (2 * WIDTH**2)
        return -torch.logsumexp(-squares, 1)

    truth = math.log(8 * 2 * math.pi * WIDTH**2)
    return Case(energy=energy, layout=real(2, -1.0, 1.0), truth=truth, modes=modes)


def known(name: str, seeds: int) -> Case:
    target = find_target(name)
    return Case(
        energy=target.energy, layout=real(target.dim), truth=target.log_partition, seeds=seeds
    )


def in_the_plane(name: str, modes: list[list[float]]) -> Case:
    target = find_target(name)
    return Case(
        energy=target.energy,
        layout=real(2, -1.0, 1.0),
        truth=target.log_partition,
        modes=torch.tensor(modes, dtype=torch.float64),
    )


def real(dim: int, lower: float | None = None, upper: float | None = None) -> Layout:
    bounds = [None if side is None else np.asarray(side) for side in (lower, upper)]
    domain = ConcreteDomain(kind=DomainKind.REAL, shape=(dim,), lower=bounds[0], upper=bounds[1])
    return build_layout({"x": domain})


CASES: Mapping[str, Callable[[], Case]] = {
    "gaussian20": gaussian20,
    "gmm40": gmm40,
    "banana": lambda: known("banana", 20),
    "funnel10": lambda: known("funnel10", 20),
    "ring8": ring8,
    "ring_and_bar": lambda: in_the_plane("ring_and_bar", [[0, 0.5], [0, -0.5]]),
    "two_bars": lambda: in_the_plane("two_bars", [[0.6, 0], [-0.6, 0]]),
}


def measure_errors(name: str, case: Case) -> None:
    within, flagged, silent, bars = 0, 0, 0, []
    began = time.process_time()
    for seed in range(case.seeds):
        found = smc.sample(case, case.layout, islands=ISLANDS, particles=PARTICLES, seed=seed)[1]
        right = abs(found.value - case.truth) <= 3 * found.error
        within += right
        flagged += not found.reliable
        silent += found.reliable and not right
        bars.append(found.error)
    seconds = (time.process_time() - began) / case.seeds
    print(
        f"| {name} | {within} of {case.seeds} | {flagged} | {silent} | {np.median(bars):.3f} "
        f"| {seconds:.1f} |",
        flush=True,
    )


def measure_masses(name: str, case: Case, seed: int) -> None:
    assert case.modes is not None
    began = time.process_time()
    draws, found = smc.sample(
        case, case.layout, islands=MASS_ISLANDS, particles=MASS_PARTICLES, seed=seed
    )
    points = draws.points.flatten(0, 1)
    nearest = torch.cdist(points, case.modes).argmin(1)
    masses = torch.bincount(nearest, minlength=len(case.modes)).double() / len(points)
    off = (masses - 1 / len(case.modes)).abs()
    print(
        f"| {name} | {seed} | {int((masses > 0).sum())} of {len(case.modes)} "
        f"| {float(off.sum()) / 2:.4f} | {float(off.max()):.4f} "
        f"| {(found.value - case.truth) / found.error:+.1f} "
        f"| {float(draws.chunk.gradients.double().mean()):.0f} "
        f"| {time.process_time() - began:.0f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*", default=list(CASES))
    chosen = {name: CASES[name]() for name in parser.parse_args().targets}
    print("| target | within 3 errors | unreliable | wrong, not said | error bar | CPU s each |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, case in chosen.items():
        if case.seeds:
            measure_errors(name, case)
    print()
    print("| target | seed | modes | total variation | largest | log Z | gradients | CPU s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, case in chosen.items():
        if case.modes is not None:
            for seed in range(5):
                measure_masses(name, case, seed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
