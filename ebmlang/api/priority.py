"""The order of a spec's terms: solved tier by tier."""

import math

import torch

from ebmlang.api.model import Model
from ebmlang.lower.module import CompiledEnergy
from ebmlang.runtime import Budget, Progress
from ebmlang.solve import Solution
from ebmlang.solve.answers.diversity import Diversity
from ebmlang.solve.effort import NORMAL
from ebmlang.solve.tiers import SLACK, solve_tiers
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout


def solve_by_priority(
    priority: tuple[tuple[str, ...], ...],
    module: CompiledEnergy,
    layout: Layout,
    *,
    slack: float | None,
    seed: int,
    starts: int,
    designs: int,
    diversity: Diversity | None,
    progress: Progress | None,
    budget: Budget,
) -> Solution:
    """Minimize the tiers of a priority, each where those before it stay low; see `solve_tiers`."""
    paths, terms = module.packed_terms()
    places = {path: column for column, path in enumerate(paths)}
    tiers = tuple(
        torch.tensor([places[path] for path in tier if path in places], device=module.device).long()
        for tier in priority
    )
    return solve_tiers(
        module.packed(),
        layout,
        terms,
        tiers,
        slack=SLACK if slack is None else slack,
        seed=seed,
        starts=starts,
        designs=designs,
        diversity=diversity,
        progress=progress,
        budget=budget,
    )


def require_slack(model: Model, slack: float | None) -> None:
    """Raise unless a slack, where one is given, is a width that something uses.

    Raises:
        EbmError: E0903 for one that is not positive; E0904 where the spec has no priority.
    """
    if slack is None:
        return
    if not 0 < slack < math.inf:
        raise EbmError(
            Diagnostic(
                code="E0903",
                headline=f"the slack is {slack:g}, and must be a positive number",
                notes=("it says what a tier may cost those before it [nats]",),
            )
        )
    if not model.program.priority:
        raise EbmError(
            Diagnostic(
                code="E0904",
                headline="a slack is given, and the spec has no tiers that would use it",
                helps=("put terms into an order, with `priority a > b`",),
            )
        )


def require_free_choice(model: Model, *, effort: str, method: str | None) -> None:
    """Raise where a spec orders its terms, and a way of solving is chosen all the same.

    Raises:
        EbmError: E0904.
    """
    if model.program.priority and (method is not None or effort != NORMAL):
        said = f"effort is `{effort}`" if method is None else f"method is `{method}`"
        raise EbmError(
            Diagnostic(
                code="E0904",
                headline=f"the {said}, and the spec has a `priority`",
                notes=("its tiers are searched one after the other, each in one round of starts",),
                helps=("search more with more starts",),
            )
        )
