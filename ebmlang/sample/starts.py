"""Where chains begin: given points, or spread ones where the density is not zero."""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.streams import Streams
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, draw_starts

SPREAD = 2.0
"""Free coordinates begin uniform in [-2, 2], as in Stan."""

REDRAWS = 100
"""How often chains that begin where the density is zero are drawn again."""


def spread_starts(density: Density, layout: Layout, streams: Streams) -> Float[Tensor, "chain dim"]:
    """Draw a starting point for each chain where the energy is finite and everything holds.

    Raises:
        EbmError: E0706 where no such point was found because of what is required, E0707 where
            the energy was finite nowhere.
    """
    position = _draw(density, layout, streams, 0)
    evaluation = density.evaluate(position)
    finite = evaluation.finite
    good = finite & density.is_feasible(evaluation)
    for attempt in range(1, REDRAWS + 1):
        if bool(good.all()):
            return position
        position = torch.where(good[:, None], position, _draw(density, layout, streams, attempt))
        evaluation = density.evaluate(position)
        finite = finite | evaluation.finite
        good = evaluation.finite & density.is_feasible(evaluation)
    if bool(good.all()):
        return position
    raise EbmError(explain_no_start(bool(finite.any())))


def begin_at(
    density: Density, points: Float[Tensor, "start packed"], chains: int
) -> Float[Tensor, "chain dim"]:
    """Begin at given points, in turn.

    A point on the boundary of a domain is moved slightly inside, where something required may
    fail to hold; points where the density is zero are left out.

    Raises:
        EbmError: E0706 or E0707 where the density is zero at all of them.
    """
    position = density.chart.from_written(points)
    evaluation = density.evaluate(position)
    good = torch.nonzero(evaluation.finite & density.is_feasible(evaluation))[:, 0]
    if not len(good):
        raise EbmError(explain_no_start(bool(evaluation.finite.any())))
    turns = torch.arange(chains, device=points.device) % len(good)
    return position[good[turns]]


def _draw(density: Density, layout: Layout, streams: Streams, attempt: int) -> Tensor:
    target, chart = density.target, density.chart
    spread = draw_starts(
        layout,
        len(streams.chains),
        seed=streams.seed + attempt,
        dtype=target.dtype,
        device=target.device,
    )
    uniform = streams.at(0).fork(f"start {attempt}").uniform("free", chart.dim).to(target.dtype)
    return chart.with_free(chart.from_written(spread), SPREAD * (2 * uniform - 1))


def explain_no_start(any_finite: bool) -> Diagnostic:
    """Say why nothing can start: by what is required, or by the energy."""
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
