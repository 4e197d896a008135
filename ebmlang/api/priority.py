"""The order of a spec's terms: solved tier by tier, and nothing that can be sampled."""

import math

import torch

from ebmlang.api.model import Model
from ebmlang.lower.module import CompiledEnergy
from ebmlang.runtime import Budget, Progress
from ebmlang.solve import Solution
from ebmlang.solve.answers.diversity import Diversity
from ebmlang.solve.effort import NORMAL
from ebmlang.solve.tiers import SLACK, solve_tiers
from ebmlang.source import Diagnostic, EbmError, Label
from ebmlang.spaces import Layout
from ebmlang.syntax import tree


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


def require_no_priority(model: Model, verb: str, reason: str) -> None:
    """Raise where a spec orders its terms, and a verb has no meaning for that.

    Args:
        model: The model.
        verb: What was to be done to it, as a participle.
        reason: Why it has none.

    Raises:
        EbmError: E0731.
    """
    if not model.program.priority:
        return
    stated = next(s for s in model.file.statements if isinstance(s, tree.Priority))
    raise EbmError(
        Diagnostic(
            code="E0731",
            headline=f"a spec with a `priority` cannot be {verb}",
            primary=Label(stated.span, "terms are in an order"),
            notes=(reason,),
            helps=("leave the `priority` out, and say with weights how much each term counts",),
        )
    )
