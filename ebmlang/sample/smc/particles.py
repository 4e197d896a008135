"""Weighted particles on their way from a reference to a target, many islands as one batch.

A *particle* is a row of the batch; the rows of an island lie side by side. The log of an island's
partition function grows by the log mean of its particles' weights at each change of temperature.

Sources: Del Moral, Doucet and Jasra, Sequential Monte Carlo samplers (2006), section 3.3.2; for
systematic resampling, Douc and Cappe, Comparison of resampling schemes (2005), section 2.4.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import take_rows
from ebmlang.sample.density import Evaluation, Reference, TargetDensity
from ebmlang.sample.smc.reference import StudentReference
from ebmlang.sample.state import ChainState, begin
from ebmlang.sample.streams import Noise

BISECTIONS = 50
"""Halvings in search of the next temperature."""

SEARCH_RANGE = 60.0
"""The smallest change of an inverse temperature, as the log of a share: energies of 1e26 nats."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """The particles of all islands.

    Attributes:
        state: Where each is, island by island.
        log_weights: Of each within its island, where they sum to 1; float64.
        log_partition: Of each island so far [nats].
    """

    state: ChainState
    log_weights: Float[Tensor, "island particle"]
    log_partition: Float[Tensor, " island"]


def draw_population(
    density: TargetDensity,
    reference: StudentReference,
    noise: Noise,
    *,
    islands: int,
    tries: int,
) -> Population:
    """Draw particles from the reference where the density is not zero.

    Of `tries` points per particle the first of each island that are finite and satisfy everything
    required are taken, in turn where they are fewer than the particles. Their share estimates,
    without bias, the mass that the reference has there, and begins the partition function; an
    island without any begins, and ends, at zero.
    """
    points, good = [], []
    for number in range(tries):
        drawn = reference.draw(noise.fork(f"try {number}"))
        evaluation = evaluate(density, reference, drawn)
        points.append(drawn.view(islands, -1, drawn.shape[1]))
        inside = evaluation.finite & density.is_feasible(evaluation)
        good.append(inside.view(islands, -1))
    found = torch.cat(good, 1)
    count = found.sum(1, keepdim=True)
    particles = good[0].shape[1]
    first = torch.argsort(~found, dim=1, stable=True)
    turn = torch.arange(particles, device=count.device) % count.clamp(min=1)
    rows = first.gather(1, turn)[:, :, None]
    joined = torch.cat(points, 1)
    taken = joined.gather(1, rows.expand(-1, -1, joined.shape[2])).flatten(0, 1)
    state = begin(density, taken, noise)
    state = replace(state, evaluation=evaluate(density, reference, taken))
    share = count[:, 0].double() / found.shape[1]
    return Population(
        state=state,
        log_weights=share.new_full((islands, particles), -math.log(particles)),
        log_partition=share.log(),
    )


def evaluate(
    density: TargetDensity, reference: Reference, q: Float[Tensor, "chain dim"]
) -> Evaluation:
    """Evaluate the target with the reference beside it; the gradient is the target's."""
    return replace(density.evaluate(q), reference=reference(q)[0])


def measure_rise(evaluation: Evaluation) -> Float[Tensor, " chain"]:
    """Return by how much the target's potential lies above the reference's, in float64."""
    plain = evaluation.energy.double() - evaluation.log_jacobian.double()
    return plain - evaluation.reference.double()


def reweigh(population: Population, change: float) -> Population:
    """Change the inverse temperature of all particles, and weigh them for it."""
    rise = measure_rise(population.state.evaluation).view_as(population.log_weights)
    # An island without a feasible particle has none that means anything.
    dead = population.log_partition == -math.inf
    grown = population.log_weights - torch.where(dead[:, None], 0, change * rise)
    total = torch.logsumexp(grown, 1)
    return replace(
        population,
        log_weights=grown - total[:, None],
        log_partition=population.log_partition + total,
    )


def find_effective_share(log_weights: Float[Tensor, "*b particle"]) -> Float[Tensor, "*b"]:
    """Return the effective sample size of normalised weights as a share of their number."""
    return torch.exp(-torch.logsumexp(2 * log_weights, -1)) / log_weights.shape[-1]


def find_change(
    rise: Float[Tensor, " chain"], left: float, share: float, *, and_back: bool
) -> float:
    """Return the largest change, at most what is left, that leaves an effective share.

    With weights w on the way there, those on the way back are 1 / w at the new temperature, where
    their effective share is `1 / (E w E 1/w)` in means over the old one.

    Args:
        rise: Of particles of equal weight.
        left: Up to the target, of the inverse temperature.
        share: The effective sample size to keep, as a share.
        and_back: Whether on the way back as well.
    """

    def keeps(change: float) -> bool:
        log_weights = -change * rise
        shares = [find_effective_share(torch.log_softmax(log_weights, 0))]
        if and_back:
            means = torch.stack([log_weights, -log_weights]).logsumexp(1) - math.log(len(rise))
            shares.append(torch.exp(-means.sum()))
        return all(bool(found >= share) for found in shares)

    if keeps(left):
        return left
    # On a log scale: where nothing is known yet, the first change may be minute.
    low, high = math.log(left) - SEARCH_RANGE, math.log(left)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if keeps(math.exp(middle)) else (low, middle)
    return math.exp(low)


def resample(population: Population, noise: Noise) -> Population:
    """Replace the particles of each island by ones of equal weight, by its own random number."""
    log_weights = population.log_weights
    islands, particles = log_weights.shape
    uniform = noise.uniform("resample").view(islands, particles)[:, :1]
    chosen = _choose_systematic(log_weights.exp(), uniform)
    first = torch.arange(islands, device=chosen.device)[:, None] * particles
    rows = (first + chosen).flatten()
    return replace(
        population,
        state=take_rows(population.state, rows),
        log_weights=torch.full_like(log_weights, -math.log(particles)),
    )


def _choose_systematic(
    weights: Float[Tensor, "island particle"], uniform: Float[Tensor, "island 1"]
) -> Int[Tensor, "island particle"]:
    particles = weights.shape[1]
    steps = torch.arange(particles, dtype=torch.float64, device=weights.device)
    ends = weights.cumsum(1)
    # By the total found, not by 1: a sum in floating point may fall short of it.
    places = (steps + uniform) / particles * ends[:, -1:]
    return torch.searchsorted(ends, places, right=True).clamp(max=particles - 1)
