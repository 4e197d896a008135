"""What matters of a block of variables when a method is chosen for it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ebmlang.analysis.dependence import find_conjuncts, find_summands
from ebmlang.analysis.least_squares import find_residuals
from ebmlang.analysis.spots import SMOOTH, SpotKind
from ebmlang.analysis.wording import find_energy, show_obstacle, show_spot
from ebmlang.graph import Root, RootKind
from ebmlang.lang.facts import Curvature, Envelope, Rules
from ebmlang.lang.table import OPERATORS
from ebmlang.lang.types import DomainKind

if TYPE_CHECKING:
    from ebmlang.analysis.dependence import Block
    from ebmlang.analysis.facts import GraphFacts

CURVED = frozenset({DomainKind.UNIT, DomainKind.ROTATION})
"""Domains that are not convex."""

CONVEX = frozenset({Curvature.CONSTANT, Curvature.AFFINE, Curvature.CONVEX})
CONCAVE = frozenset({Curvature.CONSTANT, Curvature.AFFINE, Curvature.CONCAVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The facts of a block, as a method sees it. Variables and terms are named by path.

    Attributes:
        soft, required: Its soft terms, and those that must hold.
        numbers: How many numbers its variables have.
        boxed: Variables with a finite bound.
        curved: Unit vectors, rotations and simplexes.
        mapped: Variables that are sampled in other coordinates.
        spherical: Unit vectors and rotations.
        compact: Whether its domain is bounded.
        convex: Whether E and the set that is required are proved convex.
        obstacle: Where that proof stops.
        order: How often E is continuously differentiable, as `Regularity.order`.
        roughness: The roughest place of E, where it is not smooth.
        poles: Whether E may have poles.
        residuals: How many numbers are squared and summed, where E is a sum of squares; else 0.
        linear_residuals: Whether these are affine in the variables.
        branches: Terms that are, or have as a summand, an OR, with the number of its operands.
        inner_branches: Terms with an OR deeper inside.
    """

    soft: tuple[str, ...]
    required: tuple[str, ...]
    numbers: int
    boxed: tuple[str, ...]
    curved: tuple[str, ...]
    mapped: tuple[str, ...]
    spherical: tuple[str, ...]
    compact: bool
    convex: bool
    obstacle: str
    order: int
    roughness: str
    poles: bool
    residuals: int
    linear_residuals: bool
    branches: tuple[tuple[str, int], ...]
    inner_branches: tuple[str, ...]

    @property
    def idle(self) -> bool:
        """Whether nothing is asked of it."""
        return not (self.soft or self.required)

    @property
    def gaussian(self) -> bool:
        """Whether exp(-E) is proved to be a Gaussian, if its integral is finite."""
        free = not (self.boxed or self.curved or self.mapped or self.required)
        return free and self.residuals > 0 and self.linear_residuals


def infer_traits(facts: "GraphFacts", block: "Block") -> Traits:
    """Return what matters of a block."""
    graph = facts.graph
    variables = [variable for variable in graph.variables if variable.path in block.variables]
    roots = {path: number for path in block.terms if (number := find_energy(facts, path)) >= 0}
    required = tuple(path for path in block.terms if Root(RootKind.HARD, path) in graph.roots)
    kinds = {variable.path: variable.domain for variable in variables}
    boxed = tuple(path for path in kinds if _is_bounded(facts, path, some=True))
    compact = all(_is_bounded(facts, path, some=False) for path in kinds)
    spherical = tuple(path for path, kind in kinds.items() if kind in CURVED)
    simplexes = tuple(path for path, kind in kinds.items() if kind is DomainKind.SIMPLEX)
    ordered = tuple(path for path, kind in kinds.items() if kind is DomainKind.ORDERED)
    obstacle = _find_obstacle(facts, block, spherical)
    spots = [(path, spot) for path, n in roots.items() for spot in facts.smoothness[n].value.spots]
    rough = min(spots, key=lambda item: item[1].order, default=None)
    squares = [find_residuals(facts, number) for number in roots.values()]
    residuals = [r for found in squares if found is not None for r in found]
    is_sum = bool(roots) and all(found is not None for found in squares)
    branches, inner = _find_branches(facts, roots)
    return Traits(
        soft=tuple(roots),
        required=required,
        numbers=sum(int(np.prod(variable.shape)) for variable in variables),
        boxed=boxed,
        curved=(*spherical, *simplexes),
        mapped=tuple(path for path in kinds if path in (*boxed, *simplexes, *ordered)),
        spherical=spherical,
        compact=compact,
        convex=not obstacle,
        obstacle=obstacle,
        order=min((spot.order for _, spot in spots), default=SMOOTH),
        poles=any(spot.kind is SpotKind.POLE for _, spot in spots),
        roughness="" if rough is None else show_spot(facts, *rough),
        residuals=sum(r.weight.lower.size for r in residuals) if is_sum else 0,
        linear_residuals=is_sum
        and all(facts.curvature[r.node].value is Curvature.AFFINE for r in residuals),
        branches=branches,
        inner_branches=inner,
    )


def _is_bounded(facts: "GraphFacts", path: str, *, some: bool) -> bool:
    """Whether a variable has a finite bound (`some`), or lies between finite bounds."""
    (info,) = (variable for variable in facts.graph.variables if variable.path == path)
    if info.domain in (*CURVED, DomainKind.SIMPLEX):
        return not some
    if info.domain is DomainKind.POSITIVE:
        return some
    if info.domain is DomainKind.ORDERED:
        return False
    sides = [
        np.isfinite(facts.bounds[number].value.lower)
        for root, number in facts.graph.roots.items()
        if root.path == path and root.kind in (RootKind.LOWER, RootKind.UPPER)
    ]
    if some:
        return any(bool(side.any()) for side in sides)
    return len(sides) == 2 and all(bool(side.all()) for side in sides)


def _find_obstacle(facts: "GraphFacts", block: "Block", spherical: tuple[str, ...]) -> str:
    """Return why a block is not proved to be a convex problem; '' where it is."""
    if spherical:
        return f"`{spherical[0]}` lives on a curved manifold"
    for path in block.terms:
        number = find_energy(facts, path)
        if number >= 0 and facts.curvature[number].value not in CONVEX:
            return show_obstacle(facts, path, number)
        hard = facts.graph.roots.get(Root(RootKind.HARD, path), -1)
        for conjunct in find_conjuncts(facts, hard) if hard >= 0 else ():
            if facts.curvature[conjunct].value not in CONCAVE:
                return show_obstacle(facts, path, conjunct)
    return ""


def _find_branches(
    facts: "GraphFacts", roots: dict[str, int]
) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Return the terms that are an OR, with its size, and those with one deeper inside."""
    outer: list[tuple[str, int]] = []
    inner: list[str] = []
    for path, number in roots.items():
        tops = {}
        for summand in find_summands(facts, number):
            wanted = Envelope.MIN if summand.sign > 0 else Envelope.MAX
            if summand.sign and _envelope(facts, summand.node) is wanted:
                tops[summand.node] = _count(facts, summand.node)
        if tops:
            outer.append((path, max(tops.values())))
        elif any(_is_choice(facts, i) for i in facts.graph.ancestors(number)):
            inner.append(path)
    return tuple(outer), tuple(inner)


def _envelope(facts: "GraphFacts", number: int) -> Envelope | None:
    node = facts.graph.nodes[number]
    record = OPERATORS.get(node.operator)
    if record is None or not isinstance(record.facts, Rules):
        return None
    return record.facts.envelope


def _is_choice(facts: "GraphFacts", number: int) -> bool:
    """Whether a node takes about the least of several that vary, as an OR of energies does."""
    return bool(facts.dependence[number].value) and _envelope(facts, number) is Envelope.MIN


def _count(facts: "GraphFacts", number: int) -> int:
    """Return how many operands a reduction chooses from."""
    node = facts.graph.nodes[number]
    if len(node.inputs) > 1:
        return len(node.inputs)
    shape = facts.graph.nodes[node.inputs[0]].shape
    return int(np.prod([shape[axis] for axis in node.option("axes")]))
