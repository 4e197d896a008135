"""How a spec is solved, and why: the first rule that applies.

A problem may be taken apart before anything is searched: into independent blocks, or into what an
OR chooses from. Each part is planned anew by the same rules.

Sources: Boyd and Vandenberghe, Convex Optimization, section 4.2.2, for local minima that are
global ones; Balas, Disjunctive Programming (2018), section 1, for an OR as the union of its parts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ebmlang.analysis.traits import Traits

MOST_SQUARED = 32
"""Unknown numbers past which least squares are descended as any other energy: a step of the method
for them evaluates them once for each, and solves dense equations of that size."""

MOST_BLOCKS = 32
"""Independent blocks past which they are searched together: each is compiled by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvingTask:
    """What the choice depends on.

    Attributes:
        traits: Of every block of variables.
        alternatives: Into how many parts the ORs at its top open it up; else 0.
        choices: Paths of the terms that these ORs stand in.
        forward: Whether all of it can be differentiated forward, as methods for squares need.
    """

    traits: tuple[Traits, ...]
    alternatives: int = 0
    choices: tuple[str, ...] = ()
    forward: bool = True

    @property
    def residuals(self) -> int:
        """How many numbers are squared and summed, where E is nothing else; else 0."""
        found = [traits.residuals for traits in self.traits if traits.soft]
        return sum(found) if all(found) else 0

    @property
    def numbers(self) -> int:
        """How many numbers are unknown."""
        return sum(traits.numbers for traits in self.traits)

    @property
    def simplexes(self) -> bool:
        """Whether any of them lie on a simplex."""
        return any(set(traits.curved) - set(traits.spherical) for traits in self.traits)

    @property
    def busy(self) -> tuple[Traits, ...]:
        """The blocks that anything is asked of."""
        return tuple(traits for traits in self.traits if not traits.idle)

    @property
    def obstacle(self) -> str:
        """Why it is not proved convex."""
        return next((traits.obstacle for traits in self.traits if not traits.convex), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverRule:
    """One line of the choice.

    Attributes:
        method: The way of solving, by name.
        applies: When it is taken.
        says: Why, as a sentence.
    """

    method: str
    applies: Callable[[SolvingTask], bool]
    says: Callable[[SolvingTask], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverChoice:
    """How a spec is solved.

    Attributes:
        method: The way, by name.
        because: Why, as a sentence.
        descent: What brings starts to rest, by name.
        descends: Why that, as a sentence.
    """

    method: str
    because: str
    descent: str
    descends: str


def choose_solver(task: SolvingTask) -> SolverChoice:
    """Return the first way whose rule applies; the last one always does."""
    rule, descent = (
        next(rule for rule in rules if rule.applies(task)) for rules in (RULES, DESCENTS)
    )
    return SolverChoice(
        method=rule.method,
        because=rule.says(task),
        descent=descent.method,
        descends=descent.says(task),
    )


def is_convex(task: SolvingTask) -> bool:
    """Whether every local minimum is known to be a global one."""
    return all(traits.convex for traits in task.traits)


def has_jumps(traits: Traits) -> bool:
    """Whether there are places that no gradient sees."""
    return traits.order < 0


ONE_START, FEW_STARTS, APART = "one-start", "few-starts", "apart"
BRANCHES, MULTISTART, CMA_ES = "branches", "multistart", "cma-es"
"""The ways that are chosen by the facts, by name."""

DOES: Mapping[str, str] = MappingProxyType(
    {
        ONE_START: "one start: Adam to get near, then a descent to arrive, then a proof",
        FEW_STARTS: (
            "a few starts, then a proof, whose tangents lead on from the kinks where they stop"
        ),
        APART: "each independent block by itself; the best of each make up the best of all",
        BRANCHES: (
            "what each OR chooses from by itself; from the minima of each, the whole energy is "
            "brought to rest"
        ),
        MULTISTART: "many spread starts in one batch, and more of them until they agree",
        "basin-hopping": "walkers that are thrown from minimum to minimum",
        "annealing": "random walks that cool down, then a descent from where they end",
        CMA_ES: "populations that learn the shape of a valley from values alone",
    }
)
"""What each way does, in a line of a plan."""

RULES: tuple[SolverRule, ...] = (
    SolverRule(
        method=ONE_START,
        applies=lambda t: bool(t.busy) and is_convex(t) and all(b.order >= 1 for b in t.busy),
        says=lambda _t: (
            "E is convex over a convex set and its gradient is continuous, so where one start "
            "comes to rest is a global minimum"
        ),
    ),
    SolverRule(
        method=FEW_STARTS,
        applies=lambda t: is_convex(t) and not any(has_jumps(b) for b in t.busy),
        says=lambda _t: (
            "E is convex over a convex set, but has kinks: a start may stop at one before it is "
            "at a global minimum"
        ),
    ),
    SolverRule(
        method=APART,
        applies=lambda t: bool(t.busy) and 1 < len(t.traits) <= MOST_BLOCKS,
        says=lambda t: (
            f"E is a sum over {len(t.traits)} blocks of variables that do not meet: a minimum of "
            "each is one of the whole"
        ),
    ),
    SolverRule(
        method=BRANCHES,
        applies=lambda t: t.alternatives > 0,
        says=lambda t: (
            f"an OR at the top of {', '.join(f'`{path}`' for path in t.choices)} opens it up "
            f"into {t.alternatives} parts"
        ),
    ),
    SolverRule(
        method=CMA_ES,
        applies=lambda t: any(has_jumps(b) for b in t.busy),
        says=lambda _t: "E jumps, and a gradient does not see a jump",
    ),
    SolverRule(
        method=MULTISTART,
        applies=lambda _t: True,
        says=lambda t: f"{t.obstacle}: starts may end in different minima",
    ),
)
"""In the order in which they are asked."""

LBFGS, LEVENBERG_MARQUARDT = "lbfgs", "levenberg-marquardt"
"""What brings starts to rest, by name."""

DESCENTS: tuple[SolverRule, ...] = (
    SolverRule(
        method=LEVENBERG_MARQUARDT,
        # The point of a simplex is searched as squares of numbers. Those that end at zero have no
        # slope there, and where no force holds them their curvature is not that of the residuals.
        applies=lambda t: (
            t.residuals > 0 and t.forward and t.numbers <= MOST_SQUARED and not t.simplexes
        ),
        says=lambda t: (
            f"E is a sum of squares of {t.residuals} residual{'' if t.residuals == 1 else 's'}, "
            "whose slopes tell its curvature"
        ),
    ),
    SolverRule(
        method=LBFGS,
        applies=lambda _t: True,
        says=lambda _t: "it learns the curvature of any energy from the gradients it has seen",
    ),
)
"""In the order in which they are asked."""
