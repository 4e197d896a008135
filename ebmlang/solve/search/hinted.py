"""Many starts, and among the first of them points that are known to be worth it."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import derive_seed
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.problem import Problem
from ebmlang.solve.search.method import Round, end_round
from ebmlang.solve.search.starts import draw


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hinted:
    """The method.

    Attributes:
        hints: Points of the domain, packed; at least one.
        starts: How many others each round has.
        local: How all of them are brought to rest.
    """

    hints: Float[Tensor, "start dim"]
    starts: int
    local: Local

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "hinted"

    def init(self, problem: Problem) -> tuple[int, Round]:
        """Bring the hints and the first starts to rest; the state is the number of rounds."""
        y, nonfinite = draw(problem, self.starts, problem.seed, self.local)
        y = torch.cat([problem.chart.from_written(self.hints), y])
        return 1, end_round(problem, bring_down(problem, y, self.local), nonfinite)

    def step(self, problem: Problem, state: int) -> tuple[int, Round]:
        """Bring as many others to rest."""
        seed = derive_seed(problem.seed, f"round {state}")
        y, nonfinite = draw(problem, self.starts, seed, self.local)
        ends = bring_down(problem, y, self.local)
        return state + 1, end_round(problem, ends, nonfinite)
