"""`solve`: search a model for designs."""

from dataclasses import replace

import torch

from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.evaluate import describe_points
from ebmlang.api.model import Model
from ebmlang.api.solving import Settings, find_designs, require_way
from ebmlang.runs import Designs, Status, collect_versions
from ebmlang.runtime import Budget, Progress
from ebmlang.solve.effort import require_effort
from ebmlang.source import EbmError


def solve_model(
    model: Model,
    *,
    designs: int,
    starts: int,
    effort: str,
    method: str | None,
    seed: int,
    seconds: float | None,
    dtype: torch.dtype | None,
    device: str,
    progress: Progress | None,
) -> Designs:
    """Search for points of low energy that hold every requirement; see `Model.solve`."""
    require_counts(designs=designs, starts=starts)
    settings = Settings(
        designs=designs,
        starts=starts,
        seed=seed,
        effort=require_effort(effort),
        deadline=Budget(seconds=seconds).start(),
        progress=progress,
    )
    way = None if method is None else require_way(method)
    require_sound(model, "solve")
    module = compile_model(model, dtype=dtype, device=device)
    layout = lay_out(module)
    try:
        answer = find_designs(model, module, layout, settings, way)
    except EbmError as error:
        raise blame_term(error, module, layout, seed) from None
    solution = answer.solution
    described = describe_points(module, solution.points, solution.energies)
    found = [
        replace(design, converged=bool(converged), share=float(share))
        for design, converged, share in zip(
            described, solution.converged, solution.share, strict=True
        )
    ]
    feasible = solution.is_feasible
    status = Status.SOLVED if feasible else Status.INFEASIBLE
    return Designs(
        status=Status.INTERRUPTED if solution.interrupted else status,
        designs=tuple(found) if feasible else (),
        nearest=None if feasible or not found else found[0],
        reason=solution.reason.value,
        certainty=answer.certainty,
        seed=seed,
        starts=solution.agreement.starts,
        versions=collect_versions(),
    )
