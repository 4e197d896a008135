"""Eight schools, with the posterior worked out: all but one coordinate is Gaussian given it.

    mu ~ normal(0, 5), tau ~ half_cauchy(5), theta_j = mu + tau z_j, z_j ~ normal(0, 1)
    y_j ~ normal(theta_j, sigma_j)

A point is (mu, log tau, z_1, ..., z_8), the non-centered form, with the Jacobian of the logarithm.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.testing.target import Target

EFFECTS = (28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0)
ERRORS = (15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0)

SCALE = 5.0
"""Of the priors of mu and tau."""

GRID = 20_001
"""Places of log tau at which the posterior is tabulated; ten times fewer change no digit shown."""

ENDS = (-20.0, 12.0)
"""Between them: the density falls like tau below, and like tau^-9 above, both times in log tau."""


def _table() -> tuple[Tensor, Tensor]:
    """Return places of log tau, and the log of its posterior density there, up to a constant.

    With mu and z integrated out, y ~ normal(0, diag(sigma^2 + tau^2) + 25).
    """
    places = torch.linspace(*ENDS, GRID, dtype=torch.float64)
    variance = _variances(places)
    precision, total = _given_tau(places)
    y = torch.tensor(EFFECTS, dtype=torch.float64)
    quadratic = (y.square() / variance).sum(1) - total.square() / precision
    log_determinant = variance.log().sum(1) + precision.log()
    prior = places - torch.log1p((places.exp() / SCALE).square())
    return places, prior - (quadratic + log_determinant) / 2


def _variances(log_tau: Tensor) -> Tensor:
    sigma = torch.tensor(ERRORS, dtype=torch.float64)
    return sigma.square() + (2 * log_tau).exp()[:, None]


def _given_tau(log_tau: Tensor) -> tuple[Tensor, Tensor]:
    """Return the precision of mu given tau and y, and that times its mean."""
    variance = _variances(log_tau)
    y = torch.tensor(EFFECTS, dtype=torch.float64)
    return SCALE**-2 + (1 / variance).sum(1), (y / variance).sum(1)


def _energy(x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
    mu, log_tau, z = x[:, 0], x[:, 1], x[:, 2:]
    tau = log_tau.exp()
    y = torch.tensor(EFFECTS, dtype=x.dtype, device=x.device)
    sigma = torch.tensor(ERRORS, dtype=x.dtype, device=x.device)
    theta = mu[:, None] + tau[:, None] * z
    squares = ((y - theta) / sigma).square().sum(1) + z.square().sum(1) + (mu / SCALE).square()
    return squares / 2 + torch.log1p((tau / SCALE).square()) - log_tau


def _draw(count: int, rng: torch.Generator) -> Float[Tensor, "draw dim"]:
    """Draw log tau by inverting its tabulated distribution, then mu, then z, which are Gaussian."""
    places, density = _table()
    weight = (density - density.max()).exp()
    steps = (weight[1:] + weight[:-1]) / 2
    cumulative = torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)])
    u = torch.rand(count, dtype=torch.float64, generator=rng) * cumulative[-1]
    log_tau = torch.from_numpy(np.interp(u.numpy(), cumulative.numpy(), places.numpy()))
    noise = torch.randn(count, 9, dtype=torch.float64, generator=rng)
    precision, total = _given_tau(log_tau)
    mu = total / precision + noise[:, 0] / precision.sqrt()
    y = torch.tensor(EFFECTS, dtype=torch.float64)
    sigma = torch.tensor(ERRORS, dtype=torch.float64)
    slope = log_tau.exp()[:, None] / sigma
    own = 1 + slope.square()
    z = slope * (y - mu[:, None]) / sigma / own + noise[:, 1:] / own.sqrt()
    return torch.cat([mu[:, None], log_tau[:, None], z], 1)


def _moments() -> tuple[Tensor, Tensor]:
    """Return mean and variance of each coordinate, by the laws of total mean and variance."""
    places, density = _table()
    weight = torch.softmax(density, 0)
    precision, total = _given_tau(places)
    mu, spread = total / precision, 1 / precision
    y = torch.tensor(EFFECTS, dtype=torch.float64)
    sigma = torch.tensor(ERRORS, dtype=torch.float64)
    slope = places.exp()[:, None] / sigma
    own = 1 + slope.square()
    # Given tau and mu, z is Gaussian with mean `pull (y - mu)` and variance 1 / own.
    pull = slope / sigma / own
    z = pull * (y - mu[:, None])
    within = torch.cat(
        [
            spread[:, None],
            torch.zeros_like(spread)[:, None],
            1 / own + pull.square() * spread[:, None],
        ],
        1,
    )
    means = torch.cat([mu[:, None], places[:, None], z], 1)
    mean = weight @ means
    return mean, weight @ (within + (means - mean).square())


def build_eight_schools() -> Target:
    """Return eight schools as a target; its draws and moments come from a table of log tau.

    Source: Rubin, Estimation in parallel randomized experiments, 1981; priors as in posteriordb.
    """
    mean, variance = _moments()
    places, density = _table()
    step = float(places[1] - places[0])
    # What was left out of the table: constants of the Gaussian integrals over mu and z.
    sigma = torch.tensor(ERRORS, dtype=torch.float64)
    constant = 9 / 2 * math.log(2 * math.pi) + float(sigma.log().sum())
    return Target(
        name="eight_schools",
        dim=10,
        energy=_energy,
        draw=_draw,
        mean=mean,
        variance=variance,
        log_partition=float(torch.logsumexp(density, 0)) + math.log(step) + constant,
        source="Rubin 1981; posteriordb eight_schools_noncentered",
    )
