"""Proofs that requirements cannot hold together: bounds, tangents and linear programs.

Three rules, in this order, on a conjunction of relations; an OR is refuted when each branch is.

1. A margin whose upper bound over the box of the variables is negative excludes itself.
2. A concave margin m lies below its tangents: wherever m(x) >= 0, also m(x0) + g (x - x0) >= 0.
   So tangents are linear inequalities that follow, and if a linear program finds that they have
   no common solution in the box, there is none. New tangents are added where the program's
   solution fails (cutting planes).
3. The tangents may allow only a smaller box; in it, rule 1 is tried again, on all margins.

Sources: Kelley, The cutting-plane method for solving convex programs (1960); for rule 3,
Belotti et al., Branching and bounds tightening techniques for non-convex MINLP (2009), section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.analysis import GraphFacts
from ebmlang.graph import Constant, EnergyGraph, Kind, Node, Origin, Root, RootKind
from ebmlang.lang.facts import Curvature
from ebmlang.solve.contradiction.formulas import Atom, Every, Formula, Requirements, Some, holds
from ebmlang.spaces import Layout

Array = NDArray[np.float64]

ROUNDS = 30
"""Linear programs with new tangents, one after the other."""

BRANCHES = 64
"""Ways through the ORs that are looked at."""

TIGHTENED = 24
"""Most coordinates whose range is narrowed by linear programs: each takes two."""

TIGHTENINGS = 3
"""How often the box is narrowed."""

ENDS = 6
"""Linear programs for one end of the box."""

SURELY = 1e-7
"""How far the best point must fail for a refutation by a linear program, relative to the size of
its rows: more than its solver's own tolerance."""


TANGENTS = 64
"""Most tangents that are added at one point, those of the worst margins."""

NEARLY = 1e-9
"""A margin that fails by less is not worth a tangent [tolerances]."""

DEEP = 1e-3
"""How deep inside of all tangents the next point is at most, relative to their constants."""


RIM = 1e-6
"""How far from the ends of the box tangents are taken, relative to its width, or to 1."""


class Rule(Enum):
    """Which rule refuted; the values are the words of messages."""

    BOUNDS = "the bounds of the variables alone exclude it"
    TANGENTS = "linear inequalities that follow from it have no common solution"
    NARROWED = "what follows from it leaves so small a box that bounds exclude the rest"


@dataclass(frozen=True, slots=True)
class Refuted:
    """No point holds all of it."""

    rule: Rule


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """This packed point holds all of it."""

    x: Array


Outcome = Refuted | Found | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Box:
    lower: Array
    upper: Array


@dataclass(slots=True, eq=False)
class Prover:
    """What refuting needs of a model: margins with their facts, and the tangents found so far.

    Attributes:
        requirements: The margins.
        facts: Of the graph that the requirements are roots of.
        layout: Where the points live.
    """

    requirements: Requirements
    facts: GraphFacts
    layout: Layout
    nodes: tuple[int, ...] = field(init=False)
    concave: NDArray[np.bool_] = field(init=False)
    box: _Box = field(init=False)
    inside: _Box = field(init=False)
    """The box without a thin rim, where margins bend as the facts say on all sides."""
    upper: Array = field(init=False)
    rows: dict[int, list[tuple[Array, float]]] = field(default_factory=dict)
    """Tangents by column: gradient and constant. They stay true for every set of requirements."""

    def __post_init__(self) -> None:
        graph, paths = self.facts.graph, self.requirements.paths
        self.nodes = tuple(graph.roots[Root(RootKind.PIECE_MARGIN, path)] for path in paths)
        bends = (Curvature.CONSTANT, Curvature.AFFINE, Curvature.CONCAVE)
        known = {n: self.facts.curvature[n].value in bends for n in set(self.nodes)}
        self.concave = np.array([known[number] for number in self.nodes], dtype=bool)
        self.box = self._domain()
        self.inside = _shrink(self.box)
        self.upper = self._upper(self.facts)

    def _domain(self) -> _Box:
        ends = []
        numbers = _variable_nodes(self.facts.graph)
        for block in self.layout.blocks:
            # Of a variable that nothing reads there is no node.
            size = block.domain.size
            everything = np.full(size, np.inf)
            if block.path in numbers:
                found = self.facts.bounds[numbers[block.path]].value
                ends.append((found.lower.ravel(), found.upper.ravel()))
            else:
                ends.append((-everything, everything))
        nothing = np.zeros(0)
        lower = np.concatenate([nothing, *(low for low, _ in ends)])
        return _Box(lower=lower, upper=np.concatenate([nothing, *(high for _, high in ends)]))

    def _upper(self, facts: GraphFacts) -> Array:
        """Return the upper bound of every column's margin."""
        places = self.requirements.places
        return np.array(
            [
                facts.bounds[number].value.upper[place]
                for number, place in zip(self.nodes, places, strict=True)
            ],
            dtype=np.float64,
        )

    # --- sets of formulas ------------------------------------------------------------

    def decide(self, formulas: Sequence[Formula]) -> Outcome:
        """Return a refutation of all these together, a point where all hold, or neither."""
        left = [BRANCHES]
        return self._decide(formulas, self.box, self.upper, left)

    def _decide(
        self, formulas: Sequence[Formula], box: _Box, upper: Array, left: list[int]
    ) -> Outcome:
        left[0] -= 1
        simple = _simplify(formulas, upper)
        if simple is None:
            return Refuted(Rule.BOUNDS)
        atoms, choices = simple
        outcome, x = self._cut(atoms, box)
        if outcome is not None:
            return outcome
        margins = self._margins(x)
        every: list[Formula] = [*map(Atom, atoms), *choices]
        if self._is_inside(x) and all(holds(formula, margins) for formula in every):
            return Found(x)
        open_choices = [choice for choice in choices if not holds(choice, margins)] or choices
        if open_choices and left[0] > 0:
            return self._branch(atoms, choices, open_choices[0], box, upper, left)
        if len(x) <= TIGHTENED and not choices:
            return self._narrow(atoms, box)
        return None

    def _branch(
        self,
        atoms: list[int],
        choices: list[Some],
        choice: Some,
        box: _Box,
        upper: Array,
        left: list[int],
    ) -> Outcome:
        others: list[Formula] = [
            *map(Atom, atoms),
            *(other for other in choices if other is not choice),
        ]
        rule = Rule.BOUNDS
        unknown = False
        for part in choice.parts:
            outcome = self._decide([*others, part], box, upper, left)
            if isinstance(outcome, Found):
                return outcome
            if outcome is None:
                unknown = True
            elif outcome.rule is not Rule.BOUNDS:
                rule = outcome.rule
        return None if unknown else Refuted(rule)

    # --- conjunctions of relations ---------------------------------------------------

    def _cut(self, atoms: Sequence[int], box: _Box) -> tuple[Outcome, Array]:
        """Return a refutation by tangents if there is one, and the last point looked at."""
        columns = [column for column in atoms if self.concave[column]]
        x = np.clip(np.zeros_like(box.lower), *_finite(box))
        for _ in range(ROUNDS):
            margins = self._margins(x)
            failing = [column for column in columns if margins[column] < -NEARLY]
            worst = sorted(failing, key=margins.__getitem__)[:TANGENTS]
            if not (worst and self._add_tangents(worst, x)):
                break
            found = self._program(columns, box)
            if found is None:
                break
            x, room = found
            if room < -SURELY:
                return Refuted(Rule.TANGENTS), x
        return None, x

    def _program(self, columns: Sequence[int], box: _Box) -> tuple[Array, float] | None:
        """Return the point that is deepest inside all tangents of these columns, and how deep."""
        from scipy.optimize import linprog

        slopes, constants, reach = self._inequalities(columns)
        # maximize t with slopes @ x + constants >= t * reach, t <= DEEP
        solved = linprog(
            np.r_[np.zeros(len(box.lower)), -1.0],
            A_ub=np.c_[-slopes, reach],
            b_ub=constants,
            bounds=[*zip(_none(box.lower), _none(box.upper), strict=True), (None, DEEP)],
            method="highs",
        )
        return (solved.x[:-1], float(solved.x[-1])) if solved.status == 0 else None

    def _inequalities(self, columns: Sequence[int]) -> tuple[Array, Array, Array]:
        """Return slopes of length 1, constants and sizes of all tangents of these columns."""
        rows = [row for column in columns for row in self.rows.get(column, ())]
        slopes, constants = np.array([g for g, _ in rows]), np.array([c for _, c in rows])
        length = np.linalg.norm(slopes, axis=1)
        length = np.where(length > 0, length, 1.0)
        constants = constants / length
        return slopes / length[:, None], constants, 1.0 + np.abs(constants)

    def _narrow(self, atoms: Sequence[int], box: _Box) -> Outcome:
        """Narrow the box by linear programs, and look at the bounds of all margins in it."""
        columns = [column for column in atoms if self.concave[column]]
        if not columns:
            return None
        for _ in range(TIGHTENINGS):
            smaller = self._tighten(columns, box)
            if smaller is None:
                return Refuted(Rule.TANGENTS)
            if np.allclose(smaller.lower, box.lower) and np.allclose(smaller.upper, box.upper):
                return None
            box = smaller
            inside = replace(self.facts, graph=_in_box(self.facts.graph, self.layout, box))
            if any(self._upper(inside)[column] < 0 for column in atoms):
                return Refuted(Rule.NARROWED)
        return None

    def _tighten(self, columns: Sequence[int], box: _Box) -> _Box | None:
        """Return the box of what the tangents allow; None where they allow nothing."""
        lower, upper = box.lower.copy(), box.upper.copy()
        for i in range(len(lower)):
            for sign, ends in ((1.0, lower), (-1.0, upper)):
                end = self._end(columns, _Box(lower=lower, upper=upper), i, sign)
                if end is None:
                    return None
                ends[i] = max(ends[i], end) if sign > 0 else min(ends[i], end)
        return _Box(lower=lower, upper=upper)

    def _end(self, columns: Sequence[int], box: _Box, i: int, sign: float) -> float | None:
        """Return a bound of one coordinate, the lower one for sign 1; None if nothing is allowed.

        Each program's solution gets new tangents, so that the next one comes nearer.
        """
        from scipy.optimize import linprog

        bound = -sign * np.inf
        for _ in range(ENDS):
            inequalities: dict[str, Array] = {}
            if any(self.rows.get(column) for column in columns):
                slopes, constants, reach = self._inequalities(columns)
                # A little room, so that what the programs round off is not cut away.
                inequalities = {"A_ub": -slopes, "b_ub": constants + SURELY * reach}
            goal = sign * np.eye(len(box.lower))[i]
            # Where the tangents so far leave it unbounded, a point far out shows where to cut.
            for low, high in ((box.lower, box.upper), _finite(box)):
                ranges = list(zip(_none(low), _none(high), strict=True))
                solved = linprog(goal, **inequalities, bounds=ranges, method="highs")
                if solved.status != 3:
                    break
            if solved.status == 2 and low is box.lower:
                return None
            if solved.status != 0:
                return bound
            x = np.asarray(solved.x)
            if low is box.lower:
                bound = float(x[i]) - sign * SURELY * (1.0 + abs(float(x[i])))
            margins = self._margins(x)
            failing = [column for column in columns if margins[column] < -NEARLY]
            if not (failing and self._add_tangents(failing[:TANGENTS], x)):
                break
        return bound

    # --- margins ---------------------------------------------------------------------

    def _margins(self, x: Array) -> Array:
        with torch.no_grad():
            found = self.requirements.margins(torch.as_tensor(x)[None])
        return np.asarray(found[0].numpy(), dtype=np.float64)

    def _add_tangents(self, columns: Sequence[int], x: Array) -> bool:
        """Add the tangents of margins near a point; return whether any was added.

        Inside of the box: `abs(x)` is affine where x >= 0, but its derivative at 0 is not 1.
        """
        x = np.clip(x, self.inside.lower, self.inside.upper)
        # One point for each column, so that one pass gives all gradients.
        batch = torch.as_tensor(np.repeat(x[None], len(columns), axis=0)).requires_grad_()
        with torch.enable_grad():
            values = self.requirements.margins(batch)
            picked = values[torch.arange(len(columns)), torch.as_tensor(list(columns))]
            slopes = np.zeros((len(columns), len(x)))
            if picked.requires_grad:
                slopes = torch.autograd.grad(picked.sum(), batch)[0].numpy()
        added = False
        heights = picked.detach().numpy()
        for column, slope, height in zip(columns, slopes, heights, strict=True):
            if np.isfinite(slope).all() and np.isfinite(height):
                row = (slope, float(height - slope @ x))
                self.rows.setdefault(column, []).append(row)
                added = True
        return added

    def _is_inside(self, x: Array) -> bool:
        """Whether a point of the box is in the domain: true for boxes, not asked of others."""
        boxes = all(block.domain.kind.value in ("real",) for block in self.layout.blocks)
        return boxes and bool(((x >= self.box.lower) & (x <= self.box.upper)).all())


def _simplify(formulas: Sequence[Formula], upper: Array) -> tuple[list[int], list[Some]] | None:
    """Return relations and choices that are open; None where bounds exclude one."""
    atoms: dict[int, None] = {}
    choices: list[Some] = []
    pending = list(reversed(formulas))
    while pending:
        match pending.pop():
            case Atom(column):
                if upper[column] < 0:
                    return None
                atoms[column] = None
            case Every(parts):
                pending += reversed(parts)
            case Some(parts):
                left = [part for part in parts if _simplify([part], upper) is not None]
                if not left:
                    return None
                if len(left) == 1:
                    pending += left
                else:
                    choices.append(Some(tuple(left)))
    return list(atoms), choices


def _shrink(box: _Box) -> _Box:
    width = box.upper - box.lower
    rim = np.where(np.isfinite(width), RIM * width, RIM)
    return _Box(lower=box.lower + rim, upper=box.upper - rim)


def _finite(box: _Box) -> tuple[Array, Array]:
    return np.maximum(box.lower, -1e6), np.minimum(box.upper, 1e6)


def _none(ends: Array) -> list[float | None]:
    return [float(end) if np.isfinite(end) else None for end in ends]


def _variable_nodes(graph: EnergyGraph) -> dict[str, int]:
    return {
        node.option("path"): number
        for number, node in enumerate(graph.nodes)
        if node.operator == "variable"
    }


def _in_box(graph: EnergyGraph, layout: Layout, box: _Box) -> EnergyGraph:
    """Return a graph whose variables have these bounds."""
    nodes, roots = list(graph.nodes), dict(graph.roots)
    for block in layout.blocks:
        for kind, ends in ((RootKind.LOWER, box.lower), (RootKind.UPPER, box.upper)):
            value = ends[block.start : block.stop].reshape(block.domain.shape)
            node = Node(
                operator="constant",
                options=(("value", Constant(value)),),
                kind=Kind.REAL,
                shape=value.shape,
                origin=Origin(None, block.path),
            )
            roots[Root(kind, block.path)] = len(nodes)
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes), roots=roots)
