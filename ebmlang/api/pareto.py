"""`pareto`: the front of two or three terms of a model."""

from collections.abc import Sequence

import torch

from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.model import Model
from ebmlang.api.solve import describe_solution
from ebmlang.api.unordered import require_no_priority
from ebmlang.check.paths import find_terms
from ebmlang.lower.binding import suggest
from ebmlang.runs import Status, collect_versions
from ebmlang.runs.front import Front
from ebmlang.runtime import Budget, Progress, watch_interrupts
from ebmlang.solve.pareto import find_front
from ebmlang.source import Diagnostic, EbmError

FEWEST, MOST = 2, 3
"""Terms of a front: of one there is a minimum, of four nobody sees it."""


def find_pareto_front(
    model: Model,
    terms: Sequence[str],
    *,
    designs: int,
    starts: int,
    seed: int,
    seconds: float | None,
    dtype: torch.dtype | None,
    device: str,
    progress: Progress | None,
) -> Front:
    """Find designs along the front of some terms; see `Model.pareto`."""
    require_counts(designs=designs, starts=starts)
    require_no_priority(
        model, "traded off", "a front trades terms for each other; an order does not"
    )
    groups = read_objectives(model, terms)
    require_sound(model, "solve")
    module = compile_model(model, dtype=dtype, device=device)
    layout = lay_out(module)
    paths, energies = module.packed_terms()
    named = {path for group in groups for path in group}
    untraded = tuple(path for path in paths if path not in named)

    def columns(chosen: Sequence[str]) -> torch.Tensor:
        numbers = [paths.index(path) for path in chosen]
        return torch.tensor(numbers, dtype=torch.long, device=module.device)

    try:
        # It is made of several searches, which stop as one.
        with watch_interrupts():
            found = find_front(
                module.packed(),
                layout,
                energies,
                tuple(columns(group) for group in groups),
                columns(untraded),
                seed=seed,
                starts=starts,
                designs=designs,
                progress=progress,
                budget=Budget(seconds=seconds),
            )
    except EbmError as error:
        raise blame_term(error, module, layout, seed) from error.__cause__
    described = describe_solution(module, found.solution)
    feasible = found.solution.is_feasible
    status = Status.SOLVED if feasible else Status.INFEASIBLE
    return Front(
        status=Status.INTERRUPTED if found.solution.interrupted else status,
        terms=tuple(terms),
        designs=described if feasible else (),
        values=tuple(map(tuple, found.values.tolist())) if feasible else (),
        ideal=tuple(found.ideal.tolist()),
        worst=tuple(found.worst.tolist()),
        untraded=untraded,
        nearest=None if feasible or not described else described[0],
        reason=found.solution.reason.value,
        seed=seed,
        starts=found.solution.starts,
        versions=collect_versions(),
    )


def read_objectives(model: Model, terms: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the soft terms that each path stands for.

    Raises:
        EbmError: E0903 where they are too few or too many; E0911 where a path names no soft term,
            or one that another path names too.
    """
    if not FEWEST <= len(terms) <= MOST:
        raise EbmError(
            Diagnostic(
                code="E0903",
                headline=f"a front is of {FEWEST} or {MOST} terms, not of {len(terms)}",
                helps=("as in `--pareto cost,noise`",),
            )
        )
    soft = [p for p, t in find_terms(model.program).items() if t.role.value != "require"]
    taken: set[str] = set()
    groups = []
    for path in terms:
        group = tuple(p for p in soft if p == path or p.startswith(f"{path}."))
        if not group:
            known = ", ".join(f"`{name}`" for name in soft)
            raise EbmError(
                Diagnostic(
                    code="E0911",
                    headline=f"no soft term or part is called `{path}`",
                    notes=(f"there are {known}",) if soft else ("there are none",),
                    helps=suggest(path, soft),
                )
            )
        again = next((p for p in group if p in taken), None)
        if again is not None:
            raise EbmError(
                Diagnostic(code="E0911", headline=f"`{again}` cannot be traded against itself")
            )
        taken.update(group)
        groups.append(group)
    return tuple(groups)
