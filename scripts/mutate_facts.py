"""Change every fact of every operator, and see that the checks of facts notice.

python -m scripts.mutate_facts [OPERATOR ...]

Prints for each operator how many mutants there are and which survive; the exit code is 1 if any
does.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from ebmlang.lang.table import OPERATORS
from tests.lang.claims import refute_repeatedly
from tests.lang.mutants import mutants

ROUNDS = 400
"""How many rounds of random operands a mutant has to get through to survive."""


def find_survivors(name: str, *, rounds: int = ROUNDS) -> tuple[int, list[str]]:
    """Return how many mutants an operator has, and the changes that no check notices."""
    found = list(mutants(OPERATORS[name]))
    survivors = [
        change
        for change, mutant in found
        if refute_repeatedly(mutant, np.random.default_rng(0), rounds) is None
    ]
    return len(found), survivors


def main(names: list[str]) -> int:
    """Go through operators, all by default, and print a table."""
    start, total, alive = time.perf_counter(), 0, 0
    width = max(map(len, OPERATORS))
    chosen = names or list(OPERATORS)
    with ProcessPoolExecutor() as pool:
        for name, (count, survivors) in zip(chosen, pool.map(find_survivors, chosen), strict=True):
            total, alive = total + count, alive + len(survivors)
            notes = f"  survive: {', '.join(survivors)}" if survivors else ""
            caught = count - len(survivors)
            print(f"{name:<{width}}  {caught:>3} of {count:>3} caught{notes}", flush=True)
    seconds = time.perf_counter() - start
    print(f"{total - alive} of {total} mutants caught in {seconds:.0f} s")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
