"""A smallest set of requirements that cannot hold together.

QuickXplain finds it with few questions "can these hold together?". Each is answered by a proof
where one is found, else by a search: a point settles it, and no point in many starts is evidence.

Source: Junker, QUICKXPLAIN: preferred explanations and relaxations for over-constrained problems
(2004), figure 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.runtime import UNLIMITED, Deadline, DerivedTarget, Target
from ebmlang.solve.contradiction.formulas import Atom, Every, Formula, Requirements, Unit, holds
from ebmlang.solve.contradiction.proof import Found, Prover, Refuted, Rule
from ebmlang.solve.feasibility import RequirementsAlone
from ebmlang.solve.run import solve
from ebmlang.solve.solution import StoppingReason
from ebmlang.spaces import Layout

Array = NDArray[np.float64]

Candidate = TypeVar("Candidate")

STEPS = 200
"""Evaluations of L-BFGS of each search: there are many, and no energy that slows them down."""


def find_minimal(
    candidates: Sequence[Candidate], conflicts: Callable[[Sequence[Candidate]], bool]
) -> list[Candidate]:
    """Return a smallest part of the candidates that still conflicts: each of it is needed.

    Args:
        candidates: They conflict together; those in front are rather kept.
        conflicts: Whether some of them do; what conflicts still does with more.

    >>> find_minimal([1, 2, 3, 4], lambda some: {2, 4} <= set(some))
    [2, 4]
    """

    def search(background: list[Candidate], fresh: bool, rest: list[Candidate]) -> list[Candidate]:
        if fresh and conflicts(background):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        of_second = search(background + first, bool(first), second)
        of_first = search(background + of_second, bool(of_second), first)
        return of_first + of_second

    listed = list(candidates)
    return search([], False, listed) if listed else []


class OutOfTimeError(Exception):
    """The time for questions is spent before they are answered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """Whether some units can hold together.

    Attributes:
        satisfiable: Whether a point was found.
        rule: Why not, where that is proved; None where the search just found nothing.
        point: The packed point; where there is none, the nearest that the search found.
        starts: How many the search had; 0 where there was none.
    """

    satisfiable: bool
    rule: Rule | None
    point: Array | None
    starts: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen(DerivedTarget):
    """A target whose requirements are some columns of margins.

    Attributes:
        target: Says the dimension, the dtype and the device.
        margins: All columns.
        columns: Those required.
    """

    margins: Callable[[Tensor], Tensor]
    columns: tuple[int, ...]

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the energy of the target."""
        return self.target.energy(x)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of what is required here."""
        return self.margins(x)[:, list(self.columns)]


@dataclass(slots=True, kw_only=True, eq=False)
class Oracle:
    """Answers whether units can hold together, and remembers all points and answers.

    Attributes:
        requirements: All units.
        target: The model.
        layout: Where its points live.
        prover: Finds proofs.
        seed, starts: Of each search.
        deadline: When no more questions are answered, and a search among them ends.
    """

    requirements: Requirements
    target: Target
    layout: Layout
    prover: Prover
    seed: int
    starts: int
    deadline: Deadline = field(default_factory=UNLIMITED.start)
    answers: dict[frozenset[int], Answer] = field(default_factory=dict)
    points: list[tuple[Array, Array]] = field(default_factory=list)
    """Points of the domain found so far, each with the margins of all columns."""

    def ask(self, units: Sequence[Unit]) -> Answer:
        """Return whether these can hold together.

        Raises:
            OutOfTimeError: The deadline is past.
        """
        if self.deadline.is_over():
            raise OutOfTimeError
        key = frozenset(unit.column for unit in units)
        if key not in self.answers:
            self.answers[key] = self._ask(units)
        return self.answers[key]

    def conflicts(self, groups: Sequence[Sequence[Unit]]) -> bool:
        """Whether no point is known where these groups of units hold together."""
        return not self.ask([unit for group in groups for unit in group]).satisfiable

    def _ask(self, units: Sequence[Unit]) -> Answer:
        for x, margins in self.points:
            if all(holds(unit.formula, margins) for unit in units):
                return Answer(satisfiable=True, rule=None, point=x, starts=0)
        outcome = self.prover.decide([unit.formula for unit in units])
        match outcome:
            case Refuted(rule):
                return Answer(satisfiable=False, rule=rule, point=None, starts=0)
            case Found(x):
                self.remember(x)
                return Answer(satisfiable=True, rule=None, point=x, starts=0)
            case _:
                return self.search(units)

    def search(self, units: Sequence[Unit], starts: int | None = None) -> Answer:
        """Return what the solver finds: a point where these hold, or the nearest.

        Args:
            units: What is to hold.
            starts: Another number of them.
        """
        columns = tuple(unit.column for unit in units)
        chosen = Chosen(target=self.target, margins=self.requirements.margins, columns=columns)
        found = solve(
            RequirementsAlone(target=chosen),
            self.layout,
            seed=self.seed,
            starts=starts or self.starts,
            adam_steps=0,
            lbfgs_steps=STEPS,
            designs=1,
            budget=self.deadline.remaining(),
        )
        if not found.is_feasible and found.interrupted:
            # What was not looked for long enough is no conflict.
            raise KeyboardInterrupt
        if not found.is_feasible and found.reason is StoppingReason.TIME:
            raise OutOfTimeError
        x = np.asarray(found.points[0].detach().cpu().numpy(), dtype=np.float64)
        if found.is_feasible:
            self.remember(x)
        return Answer(satisfiable=found.is_feasible, rule=None, point=x, starts=found.starts)

    def remember(self, x: Array) -> None:
        """Keep a point of the domain, with its margins."""
        with torch.no_grad():
            point = torch.as_tensor(x, dtype=self.target.dtype, device=self.target.device)
            margins = self.requirements.margins(point[None])[0].cpu().numpy()
        self.points.append((x, margins))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conflict:
    """Units that cannot hold together, as far as is known, though all but any one can.

    Attributes:
        units: In the order of the text.
        answer: Why they cannot.
        needed: For each unit, a packed point where the others hold.
    """

    units: tuple[Unit, ...]
    answer: Answer
    needed: tuple[Array, ...]


def find_conflict(oracle: Oracle) -> Conflict | Answer:
    """Return a smallest conflict among what is required, or the answer that all can hold.

    One that the bounds of the variables exclude is a conflict by itself. Else first among whole
    `require`s, then among their conjuncts, then among the elements of each, so that a `forall` over
    many elements costs few questions.
    """
    units = oracle.requirements.units
    for unit in units:
        if _is_excluded(unit.formula, oracle.prover.upper):
            return _confirmed(oracle, (unit,))
    whole = oracle.ask(units)
    if whole.satisfiable:
        return whole
    groups: list[tuple[Unit, ...]] = [tuple(units)]
    for key in (_by_term, _by_piece, _by_element):
        finer = [part for group in groups for part in _split(group, key)]
        groups = finer if len(finer) == 1 else find_minimal(finer, oracle.conflicts)
    units = tuple(unit for group in groups for unit in group)
    return _confirmed(oracle, units)


def _confirmed(oracle: Oracle, units: tuple[Unit, ...]) -> Conflict:
    """Drop what is not needed after all: where searches answer, answers may not fit together."""
    needed: list[Array] = []
    kept = list(units)
    for unit in units:
        others = [other for other in kept if other is not unit]
        answer = oracle.ask(others)
        if answer.satisfiable:
            assert answer.point is not None
            needed.append(answer.point)
        else:
            kept = others
    return Conflict(units=tuple(kept), answer=oracle.ask(kept), needed=tuple(needed))


def _is_excluded(formula: Formula, upper: Array) -> bool:
    """Whether the upper bounds of all columns' margins say that a formula cannot hold."""
    if isinstance(formula, Atom):
        return bool(upper[formula.column] < 0)
    some = any if isinstance(formula, Every) else all
    return some(_is_excluded(part, upper) for part in formula.parts)


def _by_term(unit: Unit) -> object:
    return unit.term.path


def _by_piece(unit: Unit) -> object:
    return unit.piece.root


def _by_element(unit: Unit) -> object:
    return unit.column


def _split(units: Sequence[Unit], key: Callable[[Unit], object]) -> list[tuple[Unit, ...]]:
    groups: dict[object, list[Unit]] = {}
    for unit in units:
        groups.setdefault(key(unit), []).append(unit)
    return [tuple(group) for group in groups.values()]
