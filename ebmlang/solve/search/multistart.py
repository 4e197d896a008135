"""Many starts over the whole domain, each brought to rest by itself; more of them each round."""

from dataclasses import dataclass
from typing import final

from ebmlang.runtime import derive_seed
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.problem import Problem
from ebmlang.solve.search.method import Round, end_round
from ebmlang.solve.search.starts import draw


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Multistart:
    """The method.

    Attributes:
        starts: How many each round has.
        local: How they are brought to rest.
    """

    starts: int
    local: Local

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "multistart"

    def init(self, problem: Problem) -> tuple[int, Round]:
        """Bring the first starts to rest; the state is the number of rounds."""
        return 1, self._round(problem, problem.seed)

    def step(self, problem: Problem, state: int) -> tuple[int, Round]:
        """Bring as many others to rest."""
        return state + 1, self._round(problem, derive_seed(problem.seed, f"round {state}"))

    def _round(self, problem: Problem, seed: int) -> Round:
        y, nonfinite = draw(problem, self.starts, seed, self.local)
        return end_round(problem, bring_down(problem, y, self.local), nonfinite)
