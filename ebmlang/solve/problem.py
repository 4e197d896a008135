"""What a search is about: an energy, where its points live, and the coordinates to search in."""

from dataclasses import dataclass, field

from ebmlang.runtime import Target
from ebmlang.solve.loop import Watch
from ebmlang.solve.native.building import Work
from ebmlang.solve.native.machine import Machines
from ebmlang.spaces import Layout, SolvingChart, build_solving_chart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """An energy over a domain, and the run that searches it.

    Attributes:
        target: The energy and what it requires.
        layout: Where its points live.
        chart: The solver's coordinates.
        seed: Of all random numbers.
        watch: Counts what is spent, and says when to end.
        group: How many starts in a row search the same energy; None if all do.
        machines: The machine code that has been asked for, by the work ahead of it; None where
            there is none.
    """

    target: Target
    layout: Layout
    chart: SolvingChart
    seed: int
    watch: Watch
    group: int | None = None
    machines: dict[Work, Machines | None] = field(default_factory=dict)


def build_problem(target: Target, layout: Layout, *, seed: int, watch: Watch) -> Problem:
    """Choose the coordinates for a layout."""
    chart = build_solving_chart(layout, dtype=target.dtype, device=target.device)
    return Problem(target=target, layout=layout, chart=chart, seed=seed, watch=watch)
