"""The facts of a spec as plain data: what `ebm explain` draws, and prints with `--json`."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ebmlang.analysis import solving
from ebmlang.analysis.dependence import find_conjuncts
from ebmlang.analysis.least_squares import find_residuals
from ebmlang.analysis.plan import BlockPlan, build_plan
from ebmlang.analysis.sampling import DOES
from ebmlang.analysis.smoothness import Regularity
from ebmlang.analysis.solving import SolverChoice
from ebmlang.analysis.spots import SMOOTH
from ebmlang.analysis.verdict import Propriety, Reason, Verdict
from ebmlang.analysis.wording import find_culprit, find_energy, find_span
from ebmlang.graph import Root, RootKind, TermInfo
from ebmlang.lang.facts import Curvature
from ebmlang.lang.interval import Interval
from ebmlang.source import Span

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts

_CONSTANT = frozenset({Curvature.CONSTANT})
_AFFINE = _CONSTANT | {Curvature.AFFINE}
_WEAKER = {
    Curvature.CONSTANT: _CONSTANT,
    Curvature.AFFINE: _AFFINE,
    Curvature.CONVEX: _AFFINE | {Curvature.CONVEX},
    Curvature.CONCAVE: _AFFINE | {Curvature.CONCAVE},
}
"""For each curvature those that are special cases of it, itself included; narrowest first."""

# Any below: what JSON can hold.


def describe_facts(facts: "GraphFacts") -> dict[str, Any]:
    """Return the facts of the terms, the verdict on propriety, and the plan, as plain data."""
    plan = build_plan(facts)
    return {
        "terms": [describe_term(facts, term) for term in facts.graph.terms],
        "propriety": describe_propriety(facts.propriety),
        "blocks": [_block(block) for block in plan.blocks],
        "solver": {
            **_solver(plan.solver),
            "parts": [
                {"variables": list(block.block.variables), **_solver(part)}
                for block, part in zip(plan.blocks, plan.parts, strict=bool(plan.parts))
            ],
        },
        "sampler": {
            "method": plan.sampler.method,
            "does": DOES[plan.sampler.method],
            "because": plan.sampler.because,
            "branches": _branches(facts) if plan.sampler.method == "branches" else [],
        },
    }


def _solver(choice: SolverChoice) -> dict[str, Any]:
    does = solving.DOES[choice.method]
    return {
        "method": choice.method,
        "does": does,
        "because": choice.because,
        "descent": choice.descent,
        "descends": choice.descends,
    }


def _branches(facts: "GraphFacts") -> list[dict[str, Any]]:
    """Return the branches of E; a share that has to be estimated is None."""
    known = [branch.log_weight for branch in facts.branches if branch.log_weight is not None]
    whole = len(known) == len(facts.branches)
    total = float(np.logaddexp.reduce(known)) if whole else 0.0
    return [
        {
            "name": branch.name,
            "share": math.exp(branch.log_weight - total)
            if whole and branch.log_weight is not None
            else None,
            **describe_span(branch.span),
        }
        for branch in facts.branches
    ]


def describe_term(facts: "GraphFacts", term: TermInfo) -> dict[str, Any]:
    """Return what is known of one term: of its share of E, or of its margin if it is required.

    Curvature and smoothness of what is required are those of each conjunct by itself.
    """
    energy = find_energy(facts, term.path)
    required = energy < 0
    whole = facts.graph.roots[Root(RootKind.MARGIN, term.path)] if required else energy
    pieces = (
        find_conjuncts(facts, facts.graph.roots[Root(RootKind.HARD, term.path)])
        if required
        else (energy,)
    )
    lower, upper = _ends(facts.bounds[whole].value)
    residuals = None if required else find_residuals(facts, energy)
    slopes = facts.slopes[whole].value
    touched = facts.dependence[whole].value
    paths = [variable.path for variable in facts.graph.variables if variable.path in touched]
    return {
        "path": term.path,
        "role": term.role,
        "sort": term.sort,
        "of": "margin" if required else "energy",
        "lower": lower,
        "upper": upper,
        "sign": name_sign(facts.bounds[whole].value),
        "curvature": name_curvature({facts.curvature[piece].value for piece in pieces}),
        "curvature_broken_by": _culprit(facts, term.path, pieces),
        **_smoothness(facts, term.path, [facts.smoothness[piece].value for piece in pieces]),
        "residuals": None if residuals is None else sum(r.weight.lower.size for r in residuals),
        "slopes": {path: slopes[path].name.lower() for path in paths if path in slopes},
        "variables": paths,
    }


def describe_propriety(propriety: Propriety) -> dict[str, Any]:
    """Return the three verdicts with their traces."""
    return {
        "bounded_below": _verdict(propriety.bounded_below),
        "has_minimizer": _verdict(propriety.has_minimizer),
        "integrable": _verdict(propriety.integrable),
    }


def name_sign(bounds: Interval) -> str:
    """Return the sign of everything in an interval.

    >>> name_sign(Interval.make(0.0, 3.0)), name_sign(Interval.make(-1.0, 1.0))
    ('nonnegative', 'mixed')
    """
    if bounds.lower.size and (bounds.lower > 0).all():
        return "positive"
    if bounds.lower.size and (bounds.upper < 0).all():
        return "negative"
    if (bounds.lower == 0).all() and (bounds.upper == 0).all():
        return "zero"
    if (bounds.lower >= 0).all():
        return "nonnegative"
    return "nonpositive" if (bounds.upper <= 0).all() else "mixed"


def name_curvature(found: set[Curvature]) -> str:
    """Return the curvature of everything that has one of those found.

    >>> name_curvature({Curvature.AFFINE, Curvature.CONCAVE})
    'concave'
    >>> name_curvature({Curvature.CONVEX, Curvature.CONCAVE})
    'mixed'
    """
    for kind, weaker in _WEAKER.items():
        if found <= weaker:
            return kind.value
    return Curvature.UNKNOWN.value if Curvature.UNKNOWN in found else "mixed"


def name_order(order: int) -> str:
    """Return what it is called to be so often continuously differentiable.

    >>> name_order(-1), name_order(1), name_order(SMOOTH)
    ('jumps', 'C1', 'smooth')
    """
    if order == SMOOTH:
        return "smooth"
    return "jumps" if order < 0 else f"C{order}"


def _ends(bounds: Interval) -> tuple[float, float]:
    return float(bounds.lower.min(initial=np.inf)), float(bounds.upper.max(initial=-np.inf))


def _culprit(facts: "GraphFacts", path: str, pieces: tuple[int, ...]) -> dict[str, Any] | None:
    """Return where the rule of curvature broke first, and why, if it did."""
    for piece in pieces:
        if facts.curvature[piece].value is Curvature.UNKNOWN:
            culprit = find_culprit(facts, piece)
            place = describe_span(find_span(facts, path, culprit))
            return {"rule": facts.curvature[culprit].rule, **place}
    return None


def _smoothness(facts: "GraphFacts", path: str, regularities: list[Regularity]) -> dict[str, Any]:
    places = [
        {
            "kind": spot.kind.value,
            "order": None if spot.order == SMOOTH else spot.order,
            **describe_span(find_span(facts, path, spot.node, spot.origin)),
        }
        for regularity in regularities
        for spot in regularity.spots
    ]
    unique = [place for i, place in enumerate(places) if place not in places[:i]]
    order = min((regularity.order for regularity in regularities), default=SMOOTH)
    return {"smoothness": name_order(order), "not_smooth_at": unique}


def describe_span(span: Span | None) -> dict[str, Any]:
    """Return the text and the place of a piece of the spec, as far as it has one."""
    return {} if span is None else {"text": span.text, "at": str(span)}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    described: dict[str, Any] = {
        "answer": verdict.answer.value,
        "because": [_reason(reason) for reason in verdict.because],
        "variables": list(verdict.variables),
        "terms": list(verdict.terms),
        "helps": list(verdict.helps),
    }
    if verdict.direction is not None:
        described["direction"] = {
            "start": dict(verdict.direction.start),
            "rates": dict(verdict.direction.rates),
            "towards_zero": verdict.direction.towards_zero,
            "log_rate": verdict.direction.log_rate,
        }
    return described


def _reason(reason: Reason) -> dict[str, Any]:
    return {"text": reason.text} | ({} if reason.span is None else {"at": str(reason.span)})


def _block(plan: BlockPlan) -> dict[str, Any]:
    traits = plan.traits
    return {
        "variables": list(plan.block.variables),
        "terms": list(plan.block.terms),
        "numbers": traits.numbers,
        "convex": traits.convex,
        "smoothness": name_order(traits.order),
        "residuals": traits.residuals or None,
        **{
            step.verb.value: {
                "runs": list(step.runs),
                "because": list(step.because),
                "notes": list(step.notes),
            }
            for step in plan.steps
        },
    }
