"""A model whose terms can be taken apart: their pieces are roots of its graph, in float64."""

from dataclasses import dataclass
from functools import cached_property

import torch

from ebmlang.analysis import GraphFacts, Inputs
from ebmlang.analysis.composition import Composition, compose
from ebmlang.api.compile import estimate_inputs
from ebmlang.api.model import Model
from ebmlang.api.sizes import bind_sizes
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.passes import ANALYZED, PASSES, optimize


@dataclass(frozen=True, kw_only=True, eq=False)
class ComposedModel:
    """What the terms are made of, and the energy that computes all of it.

    Attributes:
        composition: The pieces of each term.
        module: Compiled, and bound to data and weights.
    """

    composition: Composition
    module: CompiledEnergy

    @cached_property
    def facts(self) -> GraphFacts:
        """What is known of the pieces before anything runs; roots as in the composition's graph."""
        graph = optimize(self.composition.graph, ANALYZED)
        binding = self.module.binding
        paths = [given.path for given in graph.givens]
        givens = dict(zip(paths, binding.givens, strict=True))
        return GraphFacts(graph, Inputs(givens=givens, weights=binding.weights))


def compose_model(model: Model) -> ComposedModel:
    """Return a model's terms with what they are made of.

    Raises:
        EbmError: E0701-E0705 for the data, E0901 or E0903 for weights.
    """
    bound = bind_sizes(model.program, model.data)
    composition = compose(model.program, bound.sizes)
    graph = optimize(composition.graph, PASSES)
    module = compile_graph(graph, dtype=torch.float64, externs=model.externs)
    module.bind({**bound.data, **estimate_inputs(model, graph)}, model.weights)
    return ComposedModel(composition=composition, module=module)
