"""`sample`: draw from exp(-E) of a model, and judge the draws."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ebmlang.analysis.plan import pick_sampler
from ebmlang.analysis.sampling import FEWEST_ISLANDS
from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.divergence import locate_divergences
from ebmlang.api.facts import find_facts
from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.api.unordered import require_no_priority
from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.tiers import PER_ITERATION, Ahead
from ebmlang.runs import Samples, Trust, collect_versions
from ebmlang.runs.branches import judge_branches
from ebmlang.runs.convergence import judge, read_facts
from ebmlang.runs.directory import RunDirectory, list_states, open_run, require_new_run
from ebmlang.runs.islands import judge_islands
from ebmlang.runs.manifest import Manifest, Session, Settings, hash_arrays
from ebmlang.runs.run_state import RunState
from ebmlang.runs.sink import DirectorySink, create_run, finish_run
from ebmlang.runs.unpacking import read_stats, read_values
from ebmlang.runs.values import DrawValues
from ebmlang.runtime import Budget, Progress, pick_device
from ebmlang.sample import Draws, Place, Plan, sample
from ebmlang.sample.methods import BRANCHES, METHODS, SMC, require_method
from ebmlang.sample.sampler import Sampler
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout

PRECISIONS = {"float32": torch.float32, "float64": torch.float64, "mixed": torch.float32}
"""What chains move in, by name; `mixed` compares energies in float64."""


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
    precision: str,
    device: str,
    out: Path | None,
    progress: Progress | None,
) -> Samples:
    """Draw points from exp(-E), under every requirement; see `Model.sample`."""
    require_counts(chains=chains, draws=draws, thin=thin)
    require_counts(warmup=warmup, least=0)
    require_no_priority(
        model, "sampled", "exp(-E) weighs all terms against each other; an order does not"
    )
    require_sound(model, "sample")
    _require_precision(precision)
    if out is not None:
        require_new_run(out)
    settings = Settings(
        seed=seed,
        chains=chains,
        warmup=warmup,
        draws=draws,
        thin=thin,
        method=require_method(method or choose_method(model, chains)),
        precision=precision,
        accept_unreliable=model.accept_unreliable,
    )
    if settings.method == SMC:
        require_counts(chains=chains, least=FEWEST_ISLANDS)
    manifest = build_manifest(model, settings, device)
    run = None if out is None else create_run(out, manifest, model.data)
    try:
        return draw_samples(
            model, manifest, run=run, seconds=seconds, device=device, progress=progress
        )
    except EbmError:
        # A run that could not begin leaves nothing behind.
        if run is not None and not list_states(run.path):
            shutil.rmtree(run.path)
        raise


def draw_samples(
    model: Model,
    manifest: Manifest,
    *,
    run: RunDirectory | None,
    state: RunState | None = None,
    seconds: float | None,
    device: str,
    progress: Progress | None,
) -> Samples:
    """Draw, and judge the draws.

    Args:
        model: Bound to its data.
        manifest: What is drawn.
        run: Where the draws are written; kept in memory if None.
        state: Where to go on from; the beginning if None.
        seconds: Limit on the time [s].
        device: `cpu`, `cuda`, or `auto`.
        progress: Hears how far the run is.
    """
    settings = manifest.settings
    module = compile_model(model, dtype=PRECISIONS[settings.precision], device=device)
    exact = None
    if settings.precision == "mixed":
        exact = compile_model(model, dtype=torch.float64, device=device).packed()
    iterations = settings.warmup + settings.draws * settings.thin
    module.ahead = Ahead(calls=iterations * PER_ITERATION, points=settings.chains)
    layout = lay_out(module)
    budget = Budget(seconds=seconds)
    if settings.method == SMC:
        # Particles move as one: there is no place in between to go on from.
        state = None
    sink = None if run is None else DirectorySink(run, module, state)
    try:
        if settings.method == SMC:
            found = _draw_particles(module, layout, settings, sink, budget, progress)
        else:
            starts = None
            if state is None:
                starts = _feasible_starts(module, layout, settings.chains, settings.seed, progress)
            found = sample(
                module.packed(),
                layout,
                _build_sampler(model, module, layout, settings),
                seed=settings.seed,
                chains=settings.chains,
                plan=plan_of(settings),
                starts=starts,
                exact=exact,
                sink=sink,
                resume=None if state is None else state.place,
                progress=progress,
                budget=budget,
            )
    except EbmError as error:
        raise blame_term(error, module, layout, settings.seed) from error.__cause__
    if run is None or sink is None:
        return _judge_with_places(found, read_values(module, found.chunk), manifest, module)
    written = open_run(run.path)
    if written.chunks:
        values = written.values
        found = replace(found, chunk=read_stats(values))
    else:
        # It was stopped in its warm-up: what the sampler returns holds no draws either.
        values = read_values(module, found.chunk)
    samples = _judge_with_places(found, values, manifest, module)
    learnt = {"adaptation": dict(found.adaptation), "seconds": sink.seconds}
    finish_run(run, {**samples.describe(), **learnt})
    return samples


def _judge_with_places(
    found: Draws, values: DrawValues, manifest: Manifest, module: CompiledEnergy
) -> Samples:
    samples = judge_draws(found, values, manifest)
    return replace(samples, verdict=locate_divergences(samples.verdict, module, values))


def judge_draws(found: Draws, values: DrawValues, manifest: Manifest) -> Samples:
    """Judge draws.

    Args:
        found: What the sampler says of them; their points are not looked at.
        values: What the spec says of them.
        manifest: What they are draws of.
    """
    verdict = judge(values.quantities, read_facts(found))
    if found.method == SMC:
        verdict = replace(verdict, concerns=(*verdict.concerns, *judge_islands(found)))
    if found.method == BRANCHES:
        concerns = (*verdict.concerns, *judge_branches(found, values, verdict))
        verdict = replace(verdict, concerns=concerns)
    trust = Trust.TRUSTED if verdict.trusted else Trust.UNTRUSTED
    return Samples(
        status=Trust.INTERRUPTED if found.interrupted else trust,
        values=values,
        verdict=verdict,
        manifest=manifest,
    )


def build_manifest(model: Model, settings: Settings, device: str) -> Manifest:
    """Return what a run of a model would be a run of."""
    return Manifest(
        spec=model.origin.describe(),
        spec_hash=model.origin.hash,
        data_hash=hash_arrays(model.data),
        weights=dict(model.weights),
        functions=tuple(model.externs),
        settings=settings,
        sessions=(begin_session(0, device),),
    )


def begin_session(iteration: int, device: str) -> Session:
    """Return what is to be remembered of a process that works on a run from now on."""
    chosen = pick_device(device).type
    return Session(iteration=iteration, device=chosen, versions=collect_versions())


def _require_precision(precision: str) -> None:
    """Raise unless a precision is known by this name.

    Raises:
        EbmError: E0903.
    """
    if precision not in PRECISIONS:
        known = ", ".join(f"`{name}`" for name in PRECISIONS)
        raise EbmError(
            Diagnostic(
                code="E0903",
                headline=f"there is no precision `{precision}`",
                notes=(f"there are {known}",),
            )
        )


def choose_method(model: Model, chains: int) -> str:
    """Return the name of the sampler that what is known of a model speaks for.

    Raises:
        EbmError: E0701 where data is missing that decides the size of an array.
    """
    facts = find_facts(model)
    if facts is None:
        find_graph(model)
    assert facts is not None, "data that is missing is reported when the graph is built"
    return pick_sampler(facts, chains).method


def _build_sampler(
    model: Model, module: CompiledEnergy, layout: Layout, settings: Settings
) -> Sampler[Any]:
    """Return the sampler of a run. Any: each has a state of its own."""
    if settings.method != BRANCHES:
        return METHODS[settings.method]()
    from ebmlang.api.branches import build_branched

    return build_branched(
        model,
        layout,
        chains=settings.chains,
        plan=plan_of(settings),
        dtype=module.dtype,
        device=module.device,
    )


def plan_of(settings: Settings) -> Plan:
    """Return how long a run is."""
    return Plan(warmup=settings.warmup, draws=settings.draws, thin=settings.thin)


def _draw_particles(
    module: CompiledEnergy,
    layout: Layout,
    settings: Settings,
    sink: DirectorySink | None,
    budget: Budget,
    progress: Progress | None,
) -> Draws:
    """Draw by sequential Monte Carlo: a chain is an island, a draw one of its particles."""
    from ebmlang.sample import smc

    found, _ = smc.sample(
        module.packed(),
        layout,
        islands=settings.chains,
        particles=settings.draws,
        seed=settings.seed,
        budget=budget,
        progress=progress,
    )
    if sink is not None:
        place = Place(iteration=settings.draws, state=(), warmup_gradients=found.warmup_gradients)
        sink.write(found.chunk, place)
    return found


def _feasible_starts(
    module: CompiledEnergy, layout: Layout, chains: int, seed: int, progress: Progress | None
) -> Tensor | None:
    """Return where chains begin if anything is required; spread points that hold it are too rare.

    Raises:
        EbmError: E0706 where no feasible point was found.
    """
    if not any(True for _ in module.graph.roots_of(RootKind.HARD)):
        return None
    # The solver takes a while to import, and most specs require nothing.
    from ebmlang.solve import find_feasible

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
