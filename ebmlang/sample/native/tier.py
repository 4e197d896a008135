"""Whether a run is worth a C compiler, and the density with the loops around it.

The choice hangs on what is known before the run begins, and not on what is in a cache, so that the
draws of a run do not hang on whether it was run before.
"""

from dataclasses import replace

from ebmlang.lower.native.build import Absence
from ebmlang.lower.tiers import Tier, asked_tier, say_once
from ebmlang.sample.density import Density, TargetDensity
from ebmlang.sample.native.machine import build_machine

ITERATION = 3e-3
"""What an iteration that follows a trajectory takes in torch, however few the chains are [s]."""

NUMBER = 0.5e-6
"""What it takes more for each coordinate of each chain, where there are many [s]."""

BUILD = 1.2
"""What the compiler takes for the loops around an energy [s]."""


def is_worth_compiling(*, iterations: int, chains: int, dim: int) -> bool:
    """Whether machine code saves more time than building it takes, or is asked for by name."""
    asked = asked_tier()
    if asked is not None:
        return asked is Tier.NATIVE
    return iterations * (ITERATION + chains * dim * NUMBER) > BUILD


def compile_density(density: Density, *, chains: int = 1, turns: bool = False) -> Density:
    """Return a density with compiled loops around it, if it can have them.

    Args:
        density: The density.
        chains: How many are going to move on each thread.
        turns: Whether most moves find the length of their trajectories.
    """
    if not isinstance(density, TargetDensity) or density.exact is not None:
        return density
    machine = build_machine(density.target, density.chart, turns=turns, chains=chains)
    if machine is None:
        return density
    if isinstance(machine, Absence):
        say_once(machine.reason)
        return density
    return replace(density, machine=machine)
