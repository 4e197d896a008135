"""CMA-ES: populations that learn the shape of the valley they are in, from ranks of values alone.

For energies whose gradient is missing or says nothing: jumps, steps, plateaus. The strategy is a
library's; here several populations are evaluated as one batch, what is required comes before what
is low, and where there is a gradient after all, a descent has the last word.

Source: Hansen, The CMA evolution strategy: a tutorial (2016); the library is `cmaes` (Nomura and
Shibata, cmaes: a simple yet practical Python library for CMA-ES, 2024).
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.runtime import derive_seed
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.problem import Problem
from ebmlang.solve.search.annealing import keep_better
from ebmlang.solve.search.landing import Landing, judge
from ebmlang.solve.search.method import Round, end_round
from ebmlang.solve.search.starts import draw

if TYPE_CHECKING:
    from cmaes import CMA

Array = NDArray[np.float64]

FIRST_SPREAD = 0.5
"""Standard deviation of the first populations, in the solver's coordinates, where a bounded unknown
has [-1, 1]: a quarter of its width."""

GENERATIONS = 100
"""Generations per dimension: the covariance is learnt in some ten of them, and the rest go down."""

MOST_GENERATIONS = 2000
"""Most generations of a round, whatever the dimension."""

LARGER = 2
"""Factor of the populations' size from round to round: larger ones see more of the whole."""

FAR = 1e300
"""What infinity counts as among values that are sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmaState:
    """How many rounds there have been, and how large populations are."""

    rounds: int
    size: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CmaEs:
    """The method.

    Attributes:
        starts: Points of all populations together.
        local: How the best of each is brought to rest in the end.
    """

    starts: int
    local: Local

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "cma-es"

    def init(self, problem: Problem) -> tuple[CmaState, Round]:
        """Let populations of the usual size converge."""
        # Hansen (2016), equation 48.
        size = 4 + int(3 * np.log(problem.layout.dim))
        return self._round(problem, CmaState(rounds=0, size=size))

    def step(self, problem: Problem, state: CmaState) -> tuple[CmaState, Round]:
        """Begin anew with larger populations."""
        return self._round(problem, state)

    def _round(self, problem: Problem, state: CmaState) -> tuple[CmaState, Round]:
        count = max(1, self.starts // state.size)
        seed = derive_seed(problem.seed, f"populations {state.rounds}")
        # The best of a population is near already.
        local = replace(self.local, adam_steps=0)
        y, nonfinite = draw(problem, count, seed, local)
        best = _evolve(problem, y, seed, state.size)
        rested = bring_down(problem, best, local)
        ends = keep_better(problem, best, rested)
        following = CmaState(rounds=state.rounds + 1, size=LARGER * state.size)
        return following, end_round(problem, ends, nonfinite)


def _evolve(
    problem: Problem, y: Float[Tensor, "population dim"], seed: int, size: int
) -> Float[Tensor, "population dim"]:
    """Let one population begin at each place; return the best place that each has seen."""
    watch = problem.watch
    populations = _build(problem, y, seed, size)
    best = judge(problem, y)
    generations = min(MOST_GENERATIONS, GENERATIONS * y.shape[1])
    watch.progress.started(generations, "evolving")
    for _ in range(generations):
        alive = [i for i, population in enumerate(populations) if not population.should_stop()]
        if not alive or watch.reason is not None:
            break
        asked = [[populations[i].ask() for _ in range(size)] for i in alive]
        places = torch.tensor(np.array(asked), dtype=y.dtype, device=y.device)
        trial = problem.chart.retract(places[:, :, : y.shape[1]].flatten(0, 1))
        found = judge(problem, trial)
        watch.evaluations += len(trial)
        merits = _merit(found).reshape(len(alive), size)
        for i, points, values in zip(alive, asked, merits, strict=True):
            populations[i].tell([(p, float(v)) for p, v in zip(points, values, strict=True)])
        best = _keep_best(best, found, alive, merits)
        watch.progress.advance(1, f"energy {float(best.energy.min()):.6g}")
    watch.progress.finished("")
    return best.position


def _build(problem: Problem, y: Tensor, seed: int, size: int) -> list["CMA"]:
    # Takes a second to import, through scipy.stats; only who asks for this method pays for it.
    from cmaes import CMA

    means, chart = y.cpu().numpy().astype(np.float64), problem.chart
    bounds = torch.stack([chart.lower, chart.upper], 1).cpu().numpy().astype(np.float64)
    if y.shape[1] == 1:
        # The library wants two coordinates at least: the second one is read by nobody.
        means = np.hstack([means, np.zeros_like(means)])
        bounds = np.vstack([bounds, [[-1.0, 1.0]]])
    rng = np.random.default_rng(seed)
    return [
        CMA(
            mean=mean,
            sigma=FIRST_SPREAD,
            bounds=bounds,
            # A point across a bound is taken to it at once, not drawn a hundred times again.
            n_max_resampling=1,
            seed=int(rng.integers(2**31)),
            population_size=size,
        )
        for mean in means
    ]


def _merit(found: Landing) -> Array:
    """Return the energy of each place; of one that is violated, by how much, above all energies."""
    energy = found.energy.cpu().numpy().astype(np.float64).clip(-FAR, FAR)
    violation = found.violation.cpu().numpy().astype(np.float64).clip(0, FAR)
    top = energy[violation == 0].max(initial=0.0)
    return np.where(violation > 0, top + violation, energy)


def _keep_best(best: Landing, found: Landing, alive: list[int], merits: Array) -> Landing:
    """Return the better of each population's best so far and its best now."""
    size = merits.shape[1]
    rows = torch.arange(len(best.energy), device=best.energy.device)
    index = rows * 0
    index[alive] = torch.tensor(
        merits.argmin(1) + size * np.arange(len(alive)), device=index.device
    )
    newest = found.take(index)
    among = torch.zeros_like(rows, dtype=torch.bool)
    among[alive] = True
    return best.replaced(among & newest.is_better(best), newest)
