"""Energies with known answers, to test samplers and solvers on.

    target = find_target("banana")
    x = target.draw(1000, torch.Generator().manual_seed(0))
    x.var(0), target.variance

Energies are batched: `[chain, dim]` to `[chain]`. Draws are exact: independent, and from the
density exp(-E - log_partition) itself.
"""

import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from ebmlang.testing.eight_schools import build_eight_schools
from ebmlang.testing.target import Target

LOG_TAU = math.log(2 * math.pi)


def _normal(count: int, dim: int, rng: torch.Generator) -> Tensor:
    return torch.randn(count, dim, dtype=torch.float64, generator=rng)


def _uniform(count: int, dim: int, rng: torch.Generator) -> Tensor:
    return torch.rand(count, dim, dtype=torch.float64, generator=rng)


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- one mode ------------------------------------------------------------------------


def draw_icg100() -> tuple[Tensor, Tensor]:
    """Return a root R of the covariance of `icg100`, as R R^T, and the transpose of its inverse."""
    rng = np.random.RandomState(10)
    eigenvalues = 1 / np.sort(rng.gamma(0.5, 1.0, size=100))
    q, r = np.linalg.qr(rng.randn(100, 100))
    q = q * np.sign(np.diag(r))
    axes = torch.from_numpy(q)
    spread = torch.from_numpy(eigenvalues)
    return axes * spread.sqrt(), axes / spread.sqrt()


def build_icg100() -> Target:
    """Return the ill-conditioned Gaussian in 100 dimensions, of condition 1.3e5.

    Source: Hoffman and others, NeuTra-lizing Bad Geometry in HMC, 2019, as in Inference Gym.
    """
    root, inverse_root = draw_icg100()
    return Target(
        name="icg100",
        dim=100,
        energy=lambda x: (x @ inverse_root).square().sum(1) / 2,
        draw=lambda count, rng: _normal(count, 100, rng) @ root.T,
        mean=torch.zeros(100, dtype=torch.float64),
        variance=root.square().sum(1),
        log_partition=50 * LOG_TAU + float(torch.linalg.slogdet(root)[1]),
        source="Hoffman and others 2019, arXiv:1903.03704",
    )


def build_banana() -> Target:
    """Return the banana: x0 ~ N(0, 10^2), x1 ~ N(0.03 (x0^2 - 100), 1).

    Var x1 = 1 + 0.03^2 Var(x0^2) = 1 + 0.03^2 * 2 * 10^4 = 19.

    Source: Haario, Saksman and Tamminen, Adaptive proposal distribution, 1999.
    """

    def bend(x0: Tensor) -> Tensor:
        return 0.03 * (x0.square() - 100)

    def energy(x: Tensor) -> Tensor:
        x0, x1 = x.unbind(1)
        return ((x0 / 10).square() + (x1 - bend(x0)).square()) / 2 + math.log(10) + LOG_TAU

    def draw(count: int, rng: torch.Generator) -> Tensor:
        a, b = _normal(count, 2, rng).unbind(1)
        return torch.stack([10 * a, b + bend(10 * a)], 1)

    return Target(
        name="banana",
        dim=2,
        energy=energy,
        draw=draw,
        mean=_numbers(0, 0),
        variance=_numbers(100, 19),
        log_partition=0.0,
        source="Haario, Saksman and Tamminen 1999",
    )


def build_funnel10() -> Target:
    """Return Neal's funnel: x0 ~ N(0, 3^2), nine x_i ~ N(0, variance exp(x0)).

    Var x_i = E exp(x0) = exp(9 / 2).

    Source: Neal, Slice sampling, Annals of Statistics 31 (2003), section 8.
    """

    def energy(x: Tensor) -> Tensor:
        x0, rest = x[:, 0], x[:, 1:]
        inner = (rest.square().sum(1) * (-x0).exp() + 9 * x0) / 2
        return (x0 / 3).square() / 2 + inner + math.log(3) + 5 * LOG_TAU

    def draw(count: int, rng: torch.Generator) -> Tensor:
        z = _normal(count, 10, rng)
        x0 = 3 * z[:, :1]
        return torch.cat([x0, z[:, 1:] * (x0 / 2).exp()], 1)

    return Target(
        name="funnel10",
        dim=10,
        energy=energy,
        draw=draw,
        mean=torch.zeros(10, dtype=torch.float64),
        variance=_numbers(9, *[math.exp(4.5)] * 9),
        log_partition=0.0,
        source="Neal 2003",
    )


def build_rosen36() -> Target:
    """Return 18 independent pairs x ~ N(1, 1), y ~ N(x^2, variance 0.1): the x, then the y.

    E y = E x^2 = 2, Var y = 0.1 + Var x^2 = 0.1 + 6.

    Source: Grumitt, Dai and Seljak, Deterministic Langevin Monte Carlo, 2022.
    """

    def energy(x: Tensor) -> Tensor:
        a, b = x[:, :18], x[:, 18:]
        squares = (a - 1).square() + (b - a.square()).square() / 0.1
        return squares.sum(1) / 2 + 18 * LOG_TAU + 9 * math.log(0.1)

    def draw(count: int, rng: torch.Generator) -> Tensor:
        z = _normal(count, 36, rng)
        a = 1 + z[:, :18]
        return torch.cat([a, a.square() + math.sqrt(0.1) * z[:, 18:]], 1)

    return Target(
        name="rosen36",
        dim=36,
        energy=energy,
        draw=draw,
        mean=_numbers(*[1.0] * 18, *[2.0] * 18),
        variance=_numbers(*[1.0] * 18, *[6.1] * 18),
        log_partition=0.0,
        source="Grumitt, Dai and Seljak 2022, arXiv:2205.14240",
    )


# --- several modes -------------------------------------------------------------------


def build_gmm40() -> Target:
    """Return 40 equal Gaussians of scale softplus(1), placed evenly at random in [-40, 40]^2.

    Source: Midgley and others, Flow annealed importance sampling bootstrap, ICLR 2023.
    """
    scale = math.log1p(math.e)
    rng = torch.Generator().manual_seed(0)
    centers = 40 * (2 * _uniform(40, 2, rng) - 1)

    def energy(x: Tensor) -> Tensor:
        squares = (x[:, None] - centers).square().sum(2) / (2 * scale**2)
        return LOG_TAU + 2 * math.log(scale) + math.log(40) - torch.logsumexp(-squares, 1)

    def draw(count: int, rng: torch.Generator) -> Tensor:
        picked = torch.randint(40, (count,), generator=rng)
        return centers[picked] + scale * _normal(count, 2, rng)

    return Target(
        name="gmm40",
        dim=2,
        energy=energy,
        draw=draw,
        mean=centers.mean(0),
        variance=centers.var(0, unbiased=False) + scale**2,
        log_partition=0.0,
        source="Midgley and others 2023, arXiv:2208.01893",
    )


def build_ring_and_bar() -> Target:
    """Return the product of a ring of eight Gaussians with the bar [-0.2, 0.2] x [-1, 1].

    The ring has radius 0.5 and scale 0.03; of its Gaussians two lie in the bar, at (0, +-0.5), and
    the others are five scales away from it: their share is less than 1e-6. What is drawn, and
    said of moments, is of the two.

    Source: Du, Li and Mordatch, Compositional visual generation with energy models, 2020, figure 2.
    """
    angles = torch.arange(8, dtype=torch.float64) * math.pi / 4
    centers = 0.5 * torch.stack([angles.cos(), angles.sin()], 1)
    scale = 0.03

    def energy(x: Tensor) -> Tensor:
        squares = (x[:, None] - centers).square().sum(2) / (2 * scale**2)
        inside = (x[:, 0].abs() <= 0.2) & (x[:, 1].abs() <= 1)
        return torch.where(inside, -torch.logsumexp(-squares, 1), math.inf)

    def draw(count: int, rng: torch.Generator) -> Tensor:
        sign = torch.randint(2, (count,), generator=rng).double() * 2 - 1
        return torch.stack([torch.zeros_like(sign), sign / 2], 1) + scale * _normal(count, 2, rng)

    return Target(
        name="ring_and_bar",
        dim=2,
        energy=energy,
        draw=draw,
        mean=_numbers(0, 0),
        variance=_numbers(scale**2, 0.25 + scale**2),
        log_partition=math.log(2) + LOG_TAU + 2 * math.log(scale),
        source="Du, Li and Mordatch 2020, arXiv:2004.06030",
    )


def build_two_bars() -> Target:
    """Return the mixture of two bars, [-0.8, -0.4] x [-1, 1] and its mirror image: half of each."""

    def energy(x: Tensor) -> Tensor:
        inside = ((x[:, 0].abs() - 0.6).abs() <= 0.2) & (x[:, 1].abs() <= 1)
        return torch.where(inside, math.log(1.6), math.inf)

    def draw(count: int, rng: torch.Generator) -> Tensor:
        sign = torch.randint(2, (count,), generator=rng).double() * 2 - 1
        u, v = _uniform(count, 2, rng).unbind(1)
        return torch.stack([sign * (0.4 + 0.4 * u), 2 * v - 1], 1)

    return Target(
        name="two_bars",
        dim=2,
        energy=energy,
        draw=draw,
        mean=_numbers(0, 0),
        variance=_numbers(0.36 + 0.16 / 12, 1 / 3),
        log_partition=0.0,
        source="a mixture of uniform laws",
    )


def build_box_without_box() -> Target:
    """Return the negation: a box of half-width 0.7 without one of half-width 0.3 inside it.

    With areas A = 1.96 and B = 0.36, Var x = (A 0.7^2 - B 0.3^2) / (3 (A - B)).
    """
    outer, inner = 0.7, 0.3
    areas = (4 * outer**2, 4 * inner**2)
    area = areas[0] - areas[1]

    def energy(x: Tensor) -> Tensor:
        furthest = x.abs().amax(1)
        inside = (furthest <= outer) & (furthest >= inner)
        return torch.where(inside, math.log(area), math.inf)

    def draw(count: int, rng: torch.Generator) -> Tensor:
        # The furthest coordinate r has density 8 r / area: each side of the box is 2 r long.
        u, v = _uniform(count, 2, rng).unbind(1)
        r = (inner**2 + u * (outer**2 - inner**2)).sqrt()
        along = (2 * v - 1) * r
        side = torch.randint(4, (count,), generator=rng)
        sign = (side % 2).double() * 2 - 1
        first = torch.stack([sign * r, along], 1)
        return torch.where((side < 2)[:, None], first, first.flip(1))

    spread = (areas[0] * outer**2 - areas[1] * inner**2) / (3 * area)
    return Target(
        name="box_without_box",
        dim=2,
        energy=energy,
        draw=draw,
        mean=_numbers(0, 0),
        variance=_numbers(spread, spread),
        log_partition=0.0,
        source="a uniform law",
    )


# --- all of them ---------------------------------------------------------------------

_BUILDERS: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {
        "icg100": build_icg100,
        "banana": build_banana,
        "funnel10": build_funnel10,
        "rosen36": build_rosen36,
        "eight_schools": build_eight_schools,
        "gmm40": build_gmm40,
        "ring_and_bar": build_ring_and_bar,
        "two_bars": build_two_bars,
        "box_without_box": build_box_without_box,
    }
)


TARGETS = tuple(_BUILDERS)
"""The names of all targets."""


@cache
def find_target(name: str) -> Target:
    """Return a target by name, built once.

    Raises:
        ValueError: There is no such target.

    >>> find_target("banana").variance.tolist()
    [100.0, 19.0]
    """
    if name not in _BUILDERS:
        meant = get_close_matches(name, TARGETS, n=1) or TARGETS
        listed = ", ".join(f"`{known}`" for known in meant)
        question = f"did you mean {listed}?" if len(meant) == 1 else f"there are {listed}"
        raise ValueError(f"there is no target `{name}`; {question}")
    return _BUILDERS[name]()
