"""Scouts: chains that go straight to the target, and see whether annealing has overlooked a mode.

A mode much narrower than another has next to no mass at high temperature, and its weight comes too
late: when the temperature is low enough for it, no particle is near. Islands then agree on a
number that lacks it, and no weight tells. A chain that begins anywhere and falls downhill finds it
more easily, though not what it weighs; so scouts give no draws, only a warning.

The mass around a scout is taken from its own moments, as that of a Gaussian,

    log Z = H - E U,    H = sum(log(2 pi e variance)) / 2.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import TargetDensity
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.metric import identity
from ebmlang.sample.sampler import Setting
from ebmlang.sample.settling import settle
from ebmlang.sample.smc.particles import draw_population
from ebmlang.sample.smc.reference import build_first_reference
from ebmlang.sample.state import begin
from ebmlang.sample.streams import Streams

SCOUTS, TRIES = 256, 16
"""How many, and points drawn for each in search of some that are feasible."""

LEARNING, LOOKING = 20, 40
"""Moves in which each scout finds its step size, and in which its moments are taken."""

STEPS = 8
"""Most leapfrog steps of a move."""

LONGER, SHORTER = 1.3, 0.5
"""What a step size is multiplied with after a move that was accepted, and after one that was
not."""

NEIGHBORS, LONELIEST = 300, 0.99
"""Particles whose distances to their nearest neighbors are measured, and the quantile of these."""

REACH = 2.0
"""So much further from the nearest particle than even lonely ones are, a scout is in a region of
its own."""

NOTABLE = 0.01
"""Least share of the mass that must not be overlooked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """What a scout saw around it.

    Attributes:
        position: Where it is at the end.
        variance: Of each coordinate.
        log_mass: As if it were Gaussian [nats].
    """

    position: Float[Tensor, "scout dim"]
    variance: Float[Tensor, "scout dim"]
    log_mass: Float[Tensor, " scout"]


def find_overlooked(
    density: TargetDensity,
    particles: Float[Tensor, "chain dim"],
    log_partition: float,
    seed: int,
) -> float:
    """Return the largest share of the mass in a region that no particle is in; 0 if none matters.

    Args:
        density: The target.
        particles: Of it.
        log_partition: As estimated by them [nats].
        seed: Of all random numbers.
    """
    region = scout(density, seed)
    if not len(region.position):
        return 0.0
    share = (region.log_mass - log_partition).exp()
    notable = torch.nonzero((share > NOTABLE) & torch.isfinite(share))[:, 0]
    missed = [float(share[at]) for at in notable if not _is_visited(region, int(at), particles)]
    # A share of what was estimated; of the whole with it, less than one.
    return max((found / (1 + found) for found in missed), default=0.0)


def scout(density: TargetDensity, seed: int) -> Region:
    """Send scouts out, as many as begin at a feasible point."""
    target = density.target
    numbers = torch.arange(SCOUTS, device=target.device)
    streams = Streams(seed=seed, chains=numbers, dtype=target.dtype)
    reference = build_first_reference(density.chart, dtype=target.dtype, device=target.device)
    first = draw_population(density, reference, streams.at(0), islands=1, tries=TRIES)
    if first.log_partition[0] == -math.inf:
        nothing = torch.empty(0, density.chart.dim, dtype=target.dtype, device=target.device)
        return Region(position=nothing, variance=nothing, log_mass=nothing.new_empty(0))
    setting = Setting(density=density, streams=streams)
    position, _ = settle(setting, first.state.position)
    return _look_around(density, position, streams)


def _look_around(
    density: TargetDensity, position: Float[Tensor, "scout dim"], streams: Streams
) -> Region:
    state = begin(density, position, streams.at(0).fork("scouts"))
    metric = identity(position)
    step_size = 1 / state.evaluation.gradient.norm(dim=1).clamp(min=1)
    mean = torch.zeros_like(position, dtype=torch.float64)
    squares, level = torch.zeros_like(mean), torch.zeros_like(mean[:, 0])
    for number in range(LEARNING + LOOKING):
        learns = number < LEARNING
        kernel = Hmc(step_size=step_size, metric=metric, most_steps=2 if learns else STEPS)
        state, info = kernel.step(density, state, streams.at(1 + number))
        if learns:
            step_size = step_size * torch.where(info.accepted, LONGER, SHORTER).to(step_size)
            continue
        count = number - LEARNING + 1
        away = state.position.double() - mean
        mean = mean + away / count
        squares = squares + away * (state.position.double() - mean)
        level = level + (density.potential(state.evaluation) - level) / count
    variance = squares / (LOOKING - 1)
    entropy = (1 + math.log(2 * math.pi) + variance.log()).sum(1) / 2
    return Region(position=state.position, variance=variance, log_mass=entropy - level)


def _is_visited(region: Region, at: int, particles: Float[Tensor, "chain dim"]) -> bool:
    """Return whether a region is no further from particles than they are from each other.

    Distances are in the standard deviations of the region, and from where the scout is: the mean
    of a bent region may lie outside of it. In many dimensions no particle comes near any point, and
    a scout may have seen a corner only; so it is compared with particles themselves.
    """
    scale = region.variance[at].sqrt()
    scaled = particles.double() / scale
    nearest = (scaled - region.position[at].double() / scale).norm(dim=1).amin()
    some = scaled[torch.linspace(0, len(scaled) - 1, NEIGHBORS, device=scaled.device).long()]
    # Rows may be alike where a resampling made them so; those are no neighbors.
    between = torch.cdist(some, some)
    between = torch.where(between > 0, between, math.inf)
    return bool(nearest <= REACH * between.amin(1).quantile(LONELIEST))
