"""The five energies of the honesty experiment, as specs and as targets with exact moments."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

import ebmlang
from ebmlang.api.bound_spec import BoundSpec
from ebmlang.testing import find_target
from ebmlang.testing.eight_schools import EFFECTS, ENDS, ERRORS, GRID, SCALE
from ebmlang.testing.target import Target
from ebmlang.testing.targets import draw_icg100

TARGETS = ("funnel10", "banana", "eight_schools_centered", "ring8", "icg100")

RADIUS, SPREAD = 0.5, 0.03
"""Of the ring, and of each of its Gaussians."""


SPECS: Mapping[str, str] = MappingProxyType(
    {
        "funnel10": """
var x: real[10]
prefer neck: x[0] ~ normal(0, 3)
prefer mouth: forall i in 1..9: x[i] ~ normal(0, exp(x[0] / 2))
""",
        "banana": """
var x: real[2]
prefer along: x[0] ~ normal(0, 10)
prefer across: x[1] ~ normal(0.03 * (x[0]^2 - 100), 1)
""",
        "eight_schools_centered": """
given effects: real[8]
given errors: real[8]
var x: real[10]
let tau = exp(x[1])
prefer centre: x[0] ~ normal(0, 5)
prefer scale: energy(log(1 + (tau / 5)^2) - x[1])
prefer schools: forall j in 0..7: x[j + 2] ~ normal(x[0], tau)
prefer data: forall j in 0..7: effects[j] ~ normal(x[j + 2], errors[j])
""",
        "ring8": f"""
const centers = [[{RADIUS} * cos(pi * k / 4), {RADIUS} * sin(pi * k / 4)] for k in 0..7]
var x: real[2]
prefer ring: exists center in centers: x ~ normal(center, {SPREAD})
""",
        "icg100": """
given root: real[100, 100]
var x: real[100]
let z = root @ x
prefer all: energy(dot(z, z) / 2)
""",
    }
)
"""The same energies up to constants, each with its point as `x`."""


def load(name: str) -> BoundSpec:
    """Return the spec of a target with its data."""
    data = {}
    if name == "eight_schools_centered":
        data = {"effects": list(EFFECTS), "errors": list(ERRORS)}
    elif name == "icg100":
        _, inverse_root = draw_icg100()
        data = {"root": inverse_root.T.numpy()}
    return ebmlang.loads(SPECS[name]).bind(data)


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
