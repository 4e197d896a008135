"""Derivatives made short: what reverse mode writes, as a careful person would write it.

Each rule looks at one node whose operands are short already, and returns what stands for it. Rules
are for derivatives: they may round differently, and take finite numbers for granted where the
product with a zero slope would be nan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.folding import compute_constant
from ebmlang.passes.rewrite import draft_node, rewrite_nodes


def simplify(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with every node as short as the rules make it."""
    rows = frozenset(given.path for given in graph.givens if given.by_row)
    fixed: dict[int, bool] = {}
    return rewrite_nodes(graph, lambda builder, node: _short(Site(builder, node, rows, fixed)))


@dataclass(frozen=True, slots=True)
class Site:
    """A node about to be added, and the graph it is added to.

    Attributes:
        builder: The graph so far.
        node: The node; its operands are in the graph.
        rows: Paths of the data by row.
        fixed: By node, whether no unknown and no row decides it; filled in as asked.
    """

    builder: GraphBuilder
    node: Node
    rows: frozenset[str]
    fixed: dict[int, bool]

    def of(self, number: int) -> Node:
        """Return a node of the graph."""
        return self.builder.nodes[number]

    def is_fixed(self, number: int) -> bool:
        """Whether a node is known before the unknowns are: it costs nothing per chain."""
        for i in range(len(self.fixed), number + 1):
            node = self.of(i)
            leaf = node.operator in ("variable", "parameter") or (
                node.operator == "given" and node.option("path") in self.rows
            )
            self.fixed[i] = not leaf and all(self.fixed[source] for source in node.inputs)
        return self.fixed[number]

    def make(self, operator: str, *inputs: int, **options: object) -> int:
        """Return another node, short."""
        node = draft_node(self.builder.nodes, operator, inputs, options, self.node.origin)
        return _short(replace(self, node=node))

    def reshape(self, number: int, shape: Sequence[int]) -> int:
        """Return a node under another shape."""
        found = self.of(number).shape
        if found == tuple(shape):
            return number
        return self.make("reshape", number, rank=len(found), shape=tuple(shape))

    def single(self, number: int) -> float | None:
        """Return the number that a constant is throughout; None for anything else."""
        node = self.of(number)
        if node.operator != "constant" or node.kind is Kind.BOOL:
            return None
        array = node.option("value").array
        if array.size == 0 or not (array == array.flat[0]).all():
            return None
        return float(array.flat[0])

    def keeps(self, number: int) -> bool:
        """Whether an operand has the shape and the kind of the node."""
        found = self.of(number)
        return found.shape == self.node.shape and found.kind is self.node.kind


Rule: TypeAlias = Callable[[Site], int | None]
"""Returns what stands for a node, None where the rule does not apply."""


def _short(site: Site) -> int:
    """Return the number of what stands for a node."""
    node = site.node
    inputs = [site.of(i) for i in node.inputs]
    array = compute_constant(node, inputs)
    if array is not None:
        return site.builder.constant(array, node.origin)
    for rule in (_without_repetition, *RULES.get(node.operator, ())):
        found = rule(site)
        if found is not None:
            assert site.of(found).shape == node.shape, (node, site.of(found))
            return found
    return site.builder.add(node)


# --- sums and products ---------------------------------------------------------------


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
    return _short(replace(site, node=replace(node, inputs=tuple(inputs))))


def _add(site: Site) -> int | None:
    a, b = site.node.inputs
    for one, other in ((a, b), (b, a)):
        if site.single(other) == 0 and site.keeps(one):
            return one
        if site.of(other).operator == "neg":
            return site.make("sub", one, site.of(other).inputs[0])
    return None


def _sub(site: Site) -> int | None:
    a, b = site.node.inputs
    if site.single(b) == 0 and site.keeps(a):
        return a
    if site.single(a) == 0 and site.keeps(b):
        return site.make("neg", b)
    if site.of(b).operator == "neg":
        return site.make("add", a, site.of(b).inputs[0])
    return None


def _mul(site: Site) -> int | None:
    a, b = site.node.inputs
    for one, other in ((a, b), (b, a)):
        factor = site.single(other)
        if site.keeps(one) and factor == 1:
            return one
        if site.keeps(one) and factor == -1:
            return site.make("neg", one)
        if site.of(one).operator == "neg" and not site.is_fixed(one):
            return site.make("neg", site.make("mul", site.of(one).inputs[0], other))
        merged = _merged(site, one, other)
        if merged is not None:
            return merged
    return None


def _merged(site: Site, one: int, factor: int) -> int | None:
    """Return (x * n) * m and (x / n) * m as x * k, where n and m are known before."""
    if not site.is_fixed(factor) or site.is_fixed(one):
        return None
    left = site.of(one)
    if left.operator == "mul":
        for x, n in (left.inputs, left.inputs[::-1]):
            if site.is_fixed(n):
                return site.make("mul", x, site.make("mul", n, factor))
    if left.operator == "div" and site.is_fixed(left.inputs[1]):
        x, n = left.inputs
        return site.make("mul", x, site.make("div", factor, n))
    return None


def _div(site: Site) -> int | None:
    a, b = site.node.inputs
    if site.single(b) == 1 and site.keeps(a):
        return a
    left = site.of(a)
    if left.operator == "neg" and not site.is_fixed(a):
        return site.make("neg", site.make("div", left.inputs[0], b))
    if site.is_fixed(b) and not site.is_fixed(a):
        if left.operator == "mul":
            for x, n in (left.inputs, left.inputs[::-1]):
                if site.is_fixed(n):
                    return site.make("mul", x, site.make("div", n, b))
        if left.operator == "div" and site.is_fixed(left.inputs[1]):
            x, n = left.inputs
            return site.make("div", x, site.make("mul", n, b))
    return None


def _neg(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    if node.operator == "neg":
        return node.inputs[0]
    if node.operator == "sub":
        a, b = node.inputs
        return site.make("sub", b, a)
    if node.operator in ("mul", "div") and not site.is_fixed(x):
        a, b = node.inputs
        if site.is_fixed(b):
            return site.make(node.operator, a, site.make("neg", b))
        if site.is_fixed(a):
            return site.make(node.operator, site.make("neg", a), b)
    return None


# --- reductions ----------------------------------------------------------------------


def _sum(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    axes = site.node.option("axes")
    if all(node.shape[axis] == 1 for axis in axes):
        return site.reshape(x, site.node.shape)
    if node.operator == "neg":
        return site.make("neg", site.make("sum", node.inputs[0], axes=axes))
    if node.operator in ("mul", "div"):
        return _common_factor(site, node, axes) or _contraction(site, node, axes)
    return None


def _common_factor(site: Site, node: Node, axes: tuple[int, ...]) -> int | None:
    """Return the sum of a * b where b is the same along the axes: sum(a) * b."""
    pairs = [node.inputs]
    if node.operator == "mul":
        pairs.append(node.inputs[::-1])
    for a, b in pairs:
        alone = site.of(a).shape
        if all(site.of(b).shape[axis] == 1 for axis in axes) and all(
            alone[axis] == node.shape[axis] for axis in axes
        ):
            total = site.make("sum", a, axes=axes)
            factor = site.reshape(b, _dropped(site.of(b).shape, axes))
            return site.make(node.operator, total, factor)
    return None


def _contraction(site: Site, node: Node, axes: tuple[int, ...]) -> int | None:
    """Return a sum of products with a fixed vector or matrix as a product of matrices."""
    if node.operator != "mul" or len(axes) != 1 or node.kind is not Kind.REAL:
        return None
    (axis,) = axes
    rank = len(node.shape)
    for x, matrix in (node.inputs, node.inputs[::-1]):
        if not site.is_fixed(matrix) or site.is_fixed(x):
            continue
        free, fixed = site.of(x).shape, site.of(matrix).shape
        if any(dim != 1 for dim in fixed[: max(0, rank - 2)]) or fixed[axis] == 1:
            continue
        if axis == -1 and free == node.shape and all(dim == 1 for dim in fixed[:-1]):
            return site.make("dot", x, site.reshape(matrix, fixed[-1:]))
        if rank < 2 or len(fixed) < 2 or 1 in fixed[-2:]:
            continue
        plain = site.reshape(matrix, fixed[-2:])
        if axis == -2 and free[-1] == 1 and free[-2] == fixed[-2]:
            return site.make("vecmat", site.reshape(x, free[:-1]), plain)
        if axis == -1 and free[-2] == 1 and free[-1] == fixed[-1]:
            return site.make("matvec", plain, site.reshape(x, (*free[:-2], free[-1])))
    return None


def _dropped(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dim for i, dim in enumerate(shape) if i - len(shape) not in axes)


# --- elements moved about ------------------------------------------------------------


def _reshape(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    if node.shape == site.node.shape:
        return x
    if node.operator == "reshape":
        return site.reshape(node.inputs[0], site.node.shape)
    if node.operator == "neg":
        return site.make("neg", site.reshape(node.inputs[0], site.node.shape))
    return None


def _expand(site: Site) -> int | None:
    (x,) = site.node.inputs
    if site.keeps(x):
        return x
    if site.of(x).operator == "expand":
        return site.make("expand", site.of(x).inputs[0], shape=site.node.shape)
    return None


def _slice(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    axis, start, stop = (site.node.option(name) for name in ("axis", "start", "stop"))
    if site.keeps(x):
        return x
    if node.operator == "stack" and node.option("axis") == axis and stop == start + 1:
        return site.reshape(node.inputs[start], site.node.shape)
    if node.operator == "concat" and node.option("axis") == axis:
        before = 0
        for piece in node.inputs:
            size = site.of(piece).shape[axis]
            if before <= start and stop <= before + size:
                return site.make(
                    "slice", piece, axis=axis, start=start - before, stop=stop - before
                )
            before += size
    return None


def _take(site: Site) -> int | None:
    x, index = site.node.inputs
    node, place = site.of(x), site.of(index)
    axis = site.node.option("axis")
    if place.operator != "constant" or place.shape:
        return None
    at = int(place.option("value").array) % max(1, node.shape[axis])
    if node.operator == "stack" and node.option("axis") == axis:
        return node.inputs[at]
    if node.shape[axis] == 1:
        return site.reshape(x, site.node.shape)
    if node.operator == "concat" and node.option("axis") == axis:
        thin = site.make("slice", x, axis=axis, start=at, stop=at + 1)
        if site.of(thin).operator != "slice":
            return site.reshape(thin, site.node.shape)
    return None


def _joined(site: Site) -> int | None:
    if len(site.node.inputs) > 1:
        return None
    return site.reshape(site.node.inputs[0], site.node.shape)


# --- choices -------------------------------------------------------------------------


def _where(site: Site) -> int | None:
    condition, yes, no = site.node.inputs
    if yes == no and site.keeps(yes):
        return yes
    known = site.of(condition)
    if known.operator == "constant":
        truth = known.option("value").array
        for taken, number in ((True, yes), (False, no)):
            if truth.size and bool((truth == taken).all()) and site.keeps(number):
                return number
    if known.operator == "less_equal" and site.single(yes) == 0 and site.keeps(no):
        probe, limit = known.inputs
        gated = site.single(limit) == 0 and site.of(probe).operator in ("relu", "square", "abs")
        # Where the probe is 0 so is a product with it.
        if gated and _has_factor(site, no, probe):
            return no
    for place, number in ((1, yes), (2, no)):
        inner = site.of(number)
        if inner.operator == "where" and inner.inputs[0] == condition:
            chosen = inner.inputs[place]
            inputs = (condition, chosen, no) if place == 1 else (condition, yes, chosen)
            shapes = [site.of(i).shape for i in inputs]
            if np.broadcast_shapes(*shapes) == site.node.shape:
                return site.make("where", *inputs)
    return None


def _has_factor(site: Site, number: int, factor: int) -> bool:
    if number == factor:
        return True
    node = site.of(number)
    match node.operator:
        case "mul":
            return any(_has_factor(site, i, factor) for i in node.inputs)
        case "neg":
            return _has_factor(site, node.inputs[0], factor)
        case "div":
            return site.is_fixed(node.inputs[1]) and _has_factor(site, node.inputs[0], factor)
        case _:
            return False


RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "add": (_add,),
        "sub": (_sub,),
        "mul": (_mul,),
        "div": (_div,),
        "neg": (_neg,),
        "sum": (_sum,),
        "reshape": (_reshape,),
        "expand": (_expand,),
        "slice": (_slice,),
        "take": (_take,),
        "stack": (_joined,),
        "concat": (_joined,),
        "where": (_where,),
    }
)
"""By operator, the rules for it."""
