"""Targets whose draws can be made exactly, one for each kind of domain.

Those that can be moved in machine code are specs too: where the environment's `EBM_TIER` is
`native`, the tests that build on them are about that.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

import ebmlang
from ebmlang.api.compile import compile_model
from ebmlang.lang import DomainKind
from ebmlang.lower.tiers import Tier, asked_tier
from ebmlang.runtime import Target
from ebmlang.sample.density import Density, Reference, TargetDensity, TemperedDensity
from ebmlang.sample.native import compile_density
from ebmlang.spaces import Layout, SamplingChart, build_sampling_chart, draw_starts
from tests.runtime.function_target import FunctionTarget, layout_of, nothing

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Law:
    """A density on a domain, exact draws from it, and a step size that suits it.

    Attributes:
        layout: The domain.
        energy: In written coordinates.
        draw: Makes exact draws.
        step_size: For a few leapfrog steps in a unit metric.
        requirements: Margins of what is required.
        reference: Where the density is tempered, the end of temperature 0; then `draw` is from
            the density in between, at `INVERSE_TEMPERATURE`.
        spec: The same as a spec, with its point as `x`, without the term `e` that is its energy.
        formula: The energy, in the language.
    """

    layout: Layout
    energy: Callable[[Tensor], Tensor]
    draw: Callable[[int, torch.Generator], Tensor]
    step_size: float
    requirements: Callable[[Tensor], Tensor] = nothing
    reference: Reference | None = None
    spec: str = ""
    formula: str = ""

    @property
    def target(self) -> Target:
        if in_machine_code() and self.formula:
            return compiled(f"{self.spec}\nminimize e: {self.formula}")
        return FunctionTarget(
            dim=self.layout.dim, energy=self.energy, requirements=self.requirements
        )

    @property
    def chart(self) -> SamplingChart:
        return build_sampling_chart(self.layout, dtype=torch.float64, device=CPU)

    def density(self, count: int) -> Density:
        """Return what a sampler of so many chains sees."""
        plain = TargetDensity(target=self.target, chart=self.chart)
        if self.reference is None:
            return compile_density(plain, chains=count) if in_machine_code() else plain
        beta = torch.full((count,), INVERSE_TEMPERATURE, dtype=torch.float64)
        return TemperedDensity(plain=plain, reference=self.reference, inverse_temperature=beta)


def in_machine_code() -> bool:
    """Whether tests are to be about machine code."""
    return asked_tier() is Tier.NATIVE


@cache
def compiled(text: str) -> Target:
    return compile_model(ebmlang.loads(text), dtype=torch.float64, device="cpu").packed()


def normal(count: int, dim: int, rng: torch.Generator) -> Tensor:
    return torch.randn(count, dim, dtype=torch.float64, generator=rng)


def uniform(count: int, dim: int, rng: torch.Generator) -> Tensor:
    return torch.rand(count, dim, dtype=torch.float64, generator=rng)


def gamma(shape: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Draw gamma variates of integer shape as sums of exponentials."""
    columns = [-uniform(count, int(k), rng).log().sum(1) for k in shape]
    return torch.stack(columns, dim=1)


SCALES = torch.tensor([1.0, 3.0, 0.3], dtype=torch.float64)
SHAPES = torch.tensor([1.0, 2.0, 4.0]).double()
LOWER, UPPER = -0.5, 1.5
CONCENTRATION = 1.0
"""Of von Mises-Fisher and of the matrix Fisher law."""
INVERSE_TEMPERATURE = 0.5
"""Of the tempered law."""
ROOT = torch.tensor([[1.0, 0.0, 0.0], [1.2, 0.7, 0.0], [-0.5, 0.6, 1.5]]).double()
"""A square root of the covariance of the correlated normal law."""
CENTER = 1.8
"""Distance of the modes of the mixture from 0, in their standard deviation."""
HEIGHT = 0.2
"""Lower end of the cap of the sphere."""


_ROWS = torch.linalg.inv(ROOT).tolist()
WHITENED = f"const whitening = {_ROWS}\nvar x: real[3]\nlet z = whitening @ x"
TWO_DISCS = """
var x: real[2]
let left = norm(x + [0.7, 0])
let right = norm(x - [0.7, 0])
require inside: (left <= 1 or right <= 1) and norm(x) >= 0.5
"""


def truncated_normal(count: int, rng: torch.Generator) -> Tensor:
    def cdf(x: float) -> float:
        return (1 + math.erf(x / math.sqrt(2))) / 2

    u = cdf(LOWER) + (cdf(UPPER) - cdf(LOWER)) * uniform(count, 2, rng)
    return torch.special.ndtri(u)


def von_mises_fisher(count: int, rng: torch.Generator) -> Tensor:
    """Draw the height by inverting its distribution, then the direction around the axis."""
    u, turn = uniform(count, 2, rng).unbind(1)
    k = CONCENTRATION
    height = 1 + torch.log(u + (1 - u) * math.exp(-2 * k)) / k
    radius = (1 - height.square()).clamp(min=0).sqrt()
    angle = 2 * math.pi * turn
    return torch.stack([radius * angle.cos(), radius * angle.sin(), height], dim=1)


def matrix_fisher(n: int) -> Callable[[int, torch.Generator], Tensor]:
    """Reject uniform rotations: the density is exp(c trace R), at most exp(c n)."""

    def draw(count: int, rng: torch.Generator) -> Tensor:
        layout = layout_of(DomainKind.ROTATION, n, n)
        seed = int(torch.randint(1 << 30, (), generator=rng))
        # One try in eleven is kept in space, one in three in the plane.
        tries = draw_starts(layout, 13 * count, seed=seed, dtype=torch.float64, device=CPU)
        # The order of a Sobol sequence is not random; the shuffle makes the draws independent.
        tries = tries[torch.randperm(len(tries), generator=rng)]
        log_share = -trace_energy(n)(tries) - CONCENTRATION * n
        kept = tries[uniform(len(tries), 1, rng)[:, 0].log() < log_share]
        assert len(kept) >= count
        return kept[:count]

    return draw


def trace_energy(n: int) -> Callable[[Tensor], Tensor]:
    return lambda x: -CONCENTRATION * x.view(-1, n, n).diagonal(dim1=1, dim2=2).sum(1)


def dirichlet(count: int, rng: torch.Generator) -> Tensor:
    drawn = gamma(SHAPES, count, rng)
    return drawn / drawn.sum(1, keepdim=True)


def half_normal(count: int, rng: torch.Generator) -> Tensor:
    drawn = normal(count, 2, rng)
    return torch.stack([drawn[:, 0].abs(), drawn[:, 1]], dim=1)


def correlated_normal(count: int, rng: torch.Generator) -> Tensor:
    return normal(count, 3, rng) @ ROOT.T


def two_normals(count: int, rng: torch.Generator) -> Tensor:
    sign = 2 * torch.randint(2, (count, 1), generator=rng).double() - 1
    return CENTER * sign + normal(count, 1, rng)


def two_normals_energy(x: Tensor) -> Tensor:
    squares = torch.cat([x - CENTER, x + CENTER], dim=1).square() / 2
    return -torch.logsumexp(-squares, dim=1)


def disc(count: int, rng: torch.Generator) -> Tensor:
    direction = normal(count, 2, rng)
    radius = uniform(count, 1, rng).sqrt()
    return radius * direction / direction.norm(dim=1, keepdim=True)


def discs(x: Tensor) -> Tensor:
    """Return the margin of two discs together, without a third between them."""

    def inside(center: float, radius: float) -> Tensor:
        return radius - (x - torch.tensor([center, 0.0]).double()).norm(dim=1)

    return torch.minimum(torch.maximum(inside(-0.7, 1), inside(0.7, 1)), -inside(0, 0.5))[:, None]


def in_discs(count: int, rng: torch.Generator) -> Tensor:
    """Reject normal draws."""
    tries = normal(6 * count, 2, rng)
    kept = tries[discs(tries)[:, 0] >= 0]
    assert len(kept) >= count
    return kept[:count]


def cap(count: int, rng: torch.Generator) -> Tensor:
    """Draw von Mises-Fisher above a height, by inversion as for the whole sphere."""
    u, turn = uniform(count, 2, rng).unbind(1)
    k = CONCENTRATION
    height = 1 + torch.log(u + (1 - u) * math.exp(-k * (1 - HEIGHT))) / k
    radius = (1 - height.square()).clamp(min=0).sqrt()
    angle = 2 * math.pi * turn
    return torch.stack([radius * angle.cos(), radius * angle.sin(), height], dim=1)


def exponential_reference(q: Tensor) -> tuple[Tensor, Tensor]:
    """Return minus the log density of two exponential variates, by their logarithms."""
    return (q.exp() - q).sum(1), q.exp() - 1


LAWS = {
    "correlated normal": Law(
        layout=layout_of(DomainKind.REAL, 3),
        energy=lambda x: (x @ torch.linalg.inv(ROOT).T).square().sum(1) / 2,
        draw=correlated_normal,
        step_size=0.45,
        spec=WHITENED,
        formula="dot(z, z) / 2",
    ),
    "two normals": Law(
        layout=layout_of(DomainKind.REAL, 1),
        energy=two_normals_energy,
        draw=two_normals,
        step_size=1.2,
        spec="var x: real[1]",
        formula="-log(exp(-(x[0] - 1.8)^2 / 2) + exp(-(x[0] + 1.8)^2 / 2))",
    ),
    "normal": Law(
        layout=layout_of(DomainKind.REAL, 3),
        energy=lambda x: (x / SCALES).square().sum(1) / 2,
        draw=lambda count, rng: normal(count, 3, rng) * SCALES,
        step_size=0.3,
        spec="var x: real[3]",
        formula="sum((x / [1, 3, 0.3])^2) / 2",
    ),
    "truncated normal": Law(
        layout=layout_of(DomainKind.REAL, 2, lower=LOWER, upper=UPPER),
        energy=lambda x: x.square().sum(1) / 2,
        draw=truncated_normal,
        step_size=0.8,
        spec="var x: real[2] in [-0.5, 1.5]",
        formula="sum(x^2) / 2",
    ),
    "exponential from above": Law(
        layout=layout_of(DomainKind.REAL, 2, upper=1.0),
        energy=lambda x: -x.sum(1),
        draw=lambda count, rng: 1 + uniform(count, 2, rng).log(),
        step_size=0.5,
        spec="var x: real[2] in [-inf, 1]",
        formula="-sum(x)",
    ),
    "exponential": Law(
        layout=layout_of(DomainKind.POSITIVE, 1),
        energy=lambda x: x.sum(1),
        draw=lambda count, rng: -uniform(count, 1, rng).log(),
        step_size=0.7,
        spec="var x: positive[1]",
        formula="sum(x)",
    ),
    "gamma": Law(
        layout=layout_of(DomainKind.POSITIVE, 3),
        energy=lambda x: (x - (SHAPES - 1) * x.log()).sum(1),
        draw=lambda count, rng: gamma(SHAPES, count, rng),
        step_size=0.4,
        spec="var x: positive[3]",
        formula="sum(x - [0, 1, 3] * log(x))",
    ),
    "ordered normal": Law(
        layout=layout_of(DomainKind.ORDERED, 3),
        energy=lambda x: x.square().sum(1) / 2,
        draw=lambda count, rng: normal(count, 3, rng).sort(dim=1).values,
        step_size=0.3,
        spec="var x: ordered[3]",
        formula="sum(x^2) / 2",
    ),
    "dirichlet": Law(
        layout=layout_of(DomainKind.SIMPLEX, 3),
        energy=lambda x: -((SHAPES - 1) * x.log()).sum(1),
        draw=dirichlet,
        step_size=0.5,
        spec="var x: simplex[3]",
        formula="-sum([0, 1, 3] * log(x))",
    ),
    "von mises-fisher": Law(
        layout=layout_of(DomainKind.UNIT, 3),
        energy=lambda x: -CONCENTRATION * x[:, 2],
        draw=von_mises_fisher,
        step_size=0.6,
    ),
    "matrix fisher in space": Law(
        layout=layout_of(DomainKind.ROTATION, 3, 3),
        energy=trace_energy(3),
        draw=matrix_fisher(3),
        step_size=0.4,
    ),
    "matrix fisher in the plane": Law(
        layout=layout_of(DomainKind.ROTATION, 2, 2),
        energy=trace_energy(2),
        draw=matrix_fisher(2),
        step_size=0.5,
    ),
    "normal where the energy is a number": Law(
        layout=layout_of(DomainKind.REAL, 2),
        energy=lambda x: x.square().sum(1) / 2 + torch.where(x[:, 0] < 0, torch.nan, 0.0),
        draw=half_normal,
        step_size=0.5,
        spec="var x: real[2]",
        formula="sum(x^2) / 2 + 1e-300 * sqrt(x[0])",
    ),
    "normal where something is required": Law(
        layout=layout_of(DomainKind.REAL, 2),
        energy=lambda x: x.square().sum(1) / 2,
        draw=half_normal,
        step_size=0.5,
        requirements=lambda x: x[:, :1],
        spec="var x: real[2]\nrequire right: x[0] >= 0",
        formula="sum(x^2) / 2",
    ),
    "uniform in a disc": Law(
        layout=layout_of(DomainKind.REAL, 2),
        energy=lambda x: 0 * x.sum(1),
        draw=disc,
        step_size=0.4,
        requirements=lambda x: 1 - x.square().sum(1)[:, None],
        spec="var x: real[2]\nrequire near: sum(x^2) <= 1",
        formula="0 * sum(x)",
    ),
    "normal in two discs without a third": Law(
        layout=layout_of(DomainKind.REAL, 2),
        energy=lambda x: x.square().sum(1) / 2,
        draw=in_discs,
        step_size=0.4,
        requirements=discs,
        spec=TWO_DISCS,
        formula="sum(x^2) / 2",
    ),
    "von mises-fisher on a cap": Law(
        layout=layout_of(DomainKind.UNIT, 3),
        energy=lambda x: -CONCENTRATION * x[:, 2],
        draw=cap,
        step_size=0.5,
        requirements=lambda x: x[:, 2:] - HEIGHT,
    ),
    # Halfway, in the logarithm of the density, from the exponential to gamma of shape 5 lies
    # gamma of shape 3.
    "tempered gamma": Law(
        layout=layout_of(DomainKind.POSITIVE, 2),
        energy=lambda x: (x - 4 * x.log()).sum(1),
        draw=lambda count, rng: gamma(torch.tensor([3.0, 3.0]), count, rng),
        step_size=0.5,
        reference=exponential_reference,
    ),
}


def kinetic(momentum: Tensor) -> Tensor:
    """Return |z|^2 / 2."""
    return momentum.double().square().sum(1) / 2
