"""The energy graph of a model: sizes from the data, then built and optimized, once per sizes."""

from collections.abc import Sequence
from dataclasses import replace

from ebmlang.api.model import Model
from ebmlang.api.sizes import BoundSizes, bind_sizes
from ebmlang.graph import EnergyGraph
from ebmlang.graph.build import build_graph
from ebmlang.passes import ANALYZED, PASSES, Pass, optimize


def find_graph(model: Model) -> tuple[EnergyGraph, BoundSizes]:
    """Return the optimized graph for the sizes that the model's data binds, and these sizes."""
    return _find(model, "optimized", PASSES)


def find_analyzed_graph(model: Model) -> tuple[EnergyGraph, BoundSizes]:
    """Return the graph that analyses read, and the sizes."""
    return _find(model, "analyzed", ANALYZED)


def _find(model: Model, stage: str, passes: Sequence[Pass]) -> tuple[EnergyGraph, BoundSizes]:
    # Sizes are the same for all rows: the first stands for them.
    data = {p: value[0] if p in model.rows else value for p, value in model.data.items()}
    bound = bind_sizes(model.program, data)
    key = (stage, *sorted(bound.sizes.items()), *sorted(model.rows))
    if key not in model.graphs:
        graph = optimize(build_graph(model.program, bound.sizes), passes)
        # What varies by row is to an analysis what has no value yet: any number.
        givens = tuple(
            replace(given, default=None, by_row=passes is PASSES)
            if given.path in model.rows
            else given
            for given in graph.givens
        )
        model.graphs[key] = replace(graph, givens=givens)
    shared = {path: value for path, value in bound.data.items() if path not in model.rows}
    return model.graphs[key], replace(bound, data=shared)


def build_raw_graph(model: Model) -> tuple[EnergyGraph, BoundSizes]:
    """Return the graph as built, before any pass."""
    bound = bind_sizes(model.program, model.data)
    return build_graph(model.program, bound.sizes), bound
