"""`explain --cost`: what an evaluation takes, counted and predicted, as plain data."""

import math
from typing import Any

from ebmlang.analysis.cost import Costs, TermCost, Work, infer_costs
from ebmlang.analysis.floors import NATIVE, REAL_BYTES, STRAIGHT, predict_seconds
from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.lower.blocking import LARGEST, Whole, describe_blocks
from ebmlang.lower.native.build import find_compiler
from ebmlang.lower.native.emit import Declined, NativeProgram, emit_native
from ebmlang.lower.tiers import Ahead, Tier, asked_tier, count_operations, pays
from ebmlang.passes.gradient import NoRuleError, differentiate
from ebmlang.passes.simplification import move_inward

BATCHES = (1, 64, 4096, 65536)
"""Chains for which a rate is predicted."""

CALLS = 1000
"""Evaluations of the run for which the tier is told: building machine code has to pay."""

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
    gradient = _differentiate(graph)
    costs = infer_costs(graph, None if gradient is None else move_inward(gradient))
    native = _find_native(gradient)
    size = REAL_BYTES[precision]
    return {
        "name": model.name,
        "precision": precision,
        "energy": _describe_work(costs.energy, size),
        "gradient": _describe_work(costs.gradient, size),
        "requirements": _describe_work(costs.requirements, size),
        "terms": [_describe_term(term, costs, size) for term in costs.terms],
        "opaque": list(costs.opaque),
        "calls": CALLS,
        "blocks": _describe_blocks(gradient),
        "native": native.reason if isinstance(native, Declined) else None,
        "rates": [
            _describe_rate(costs.gradient, native, gradient, chains, precision)
            for chains in BATCHES
        ],
    }


def _differentiate(graph: EnergyGraph) -> EnergyGraph | None:
    """Return the graph of E and its gradient; None where that is left to autograd."""
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    try:
        return differentiate(graph, total)
    except NoRuleError:
        return None


def _describe_blocks(gradient: EnergyGraph | None) -> dict[str, Any]:
    """Return what torch code computes in blocks, and what of many elements it does not."""
    loops, whole = ((), ()) if gradient is None else describe_blocks(gradient)
    return {
        "loops": [
            {"places": loop.count, "steps": len(loop.body), "block": LARGEST} for loop in loops
        ],
        "whole": [_describe_whole(gradient, one) for one in whole if gradient is not None],
    }


def _describe_whole(gradient: EnergyGraph, whole: Whole) -> dict[str, Any]:
    node = gradient.nodes[whole.number]
    return {
        "step": node.operator,
        "term": node.origin.path,
        "elements": math.prod(node.shape),
        "because": whole.because,
    }


def _find_native(gradient: EnergyGraph | None) -> NativeProgram | Declined:
    """Return E and its gradient in C, which nothing compiles here, or why there is none."""
    if gradient is None:
        return Declined("autograd goes through a function from Python")
    if find_compiler() is None:
        return Declined("there is no C compiler (`cc`) on this machine")
    kinds = (RootKind.TOTAL, RootKind.GRADIENT)
    outputs = [number for root, number in gradient.roots.items() if root.kind in kinds]
    return emit_native(gradient, outputs, "value_and_gradient")


def _choose_tier(
    native: NativeProgram | Declined, gradient: EnergyGraph | None, chains: int
) -> Tier:
    """Return the tier that a run of `CALLS` evaluations takes."""
    if isinstance(native, Declined) or gradient is None:
        return Tier.STRAIGHT
    worth = pays(
        Ahead(calls=CALLS, points=chains),
        operations=count_operations(gradient),
        elements=native.work,
        lines=native.text.count("\n"),
    )
    return asked_tier() or (Tier.NATIVE if worth else Tier.STRAIGHT)


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


def _describe_rate(
    work: Work,
    native: NativeProgram | Declined,
    gradient: EnergyGraph | None,
    chains: int,
    precision: str,
) -> dict[str, Any]:
    tiers = (STRAIGHT,) if isinstance(native, Declined) else (STRAIGHT, NATIVE)
    seconds = {
        floors.tier: predict_seconds(work, floors, chains=chains, precision=precision)
        for floors in tiers
    }
    return {
        "chains": chains,
        "tier": _choose_tier(native, gradient, chains).value,
        "seconds": seconds,
        "gradients_per_second": {tier: chains / taken for tier, taken in seconds.items()},
    }
