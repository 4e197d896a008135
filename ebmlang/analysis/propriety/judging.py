"""The three questions, each asked of both engines: a proof, or a way out, or neither."""

import math
from dataclasses import replace
from functools import cached_property

from ebmlang.analysis.affine import (
    AffineForms,
    TooLargeError,
    find_affine,
    has_bounded_domain,
)
from ebmlang.analysis.elements import Elements
from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.growth import WALL
from ebmlang.analysis.propriety.bounding import Bounding
from ebmlang.analysis.propriety.branches import Branch, judge_branches
from ebmlang.analysis.propriety.candidates import find_starts, ray, single_directions
from ebmlang.analysis.propriety.cone import Vector
from ebmlang.analysis.propriety.curve import follow
from ebmlang.analysis.propriety.densities import Peeling
from ebmlang.analysis.propriety.existence import (
    falls_forever,
    find_frontier,
    has_affine_requirements,
    is_constant_along,
    is_convex_quadratic,
    is_quadratic,
)
from ebmlang.analysis.propriety.feasibility import is_empty
from ebmlang.analysis.propriety.lower_bound import Atom, Choice, Conjunction, join, opposite
from ebmlang.analysis.propriety.mending import suggest
from ebmlang.analysis.propriety.reasons import (
    explain_bounded,
    explain_bounded_domain,
    explain_growth,
    explain_unknown,
    explain_witness,
    moving_variables,
)
from ebmlang.analysis.propriety.strata import Finding, Goal, Standing, is_settled
from ebmlang.analysis.propriety.witness import Witness, as_direction, find_escape, find_fall
from ebmlang.analysis.verdict import Answer, Propriety, Question, Reason, Verdict
from ebmlang.graph import Root, RootKind

POLYHEDRA = 64
"""Of how many polyhedra, whose union is what is required, each is looked at."""

PEELINGS = 3
"""How often densities are integrated out, each time with other coordinates first."""


def judge_propriety(facts: GraphFacts) -> Propriety:
    """Return whether E is bounded below, has a minimizer, and exp(-E) a finite integral.

    A minimizer is one among the points that hold everything required, if there are any.
    """
    if _is_bounded_everywhere(facts):
        return _all_proper(explain_bounded_domain(facts.graph))
    try:
        case = _Case(find_affine(Elements(facts)))
        bounded = case.bounded_below()
        return Propriety(
            bounded_below=bounded,
            has_minimizer=case.has_minimizer(bounded),
            integrable=case.integrable(),
        )
    except TooLargeError:
        reason = Reason("the spec has more elements than are looked at one by one")
        return Propriety(
            **{
                name: Verdict(question=question, answer=Answer.UNKNOWN, because=(reason,))
                for name, question in (
                    ("bounded_below", Question.BOUNDED_BELOW),
                    ("has_minimizer", Question.HAS_MINIMIZER),
                    ("integrable", Question.INTEGRABLE),
                )
            }
        )


def _is_bounded_everywhere(facts: GraphFacts) -> bool:
    """Return whether the domain is bounded, and E on it bounded below, by bounds alone."""
    total = facts.graph.roots[Root(RootKind.TOTAL)]
    least = float(facts.bounds[total].value.lower)
    return math.isfinite(least) and has_bounded_domain(Elements(facts))


def _all_proper(reason: Reason) -> Propriety:
    def proper(question: Question) -> Verdict:
        return Verdict(question=question, answer=Answer.PROPER, because=(reason,))

    return Propriety(
        bounded_below=proper(Question.BOUNDED_BELOW),
        has_minimizer=proper(Question.HAS_MINIMIZER),
        integrable=proper(Question.INTEGRABLE),
    )


class _Case:
    """One energy, and what its questions share."""

    def __init__(self, forms: AffineForms) -> None:
        self.forms = forms
        self.graph = forms.elements.facts.graph
        self.total = self.graph.roots[Root(RootKind.TOTAL)]
        bounding = Bounding(forms)
        self.walls = bounding.walls()
        self.energy = bounding.energy(self.total)
        self.bound = join([self.energy, self.walls])

    @cached_property
    def bounded(self) -> Branch:
        """What the bound says of being bounded below."""
        return judge_branches(self.bound, Goal.BOUNDED, self.forms, self.forms.unbounded)

    # --- questions -------------------------------------------------------------------

    def bounded_below(self) -> Verdict:
        """Return whether E has a lower bound."""
        question = Question.BOUNDED_BELOW
        if self.bounded.finding.standing is Standing.HOLDS:
            return self._proper(question, [self._why_bounded()])
        hints = _hints(self.bounded.finding)
        witness = find_fall(self.forms, self.bounded.part, hints)
        if witness is not None:
            return self._improper(question, witness, self.bounded)
        return self._unknown(question, self.bounded.finding)

    def has_minimizer(self, bounded: Verdict) -> Verdict:
        """Return whether E has a least value that it takes."""
        question = Question.HAS_MINIMIZER
        if bounded.answer is not Answer.PROPER:
            return replace(bounded, question=question)
        if not self.forms.unbounded:
            return self._proper(question, [explain_bounded_domain(self.graph)])
        if self._is_settled():
            text = "E is made of hinges and squares of affine values, and rises with each of them"
            return self._proper(question, [Reason(text)])
        if has_affine_requirements(self.forms):
            energy = (self.total, 0)
            for kind, text in (
                (is_quadratic, "E is quadratic, and bounded below"),
                (
                    is_convex_quadratic,
                    "E is convex, piecewise linear or quadratic, and bounded below",
                ),
            ):
                if kind(self.forms, energy):
                    return self._proper(question, [Reason(text)])
        found, finding = self._coercive()
        if found:
            return self._proper(question, explain_growth(self.forms, self.bound, None))
        for direction in [
            *_hints(finding),
            *single_directions(self.forms, sorted(self.forms.unbounded)),
        ]:
            if falls_forever(self.forms, direction, self.walls):
                curve = ray(next(find_starts(self.forms)), direction)
                course = follow(self.forms, curve)
                witness = Witness(curve, course.energy, course.terms)
                return self._improper(question, witness, self.bounded)
        return self._unknown(question, finding)

    def integrable(self) -> Verdict:
        """Return whether exp(-E) has a finite integral."""
        question = Question.INTEGRABLE
        branch = judge_branches(self.bound, Goal.INTEGRABLE, self.forms, self.forms.unbounded)
        if branch.finding.standing is Standing.HOLDS:
            return self._proper(question, explain_growth(self.forms, self.bound, None))
        hints = _hints(branch.finding)
        peeling = Peeling(self.forms, self.total, self.energy, self.walls)
        wanted: frozenset[int] = frozenset()
        for _ in range(PEELINGS):
            reduced = peeling.integrate_out(wanted)
            found = judge_branches(
                reduced.bound, Goal.INTEGRABLE, self.forms, reduced.coordinates
            ).finding
            if found.standing is Standing.HOLDS:
                return self._proper(question, explain_growth(self.forms, reduced.bound, reduced))
            more = wanted | frozenset(found.direction or ())
            if more == wanted:
                break
            # What nothing holds is to be integrated out rather than what something does.
            wanted = more
        hints += _hints(found)
        witness = find_escape(self.forms, branch.part, hints)
        if witness is not None:
            return self._improper(question, witness, branch)
        return self._unknown(question, branch.finding)

    def _is_settled(self) -> bool:
        """Return whether E is made of hinges on each polyhedron that what is required leaves."""
        pending, judged = [self.bound], 0
        while pending:
            part = pending.pop()
            judged += 1
            if judged > POLYHEDRA:
                return False
            if is_settled(part) or is_empty(part, self.forms):
                continue
            opened = next((choice for choice in part.choices if _is_of_walls(choice)), None)
            if opened is None or not part.linear:
                return False
            rest = tuple(choice for choice in part.choices if choice is not opened)
            closed = replace(part, choices=rest)
            pending += [join([closed, alternative]) for alternative in opened.alternatives]
        return True

    def _coercive(self) -> tuple[bool, Finding]:
        """Return whether E grows in all directions but those along which it is constant."""
        frontier = find_frontier(self.forms)
        held: list[Atom] = []
        while True:
            part = join([self.bound, Conjunction(atoms=tuple(held))])
            finding = judge_branches(part, Goal.COERCIVE, self.forms, self.forms.unbounded).finding
            if finding.standing is Standing.HOLDS:
                return True, finding
            direction = finding.direction
            if finding.standing is not Standing.FREE or direction is None:
                return False, finding
            if not is_constant_along(frontier, direction):
                return False, finding
            held += [
                Atom((row,), WALL, (self.total, 0)) for row in (direction, opposite(direction))
            ]

    def _why_bounded(self) -> Reason:
        if not self.forms.unbounded:
            return explain_bounded_domain(self.graph)
        return explain_bounded(self.forms, self.bound)

    # --- answers ---------------------------------------------------------------------

    def _proper(self, question: Question, because: list[Reason]) -> Verdict:
        return Verdict(question=question, answer=Answer.PROPER, because=tuple(because))

    def _improper(self, question: Question, witness: Witness, branch: Branch) -> Verdict:
        paths = moving_variables(self.forms, witness.curve.rates)
        return Verdict(
            question=question,
            answer=Answer.IMPROPER,
            because=tuple(explain_witness(self.forms, witness, question, branch)),
            direction=as_direction(self.forms, witness),
            variables=paths,
            helps=tuple(suggest(self.forms, witness)),
        )

    def _unknown(self, question: Question, finding: Finding) -> Verdict:
        because, terms = explain_unknown(self.forms, finding)
        return Verdict(
            question=question, answer=Answer.UNKNOWN, because=tuple(because), terms=terms
        )


def _is_of_walls(choice: Choice) -> bool:
    """Return whether alternatives are regions, and nothing in them differs."""
    return all(
        not (alternative.linear or alternative.squares or alternative.poles or alternative.choices)
        and all(atom.inside is not None for atom in alternative.atoms)
        for alternative in choice.alternatives
    )


def _hints(finding: Finding) -> list[Vector]:
    return [] if finding.direction is None else [finding.direction]
