"""The energy graph of a model: sizes from the data, then built and optimized, once per sizes."""

from collections.abc import Sequence

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
    bound = bind_sizes(model.program, model.data)
    key = (stage, *sorted(bound.sizes.items()))
    if key not in model.graphs:
        model.graphs[key] = optimize(build_graph(model.program, bound.sizes), passes)
    return model.graphs[key], bound


def build_raw_graph(model: Model) -> tuple[EnergyGraph, BoundSizes]:
    """Return the graph as built, before any pass."""
    bound = bind_sizes(model.program, model.data)
    return build_graph(model.program, bound.sizes), bound
