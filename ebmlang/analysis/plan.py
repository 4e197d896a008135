"""The plan: what `solve` and `sample` do with each block of variables, and why.

A plan is read off tables of rules: each has a condition on the traits of a block and a sentence.
Lines under `runs` say what this version does; notes say what the facts promise or warn of, also
where no method makes use of it yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from ebmlang.analysis.alternatives import find_alternatives
from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.sampling import (
    DEFAULT_CHAINS,
    Problem,
    SamplerChoice,
    choose_sampler,
)
from ebmlang.analysis.separation import separate
from ebmlang.analysis.solving import APART, SolverChoice, SolvingTask, choose_solver
from ebmlang.analysis.traits import Traits, infer_traits
from ebmlang.analysis.verdict import Answer

if TYPE_CHECKING:
    from ebmlang.analysis.dependence import Block


NOT_FORWARD = frozenset(("noisy_or", "extern"))
"""Operators that have no forward derivative, or are not known to have one."""


class Verb(Enum):
    """What is done with a spec."""

    SOLVE = "solve"
    SAMPLE = "sample"


class Weight(Enum):
    """What a line of a plan is."""

    RUNS = "runs"
    """What this version does."""
    BECAUSE = "because"
    """The fact that the choice rests on."""
    NOTE = "note"
    """What else the facts say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one verb does with one block.

    Attributes:
        verb: Which one.
        runs: What this version does, in order.
        because: The facts that this rests on.
        notes: What else the facts say.
    """

    verb: Verb
    runs: tuple[str, ...]
    because: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """A block, what matters of it, and what each verb does with it."""

    block: "Block"
    traits: Traits
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plans of all blocks, in order, how the whole is solved, and what samples it.

    Attributes:
        blocks: What is done with each block of variables.
        solver: How the whole is solved.
        parts: Where that takes it apart into blocks, how each is solved; else nothing.
        sampler: What moves all blocks together.
    """

    blocks: tuple[BlockPlan, ...]
    solver: SolverChoice
    parts: tuple[SolverChoice, ...]
    sampler: SamplerChoice


Condition: TypeAlias = Callable[[Traits], bool]
Sentence: TypeAlias = Callable[[Traits], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a plan: when it stands there, and what it says."""

    name: str
    line: Weight
    applies: Condition
    says: Sentence


def build_plan(facts: GraphFacts, chains: int = DEFAULT_CHAINS) -> Plan:
    """Return what each verb does with each block of variables.

    Args:
        facts: Of the whole.
        chains: How many a sampler will have.
    """
    propriety = facts.propriety
    refusals = {
        Verb.SOLVE: (propriety.bounded_below, "nothing: E is not bounded below"),
        Verb.SAMPLE: (propriety.integrable, "nothing: exp(-E) has no finite integral"),
    }
    blocks = []
    found = tuple(infer_traits(facts, block) for block in facts.blocks)
    solver = pick_solver(facts)
    apart = facts.blocks if solver.method == APART else ()
    parts = tuple(pick_solver(GraphFacts(separate(facts, b), facts.inputs)) for b in apart)
    for block, traits in zip(facts.blocks, found, strict=True):
        steps = tuple(
            Step(verb=verb, runs=(refusal,), because=(), notes=())
            if verdict.answer is Answer.IMPROPER
            else _step(verb, RULES[verb], traits)
            for verb, (verdict, refusal) in refusals.items()
        )
        blocks.append(BlockPlan(block=block, traits=traits, steps=steps))
    sampler = pick_sampler(facts, chains)
    return Plan(blocks=tuple(blocks), solver=solver, parts=parts, sampler=sampler)


def pick_solver(facts: GraphFacts) -> SolverChoice:
    """Return how a problem is solved.

    Args:
        facts: Of the whole, or of a part that it was taken apart into.
    """
    alternatives = find_alternatives(facts)
    return choose_solver(
        SolvingTask(
            traits=tuple(infer_traits(facts, block) for block in facts.blocks),
            alternatives=len(alternatives),
            choices=alternatives[0].paths if alternatives else (),
            forward=not any(node.operator in NOT_FORWARD for node in facts.graph.nodes),
        )
    )


def pick_sampler(facts: GraphFacts, chains: int = DEFAULT_CHAINS) -> SamplerChoice:
    """Return the sampler that moves all blocks together.

    Args:
        facts: Of the whole.
        chains: How many it will have.
    """
    traits = tuple(infer_traits(facts, block) for block in facts.blocks)
    forked = any(t.branches or t.inner_branches for t in traits)
    parts = facts.branches if forked else ()
    # A branch that has several modes itself is no easier than the whole.
    inner = (pick_sampler(GraphFacts(part.graph, facts.inputs), chains) for part in parts)
    separable = bool(parts) and all(choice.method != "smc" for choice in inner)
    branches = len(parts) if separable else 0
    return choose_sampler(Problem(traits=traits, chains=chains, branches=branches))


def _step(verb: Verb, rules: tuple[Rule, ...], traits: Traits) -> Step:
    said = {
        line: tuple(
            rule.says(traits) for rule in rules if rule.line is line and rule.applies(traits)
        )
        for line in Weight
    }
    return Step(
        verb=verb, runs=said[Weight.RUNS], because=said[Weight.BECAUSE], notes=said[Weight.NOTE]
    )


def _listed(paths: tuple[str, ...], most: int = 4) -> str:
    """Return paths as a list in a sentence.

    >>> _listed(("a", "b", "c"))
    '`a`, `b` and `c`'
    """
    shown = [f"`{path}`" for path in paths[:most]]
    if len(paths) > most:
        return f"{', '.join(shown)} and {len(paths) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _branches(traits: Traits) -> str:
    return " and ".join(f"`{path}` (an OR of {count})" for path, count in traits.branches[:4])


def _describe_gradient(traits: Traits) -> str:
    return "the gradient of E is continuous" + (", away from its poles" if traits.poles else "")


def _count_starts(traits: Traits) -> str:
    if traits.convex and traits.order >= 0:
        return "one start" if traits.order >= 1 else "a few spread starts in one batch"
    return "many spread starts in one batch"


_SOLVE = (
    Rule(
        "idle",
        Weight.RUNS,
        lambda t: t.idle,
        lambda _t: "nothing: no term speaks of it, so it stays where its starts are",
    ),
    Rule(
        "descent",
        Weight.RUNS,
        lambda t: not t.idle,
        lambda t: f"{_count_starts(t)}: Adam to get near, then L-BFGS to arrive",
    ),
    Rule(
        "requirements",
        Weight.RUNS,
        lambda t: bool(t.required),
        lambda _t: "augmented Lagrangian around it: rounds of descent, then of multipliers",
    ),
    Rule(
        "bounds",
        Weight.RUNS,
        lambda t: bool(t.boxed),
        lambda _t: "projection onto the bounds",
    ),
    Rule(
        "curved",
        Weight.RUNS,
        lambda t: bool(t.curved),
        lambda t: f"steps along the manifold of {_listed(t.curved)}",
    ),
    Rule(
        "certificate",
        Weight.RUNS,
        lambda t: t.convex and not t.idle,
        lambda _t: "a proof from below, by tangents and linear programs",
    ),
    Rule(
        "convex",
        Weight.BECAUSE,
        lambda t: t.convex and not t.idle,
        lambda _t: "E is convex over a convex set: every local minimum is a global one",
    ),
    Rule(
        "not convex",
        Weight.BECAUSE,
        lambda t: not t.convex,
        lambda t: f"{t.obstacle}: starts may end in different minima",
    ),
    Rule(
        "required",
        Weight.BECAUSE,
        lambda t: bool(t.required),
        lambda t: f"{_listed(t.required)} must hold exactly",
    ),
    Rule(
        "gradient",
        Weight.BECAUSE,
        lambda t: t.order >= 1 and not t.idle,
        _describe_gradient,
    ),
    Rule(
        "squares",
        Weight.NOTE,
        lambda t: t.residuals > 0,
        lambda t: (
            f"E is a sum of squares of {t.residuals} residual{'' if t.residuals == 1 else 's'}"
            + (
                ", linear in the unknowns: its minimum has a closed form"
                if t.linear_residuals
                else ""
            )
        ),
    ),
    Rule(
        "branches",
        Weight.NOTE,
        lambda t: bool(t.branches),
        lambda t: f"{_branches(t)}: each branch is a problem of its own",
    ),
    Rule(
        "inner branches",
        Weight.NOTE,
        lambda t: bool(t.inner_branches),
        lambda t: f"an OR inside of {_listed(t.inner_branches)} bends E: expect several minima",
    ),
    Rule(
        "kinks",
        Weight.NOTE,
        lambda t: t.order == 0,
        lambda t: f"E has kinks ({t.roughness}): progress slows down where a minimum is on one",
    ),
    Rule(
        "jumps",
        Weight.NOTE,
        lambda t: t.order < 0,
        lambda t: f"E jumps ({t.roughness}): a gradient does not see a jump",
    ),
)

_SAMPLE = (
    Rule(
        "free coordinates",
        Weight.RUNS,
        lambda t: bool(t.mapped),
        lambda t: f"free coordinates for {_listed(t.mapped)}, with their log-determinant",
    ),
    Rule(
        "curved",
        Weight.RUNS,
        lambda t: bool(t.spherical),
        lambda t: f"geodesics for {_listed(t.spherical)}",
    ),
    Rule(
        "gradient",
        Weight.BECAUSE,
        lambda t: t.order >= 1,
        _describe_gradient,
    ),
    Rule(
        "required",
        Weight.BECAUSE,
        lambda t: bool(t.required),
        lambda t: f"{_listed(t.required)} must hold: the density is zero elsewhere",
    ),
    Rule(
        "one mode",
        Weight.NOTE,
        lambda t: t.convex and not t.idle,
        lambda _t: "exp(-E) is log-concave: it has one mode",
    ),
    Rule(
        "gaussian",
        Weight.NOTE,
        lambda t: t.gaussian,
        lambda _t: "exp(-E) is Gaussian: mean and covariance have a closed form",
    ),
    Rule(
        "uniform",
        Weight.NOTE,
        lambda t: t.idle,
        lambda _t: "no term speaks of it: it is drawn uniformly from its domain",
    ),
    Rule(
        "kinks",
        Weight.NOTE,
        lambda t: t.order == 0,
        lambda t: (
            f"E has kinks ({t.roughness}): a trajectory that crosses one loses accuracy, "
            "and steps get shorter"
        ),
    ),
    Rule(
        "jumps",
        Weight.NOTE,
        lambda t: t.order < 0,
        lambda t: (
            f"E jumps ({t.roughness}): a trajectory does not see a jump before it has crossed it"
        ),
    ),
)

RULES = {Verb.SOLVE: _SOLVE, Verb.SAMPLE: _SAMPLE}
"""The rules of each verb, in the order in which their lines stand."""
