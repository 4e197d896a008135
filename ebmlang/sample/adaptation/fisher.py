"""A metric from positions and gradients: the one in which the target looks most like N(0, I).

With A the covariance of positions and B that of gradients, the metric M that makes the expected
squared distance of the gradient from that of N(0, M) smallest, in units of M, solves M B M = A:

    M = A # B^-1,   the geometric mean;   diagonal: M_i = sd(x_i) / sd(g_i)

For a normal law of covariance C gradients are C^-1 (x - mean), so M = C for *any* sample of more
chains than dimensions, wherever they are: there is no sampling noise, and chains that start far
too narrow know the whole shape after one gradient. Elsewhere M weighs the narrow parts, which
bound the step size, more than a covariance does.

Source: Seyboldt, Carlson and Carpenter, Preconditioning Hamiltonian Monte Carlo by minimizing
Fisher divergence (2026), sections 3 and 4, as in nutpie.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.sample.metric import Dense, Diagonal, LowRank, Metric
from ebmlang.spaces import SamplingChart

MOST_DENSE = 500
"""Dimensions past which a dense metric costs more than it gains."""

CHAINS_PER_DIMENSION = 2
"""Healthy chains for each dimension that a dense metric asks for: with fewer, gradients and
positions do not span the space well enough to invert."""

RANK_CHAINS = 128
"""Chains whose positions and gradients span the directions of a low-rank metric."""

RANK = 32
"""Directions of a low-rank metric along which it stretches, at most."""

REGULARIZATION = 1e-8
"""What is added to both covariances, relative to their mean diagonal, so that they invert where
a direction is flat to the last digit."""

FEWEST = 4
"""Chains below which there is nothing to learn from."""


def estimate_metric(
    chart: SamplingChart,
    position: Float[Tensor, "chain dim"],
    gradient: Float[Tensor, "chain dim"],
    healthy: Bool[Tensor, " chain"],
) -> Metric:
    """Return the metric of two halves of the chains, each from the other half.

    Args:
        chart: Of the coordinates; a manifold's element gets one number.
        position: In a sampler's coordinates.
        gradient: Of the potential.
        healthy: Chains that count: one that is not finite must not spoil the others.
    """
    halves = list(
        zip(
            position.tensor_split(2), gradient.tensor_split(2), healthy.tensor_split(2), strict=True
        )
    )
    others = [(x[ok].double(), g[ok].double()) for x, g, ok in reversed(halves)]
    dim, fewest = position.shape[1], min(len(x) for x, _ in others)
    if not chart.is_flat or fewest < FEWEST:
        scales = [_diagonal(chart, x, g) for x, g in others]
        return Diagonal(scale=torch.stack(scales).to(position.dtype))
    if dim <= MOST_DENSE and fewest >= CHAINS_PER_DIMENSION * dim:
        factors = [_dense(chart, x, g) for x, g in others]
        return Dense(factor=torch.stack(factors).to(position.dtype))
    parts = [_low_rank(chart, x, g, min(RANK, fewest - 1, dim)) for x, g in others]
    scale, directions, stretch = (
        torch.stack(part).to(position.dtype) for part in zip(*parts, strict=True)
    )
    return LowRank(scale=scale, directions=directions, stretch=stretch)


def estimate_shared(
    chart: SamplingChart,
    position: Float[Tensor, "draw dim"],
    gradient: Float[Tensor, "draw dim"],
) -> Metric | None:
    """Return one metric for all chains, from draws pooled over chains and iterations.

    With fewer than two for each dimension only the directions that vary most are stretched, and the
    rest is as in the diagonal metric.

    Args:
        chart: Of the coordinates; a manifold's element gets one number.
        position: In a sampler's coordinates, finite.
        gradient: Of the potential there, finite.

    Returns:
        The metric; None where the draws tell nothing: they are too few, a coordinate has not moved,
        or had one slope throughout, as far out where an energy is straight.
    """
    x, g = position.double(), gradient.double()
    count, dim = x.shape
    if count < FEWEST or not bool(((x.var(0) > 0) & (g.var(0) > 0)).all()):
        return None
    if not chart.is_flat or dim == 1:
        return Diagonal(scale=_diagonal(chart, x, g)[None].to(position.dtype))
    if dim <= MOST_DENSE and count >= CHAINS_PER_DIMENSION * dim:
        return Dense(factor=_dense(chart, x, g)[None].to(position.dtype))
    parts = _low_rank(chart, x, g, min(RANK, count - 1, dim))
    scale, directions, stretch = (part[None].to(position.dtype) for part in parts)
    return LowRank(scale=scale, directions=directions, stretch=stretch)


def _diagonal(
    chart: SamplingChart, x: Float[Tensor, "chain dim"], g: Float[Tensor, "chain dim"]
) -> Float[Tensor, " dim"]:
    """Return the square roots of sd(x) / sd(g); 1 where nothing varies."""
    if len(x) < FEWEST:
        return torch.ones_like(x[0]) if len(x) else x.new_ones(x.shape[1])
    ratio = chart.pool(x.var(0)) / chart.pool(g.var(0))
    return torch.where(torch.isfinite(ratio) & (ratio > 0), ratio, 1) ** 0.25


def _dense(
    chart: SamplingChart, x: Float[Tensor, "chain dim"], g: Float[Tensor, "chain dim"]
) -> Float[Tensor, "dim dim"]:
    """Return L with L L^T = A # B^-1, in units of the diagonal one."""
    scale = _diagonal(chart, x, g)
    return scale[:, None] * _geometric_root(_covariance(x / scale), _covariance(g * scale))


def _low_rank(
    chart: SamplingChart,
    x: Float[Tensor, "chain dim"],
    g: Float[Tensor, "chain dim"],
    rank: int,
) -> tuple[Float[Tensor, " dim"], Float[Tensor, "dim rank"], Float[Tensor, " rank"]]:
    """Return the diagonal metric, stretched where positions or gradients vary most."""
    scale = _diagonal(chart, x, g)
    x, g = x / scale, g * scale
    spanning = [_principal(part[:RANK_CHAINS], rank // 2) for part in (x, g)]
    basis = torch.linalg.qr(torch.cat(spanning, dim=1)).Q
    root = _geometric_root(_covariance(x @ basis), _covariance(g @ basis))
    stretch, directions = torch.linalg.eigh(root @ root.T)
    return scale, basis @ directions, stretch.clamp(min=0).sqrt()


def _principal(x: Float[Tensor, "chain dim"], rank: int) -> Float[Tensor, "dim rank"]:
    """Return the directions along which the rows vary most, as columns, orthonormal."""
    directions: Tensor = torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh
    return directions[: max(1, rank)].T


def _covariance(x: Float[Tensor, "chain dim"]) -> Float[Tensor, "dim dim"]:
    """Return the covariance, regularised."""
    centered = x - x.mean(0)
    covariance = centered.T @ centered / (len(x) - 1)
    size = covariance.diagonal().mean().clamp(min=torch.finfo(x.dtype).tiny)
    return covariance + REGULARIZATION * size * torch.eye(len(covariance)).to(covariance)


def _geometric_root(
    a: Float[Tensor, "dim dim"], b: Float[Tensor, "dim dim"]
) -> Float[Tensor, "dim dim"]:
    """Return L with L L^T = a # b^-1.

    With b = R R^T it is R^-T (R^T a R)^(1/2) R^-1.

    Source: Bhatia, Positive Definite Matrices (2007), section 4.1.
    """
    root = torch.linalg.cholesky(b)
    values, vectors = torch.linalg.eigh(root.T @ a @ root)
    weighted = vectors * values.clamp(min=torch.finfo(a.dtype).tiny) ** 0.25
    solved: Tensor = torch.linalg.solve_triangular(root.T, weighted, upper=True)
    return solved
