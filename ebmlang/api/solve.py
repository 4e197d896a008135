"""`solve`: search a model for designs."""

from dataclasses import replace

import torch

from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.evaluate import describe_points
from ebmlang.api.model import Model
from ebmlang.runs import Designs, Ends, Status, collect_versions
from ebmlang.runtime import Budget, Progress
from ebmlang.solve import solve
from ebmlang.source import EbmError


def solve_model(
    model: Model,
    *,
    designs: int,
    starts: int,
    seed: int,
    seconds: float | None,
    dtype: torch.dtype | None,
    device: str,
    progress: Progress | None,
) -> Designs:
    """Search for points of low energy that hold every requirement; see `Model.solve`."""
    require_counts(designs=designs, starts=starts)
    require_sound(model, "solve")
    module = compile_model(model, dtype=dtype, device=device)
    layout = lay_out(module)
    try:
        solution = solve(
            module.packed(),
            layout,
            seed=seed,
            starts=starts,
            designs=designs,
            progress=progress,
            budget=Budget(seconds=seconds),
        )
    except EbmError as error:
        raise blame_term(error, module, layout, seed) from None
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
        seed=seed,
        starts=starts,
        versions=collect_versions(),
        ends=Ends(
            energies=solution.end_energies.cpu().numpy(),
            feasible=solution.end_feasible.cpu().numpy(),
        ),
    )
