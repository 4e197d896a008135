"""`ebm solve` beside SciPy and hand-written torch: success share and time to the optimum.

    python benchmarks/solvers.py                         all problems and peers
    python benchmarks/solvers.py --problems MGH09 --seconds 2

Every attempt has the same CPU seconds on one thread, and ends when a feasible point of the
published optimum has been seen, to the error asked for in `tests.solve.optima`. A method that ends
earlier begins again from another start. Compiling, and drawing the first start, are not counted.
Prints a table in Markdown, as in `docs/solvers.md`.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.optimize
import torch
from numpy.typing import NDArray
from torch import Tensor

import ebmlang
from benchmarks.solver_problems import BOXES, PROBLEMS, HandWritten
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.lower.residuals import find_squares
from ebmlang.runtime import UNLIMITED, SilentProgress, watch_interrupts
from ebmlang.solve.loop import Watch
from ebmlang.solve.methods import pick_local
from ebmlang.solve.problem import build_problem
from ebmlang.solve.search.landing import judge
from ebmlang.solve.search.multistart import Multistart
from tests.solve.optima import Optimum, build_optima, reach

Array = NDArray[np.float64]

FEASIBLE = 1e-8
"""How far below zero a margin may be."""

BATCH = 256
"""Starts of the methods that have a batch."""


class EndError(Exception):
    """The optimum has been seen, or the time is spent."""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt: looks at every point that a peer evaluates."""

    problem: HandWritten
    goal: float
    seconds: float
    begun: float
    reached: bool = False

    def look(self, x: Array, value: float) -> None:
        if value <= self.goal and self.is_feasible(x):
            self.reached = True
            raise EndError
        self.check_time()

    def check_time(self) -> None:
        if time.process_time() - self.begun > self.seconds:
            raise EndError

    def is_feasible(self, x: Array) -> bool:
        inside = (x >= self.problem.lower).all() and (x <= self.problem.upper).all()
        margins = self.problem.margins
        return bool(inside) and (margins is None or margins(x).min() >= -FEASIBLE)

    def value(self, x: Array) -> float:
        value = self.problem.value(x)
        self.look(x, value)
        return value if np.isfinite(value) else 1e300


Peer = Callable[[Attempt, np.random.Generator], None]
"""Goes on until the attempt ends it."""


def _bounds(problem: HandWritten) -> scipy.optimize.Bounds:
    return scipy.optimize.Bounds(problem.lower, problem.upper)


def _constraints(problem: HandWritten, method: str) -> object:
    if problem.margins is None:
        return ()
    if method == "SLSQP":
        return [{"type": "ineq", "fun": problem.margins, "jac": problem.margin_slopes}]
    return scipy.optimize.NonlinearConstraint(problem.margins, 0, np.inf, jac=problem.margin_slopes)


def multistart(method: str) -> Peer:
    """Return a local method of SciPy's from uniform starts."""

    def run(attempt: Attempt, rng: np.random.Generator) -> None:
        problem = attempt.problem
        while True:
            scipy.optimize.minimize(
                attempt.value,
                rng.uniform(problem.lower, problem.upper),
                jac=problem.slope,
                method=method,
                bounds=_bounds(problem),
                constraints=_constraints(problem, method),
                options={"maxiter": 1000} | ({"ftol": 1e-12} if method == "SLSQP" else {}),
            )
            attempt.check_time()

    return run


def differential_evolution(attempt: Attempt, rng: np.random.Generator) -> None:
    problem = attempt.problem
    constraints = _constraints(problem, "differential evolution")
    while True:
        scipy.optimize.differential_evolution(
            attempt.value, _bounds(problem), constraints=constraints, maxiter=100_000, rng=rng
        )
        attempt.check_time()


def basin_hopping(attempt: Attempt, rng: np.random.Generator) -> None:
    problem = attempt.problem
    method = "L-BFGS-B" if problem.margins is None else "SLSQP"
    local = {"method": method, "jac": problem.slope, "bounds": _bounds(problem)}
    if problem.margins is not None:
        local["constraints"] = _constraints(problem, method)
    while True:
        scipy.optimize.basinhopping(
            attempt.value,
            rng.uniform(problem.lower, problem.upper),
            niter=100_000,
            minimizer_kwargs=local,
            rng=rng,
        )
        attempt.check_time()


def dual_annealing(attempt: Attempt, rng: np.random.Generator) -> None:
    """It knows no constraints: a penalty stands for them, and SLSQP polishes what comes out."""
    problem = attempt.problem

    def penalized(x: Array) -> float:
        value = attempt.value(x)
        if problem.margins is None:
            return value
        return value + 10 * float(np.minimum(problem.margins(x), 0).__pow__(2).sum())

    local: dict[str, object] = {"method": "L-BFGS-B", "bounds": _bounds(problem)}
    if problem.margins is None:
        local["jac"] = problem.slope
    while True:
        found = scipy.optimize.dual_annealing(
            penalized, _bounds(problem), minimizer_kwargs=local, rng=rng
        )
        if problem.margins is not None:
            scipy.optimize.minimize(
                attempt.value,
                found.x,
                jac=problem.slope,
                method="SLSQP",
                bounds=_bounds(problem),
                constraints=_constraints(problem, "SLSQP"),
                options={"ftol": 1e-12},
            )
        attempt.check_time()


# --- hand-written torch --------------------------------------------------------------


def _penalized(problem: HandWritten, x: Tensor, weight: float) -> Tensor:
    if problem.batch_margins is None:
        return problem.batch(x)
    return problem.batch(x) + weight * problem.batch_margins(x).clamp(max=0).square().sum(1)


def _look_at(attempt: Attempt, x: Tensor, value: Tensor) -> None:
    """Look at the points that are low enough."""
    attempt.check_time()
    for row in torch.nonzero(value <= attempt.goal)[:, 0][:8]:
        attempt.look(x[row].detach().numpy(), float(value[row]))


def _begin(problem: HandWritten, rng: np.random.Generator) -> Tensor:
    shape = (BATCH, len(problem.lower))
    return torch.tensor(rng.uniform(problem.lower, problem.upper, shape), requires_grad=True)


def torch_adam(attempt: Attempt, rng: np.random.Generator) -> None:
    """A batch of starts, clamped to the bounds: a falling step, a growing penalty."""
    problem, steps = attempt.problem, 2000
    lower, upper = torch.tensor(problem.lower), torch.tensor(problem.upper)
    while True:
        x = _begin(problem, rng)
        optimizer = torch.optim.Adam([x], lr=0.02 * float((upper - lower).mean()))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for step in range(steps):
            optimizer.zero_grad()
            value = _penalized(problem, x, 10.0 ** (1 + 6 * step / steps))
            value.sum().backward()
            _look_at(attempt, x, problem.batch(x.detach()))
            # One start whose gradient is not finite would end as nan.
            x.grad.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                x.clamp_(lower, upper)


def torch_lbfgs(attempt: Attempt, rng: np.random.Generator) -> None:
    """`torch.optim.LBFGS` on the sum over the batch, as one usually sees it; a growing penalty."""
    problem = attempt.problem
    lower, upper = torch.tensor(problem.lower), torch.tensor(problem.upper)
    while True:
        x = _begin(problem, rng)
        for weight in (1e1, 1e3, 1e5, 1e7):
            optimizer = torch.optim.LBFGS([x], max_iter=300, line_search_fn="strong_wolfe")

            def closure(optimizer=optimizer, weight=weight, x=x) -> Tensor:
                optimizer.zero_grad()
                inside = x.clamp(lower, upper)
                outside = (x - inside).square().sum()
                value = _penalized(problem, inside, weight).sum() + outside
                value.backward()
                _look_at(attempt, inside.detach(), problem.batch(inside.detach()))
                return value

            optimizer.step(closure)
            if problem.margins is None:
                break


PEERS: Mapping[str, Peer] = {
    "SciPy L-BFGS-B, multi-start": multistart("L-BFGS-B"),
    "SciPy SLSQP, multi-start": multistart("SLSQP"),
    "SciPy trust-constr, multi-start": multistart("trust-constr"),
    "SciPy differential evolution": differential_evolution,
    "SciPy basin hopping": basin_hopping,
    "SciPy dual annealing": dual_annealing,
    f"torch Adam, {BATCH} starts": torch_adam,
    f"torch L-BFGS, {BATCH} starts": torch_lbfgs,
}


def try_peer(peer: Peer, name: str, optimum: Optimum, seed: int, seconds: float) -> float | None:
    """Return the CPU seconds until the optimum was seen; None where it was not."""
    attempt = Attempt(
        problem=PROBLEMS[name](),
        goal=optimum.energy + optimum.error,
        seconds=seconds,
        begun=time.process_time(),
    )
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            peer(attempt, np.random.default_rng(seed))
    except EndError:
        pass
    return time.process_time() - attempt.begun if attempt.reached else None


def try_ours(optimum: Optimum, seed: int, seconds: float, starts: int) -> float | None:
    """Return the same for the one setting of `tests.solve.optima`."""
    outcome = reach(optimum, seed, seconds=seconds, starts=starts)
    late = outcome.seconds > seconds
    return None if late or abs(outcome.error) > optimum.error else outcome.seconds


# --- as many starts for all ----------------------------------------------------------


def race_ours(optimum: Optimum, starts: int) -> tuple[float, int]:
    """Return the CPU seconds that starts take to come to rest, and how many are optimal."""
    module = compile_model(optimum.model)
    target, layout = find_squares(module) or module.packed(), lay_out(module)
    method = Multistart(starts=starts, local=pick_local(target, adam_steps=0))
    begun = time.process_time()
    with watch_interrupts() as interrupt:
        watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
        problem = build_problem(target, layout, seed=0, watch=watch)
        _, found = method.init(problem)
    spent = time.process_time() - begun
    places = judge(problem, found.ends.position)
    good = (places.violation == 0) & (places.energy <= optimum.energy + optimum.error)
    return spent, int(good.sum())


def race_scipy(name: str, optimum: Optimum, starts: int) -> tuple[float, int]:
    """Return the same for SciPy's SLSQP, or L-BFGS-B where nothing is required."""
    problem, rng, optimal = PROBLEMS[name](), np.random.default_rng(0), 0
    method = "L-BFGS-B" if problem.margins is None else "SLSQP"
    attempt = Attempt(problem=problem, goal=-np.inf, seconds=np.inf, begun=0.0)
    begun = time.process_time()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(starts):
            found = scipy.optimize.minimize(
                attempt.value,
                rng.uniform(problem.lower, problem.upper),
                jac=problem.slope,
                method=method,
                bounds=_bounds(problem),
                constraints=_constraints(problem, method),
                options={"maxiter": 1000, "ftol": 1e-12},
            )
            low = found.fun <= optimum.energy + optimum.error
            optimal += bool(low and attempt.is_feasible(found.x))
    return time.process_time() - begun, optimal


def build_boxes_optimum() -> dict[str, Optimum]:
    """Return the boxes, whose energy is 0 where none overlap, by name."""
    return {"boxes 12": Optimum(model=ebmlang.loads(BOXES), energy=0.0, error=1e-8)}


def show(times: list[float | None]) -> str:
    found = [t for t in times if t is not None]
    middle = f", {np.median(found):.2f} s" if found else ""
    return f"{len(found)} of {len(times)}{middle}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--starts", type=int, nargs="*", default=[BATCH, 4 * BATCH])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optima = build_optima() | build_boxes_optimum()
    seeds, seconds = range(arguments.seeds), arguments.seconds
    # What is loaded at first use is not part of any attempt.
    try_ours(optima["MGH09"], 0, seconds, 8)
    for name in arguments.problems:
        print(f"\n{name}\n\n| method | reached, median time |\n| --- | --- |")
        for starts in (64, BATCH):
            times = [try_ours(optima[name], seed, seconds, starts) for seed in seeds]
            print(f"| ebmlang, {starts} starts | {show(times)} |", flush=True)
        bounded = PROBLEMS[name]().margins is None
        for title, peer in PEERS.items():
            if "L-BFGS-B" in title and not bounded:
                continue  # It knows bounds only.
            times = [try_peer(peer, name, optima[name], seed, seconds) for seed in seeds]
            print(f"| {title} | {show(times)} |", flush=True)
    print("\n| starts brought to rest | ebmlang | optimal | SciPy | optimal |")
    print("| --- | --- | --- | --- | --- |")
    for name, starts in product(arguments.problems, arguments.starts):
        ours, good = race_ours(optima[name], starts)
        theirs, fair = race_scipy(name, optima[name], starts)
        row = f"{ours:.2f} s | {good} | {theirs:.2f} s | {fair}"
        print(f"| {starts}, {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
