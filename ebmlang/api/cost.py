"""`explain --cost`: what an evaluation takes, counted and predicted, as plain data."""

import shutil
from typing import Any

from ebmlang.analysis.cost import Costs, TermCost, Work, infer_costs
from ebmlang.analysis.floors import (
    NATIVE,
    REAL_BYTES,
    STRAIGHT,
    Floors,
    choose_tier,
    predict_seconds,
)
from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.passes.gradient import NoRuleError, differentiate

BATCHES = (1, 64, 4096, 65536)
"""Chains for which a rate is predicted."""

PRECISION = "float64"
"""What `ebm solve` and `ebm sample` compute in where nothing else is asked for."""


def describe_cost(model: Model, *, precision: str = PRECISION) -> dict[str, Any]:
    """Return what E and its gradient cost per chain, by term, and how fast that may be, for JSON.

    Args:
        model: The model, with the data that its sizes depend on.
        precision: `float32` or `float64`.

    Returns:
        Plain data; so Any.

    Raises:
        EbmError: E0702-E0705 for the data.
    """
    graph, _ = find_graph(model)
    costs = infer_costs(graph, _differentiate(graph))
    size = REAL_BYTES[precision]
    return {
        "name": model.name,
        "precision": precision,
        "energy": _describe_work(costs.energy, size),
        "gradient": _describe_work(costs.gradient, size),
        "requirements": _describe_work(costs.requirements, size),
        "terms": [_describe_term(term, costs, size) for term in costs.terms],
        "opaque": list(costs.opaque),
        "rates": [_describe_rate(costs, chains, precision) for chains in BATCHES],
    }


def _differentiate(graph: EnergyGraph) -> EnergyGraph | None:
    """Return the graph of E and its gradient; None where that is left to autograd."""
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    try:
        return differentiate(graph, total)
    except NoRuleError:
        return None


def find_tiers(costs: Costs) -> tuple[Floors, ...]:
    """Return the tiers that this machine has for a spec."""
    native = not costs.opaque and shutil.which("cc") is not None
    return (STRAIGHT, NATIVE) if native else (STRAIGHT,)


def _describe_work(work: Work, size: int) -> dict[str, float]:
    return {
        "operations": work.operations,
        "arithmetic": work.arithmetic,
        "functions": work.functions,
        "products": work.products,
        "bytes": work.traffic * size,
        "calls": work.calls,
    }


def _describe_term(term: TermCost, costs: Costs, size: int) -> dict[str, Any]:
    whole = costs.gradient.operations
    return {
        "path": term.path,
        "required": term.required,
        "energy": _describe_work(term.energy, size),
        "gradient": _describe_work(term.gradient, size),
        "shared": term.shared,
        "share": term.gradient.operations / whole if whole and not term.required else None,
    }


def _describe_rate(costs: Costs, chains: int, precision: str) -> dict[str, Any]:
    tiers = find_tiers(costs)
    chosen, seconds = choose_tier(costs.gradient, tiers, chains=chains, precision=precision)
    predicted = {
        floors.tier: chains
        / predict_seconds(costs.gradient, floors, chains=chains, precision=precision)
        for floors in tiers
    }
    return {
        "chains": chains,
        "tier": chosen.tier,
        "seconds": seconds,
        "gradients_per_second": predicted,
    }
