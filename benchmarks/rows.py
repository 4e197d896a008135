"""Time per row of one spec solved for many rows of data, against a loop over SciPy.

    python benchmarks/rows.py                    # 2,000 rows
    python benchmarks/rows.py 100000 --peers 200

Each row fits amplitude, rate, offset and slope of a decay to eight readings, by least squares: four
unknowns, in bounds, with a curved valley. Both sides search from eight starts in each row. SciPy
gets the gradient written by hand and runs L-BFGS-B once per start; its loop is timed on some of the
rows. Times are CPU seconds, so that what else the machine does counts little. The answers are held
against each other, and against those that `solve` finds for each of these rows alone.
"""

import argparse
import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray

import ebmlang
from ebmlang.runs import Answers

SPEC = """
given t: real[8]
given y: real[8]
var amplitude: real in [0, 5]
var rate: real in [0, 4]
var offset: real in [-2, 2]
var slope: real in [-1, 1]
minimize misfit: sum((amplitude * exp(-rate * t) + offset + slope * t - y)^2)
"""

TIMES = np.linspace(0, 2, 8)
LOWER = np.array([0.0, 0.0, -2.0, -1.0])
UPPER = np.array([5.0, 4.0, 2.0, 1.0])

NOISE = 0.05
"""Standard deviation of the readings."""

STARTS = 8
SAME = 1e-6
"""Energies this close are the same answer: beyond what either side stops at."""

Array = NDArray[np.float64]


def draw_rows(count: int) -> Array:
    """Return readings of as many decays."""
    rng = np.random.default_rng(20_260_101)
    middle, half = (LOWER + UPPER) / 2, (UPPER - LOWER) / 2
    truth = middle + 0.8 * half * rng.uniform(-1, 1, (count, 4))
    curve = truth[:, :1] * np.exp(-truth[:, 1:2] * TIMES) + truth[:, 2:3] + truth[:, 3:] * TIMES
    return np.asarray(curve + NOISE * rng.normal(size=curve.shape))


def compare_with_own(model: ebmlang.Model, answers: Answers, readings: Array) -> float:
    """Return the largest difference of any unknown from what `solve` finds for the row alone."""
    largest = 0.0
    for row, y in enumerate(readings):
        alone = model.solve({"t": TIMES, "y": y}, starts=STARTS, designs=1, device="cpu")[0]
        for path, value in alone.variables.items():
            largest = max(largest, float(abs(value - answers.variables[path][row])))
    return largest


def solve_by_loop(readings: Array) -> tuple[Array, float]:
    """Return the best energy of each row by SciPy, and the CPU seconds per row."""
    from scipy.optimize import minimize
    from scipy.stats import qmc

    starts = qmc.scale(qmc.Sobol(4, seed=0).random(STARTS), LOWER, UPPER)
    bounds = list(zip(LOWER, UPPER, strict=True))
    begun = time.process_time()
    best = [
        min(
            minimize(_misfit, start, args=(y,), jac=True, method="L-BFGS-B", bounds=bounds).fun
            for start in starts
        )
        for y in readings
    ]
    return np.asarray(best), (time.process_time() - begun) / len(readings)


def _misfit(x: Array, y: Array) -> tuple[float, Array]:
    decay = np.exp(-x[1] * TIMES)
    error = x[0] * decay + x[2] + x[3] * TIMES - y
    gradient = 2 * np.array(
        [error @ decay, -x[0] * (error @ (TIMES * decay)), error.sum(), error @ TIMES]
    )
    return float(error @ error), gradient


def main() -> None:
    """Run both, and print what they took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=2_000)
    parser.add_argument("--peers", type=int, default=100, help="rows that SciPy solves")
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    readings = draw_rows(chosen.rows)
    model = ebmlang.loads(SPEC, name="decay.ebm")
    model.compile({"t": TIMES, "y": readings[0]})  # so that torch is loaded
    before = _peak()
    begun, clock = time.process_time(), time.perf_counter()
    answers = model.solve_each({"t": TIMES, "y": readings}, starts=STARTS, device=chosen.device)
    ours = (time.process_time() - begun) / chosen.rows
    passed = time.perf_counter() - clock
    after = _peak()
    theirs_energy, theirs = solve_by_loop(readings[: chosen.peers])
    gap = answers.energy[: chosen.peers] - theirs_energy
    print(f"rows                      {chosen.rows}")
    print(f"solved                    {answers.describe()['outcomes']}")
    print(f"ebmlang                   {1e3 * ours:.3f} ms per row; {passed:.1f} s on the clock")
    print(f"scipy, L-BFGS-B in a loop {1e3 * theirs:.3f} ms per row ({chosen.peers} rows)")
    print(f"ratio                     {theirs / ours:.2f}")
    print(f"peak memory               {before:.0f} MB before, {after:.0f} MB after")
    print(
        f"of {chosen.peers} rows: same energy {int((abs(gap) <= SAME).sum())}, "
        f"lower here {int((gap < -SAME).sum())}, lower there {int((gap > SAME).sum())}"
    )
    apart = compare_with_own(model, answers, readings[: chosen.peers])
    print(f"largest difference of any unknown from the row's own solve: {apart:.1e}")


def _peak() -> float:
    """Return the largest memory that the process has had [MB]."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
