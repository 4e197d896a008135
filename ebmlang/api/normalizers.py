"""Integrals of energies: log Z of each `normalize`, and of branches, once for the same content.

What a `normalize` adds needs the energy inside of it and the domains of its variables, and nothing
else of the model. An estimate is a function of these, of the data they depend on, and of the
method; under a name made of all this it is kept in the user's cache folder. The cache only saves
time: a missing, unwritable or broken one changes nothing else.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import get_ident

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.analysis.integrals import integral_diagnostics
from ebmlang.api.compile import lay_out
from ebmlang.api.facts import find_facts
from ebmlang.api.graphs import find_analyzed_graph, find_graph
from ebmlang.api.inputs import Extern
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph, GivenInfo
from ebmlang.graph.fingerprint import fingerprint
from ebmlang.graph.integrands import extract_integrand, list_integrands, show_name
from ebmlang.lower.binding import check_data, check_weights
from ebmlang.lower.module import compile_graph
from ebmlang.passes.pruning import prune_unused
from ebmlang.runs.integral import Integral, show_integral
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.smc.estimate import ISLANDS, PARTICLES, estimate_log_partition
from ebmlang.source import Diagnostic, EbmError, Label, Severity
from ebmlang.spaces import build_sampling_chart
from ebmlang.syntax.grammar import cache_folder

METHOD = ("islands", 1, ISLANDS, PARTICLES)
"""How estimates are made; its number rises whenever the same content would get another one."""

SEED = 0
"""Of all estimates, whatever the seed of a run is: an energy does not depend on that."""

Values = Mapping[str, NDArray[np.generic]]


def find_integrals(model: Model) -> dict[str, tuple[GivenInfo, Integral]]:
    """Return the estimated inputs of a model's energy with their estimates, by path.

    Raises:
        EbmError: E0418 where there is no finite integral, E0701-E0705 for the data, E0706 or E0707
            where no point is found at which an estimate could begin.
    """
    graph, bound = find_graph(model)
    needed = {integral.path for integral in list_integrands(graph)}
    if not needed:
        return {}
    _require_integrals(model)
    declared = tuple(given for given in graph.givens if not (given.estimated or given.by_row))
    values = check_data(replace(graph, givens=declared), bound.data)
    known = {given.path: value for given, value in zip(declared, values, strict=True)}
    analyzed, _ = find_analyzed_graph(model)
    found: dict[str, tuple[GivenInfo, Integral]] = {}
    for integral in list_integrands(analyzed):
        if integral.path in needed:
            inside = prune_unused(extract_integrand(analyzed, integral))
            inputs = {given.path: known[given.path] for given in inside.givens}
            estimate = find_estimate(model, inside, inputs)
            found[integral.path] = (integral, estimate)
            known[integral.path] = np.asarray(estimate.log_value)
    return found


def require_reliable(found: Mapping[str, tuple[GivenInfo, Integral]]) -> None:
    """Raise where an estimate is not to be relied on.

    Raises:
        EbmError: E0715.
    """
    unreliable = [_unreliable(*item) for item in found.values() if not item[1].reliable]
    if unreliable:
        raise EbmError(*unreliable)


def _unreliable(given: GivenInfo, integral: Integral) -> Diagnostic:
    name = show_name(given)
    label = f"log Z = {show_integral(integral)} by its islands alone"
    return Diagnostic(
        code="E0715",
        headline=f"the integral that `{name}` is normalized by cannot be relied on",
        primary=Label(given.span, label) if given.span is not None else None,
        because=integral.reasons,
        helps=(
            "hold its variables by bounds, or by terms inside of the `normalize`",
            "`--accept-unreliable` goes on with this number",
        ),
    )


def _require_integrals(model: Model) -> None:
    """Raise where it is proved that an integral is not finite."""
    facts = find_facts(model)
    assert facts is not None, "the sizes are bound"
    errors = [d for d in integral_diagnostics(facts) if d.severity is Severity.ERROR]
    if errors:
        raise EbmError(*errors)


# --- once for the same content -------------------------------------------------------


def find_estimate(model: Model, graph: EnergyGraph, inputs: Values) -> Integral:
    """Return log of the integral of exp(-E) of a graph where all it requires holds.

    Args:
        model: Whose graph, or part of whose graph, it is.
        graph: Through the passes.
        inputs: A value for each of its givens.
    """
    leaves = {node.option("path") for node in graph.nodes if node.operator == "weight"}
    written = check_weights(graph, {p: w for p, w in model.weights.items() if p in leaves})
    weights = {path: float(written[path]) for path in sorted(leaves)}
    key = fingerprint(graph, inputs, METHOD, *weights.items())
    if key not in model.integrals:
        foreign = any(node.operator == "extern" for node in graph.nodes)
        kept = None if foreign else cache_folder() / "integrals" / f"{key}.json"
        integral = None if kept is None else _read(kept)
        if integral is None:
            integral = _estimate(graph, inputs, weights, model.externs)
            if kept is not None:
                _write(kept, integral)
        model.integrals[key] = integral
    return model.integrals[key]


def _read(kept: Path) -> Integral | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return Integral.from_json(json.loads(kept.read_text(encoding="utf-8")))
    return None


def _write(kept: Path, integral: Integral) -> None:
    # Others may be reading or writing: the file appears under its name only when whole.
    unfinished = kept.with_suffix(f".{os.getpid()}-{get_ident()}")
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(integral.to_json()), encoding="utf-8")
        unfinished.replace(kept)


def _estimate(
    graph: EnergyGraph,
    inputs: Values,
    weights: Mapping[str, float],
    externs: Mapping[str, Extern],
) -> Integral:
    with torch.inference_mode(False):
        module = compile_graph(graph, dtype=torch.float64, externs=externs)
        module.bind(inputs, weights)
        target = module.packed()
        chart = build_sampling_chart(lay_out(module), dtype=target.dtype, device=target.device)
        density = TargetDensity(target=target, chart=chart)
        found = estimate_log_partition(density, seed=SEED)
    return Integral(
        log_value=found.value,
        error=found.error,
        khat=found.khat,
        reverse_gap=found.reverse_gap,
        reasons=found.reasons,
    )
