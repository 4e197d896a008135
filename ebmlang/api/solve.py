"""`solve`: search a model for designs."""

import math
from dataclasses import replace

import torch

from ebmlang.analysis.solving import APART, ONE_START
from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.evaluate import describe_points
from ebmlang.api.model import Model
from ebmlang.api.priority import require_free_choice, require_slack, solve_by_priority
from ebmlang.api.solving import Found, Settings, find_designs, require_way
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.tiers import PER_START, Ahead
from ebmlang.runs import Design, Designs, Ends, Status, collect_versions
from ebmlang.runtime import Budget, Progress, watch_interrupts
from ebmlang.solve import Solution
from ebmlang.solve.answers.diversity import BAND, STARTS_PER_DESIGN, Diversity
from ebmlang.solve.effort import NORMAL, require_effort
from ebmlang.source import Diagnostic, EbmError


def solve_model(
    model: Model,
    *,
    designs: int,
    starts: int,
    effort: str,
    method: str | None,
    diverse: bool,
    band: float | None,
    slack: float | None,
    seed: int,
    seconds: float | None,
    dtype: torch.dtype | None,
    device: str,
    progress: Progress | None,
) -> Designs:
    """Search for points of low energy that hold every requirement; see `Model.solve`."""
    require_counts(designs=designs, starts=starts)
    diversity = pick_diversity(diverse, band)
    require_slack(model, slack)
    require_free_choice(model, effort=effort, method=method)
    if diversity is not None:
        starts = max(starts, STARTS_PER_DESIGN * designs)
    settings = Settings(
        designs=designs,
        diversity=diversity,
        starts=starts,
        seed=seed,
        effort=require_effort(effort),
        deadline=Budget(seconds=seconds).start(),
        progress=progress,
    )
    way = None if method is None else require_way(method)
    if way is not None:
        _require_use(way, diversity, effort)
    require_sound(model, "solve")
    # One that is solved in parts stops as one.
    with watch_interrupts():
        module = compile_model(model, dtype=dtype, device=device)
        module.ahead = Ahead(calls=PER_START, points=starts)
        layout = lay_out(module)
        try:
            if model.program.priority:
                solution = solve_by_priority(
                    model.program.priority,
                    module,
                    layout,
                    slack=slack,
                    seed=seed,
                    starts=starts,
                    designs=designs,
                    diversity=diversity,
                    progress=progress,
                    budget=settings.budget,
                )
                answer = Found(solution=solution, certainty=None)
            else:
                answer = find_designs(model, module, layout, settings, way)
        except EbmError as error:
            raise blame_term(error, module, layout, seed) from error.__cause__
    solution = answer.solution
    found = describe_solution(module, solution)
    feasible = solution.is_feasible
    status = Status.SOLVED if feasible else Status.INFEASIBLE
    return Designs(
        status=Status.INTERRUPTED if solution.interrupted else status,
        designs=found if feasible else (),
        nearest=None if feasible or not found else found[0],
        reason=solution.reason.value,
        certainty=answer.certainty,
        seed=seed,
        starts=solution.agreement.starts,
        versions=collect_versions(),
        priority=model.program.priority,
        ends=Ends(
            energies=solution.end_energies.cpu().numpy(),
            feasible=solution.end_feasible.cpu().numpy(),
        ),
    )


def _require_use(way: str, diversity: Diversity | None, effort: str) -> None:
    """Raise where a way of solving has no use for what else is asked.

    Raises:
        EbmError: E0904.
    """
    if way == APART and diversity is not None:
        headline = "diverse designs are chosen from the whole, and `apart` searches parts"
    elif way == ONE_START and effort != NORMAL:
        headline = f"`one-start` is one start, and the effort is `{effort}`"
    else:
        return
    raise EbmError(Diagnostic(code="E0904", headline=headline))


def pick_diversity(diverse: bool, band: float | None) -> Diversity | None:
    """Return what a diverse set is chosen from; None where the best designs are wanted.

    Raises:
        EbmError: E0903 for a band that is no width; E0904 for one that nothing would use.
    """
    if band is not None and not diverse:
        raise EbmError(
            Diagnostic(
                code="E0904",
                headline="a band is given, and the designs are not to be diverse",
                helps=("choose different designs within the band, with `--diverse`",),
            )
        )
    if band is not None and not 0 <= band < math.inf:
        raise EbmError(
            Diagnostic(
                code="E0903",
                headline=f"the band is {band:g}, and must be a number of 0 or more",
                notes=("it says how much worse than the best a design may be [nats]",),
            )
        )
    return Diversity(band=BAND if band is None else band) if diverse else None


def describe_solution(module: CompiledEnergy, solution: Solution) -> tuple[Design, ...]:
    """Return what a search has found, each with what every term says of it."""
    described = describe_points(module, solution.points, solution.energies)
    judged = zip(described, solution.converged, solution.share, solution.stationarity, strict=True)
    return tuple(
        replace(
            design,
            converged=bool(converged),
            share=float(share),
            stationarity=float(stationarity),
        )
        for design, converged, share, stationarity in judged
    )
