"""`explain` on a spec: what is proved of it before anything runs, as plain data."""

from typing import Any

from ebmlang.analysis import GraphFacts
from ebmlang.analysis.solving import LBFGS
from ebmlang.api.graphs import find_graph
from ebmlang.api.interface import describe_interface
from ebmlang.api.model import Model
from ebmlang.graph.integrands import list_integrands, show_name
from ebmlang.passes.batching import list_batches
from ebmlang.source import EbmError


def describe_facts(model: Model) -> dict[str, Any]:
    """Return the facts of the terms, the verdict on propriety and the plan, for JSON.

    Where data that is missing decides the size of an array, there is no graph to prove anything
    of: then `status` is `needs data`, `missing` says what is missing, and `interface` what is
    known all the same.

    Args:
        model: The model, with the data that there is.

    Returns:
        Plain data; so Any.

    Raises:
        EbmError: E0702-E0705 for the data, E0901 or E0903 for weights.
    """
    described: dict[str, Any] = {"name": model.name}
    facts = model.analyze()
    if facts is None:
        return {
            **described,
            "status": "needs data",
            "missing": _find_missing(model),
            "interface": describe_interface(model.program),
        }
    from ebmlang.analysis import describe

    tiers = _describe_tiers(model) if model.program.priority else {}
    return {
        **described,
        "status": "analyzed",
        **describe.describe_facts(facts),
        "integrals": _describe_integrals(model, facts),
        "batches": _describe_batches(model),
        **tiers,
    }


def _describe_batches(model: Model) -> list[dict[str, Any]]:
    """Return which terms are computed side by side."""
    graph, _ = find_graph(model)
    return [{"terms": list(one.paths), "steps": one.steps} for one in list_batches(graph)]


def _describe_tiers(model: Model) -> dict[str, Any]:
    """Return the plan of a spec that orders its terms, which is not that of their sum."""
    order = " > ".join(", ".join(tier) for tier in model.program.priority)
    because = f"`priority {order}`"
    return {
        "blocks": [],
        "solver": {
            "method": "tiers",
            "does": "the terms of each tier by many starts, where those before stay within a slack "
            "of their lowest",
            "because": because,
            "descent": LBFGS,
            "descends": "an augmented Lagrangian around it keeps to the tiers before",
            "parts": [],
        },
        "sampler": {
            "method": "none",
            "does": "an order of terms has no density to draw from",
            "because": because,
            "branches": [],
        },
    }


def _describe_integrals(model: Model, facts: GraphFacts) -> list[dict[str, Any]]:
    """Return what each `normalize` adds; nothing before all the data is there."""
    missing = [g for g in facts.graph.givens if g.path not in facts.inputs.givens]
    if not list_integrands(facts.graph) or not all(given.estimated for given in missing):
        return []
    # Estimating needs torch.
    from ebmlang.analysis import describe
    from ebmlang.api.normalizers import find_integrals

    return [
        {"name": show_name(given), **integral.to_json(), **describe.describe_span(given.span)}
        for given, integral in find_integrals(model).values()
    ]


def _find_missing(model: Model) -> list[str]:
    """Return what there is no data for, in words."""
    from ebmlang.api.sizes import bind_sizes

    try:
        bind_sizes(model.program, model.data)
    except EbmError as error:
        return [diagnostic.headline for diagnostic in error.diagnostics]
    return []
