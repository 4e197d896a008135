"""`sample`: draw from exp(-E) of a model, and judge the draws."""

import numpy as np
import torch
from torch import Tensor

from ebmlang.analysis.plan import build_plan
from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.facts import find_facts
from ebmlang.api.model import Model
from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.runs import Samples, Trust, collect_versions
from ebmlang.runs.convergence import judge, read_facts
from ebmlang.runtime import Budget, Progress
from ebmlang.sample import Plan, sample
from ebmlang.sample.methods import METHODS, build_sampler
from ebmlang.solve import find_feasible
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout

ROWS_AT_ONCE = 10_000
"""Points for which reports are computed in one call; bounds the memory they take."""

ENERGY = "energy"
"""What the energy is called among the quantities that are judged."""


def sample_model(
    model: Model,
    *,
    chains: int,
    draws: int,
    warmup: int,
    thin: int,
    method: str | None,
    seed: int,
    seconds: float | None,
    dtype: torch.dtype | None,
    device: str,
    progress: Progress | None,
) -> Samples:
    """Draw points from exp(-E), under every requirement; see `Model.sample`."""
    require_counts(chains=chains, draws=draws, thin=thin)
    require_counts(warmup=warmup, least=0)
    require_sound(model, "sample")
    chosen = build_sampler(method or choose_method(model, chains))
    module = compile_model(model, dtype=dtype, device=device)
    layout = lay_out(module)
    try:
        found = sample(
            module.packed(),
            layout,
            chosen,
            seed=seed,
            chains=chains,
            plan=Plan(warmup=warmup, draws=draws, thin=thin),
            starts=_feasible_starts(module, layout, chains, seed, progress),
            progress=progress,
            budget=Budget(seconds=seconds),
        )
    except EbmError as error:
        raise blame_term(error, module, layout, seed) from None
    shape = found.points.shape[:2]
    flat = found.points.flatten(0, 1)
    variables = _by_draw(module.unpack(flat), shape)
    reports = _by_draw(_compute_reports(module, flat), shape)
    energies = found.energies.cpu().numpy()
    # A quantity of the spec that is called `energy` takes precedence.
    verdict = judge({ENERGY: energies, **variables, **reports}, read_facts(found))
    trust = Trust.TRUSTED if verdict.trusted else Trust.UNTRUSTED
    return Samples(
        status=Trust.INTERRUPTED if found.interrupted else trust,
        draws=variables,
        reports=reports,
        energies=energies,
        acceptance=found.chunk.acceptance.mean(1).cpu().numpy(),
        divergences=found.chunk.diverged.sum(1).cpu().numpy(),
        verdict=verdict,
        seed=seed,
        warmup=warmup,
        versions=collect_versions(),
    )


def choose_method(model: Model, chains: int) -> str:
    """Return the name of the sampler that what is known of a model speaks for."""
    facts = find_facts(model)
    assert facts is not None, "the data is there once a model is compiled"
    choice = build_plan(facts, chains).sampler.method
    return choice if choice in METHODS else "hmc"


def _feasible_starts(
    module: CompiledEnergy, layout: Layout, chains: int, seed: int, progress: Progress | None
) -> Tensor | None:
    """Return where chains begin if anything is required; spread points that hold it are too rare.

    Raises:
        EbmError: E0706 where no feasible point was found.
    """
    if not any(True for _ in module.graph.roots_of(RootKind.HARD)):
        return None
    points = find_feasible(module.packed(), layout, count=chains, seed=seed, progress=progress)
    if not len(points):
        raise EbmError(
            Diagnostic(
                code="E0706",
                headline="no point was found that satisfies everything required",
                helps=("`ebm solve` shows the nearest one and which margins are negative",),
            )
        )
    return points


def _compute_reports(module: CompiledEnergy, x: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        pieces = [module.reports(module.unpack(rows)) for rows in torch.split(x, ROWS_AT_ONCE)]
    return {path: torch.cat([piece[path] for piece in pieces]) for path in pieces[0]}


def _by_draw(values: dict[str, Tensor], shape: torch.Size) -> dict[str, np.ndarray]:
    return {
        path: value.reshape(*shape, *value.shape[1:]).cpu().double().numpy()
        for path, value in values.items()
    }
