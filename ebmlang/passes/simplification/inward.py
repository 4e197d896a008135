"""Fixed numbers moved inward, into the products that they multiply: for code that pays by the call.

`simplify` moves numbers outward, where they meet and become one. What is left of them is a call
each: a weight times a sum, a normalizer added to it. A number that multiplies a product with
something fixed is multiplied into that before the first point instead. Only where what is
multiplied has no other use, so that nothing is computed twice. A factor of a sum stays outside: a
difference like x - 3 has all its digits near 0, and 10^9 x - 3 10^9 has lost nine of them.

Machine code, where operations cost and calls do not, is emitted from the graph before this.
"""

import math
from collections.abc import Mapping

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node
from ebmlang.graph.integrands import keep_roots
from ebmlang.passes.folding import compute_constant
from ebmlang.passes.rewrite import rewrite_nodes
from ebmlang.passes.simplification.site import Site

SHORT = 64
"""A last axis of so many elements, or fewer, is summed by a product; `lower.plain` says why."""

FEW = 8
"""Elements that are divided by one number rather than multiplied by its reciprocal: a division of
one takes four times as long as a product, and a call that of a few thousand."""


def move_inward(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with fixed numbers in the products that they multiply."""
    rows = frozenset(given.path for given in graph.givens if given.by_row)
    fixed: dict[int, bool] = {}
    once: dict[int, bool] = {}
    places = iter(range(len(graph.nodes)))

    def shorten(site: Site) -> int:
        array = compute_constant(site.node, [site.of(i) for i in site.node.inputs])
        if array is not None:
            return site.builder.constant(array, site.node.origin)
        if site.node.kind is Kind.REAL:
            found = _shorter(site, once)
            if found is not None:
                assert site.of(found).shape == site.node.shape
                return found
        return site.builder.add(site.node)

    def rewrite(builder: GraphBuilder, node: Node) -> int:
        place = next(places)
        number = shorten(Site(builder, node, rows, fixed, shorten))
        # What two nodes have become is used by the users of both.
        once[number] = number not in once and graph.uses[place] == 1
        return number

    moved = rewrite_nodes(graph, rewrite)
    return keep_roots(moved, moved.roots)


def _shorter(site: Site, once: Mapping[int, bool]) -> int | None:
    a, b = site.node.inputs if len(site.node.inputs) == 2 else (-1, -1)
    match site.node.operator:
        case "mul":
            for one, other in ((a, b), (b, a)):
                if site.is_fixed(other) and not site.is_fixed(one) and once.get(one, False):
                    return _scaled(site, one, other)
        case "sub" if site.is_fixed(a) and not site.is_fixed(b) and once.get(b, False):
            minus = site.number(-1.0, len(site.of(b).shape))
            product = _scaled(site, b, minus)
            return None if product is None else site.make("add", product, a)
        case "vecmat":
            return _narrowed(site, a, b, once)
    return None


def _scaled(site: Site, x: int, factor: int) -> int | None:
    """Return x times something fixed in no more calls than x; None where there is no such form."""
    node = site.of(x)
    if node.shape != np.broadcast_shapes(node.shape, site.of(factor).shape):
        return None
    match node.operator:
        case "mul":
            for one, n in (node.inputs, node.inputs[::-1]):
                if site.is_fixed(n) and site.of(one).shape == node.shape:
                    return site.make("mul", one, site.make("mul", n, factor))
        case "dot" | "matvec" | "vecmat" if site.is_scalar(factor):
            return _in_product(site, x, factor)
        case "sum" if site.is_scalar(factor):
            (inner,) = node.inputs
            shape = site.of(inner).shape
            short = node.option("axes") == (-1,) and 1 < shape[-1] <= SHORT
            if short and site.of(inner).kind is Kind.REAL:
                ones = site.builder.constant(np.ones(shape[-1]), node.origin)
                return site.make("dot", inner, site.make("mul", ones, site.rank(factor, 1)))
    return None


def _in_product(site: Site, x: int, factor: int) -> int | None:
    """Return a product with something fixed that is multiplied by the factor before."""
    node = site.of(x)
    inputs = list(node.inputs)
    for place, n in enumerate(inputs):
        if site.is_fixed(n):
            inputs[place] = site.make("mul", n, site.rank(factor, len(site.of(n).shape)))
            return site.make(node.operator, *inputs)
    return None


def _narrowed(site: Site, x: int, matrix: int, once: Mapping[int, bool]) -> int | None:
    """Return (y * n) M as (y M) * n for one number n of each chain, where M makes less of it."""
    node = site.of(x)
    if node.operator != "mul" or not once.get(x, False) or not site.is_fixed(matrix):
        return None
    if len(site.of(matrix).shape) != 2 or math.prod(site.node.shape) > math.prod(node.shape):
        return None
    for one, n in (node.inputs, node.inputs[::-1]):
        if site.of(one).shape == node.shape and site.of(n).shape == (1,):
            return _shared(site, site.make("vecmat", one, matrix), n, once)
    return None


def _shared(site: Site, x: int, n: int, once: Mapping[int, bool]) -> int:
    """Return x * n; short ones are divided by what n is the reciprocal of."""
    source = site.of(n).inputs[0] if site.of(n).operator == "reshape" else n
    node = site.of(source)
    only = once.get(n, False) and once.get(source, False)
    few = math.prod(site.of(x).shape) <= FEW
    if few and only and node.operator == "div" and site.single(node.inputs[0]) == 1:
        return site.make("div", x, site.reshape(node.inputs[1], site.of(n).shape))
    return site.make("mul", x, n)
