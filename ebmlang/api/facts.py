"""What can be proved of a model with the data that it has so far."""

from dataclasses import replace

from ebmlang.analysis import GraphFacts, Inputs
from ebmlang.api.graphs import find_analyzed_graph
from ebmlang.api.model import Model
from ebmlang.graph.node import Constant
from ebmlang.lower.binding import check_data, check_weights
from ebmlang.source import EbmError


def find_facts(model: Model) -> GraphFacts | None:
    """Return the facts of a model; None where data that is missing decides the size of an array.

    A given without a value, or with one for each row, is any finite number; else its value is
    looked at. Facts are inferred once for the same data and weights.

    Raises:
        EbmError: E0702-E0705 for the data, E0901 or E0903 for weights.
    """
    try:
        graph, bound = find_analyzed_graph(model)
    except EbmError as error:
        if all(diagnostic.code == "E0701" for diagnostic in error.diagnostics):
            return None
        raise
    known = tuple(
        given
        for given in graph.givens
        if given.path not in model.rows and (given.path in bound.data or given.default is not None)
    )
    checked = replace(graph, givens=known)
    missing = {given.path for given in graph.givens} - {given.path for given in known}
    data = {path: value for path, value in bound.data.items() if path not in missing}
    values = check_data(checked, data)
    givens = {given.path: value for given, value in zip(known, values, strict=True)}
    weights = dict(check_weights(graph, model.weights))
    key = (
        id(graph),
        *((path, Constant(value)) for path, value in givens.items()),
        *sorted(weights.items()),
    )
    if key not in model.proofs:
        # Only the latest: who binds a thousand data sets one after another keeps one.
        model.proofs.clear()
        model.proofs[key] = GraphFacts(graph, Inputs(givens=givens, weights=weights))
    return model.proofs[key]
