"""Problems whose optimum is published, and one setting for all of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.lower.residuals import find_squares
from ebmlang.runtime import UNLIMITED, SilentProgress, watch_interrupts
from ebmlang.solve.loop import Watch
from ebmlang.solve.methods import METHODS, pick_local
from ebmlang.solve.problem import build_problem
from ebmlang.solve.search.landing import weigh
from tests.solve.nist.problems import NAMES, read

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

METHOD, STARTS = "basin-hopping", 64
"""The setting: with how starts are brought to rest as the facts say, and nothing else."""

SECONDS = 60.0
"""What a run may take, of CPU time: a busy machine does not count."""

RASTRIGIN = """
var x: real[10] in [-5.12, 5.12]
minimize e: sum(x^2 - 10 * cos(2 * pi * x) + 10)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """A model, and what is known of it.

    Attributes:
        energy: The published optimum.
        error: What it is asked for.
    """

    model: ebmlang.Model
    energy: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to.

    Attributes:
        error: Of the lowest energy found by a feasible point.
        margin: The least margin of that point [tolerances]; above zero where it is feasible.
        seconds: CPU time until the optimum was reached, or the run ended; compiling not counted.
    """

    error: float
    margin: float
    seconds: float
    rounds: int
    evaluations: int


def _example(name: str, constants: Mapping[str, int] | None = None) -> ebmlang.Model:
    return ebmlang.load(EXAMPLES / f"{name}.ebm", constants=constants)


def _regression(name: str) -> Optimum:
    problem = read(name)
    model = ebmlang.load(problem.spec).bind({"x": problem.x, "y": problem.y})
    # Six digits of the certified sum of squares; half a unit of the sixth.
    return Optimum(model=model, energy=problem.squares, error=5e-7 * problem.squares)


def build_optima() -> dict[str, Optimum]:
    """Return all problems by name.

    Sources: clusters, Wales and Doye (1997), table 1; Rastrigin (1974) as generalized by
    Muehlenbein et al. (1991); circles, Packomania, E. Specht; regressions, NIST.
    """
    return {
        "lennard-jones 13": Optimum(
            model=_example("cluster", {"N": 13}), energy=-44.326801, error=1e-5
        ),
        "lennard-jones 19": Optimum(
            model=_example("cluster", {"N": 19}), energy=-72.659782, error=1e-5
        ),
        "rastrigin 10": Optimum(model=ebmlang.loads(RASTRIGIN), energy=0.0, error=1e-8),
        "circles 10": Optimum(model=_example("pack"), energy=-0.148204, error=1e-4),
        **{name: _regression(name) for name in NAMES},
    }


def reach(
    optimum: Optimum, seed: int, *, seconds: float = SECONDS, starts: int = STARTS
) -> Outcome:
    """Search with the one setting until the optimum is reached, or the time is spent."""
    module = compile_model(optimum.model)
    target = find_squares(module) or module.packed()
    method = METHODS[METHOD](starts, pick_local(target, adam_steps=0))
    begun = time.process_time()
    with watch_interrupts() as interrupt:
        watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
        problem = build_problem(target, lay_out(module), seed=seed, watch=watch)
        error, margin, rounds, state = float("inf"), 0.0, 0, None
        while error > optimum.error and time.process_time() - begun < seconds:
            if state is None:
                state, found = method.init(problem)
            else:
                state, found = method.step(problem, state)
            rounds += 1
            places = weigh(found.places)
            energy = places.energy.where(places.violation == 0, float("inf"))
            best = int(energy.argmin())
            if float(energy[best]) - optimum.energy < error:
                error = float(energy[best]) - optimum.energy
                margins = found.places.margins[best]
                margin = float(margins.min()) if margins.numel() else 0.0
    return Outcome(
        error=error,
        margin=margin,
        seconds=time.process_time() - begun,
        rounds=rounds,
        evaluations=watch.evaluations,
    )
