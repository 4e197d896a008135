"""`explain --repair`: the smallest changes that make everything required possible."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.analysis.composition import Piece
from ebmlang.api.conflict import Questioned, free_bounds, needed_bounds, search_conflict
from ebmlang.api.loosening import leave_out, loosen_bounds, loosen_relation
from ebmlang.api.model import Model
from ebmlang.check.paths import iterate_bodies
from ebmlang.lower.pieces import trace_pieces
from ebmlang.runs.conflict import Satisfiable
from ebmlang.runs.repair import Change, Repair, Way
from ebmlang.solve.contradiction.formulas import Atom, Every, Formula, Unit, find_leaves, holds
from ebmlang.solve.contradiction.repair import Bounded, Given, give_least, give_to_few
from ebmlang.source import Span

Array = NDArray[np.float64]

SHORT = 1e-9
"""What a margin may lack without anything having to give [tolerances]."""


def explain_repair(model: Model, *, seed: int, starts: int) -> Repair | Satisfiable:
    """Return the smallest changes after which everything required can hold.

    Every way that is returned comes with a point where it does.

    Args:
        model: Bound to its data.
        seed: Of all searches.
        starts: Of each search.

    Raises:
        EbmError: E0708 where nothing is unknown, or nothing required.
    """
    asked, found = search_conflict(model, seed=seed, starts=starts)
    if isinstance(found, Satisfiable):
        return found
    repairing = _Repairing(asked, model)
    return Repair(
        smallest=repairing.smallest(),
        alone={unit.name: repairing.alone(unit) for unit in found.units},
        bounds={path: repairing.bounds(path) for path in needed_bounds(asked, found.units)},
    )


class _Repairing:
    """One model on its way to be repaired."""

    def __init__(self, asked: Questioned, model: Model) -> None:
        self.asked = asked
        self.units = asked.requirements.units
        self.columns = [unit.column for unit in self.units]
        roots = list(dict.fromkeys(unit.piece.root for unit in self.units))
        self.groups = [roots.index(unit.piece.root) for unit in self.units]
        self.variables = {
            f"{prefix}{variable.symbol.name}": variable
            for prefix, body in iterate_bodies(model.program.body)
            for variable in body.variables
        }
        self.leaves = find_leaves(asked.composed.composition)

    # --- ways ------------------------------------------------------------------------

    def smallest(self) -> Way | None:
        """Return the way of least sum, with as few changes as that allows."""
        every = sorted(set(self.groups))
        given = give_to_few(self._give, every)
        return None if given is None else self._way(given)

    def alone(self, unit: Unit) -> Way | None:
        """Return the way that changes the text of one unit only."""
        group = self.groups[self.units.index(unit)]
        given = self._give(frozenset({group}))
        return None if given is None else self._way(given)

    def bounds(self, path: str) -> Way | None:
        """Return the way that changes the bounds of one variable only."""
        oracle = self.asked.oracle
        (block,) = [block for block in oracle.layout.blocks if block.path == path]
        assert block.domain.lower is not None
        assert block.domain.upper is not None
        lower, upper = block.domain.lower.ravel(), block.domain.upper.ravel()
        bounded = Bounded(start=block.start, stop=block.stop, lower=lower, upper=upper, group=0)
        given = give_least(
            oracle.target,
            self.asked.requirements.margins,
            free_bounds(oracle.layout, (path,)),
            columns=self.columns,
            groups=[-1] * len(self.columns),
            bounded=(bounded,),
            seed=oracle.seed,
            starts=oracle.starts,
        )
        if given is None:
            return None
        x = given.point[block.start : block.stop]
        below = float(np.max(np.maximum(lower - x, 0.0)))
        above = float(np.max(np.maximum(x - upper, 0.0)))
        ends = {"lower": lower, "upper": upper}
        change = loosen_bounds(path, self.variables[path], below, above, ends)
        return Way(changes=(change,), point=self._point(given.point))

    def _give(self, active: frozenset[int]) -> Given | None:
        oracle = self.asked.oracle
        return give_least(
            oracle.target,
            self.asked.requirements.margins,
            oracle.layout,
            columns=self.columns,
            groups=[group if group in active else -1 for group in self.groups],
            seed=oracle.seed,
            starts=oracle.starts,
        )

    # --- from a point to text --------------------------------------------------------

    def _way(self, given: Given) -> Way:
        """Return the changes that a point asks for; afterwards everything holds there."""
        margins = self.asked.margins(given.point)
        slacks: dict[str, float] = {}
        paths: dict[str, str] = {}
        for unit in self.units:
            for column in _short(unit.formula, margins):
                root = self.asked.requirements.paths[column]
                slacks[root] = max(slacks.get(root, 0.0), -float(margins[column]))
                paths[root] = unit.term.path
        changes: dict[Span, Change] = {}
        for root, slack in slacks.items():
            piece = self.leaves[root]
            change = self._loosened(paths[root], piece, slack, given.point)
            # Instances of one spec, or calls of one function, share their text.
            place = piece.relation.relation.span if piece.relation else piece.span
            if place not in changes or changes[place].slack < change.slack:
                changes[place] = change
        return Way(changes=tuple(changes.values()), point=self._point(given.point))

    def _loosened(self, path: str, piece: Piece, slack: float, x: Array) -> Change:
        written = piece.relation
        if written is None:
            return leave_out(path, piece, slack)
        roots = [written.left, written.right, *([written.tolerance] if written.tolerance else [])]
        with torch.no_grad():
            trace = trace_pieces(self.asked.composed.module, roots)
            values = trace(torch.as_tensor(x)[None]).values().energies
        return loosen_relation(path, piece, slack, values)

    def _point(self, x: Array) -> Mapping[str, NDArray[np.generic]]:
        found = self.asked.composed.module.unpack(torch.as_tensor(x)[None])
        return {path: value[0].numpy() for path, value in found.items()}


def _short(formula: Formula, margins: Array) -> Sequence[int]:
    """Return the relations that have to give for a formula to hold: of an OR the nearest branch."""
    if holds(formula, margins + SHORT):
        return ()
    match formula:
        case Atom(column):
            return (column,)
        case Every(parts):
            return [column for part in parts for column in _short(part, margins)]
        case _:
            branches = [_short(part, margins) for part in formula.parts]
            return min(branches, key=lambda columns: -sum(margins[list(columns)]), default=())
