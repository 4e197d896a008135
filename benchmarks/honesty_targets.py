"""The five energies of the honesty experiment, as targets with exact means and variances."""

import math

import torch
from torch import Tensor

from ebmlang.testing import find_target
from ebmlang.testing.eight_schools import EFFECTS, ENDS, ERRORS, GRID, SCALE
from ebmlang.testing.target import Target

TARGETS = ("funnel10", "banana", "eight_schools_centered", "ring8", "icg100")

RADIUS, SPREAD = 0.5, 0.03
"""Of the ring, and of each of its Gaussians."""


def find(name: str) -> Target:
    """Return a target by name."""
    builders = {"eight_schools_centered": _build_centered_schools, "ring8": _build_ring}
    return builders[name]() if name in builders else find_target(name)


def _build_ring() -> Target:
    """Return eight equal Gaussians on a circle: the mean of cos^2 over them is 1/2."""
    angles = torch.arange(8, dtype=torch.float64) * math.pi / 4
    centers = RADIUS * torch.stack([angles.cos(), angles.sin()], 1)

    def energy(x: Tensor) -> Tensor:
        squares = (x[:, None] - centers).square().sum(2) / (2 * SPREAD**2)
        return -torch.logsumexp(-squares, 1)

    def draw(count: int, rng: torch.Generator) -> Tensor:
        noise = torch.randn(count, 2, dtype=torch.float64, generator=rng)
        return centers[torch.randint(8, (count,), generator=rng)] + SPREAD * noise

    return Target(
        name="ring8",
        dim=2,
        energy=energy,
        draw=draw,
        mean=torch.zeros(2, dtype=torch.float64),
        variance=torch.full((2,), RADIUS**2 / 2 + SPREAD**2, dtype=torch.float64),
        log_partition=math.log(8) + math.log(2 * math.pi) + 2 * math.log(SPREAD),
        source="a mixture of eight Gaussians, as in Du, Li and Mordatch 2020",
    )


def _build_centered_schools() -> Target:
    """Return eight schools with points (mu, log tau, theta_1, ..., theta_8).

    Given tau, mu is Gaussian; given both, theta_j is. Log tau is integrated on a grid.
    """
    free = find_target("eight_schools")
    y = torch.tensor(EFFECTS, dtype=torch.float64)
    sigma = torch.tensor(ERRORS, dtype=torch.float64)

    def energy(x: Tensor) -> Tensor:
        mu, log_tau, theta = x[:, 0], x[:, 1], x[:, 2:]
        tau = log_tau.exp()
        z = (theta - mu[:, None]) / tau[:, None]
        squares = ((y - theta) / sigma).square().sum(1) + z.square().sum(1) + (mu / SCALE).square()
        return squares / 2 + torch.log1p((tau / SCALE).square()) + 7 * log_tau

    def draw(count: int, rng: torch.Generator) -> Tensor:
        x = free.draw(count, rng)
        theta = x[:, :1] + x[:, 1:2].exp() * x[:, 2:]
        return torch.cat([x[:, :2], theta], 1)

    log_tau = torch.linspace(*ENDS, GRID, dtype=torch.float64)
    tau2 = (2 * log_tau).exp()[:, None]
    variance = sigma.square() + tau2
    precision = SCALE**-2 + (1 / variance).sum(1)
    mu = (y / variance).sum(1) / precision
    quadratic = (y.square() / variance).sum(1) - precision * mu.square()
    prior = log_tau - torch.log1p((log_tau.exp() / SCALE).square())
    weight = torch.softmax(prior - (quadratic + variance.log().sum(1) + precision.log()) / 2, 0)
    shrink = sigma.square() / variance
    theta = shrink * mu[:, None] + (1 - shrink) * y
    inside = tau2 * shrink + shrink.square() / precision[:, None]
    means = torch.cat([mu[:, None], log_tau[:, None], theta], 1)
    nothing = torch.zeros_like(log_tau)[:, None]
    within = torch.cat([1 / precision[:, None], nothing, inside], 1)
    mean = weight @ means
    return Target(
        name="eight_schools_centered",
        dim=10,
        energy=energy,
        draw=draw,
        mean=mean,
        variance=weight @ (within + (means - mean).square()),
        log_partition=free.log_partition,
        source=free.source,
    )
