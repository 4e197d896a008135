"""Where chains begin: given points, or spread ones where the density is not zero."""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import build_generator
from ebmlang.sample import hmc
from ebmlang.sample.density import Density
from ebmlang.sample.hmc import HmcState
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, draw_starts

SPREAD = 2.0
"""Free coordinates begin uniform in [-2, 2], as in Stan."""

REDRAWS = 100
"""How often chains that begin where the density is zero are drawn again."""


def start_chains(density: Density, layout: Layout, chains: int, seed: int) -> HmcState:
    """Draw a starting point for each chain where the energy is finite and everything holds.

    Raises:
        EbmError: E0706 where no such point was found because of what is required, E0707 where
            the energy was finite nowhere.
    """
    state = hmc.init(density, _draw(density, layout, chains, seed))
    finite = state.evaluation.finite
    good = finite & density.is_feasible(state.evaluation)
    for attempt in range(1, REDRAWS + 1):
        if bool(good.all()):
            return state
        again = _draw(density, layout, chains, seed + attempt)
        state = hmc.init(density, torch.where(good[:, None], state.position, again))
        finite = finite | state.evaluation.finite
        good = state.evaluation.finite & density.is_feasible(state.evaluation)
    if bool(good.all()):
        return state
    raise EbmError(_no_start(bool(finite.any())))


def begin_at(density: Density, points: Float[Tensor, "start packed"], chains: int) -> HmcState:
    """Begin at given points, in turn.

    A point on the boundary of a domain is moved slightly inside, where something required may
    fail to hold; points where the density is zero are left out.

    Raises:
        EbmError: E0706 or E0707 where the density is zero at all of them.
    """
    state = hmc.init(density, density.chart.from_written(points))
    finite = state.evaluation.finite
    good = torch.nonzero(finite & density.is_feasible(state.evaluation))[:, 0]
    if not len(good):
        raise EbmError(_no_start(bool(finite.any())))
    turns = torch.arange(chains, device=points.device) % len(good)
    return hmc.init(density, state.position[good[turns]])


def _draw(density: Density, layout: Layout, chains: int, seed: int) -> Tensor:
    target, chart = density.target, density.chart
    spread = draw_starts(layout, chains, seed=seed, dtype=target.dtype, device=target.device)
    rng = build_generator(seed, "chains", target.device)
    uniform = torch.rand(chains, chart.dim, dtype=target.dtype, device=target.device, generator=rng)
    return chart.with_free(chart.from_written(spread), SPREAD * (2 * uniform - 1))


def _no_start(any_finite: bool) -> Diagnostic:
    if any_finite:
        return Diagnostic(
            code="E0706",
            headline="a chain has no starting point that satisfies everything required",
            helps=("give starting points that `ebm solve` finds feasible",),
        )
    return Diagnostic(
        code="E0707",
        headline="the energy, or its gradient, is not finite where a chain starts",
        helps=("give the unknowns bounds inside of which every term is finite",),
    )
