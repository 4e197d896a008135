"""Which coordinates bend or widen with which others, learnt from an ensemble.

First, pair by pair, how many nats per chain it would be worth to let the mean of w_i depend on
w_j^2, and the scale of w_i on w_j. The first is a drop of variance, counted where ranks agree that
it is there. The second is read off gradients: where the scale of w_i given all others is
exp(s), the gradient g_i has scale exp(-s) and mean 0 whatever the mean of w_i, so that the
slope of log |g_i| on w_j is minus that of s. Where data and not a prior hold w_i, the gradient
does not scale, and nothing bends: parameters are non-centred where that helps, and only there.

A coordinate *drives* if more is gained by what it explains than by what explains it. What is driven
is then fitted by maximum likelihood on all that is not, with normal residuals, and coefficients
that may be noise are dropped.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.sample.warp import Warp, straight

MOST_DIMENSIONS = 200
"""Dimensions past which pairs are not looked at: fits take a time of the cube."""

LEAST_GAIN = 0.1
"""What a coordinate must gain to be driven [nats per chain]."""

EVIDENCE = 4.0
"""Twice the log likelihood ratio, beyond what the number of pairs calls for, that a pair needs."""

COEFFICIENT_EVIDENCE = 12.0
"""Squared coefficient over its variance that a coefficient needs to be kept: as likely by chance as
one in two thousand."""

CHAINS_PER_FEATURE = 6
"""Chains for each coordinate that there must be for pairs to be looked at, and for all linear
features to be tried."""

FEWEST = 24
"""Chains below which no map is fitted."""

ROUNDS = 6
"""Rounds of weighted least squares for the mean, then scoring for the scale."""

FLOOR = 1e-6
"""Share of the median squared gradient that is added before its logarithm is taken."""

LONGEST_STEP = 1.0
"""Largest change of a coefficient of the log scale in one scoring step."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Which coordinates depend on which others, and how; none of a row that is not driven.

    Attributes:
        driven: Coordinates that depend on others.
        bends: Whether the mean of each (row) depends on the square of each other (column).
        widens: Whether its log scale depends on it.
    """

    driven: Bool[Tensor, " dim"]
    bends: Bool[Tensor, "dim dim"]
    widens: Bool[Tensor, "dim dim"]


def find_pairs(
    position: Float[Tensor, "chain dim"],
    gradient: Float[Tensor, "chain dim"],
    healthy: Bool[Tensor, " chain"],
) -> Pairs:
    """Find which coordinates depend on which others.

    Args:
        position: In a sampler's coordinates.
        gradient: Of the potential there.
        healthy: Chains that count.
    """
    dim = position.shape[1]
    x, g = position[healthy].double(), gradient[healthy].double()
    enough = 2 <= dim <= MOST_DIMENSIONS and len(x) >= CHAINS_PER_FEATURE * (dim + 2)
    if not enough or not bool((x.std(0) > 0).all()):
        nothing = torch.zeros(dim, dim, device=position.device).bool()
        return Pairs(driven=nothing.any(1), bends=nothing, widens=nothing)
    bend, widen = measure_gains((x - x.mean(0)) / x.std(0), g * x.std(0))
    gain = bend + widen
    drives = gain.sum(1) > gain.sum(0)
    driven = ~drives & ((gain * drives[:, None]).sum(0) > LEAST_GAIN)
    # What is driven drives nothing, so that the map is inverted in closed form.
    allowed = driven[:, None] & ~driven
    return Pairs(driven=driven, bends=(bend.T > 0) & allowed, widens=(widen.T > 0) & allowed)


def fit_warp(
    pairs: Pairs,
    position: Float[Tensor, "chain dim"],
    gradient: Float[Tensor, "chain dim"],
    healthy: Bool[Tensor, " chain"],
) -> Warp:
    """Return the map of one group of chains, learnt from others.

    Args:
        pairs: What depends on what.
        position: Of the chains it is learnt from, in a sampler's coordinates.
        gradient: Of the potential there.
        healthy: Those that count.
    """
    x, g = position[healthy].double(), gradient[healthy].double()
    if not bool(pairs.driven.any()) or len(x) < FEWEST:
        return straight(position, 1)
    center, scale = x.mean(0), x.std(0)
    w, narrow = (x - center) / scale, _log_steepness(g * scale)
    dim, one = x.shape[1], torch.ones_like(x[:, :1])
    mean, log_scale = x.new_zeros(dim), x.new_zeros(dim)
    linear, square, widening = (x.new_zeros(dim, dim) for _ in range(3))
    free = ~pairs.driven
    all_linear = len(x) >= CHAINS_PER_FEATURE * int(free.sum())
    for i in torch.nonzero(pairs.driven)[:, 0].tolist():
        bends, widens = pairs.bends[i], pairs.widens[i]
        lines = free if all_linear else bends | widens
        along = torch.cat([one, w[:, lines], w[:, bends].square()], dim=1)
        across = torch.cat([one, w[:, widens]], dim=1)
        coefficients, log_coefficients = _fit_normal(w[:, i], along, across, narrow[:, i])
        count = 1 + int(lines.sum())
        mean[i], log_scale[i] = coefficients[0], log_coefficients[0]
        linear[i, lines], square[i, bends] = coefficients[1:count], coefficients[count:]
        widening[i, widens] = log_coefficients[1:]
    return Warp(
        center=center[None].to(position),
        scale=scale[None].to(position),
        mean=mean[None].to(position),
        mean_linear=linear[None].to(position),
        mean_square=square[None].to(position),
        log_scale=log_scale[None].to(position),
        log_scale_linear=widening[None].to(position),
    )


def measure_gains(
    w: Float[Tensor, "chain dim"], gradient: Float[Tensor, "chain dim"]
) -> tuple[Float[Tensor, "dim dim"], Float[Tensor, "dim dim"]]:
    """Return what each coordinate (row) is worth to each other (column) [nats per chain].

    Args:
        w: Positions, of mean 0 and variance 1.
        gradient: In the same unit.

    Returns:
        By its square in the mean, and by itself in the log scale; 0 where it may be chance.
    """
    count, dim = w.shape
    evidence = (2 * math.log(dim * dim) + EVIDENCE) / count
    ranks = (w.argsort(0).argsort(0).double() + 0.5) / count
    score = torch.special.ndtri(ranks)
    score = score / score.square().mean(0).sqrt()

    # By ranks, and with a curve that levels off, no outlier makes a bend; nor does a coordinate
    # that is merely wide where another is, with the variance of a slope as in White (1980).
    is_bent = (
        _squared_score(score, _curve(score, torch.tanh(score.square() - 1))) > evidence * count
    )
    bend = torch.where(is_bent, _drop(score, _curve(score, score.square()), w), 0)

    # A gradient's mean is 0; the mean of a sample may be that of its steepest chain alone.
    narrow = _log_steepness(gradient)
    narrow = narrow - narrow.mean(0)
    slope = score.T @ narrow / count
    widen = torch.where(slope.square() > evidence * narrow.square().mean(0), slope.square(), 0)
    return bend.fill_diagonal_(0), widen.fill_diagonal_(0)


def _log_steepness(gradient: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
    """Return log |g|, bounded below."""
    steep = gradient.square()
    return torch.log(steep + FLOOR * steep.median(0).values + torch.finfo(steep.dtype).tiny) / 2


def _curve(
    line: Float[Tensor, "chain dim"], shape: Float[Tensor, "chain dim"]
) -> Float[Tensor, "chain dim"]:
    """Return what of a shape is no line, with variance 1."""
    curve = shape - shape.mean(0)
    curve = curve - (curve * line).mean(0) * line
    return curve / curve.square().mean(0).sqrt()


def _drop(
    line: Float[Tensor, "chain dim"],
    curve: Float[Tensor, "chain dim"],
    w: Float[Tensor, "chain dim"],
) -> Float[Tensor, "dim dim"]:
    """Return half the log of the variance of w before and after the curve is fitted."""
    left = (1 - (line.T @ w / len(w)).square()).clamp(min=1e-6)
    after = (left - (curve.T @ w / len(w)).square()).clamp(min=1e-6)
    return (left / after).log() / 2


def _squared_score(
    line: Float[Tensor, "chain dim"], curve: Float[Tensor, "chain dim"]
) -> Float[Tensor, "dim dim"]:
    """Return the squared slope of each line (column) on each curve (row), over its variance.

    The variance is `mean(curve^2 residual^2) / N`, where the residual is that of a fit on line and
    curve, multiplied out so that it takes a few products of matrices.
    """
    count, weight = len(line), curve.square()
    along, bent = line.T @ line / count, curve.T @ line / count
    own = (weight * line.square()).mean(0)[:, None]
    mixed = (weight * curve * line).mean(0)[:, None]
    fourth = weight.square().mean(0)[:, None]
    variance = (
        weight.T @ line.square() / count
        - 2 * along * ((weight * line).T @ line / count)
        - 2 * bent * ((weight * curve).T @ line / count)
        + along.square() * own
        + 2 * along * bent * mixed
        + bent.square() * fourth
    )
    return count * bent.square() / variance.clamp(min=torch.finfo(line.dtype).eps)


def _fit_normal(
    y: Float[Tensor, " chain"],
    along: Float[Tensor, "chain mean_feature"],
    across: Float[Tensor, "chain scale_feature"],
    narrow: Float[Tensor, " chain"],
) -> tuple[Float[Tensor, " mean_feature"], Float[Tensor, " scale_feature"]]:
    """Fit `y ~ N(along a, exp(across b)^2)`, and drop what may be noise.

    Args:
        y: What is driven.
        along: Features of its mean.
        across: Features of its log scale.
        narrow: Log of its gradient's size, whose slopes are a first guess of minus those of b.

    Returns:
        a and b; the constants, which come first, are always kept.
    """
    kept_a, kept_b = (torch.ones(f.shape[1]).bool().to(y.device) for f in (along, across))
    for _ in range(2):
        a, b, variance_a, variance_b = _iterate(y, along * kept_a, across * kept_b, narrow)
        kept_a = kept_a & (a.square() > COEFFICIENT_EVIDENCE * variance_a)
        kept_b = kept_b & (b.square() > COEFFICIENT_EVIDENCE * variance_b)
        kept_a[0] = kept_b[0] = True
    a, b, _, _ = _iterate(y, along * kept_a, across * kept_b, narrow)
    return a * kept_a, b * kept_b


def _iterate(
    y: Float[Tensor, " chain"],
    along: Float[Tensor, "chain mean_feature"],
    across: Float[Tensor, "chain scale_feature"],
    narrow: Float[Tensor, " chain"],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return coefficients of mean and log scale, and their variances.

    Source: Harvey, Estimating regression models with multiplicative heteroscedasticity (1976).
    """
    # The information of the log scale of a normal law is 2.
    information = _firm(2 * across.T @ across)
    b = -torch.linalg.solve(information, 2 * across.T @ narrow)
    a, precision = b, information
    for _ in range(ROUNDS):
        weights = torch.exp(-2 * (across @ b))[:, None]
        precision = _firm(along.T @ (weights * along))
        a = torch.linalg.solve(precision, along.T @ (weights[:, 0] * y))
        squares = (y - along @ a).square()
        for _ in range(2):
            excess = squares * torch.exp(-2 * (across @ b)) - 1
            change = torch.linalg.solve(information, across.T @ excess)
            b = b + change.clamp(-LONGEST_STEP, LONGEST_STEP)
    return a, b, *(torch.linalg.inv(m).diagonal() for m in (precision, information))


def _firm(matrix: Float[Tensor, "dim dim"]) -> Float[Tensor, "dim dim"]:
    """Return the matrix with zeros on its diagonal, of features that were dropped, made ones."""
    diagonal = matrix.diagonal()
    return matrix + torch.diag(torch.where(diagonal > 0, 1e-9 * diagonal, 1.0))
