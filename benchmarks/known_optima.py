"""Published optima with one setting for all, five seeds each: time to the optimum.

    python benchmarks/known_optima.py                    all problems, seeds 0 to 4
    python benchmarks/known_optima.py --problems "rastrigin 10" --seeds 2

Prints a table in Markdown, as in `docs/solvers.md`. Problems and setting are those of the tests.
Seconds are CPU time of one process on one thread, so that a busy machine does not count.
"""

import argparse
import time

import numpy as np
import torch

from tests.solve.optima import METHOD, SECONDS, STARTS, build_optima, reach


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--problems", nargs="*", default=None)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"`{METHOD}`, {STARTS} starts, at most {SECONDS:g} s; float64\n")
    print("| problem | optimum | asked | reached | largest error | CPU seconds, median (worst) |")
    print("| --- | --- | --- | --- | --- | --- |")
    optima = build_optima()
    for name in arguments.problems or optima:
        optimum, outcomes, spent = optima[name], [], []
        for seed in range(arguments.seeds):
            begun = time.process_time()
            outcomes.append(reach(optimum, seed))
            spent.append(time.process_time() - begun)
        errors = [abs(outcome.error) for outcome in outcomes]
        reached = sum(error <= optimum.error for error in errors)
        print(
            f"| {name} | {optimum.energy:.10g} | {optimum.error:.1g} "
            f"| {reached} of {len(outcomes)} | {max(errors):.1g} "
            f"| {np.median(spent):.1f} ({max(spent):.1f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
