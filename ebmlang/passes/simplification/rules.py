"""The rewrite: each node, first to last, replaced by the shortest form that a rule knows.

A rule looks at one node whose operands are short already. Rules are for values that are computed
with their derivatives: they may round differently, and take finite numbers for granted where the
product with a zero slope would be nan. Two ideas make most of the difference:

- A factor that is one fixed number (a weight, a tolerance) moves outward, or to the smaller of two
  operands, until it meets others; what is fixed is multiplied before the first point.
- A sum of products with something fixed is a product with a matrix.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ebmlang.graph import EnergyGraph
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.folding import compute_constant
from ebmlang.passes.rewrite import Pass, rewrite_nodes
from ebmlang.passes.simplification.arithmetic import ARITHMETIC
from ebmlang.passes.simplification.elements import ELEMENTS
from ebmlang.passes.simplification.final import FINAL
from ebmlang.passes.simplification.reductions import REDUCTIONS
from ebmlang.passes.simplification.site import Rule, Site

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType({**ARITHMETIC, **REDUCTIONS, **ELEMENTS})
"""By operator, the rules for it, in the order in which they are tried."""


def simplify(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with every node as short as the rules make it."""
    return _rewrite(graph, RULES)


def finish(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph simplified, for good: it is not differentiated again."""
    return _rewrite(graph, {**RULES, **FINAL})


def _rewrite(graph: EnergyGraph, rules: Mapping[str, tuple[Rule, ...]]) -> EnergyGraph:
    rows = frozenset(given.path for given in graph.givens if given.by_row)
    fixed: dict[int, bool] = {}

    def shorten(site: Site) -> int:
        node = site.node
        array = compute_constant(node, [site.of(i) for i in node.inputs])
        if array is not None:
            return site.builder.constant(array, node.origin)
        for rule in (_without_repetition, *rules.get(node.operator, ())):
            found = rule(site)
            if found is not None:
                assert site.of(found).shape == node.shape, (rule, node, site.of(found))
                return found
        return site.builder.add(node)

    return rewrite_nodes(
        graph, lambda builder, node: shorten(Site(builder, node, rows, fixed, shorten))
    )


def _without_repetition(site: Site) -> int | None:
    """Let broadcasting do what an operand was repeated for."""
    node = site.node
    record = OPERATORS.get(node.operator)
    if record is None or record.family is not Family.ELEMENTWISE:
        return None
    inputs = list(node.inputs)
    for place, number in enumerate(node.inputs):
        operand = site.of(number)
        if operand.operator != "expand":
            continue
        source = operand.inputs[0]
        others = [site.of(i).shape for i in (*inputs[:place], source, *inputs[place + 1 :])]
        if len(site.of(source).shape) == len(operand.shape) and (
            np.broadcast_shapes(*others) == node.shape
        ):
            inputs[place] = source
    if tuple(inputs) == node.inputs:
        return None
    return site.shorten(replace(site, node=replace(node, inputs=tuple(inputs))))


SIMPLIFICATION = Pass(
    name="simplification",
    needs=("energies",),
    law="every root keeps its value to rounding, where it is finite",
    rewrite=simplify,
)
