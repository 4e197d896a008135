"""A model whose energy opens up into branches: their masses, and the sampler that draws each."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.analysis import GraphFacts
from ebmlang.analysis.branches import Branch
from ebmlang.analysis.plan import pick_sampler
from ebmlang.api.compile import estimate_inputs
from ebmlang.api.facts import find_facts
from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph
from ebmlang.lower.module import compile_graph
from ebmlang.passes.pruning import prune_unused
from ebmlang.runs.integral import Integral, show_integral
from ebmlang.sample import Plan
from ebmlang.sample.methods import METHODS
from ebmlang.sample.native import is_worth_compiling
from ebmlang.sample.samplers.branched import MOST_WARMED, Branched, Part
from ebmlang.source import Diagnostic, EbmError, Label
from ebmlang.spaces import Layout

Values: TypeAlias = Mapping[str, NDArray[Any]]
"""Inputs by path. Any: of any dtype."""

FALLBACK = "hmc"
"""What draws a branch for which no sampler of the loop speaks."""


def build_branched(
    model: Model,
    layout: Layout,
    *,
    chains: int,
    plan: Plan,
    dtype: torch.dtype,
    device: torch.device,
) -> Branched:
    """Return the sampler of a model's branches, each with its mass.

    Args:
        model: Bound to its data; E has an OR at its top.
        layout: Where its points live.
        chains: How many each branch has.
        plan: How long the run is.
        dtype: What energies are computed in.
        device: Where.

    Raises:
        EbmError: E0715 where a mass cannot be relied on, E0907 where there are no branches.
    """
    facts = find_facts(model)
    assert facts is not None, "the data is there once a model is compiled"
    branches = facts.branches
    if not branches:
        raise EbmError(_no_branches())
    graph, _ = find_graph(model)
    inputs = {
        **facts.inputs.givens,
        **{path: np.asarray(value) for path, value in estimate_inputs(model, graph).items()},
    }
    log_masses, parts = [], []
    for branch in branches:
        inside = prune_unused(branch.graph)
        values = {given.path: inputs[given.path] for given in inside.givens}
        log_masses.append(_find_log_mass(model, branch, inside, values))
        module = compile_graph(inside, dtype=dtype, device=device, externs=model.externs)
        module.bind(values, model.weights)
        method = pick_sampler(GraphFacts(branch.graph, facts.inputs), chains).method
        parts.append((branch.name, module, method if method in METHODS else FALLBACK))
    logs = np.array(log_masses)
    masses = np.exp(logs - np.logaddexp.reduce(logs)).tolist()
    warmup = math.ceil(plan.warmup * min(1, MOST_WARMED / len(parts)))

    def pays(mass: float) -> bool:
        iterations = warmup + math.ceil(mass * plan.draws * plan.thin)
        return is_worth_compiling(iterations=iterations, chains=chains, dim=layout.dim)

    return Branched(
        parts=tuple(
            Part(
                name=name,
                target=module.packed(),
                sampler=METHODS[method](),
                mass=mass,
                in_machine_code=pays(mass),
            )
            for (name, module, method), mass in zip(parts, masses, strict=True)
        ),
        layout=layout,
    )


def _find_log_mass(model: Model, branch: Branch, inside: EnergyGraph, inputs: Values) -> float:
    """Return log of the integral of exp(-E) over a branch.

    Raises:
        EbmError: E0715 where it has to be estimated, and the estimate cannot be relied on.
    """
    if branch.log_weight is not None:
        return branch.log_weight
    # Estimating is slow to import.
    from ebmlang.api.normalizers import find_estimate

    integral = find_estimate(model, inside, inputs)
    if not (integral.reliable or model.accept_unreliable):
        raise EbmError(_unreliable(branch, integral))
    return integral.log_value


def _unreliable(branch: Branch, integral: Integral) -> Diagnostic:
    return Diagnostic(
        code="E0715",
        headline=f"the mass of the branch `{branch.name}` cannot be relied on",
        primary=None if branch.span is None else Label(branch.span, _show_mass(integral)),
        because=integral.reasons,
        helps=(
            "draw from all branches together, with `--method smc`",
            "`--accept-unreliable` goes on with this number",
        ),
    )


def _show_mass(integral: Integral) -> str:
    return f"the log of its mass is {show_integral(integral)} by its islands alone"


def _no_branches() -> Diagnostic:
    return Diagnostic(
        code="E0907",
        headline="the energy does not open up into branches",
        notes=("it does where an `or`, `mix` or `exists` of densities is a term of weight 1",),
        helps=("leave `--method` out, and the sampler is chosen by what is known of the spec",),
    )
