"""Where annealing begins: a density of integral 1 over a sampler's coordinates.

Free coordinates follow a multivariate t, manifolds their uniform law, whose total is 1. A t and no
Gaussian: its tails are heavier than those of a density in free coordinates, which fall at least
like exp(-|q|) for bounded and positive unknowns, so that the weights on the way to the target
are bounded. Whatever its place and width, what is estimated with it is exact; they only decide on
how many temperatures it takes.
"""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.sample.streams import Noise
from ebmlang.spaces import SamplingChart

FREEDOM = 5
"""Degrees of freedom of the t: tails heavier than exponential, and moments up to the fourth."""

INFLATION = 1.5
"""By how much wider than the points it was fitted to a reference is: what lies just outside of
them should still be found."""

FIRST_SCALE = 5.0
"""Standard deviation of free coordinates where nothing is known yet. Models are written with their
unknowns near 1, and a uniform law between bounds has 1.8 in free coordinates."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudentReference:
    """A multivariate t on free coordinates, uniform on manifolds.

    Attributes:
        chart: A sampler's coordinates.
        free: The columns of those that are free.
        center: Of the t.
        factor: Cholesky factor of its scale matrix, which is its covariance up to a number.
    """

    chart: SamplingChart
    free: Int[Tensor, " free"]
    center: Float[Tensor, " free"]
    factor: Float[Tensor, "free free"]

    def __call__(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]:
        """Return minus the log density and its gradient."""
        count = len(self.free)
        away = q[:, self.free] - self.center
        whitened = torch.linalg.solve_triangular(self.factor, away.T, upper=False)
        square = whitened.square().sum(0)
        power = (FREEDOM + count) / 2
        constant = (
            math.lgamma(FREEDOM / 2)
            - math.lgamma(power)
            + count / 2 * math.log(FREEDOM * math.pi)
            + self.factor.diagonal().log().sum()
        )
        value = constant + power * torch.log1p(square / FREEDOM)
        pull = torch.linalg.solve_triangular(self.factor.T, whitened, upper=True).T
        gradient = torch.zeros_like(q)
        gradient[:, self.free] = 2 * power * pull / (FREEDOM + square)[:, None]
        return value, gradient

    def draw(self, noise: Noise) -> Float[Tensor, "chain dim"]:
        """Draw a point per chain: a normal one over the root of a chi-square."""
        normal = noise.normal("point", self.chart.dim)
        chi_square = noise.normal("width", FREEDOM).square().sum(1, keepdim=True)
        drawn = self.chart.onto_manifolds(normal)
        stretched = normal[:, self.free] * (FREEDOM / chi_square).sqrt()
        drawn[:, self.free] = self.center + stretched @ self.factor.T
        return drawn


def build_first_reference(
    chart: SamplingChart, *, dtype: torch.dtype, device: torch.device
) -> StudentReference:
    """Return the reference where nothing is known of the target."""
    free = _find_free(chart, dtype, device)
    center = torch.zeros(len(free), dtype=dtype, device=device)
    scale = FIRST_SCALE / math.sqrt(FREEDOM / (FREEDOM - 2))
    factor = scale * torch.eye(len(free), dtype=dtype, device=device)
    return StudentReference(chart=chart, free=free, center=center, factor=factor)


def fit_reference(chart: SamplingChart, q: Float[Tensor, "chain dim"]) -> StudentReference:
    """Return a reference with the mean and `INFLATION` times the spread of points."""
    free = _find_free(chart, q.dtype, q.device)
    points = q[:, free].double()
    covariance = estimate_covariance(points) * (INFLATION**2 * (FREEDOM - 2) / FREEDOM)
    factor: Tensor = torch.linalg.cholesky(covariance)
    return StudentReference(
        chart=chart, free=free, center=points.mean(0).to(q.dtype), factor=factor.to(q.dtype)
    )


def is_wide_enough(reference: StudentReference, q: Float[Tensor, "chain dim"]) -> bool:
    """Return whether points annealed from a reference lie within it.

    Where they spread, about its center, as widely as it does in any direction, what lies
    further out may have been missed.
    """
    if not len(reference.free):
        return True
    away = (q[:, reference.free] - reference.center).double()
    whitened = torch.linalg.solve_triangular(reference.factor.double(), away.T, upper=False)
    spread = torch.linalg.eigvalsh(whitened @ whitened.T / len(q)).amax()
    return bool(spread < FREEDOM / (FREEDOM - 2))


def estimate_covariance(points: Float[Tensor, "chain dim"]) -> Float[Tensor, "dim dim"]:
    """Return the covariance of points, shrunk to its diagonal by the share dim / (dim + points).

    Sample correlations of so many points are off by about the root of that share.
    """
    count, dim = points.shape
    away = points - points.mean(0)
    covariance = away.T @ away / count
    share = dim / (dim + count)
    diagonal = covariance.diagonal()
    # Points that have all fallen together in a coordinate still need a positive scale.
    least = torch.finfo(points.dtype).eps * (1 + points.square().mean(0))
    return (1 - share) * covariance + torch.diag(share * diagonal + least)


def _find_free(
    chart: SamplingChart, dtype: torch.dtype, device: torch.device
) -> Int[Tensor, " free"]:
    """Return the columns that are not those of manifolds."""
    zeros = torch.zeros(1, chart.dim, dtype=dtype, device=device)
    return torch.nonzero(chart.with_free(zeros, zeros + 1)[0])[:, 0]
