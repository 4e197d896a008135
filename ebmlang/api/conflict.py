"""`explain --conflict`: a smallest set of requirements that cannot hold together."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.analysis import GraphFacts
from ebmlang.api.compile import lay_out
from ebmlang.api.composed import ComposedModel, compose_model
from ebmlang.api.counts import require_counts
from ebmlang.api.evaluate import describe_points
from ebmlang.api.model import Model
from ebmlang.graph import Root, RootKind
from ebmlang.lang import DomainKind
from ebmlang.runs import Design
from ebmlang.runs.conflict import Conflicting, Member, Satisfiable
from ebmlang.solve.contradiction.conflict import Answer, Conflict, Oracle, find_conflict
from ebmlang.solve.contradiction.formulas import Requirements, Unit, find_requirements
from ebmlang.solve.contradiction.proof import Prover
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

Array = NDArray[np.float64]

NEAREST_STARTS = 16
"""Starts of the search for the point that violates a conflict least: to be shown, not to decide."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Questioned:
    """A model of which is asked what can hold together.

    Attributes:
        composed: The model.
        requirements: What it requires, unit by unit.
        oracle: Answers.
    """

    composed: ComposedModel
    requirements: Requirements
    oracle: Oracle

    def design(self, x: Array) -> Design:
        """Return what all terms say of a packed point."""
        (found,) = describe_points(self.composed.module, torch.as_tensor(x)[None])
        return found

    def margins(self, x: Array) -> Array:
        """Return the margins of all columns at a packed point."""
        with torch.no_grad():
            return self.requirements.margins(torch.as_tensor(x)[None])[0].numpy()


def question_model(
    model: Model, *, seed: int, starts: int, free: tuple[str, ...] = ()
) -> Questioned:
    """Return what answers questions about what a model requires.

    Args:
        model: Bound to its data.
        seed: Of all searches.
        starts: Of each search.
        free: Paths of variables whose bounds do not count.

    Raises:
        EbmError: E0708 where nothing is unknown, or nothing required.
    """
    return question_composed(compose_model(model), seed=seed, starts=starts, free=free)


def question_composed(
    composed: ComposedModel, *, seed: int, starts: int, free: tuple[str, ...] = ()
) -> Questioned:
    """Return the same of a model that has been taken apart."""
    module = composed.module
    requirements = find_requirements(module, composed.composition)
    layout = free_bounds(lay_out(module), free)
    if not layout.dim or not requirements.units:
        lacking = "requires nothing" if layout.dim else "has no unknowns"
        headline = f"there is nothing to satisfy: the spec {lacking}"
        raise EbmError(Diagnostic(code="E0708", headline=headline))
    facts = composed.facts
    if free:
        roots = {
            root: number
            for root, number in facts.graph.roots.items()
            if root not in {Root(kind, path) for path in free for kind in _SIDES}
        }
        facts = GraphFacts(replace(facts.graph, roots=roots), facts.inputs)
    oracle = Oracle(
        requirements=requirements,
        target=module.packed(),
        layout=layout,
        prover=Prover(requirements=requirements, facts=facts, layout=layout),
        seed=seed,
        starts=starts,
    )
    return Questioned(composed=composed, requirements=requirements, oracle=oracle)


_SIDES = (RootKind.LOWER, RootKind.UPPER)


def free_bounds(layout: Layout, free: tuple[str, ...]) -> Layout:
    """Return a layout where the bounds of some variables are left out."""
    return build_layout(
        {
            block.path: ConcreteDomain(kind=DomainKind.REAL, shape=block.domain.shape)
            if block.path in free
            else block.domain
            for block in layout.blocks
        }
    )


def explain_conflict(model: Model, *, seed: int, starts: int) -> Conflicting | Satisfiable:
    """Return a smallest set of requirements that cannot hold together, or a point where all do.

    Args:
        model: Bound to its data.
        seed: Of all searches.
        starts: Of each search.

    Raises:
        EbmError: E0708 where nothing is unknown, or nothing required.
    """
    asked, found = search_conflict(model, seed=seed, starts=starts)
    return found if isinstance(found, Satisfiable) else describe_conflict(asked, found)


def search_conflict(
    model: Model, *, seed: int, starts: int
) -> tuple[Questioned, Conflict | Satisfiable]:
    """Return a smallest conflict, or a point where everything holds, and who was asked."""
    require_counts(starts=starts)
    asked = question_model(model, seed=seed, starts=starts)
    found = find_conflict(asked.oracle)
    if isinstance(found, Answer):
        assert found.point is not None
        return asked, Satisfiable(design=asked.design(found.point))
    return asked, found


def describe_conflict(asked: Questioned, found: Conflict) -> Conflicting:
    """Return a conflict in the words of the spec."""
    oracle = asked.oracle
    nearest = oracle.search(found.units, starts=NEAREST_STARTS).point
    assert nearest is not None
    margins = asked.margins(nearest)
    names = asked.composed.module.unpack
    return Conflicting(
        members=tuple(
            Member(
                path=unit.term.path,
                text=unit.name,
                span=unit.piece.span,
                margin=float(margins[unit.column]),
            )
            for unit in found.units
        ),
        without=tuple(
            {path: value[0].numpy() for path, value in names(torch.as_tensor(x)[None]).items()}
            for x in found.needed
        ),
        bounds=needed_bounds(asked, found.units),
        proved=found.answer.rule is not None,
        reason=explain_answer(found.answer),
        nearest=asked.design(nearest),
    )


def explain_answer(answer: Answer) -> str:
    """Return why something cannot hold, in words."""
    if answer.rule is not None:
        return f"proved: {answer.rule.value}"
    return f"the solver found no point in {answer.starts} starts; that is no proof"


def needed_bounds(asked: Questioned, units: tuple[Unit, ...]) -> tuple[str, ...]:
    """Return the variables whose bounds a conflict needs, each tried in turn."""
    free: tuple[str, ...] = ()
    needed = []
    for path in bounded_variables(asked, units):
        oracle = asked.oracle
        without = question_composed(
            asked.composed, seed=oracle.seed, starts=oracle.starts, free=(*free, path)
        )
        units_there = [without.requirements.units[_place(asked, unit)] for unit in units]
        if without.oracle.ask(units_there).satisfiable:
            needed.append(path)
        else:
            free = (*free, path)
    return tuple(needed)


def _place(asked: Questioned, unit: Unit) -> int:
    return asked.requirements.units.index(unit)


def bounded_variables(asked: Questioned, units: tuple[Unit, ...]) -> tuple[str, ...]:
    """Return the variables with bounds that some units depend on."""
    graph = asked.composed.module.graph
    numbers = [graph.roots[Root(RootKind.PIECE_MARGIN, unit.piece.root)] for unit in units]
    read = {path for number in numbers for path in graph.variables_of(number)}
    return tuple(
        block.path
        for block in asked.oracle.layout.blocks
        if block.path in read
        and block.domain.kind is DomainKind.REAL
        and block.domain.lower is not None
        and block.domain.upper is not None
        and (np.isfinite(block.domain.lower).any() or np.isfinite(block.domain.upper).any())
    )
