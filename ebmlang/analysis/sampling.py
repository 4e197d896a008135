"""Which sampler a spec gets, and why: the first rule that applies.

A sampler moves all variables together, so the rules look at the traits of all blocks at once, and
at how many chains there are.

Source for the thresholds: the ensemble's covariance is estimated from half of the chains, and
needs about twice as many points as dimensions to have a sound inverse (Ledoit and Wolf, A
well-conditioned estimator for large-dimensional covariance matrices, 2004).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ebmlang.analysis.traits import Traits

DEFAULT_CHAINS = 16
"""Chains of a run where nobody says otherwise."""

CHAINS_PER_NUMBER = 4
"""Chains per unknown number from which on an ensemble tells its own shape."""


FEWEST_ISLANDS = 4
"""Islands of particles from which on their spread tells an error; each is a chain of the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the choice depends on.

    Attributes:
        traits: Of every block of variables.
        chains: How many there will be.
        branches: Of how many parts exp(-E) is a sum, where each can be drawn by itself; else 0.
    """

    traits: tuple[Traits, ...]
    chains: int
    branches: int = 0

    @property
    def numbers(self) -> int:
        """How many numbers are unknown."""
        return sum(traits.numbers for traits in self.traits)

    def named(self, pick: Callable[[Traits], tuple[str, ...]]) -> str:
        """Return the paths that a trait names, for a sentence."""
        paths = dict.fromkeys(path for traits in self.traits for path in pick(traits))
        shown = [f"`{path}`" for path in list(paths)[:3]]
        return ", ".join(shown) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerRule:
    """One line of the choice.

    Attributes:
        method: The sampler's name.
        applies: When it is taken.
        says: Why, as a sentence.
    """

    method: str
    applies: Callable[[Problem], bool]
    says: Callable[[Problem], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerChoice:
    """The sampler of a spec.

    Attributes:
        method: Its name.
        because: Why, as a sentence.
    """

    method: str
    because: str


def choose_sampler(problem: Problem) -> SamplerChoice:
    """Return the first sampler whose rule applies; the last one always does."""
    rule = next(rule for rule in RULES if rule.applies(problem))
    return SamplerChoice(method=rule.method, because=rule.says(problem))


def _any(holds: Callable[[Traits], bool]) -> Callable[[Problem], bool]:
    return lambda problem: any(holds(traits) for traits in problem.traits)


DOES: Mapping[str, str] = MappingProxyType(
    {
        "ensemble": (
            "an ensemble in two halves: each moves by HMC in the shape that the other has, in "
            "coordinates straightened by it where they bend"
        ),
        "meads": "persistent HMC whose step and damping come from other parts of the ensemble",
        "hmc": "Hamiltonian Monte Carlo: trajectories of random length, scales from the warm-up",
        "nuts": "the no-U-turn sampler: each chain follows its trajectory until it turns back",
        "langevin": "adjusted Langevin steps: one gradient each",
        "unadjusted-langevin": "unadjusted Langevin steps: biased by their step size",
        "slice": "slice sampling along random directions, without gradients",
        "reflection": (
            "HMC from points that `solve` finds, bouncing off what is required; a trajectory "
            "that ends a step where it does not hold is rejected"
        ),
        "smc": (
            "sequential Monte Carlo: independent islands of particles, from a broad reference to "
            "the spec in small steps of temperature"
        ),
        "tempering": (
            "parallel tempering: each chain on a ladder of temperatures, neighbors exchange places"
        ),
        "branches": "each branch by itself, combined by weight: nothing has to cross between modes",
    }
)
"""What each sampler does, in a line of a plan."""

RULES: tuple[SamplerRule, ...] = (
    SamplerRule(
        method="branches",
        applies=lambda p: p.branches > 0,
        says=lambda p: (
            f"exp(-E) is a sum of {p.branches} parts, by the OR at the top of "
            f"{p.named(lambda t: tuple(path for path, _ in t.branches))}"
        ),
    ),
    SamplerRule(
        method="slice",
        applies=_any(lambda t: t.order < 0),
        says=lambda _p: "E jumps, and a gradient does not see a jump",
    ),
    SamplerRule(
        method="smc",
        applies=lambda p: (
            p.chains >= FEWEST_ISLANDS and any(t.branches or t.inner_branches for t in p.traits)
        ),
        says=lambda p: (
            "an OR may make several modes: "
            f"{p.named(lambda t: (*(path for path, _ in t.branches), *t.inner_branches))}"
        ),
    ),
    SamplerRule(
        method="hmc",
        applies=_any(lambda t: bool(t.spherical)),
        says=lambda p: f"{p.named(lambda t: t.spherical)} live on a manifold: moves are geodesics",
    ),
    SamplerRule(
        method="reflection",
        applies=_any(lambda t: bool(t.required)),
        says=lambda p: (
            f"{p.named(lambda t: t.required)} must hold: trajectories bounce off where they end"
        ),
    ),
    SamplerRule(
        method="ensemble",
        applies=lambda p: p.chains >= CHAINS_PER_NUMBER * p.numbers,
        says=lambda p: (
            f"{p.chains} chains for {p.numbers} numbers: each half tells the other its shape"
        ),
    ),
    SamplerRule(
        method="nuts",
        applies=lambda p: p.chains < DEFAULT_CHAINS,
        says=lambda p: f"{p.chains} chains are few, so each finds the length of its trajectories",
    ),
    SamplerRule(
        method="hmc",
        applies=lambda _p: True,
        says=lambda p: f"{p.chains} chains for {p.numbers} numbers share a step size and scales",
    ),
)
"""In the order in which they are asked."""
