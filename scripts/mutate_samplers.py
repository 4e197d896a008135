"""Put every listed bug into the samplers, one at a time, and see that the table goes red.

python -m scripts.mutate_samplers [WORD ...]

Nothing is written: a process of its own imports the module with the bug and runs the tests that
look at it. With words, only bugs whose description has one of them are tried. Prints for each what
came of it; the exit code is 1 unless all are caught, by an assertion, and all of those tests
hold without a bug.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tests.sample.table.mutants import MUTANTS, Mutant

WORKERS = 2

OPTIONS = ("-x", "--assert=plain", "-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=")

CAUGHT, SURVIVES, GREEN = "caught", "survives", "green"


class Infected(SourceFileLoader):
    """Loads a module with a bug in it."""

    mutant: Mutant

    def get_code(self, fullname: str) -> CodeType:
        """Compile the text with the bug, whatever has been compiled before."""
        assert fullname == self.mutant.module
        return compile(self.mutant.infect(Path(self.path).read_text()), self.path, "exec")


class Infection(MetaPathFinder):
    """Finds the module that has the bug, before any other finder does."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module with a loader that puts the bug in."""
        if fullname != self.mutant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        loader = Infected(fullname, spec.origin)
        loader.mutant = self.mutant
        spec.loader = loader
        return spec


def infect_text(mutant: Mutant) -> None:
    """Put a bug into the text of the loops, as this process reads it."""
    os.environ["EBM_TIER"] = "native"
    from ebmlang.sample.native import loops

    read, name = loops.read_text, Path(mutant.file).name

    def infected(asked: str) -> str:
        return mutant.infect(read(asked)) if asked == name else read(asked)

    loops.read_text = infected


class Record:
    """Remembers how tests failed."""

    def __init__(self) -> None:
        self.asserted = False
        self.broken: list[str] = []

    def pytest_exception_interact(self, node: object, call: pytest.CallInfo[object]) -> None:
        """Tell a claim that does not hold from a breakdown, in which a test notices nothing."""
        assert call.excinfo is not None
        if call.excinfo.errisinstance(AssertionError) and isinstance(node, pytest.Item):
            self.asserted = True
        else:
            self.broken.append(f"{node}: {call.excinfo.exconly()}")


def run_tests(tests: Sequence[str]) -> tuple[int, Record]:
    """Run tests until one fails."""
    record = Record()
    return int(pytest.main([*OPTIONS, *tests], plugins=[record])), record


def try_mutant(number: int) -> str:
    """Return what the tests say of a bug."""
    mutant = MUTANTS[number]
    if mutant.in_machine_code:
        infect_text(mutant)
    else:
        sys.meta_path.insert(0, Infection(mutant))
    code, record = run_tests(mutant.tests)
    if record.broken or (code and not record.asserted):
        return f"broke the tests, exit code {code}: {record.broken}"
    if mutant.module not in sys.modules:
        return "was never imported"
    return CAUGHT if code else SURVIVES


def try_without(numbers: Sequence[int]) -> str:
    """Return what the same tests say of the samplers as they are."""
    if not numbers:
        return GREEN
    if MUTANTS[numbers[0]].in_machine_code:
        os.environ["EBM_TIER"] = "native"
    tests = dict.fromkeys(test for number in numbers for test in MUTANTS[number].tests)
    code, record = run_tests(tuple(tests))
    return f"exit code {code}: {record.broken}" if code else GREEN


def main(words: list[str]) -> int:
    """Go through the mutants, all by default, and print a table."""
    start = time.perf_counter()
    chosen = [n for n, m in enumerate(MUTANTS) if not words or any(w in m.bug for w in words)]
    width = max(len(MUTANTS[number].bug) for number in chosen)
    caught = 0
    # Each bug needs a process that has not imported the module before. Forked from one that has
    # imported torch and what else is slow but nothing of this package, it starts at once.
    context = multiprocessing.get_context("fork")
    with context.Pool(WORKERS, maxtasksperchild=1) as pool:
        tiers = (
            [n for n in chosen if MUTANTS[n].in_machine_code is tier] for tier in (True, False)
        )
        waiting = [pool.apply_async(try_without, (numbers,)) for numbers in tiers]
        for number, outcome in zip(chosen, pool.imap(try_mutant, chosen), strict=True):
            caught += outcome == CAUGHT
            print(f"{MUTANTS[number].bug:<{width}}  {outcome}", flush=True)
        without = [each.get() for each in waiting]
    print(f"{'no bug':<{width}}  {', '.join(without)}")
    seconds = time.perf_counter() - start
    print(f"{caught} of {len(chosen)} mutants caught in {seconds:.0f} s")
    return 0 if caught == len(chosen) and set(without) == {GREEN} else 1


def import_slowly() -> None:
    """Import what every process needs and no bug is in, and keep to one thread each."""
    import hypothesis  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch

    torch.set_num_threads(1)
    assert not any(name.startswith("ebmlang") for name in sys.modules)


if __name__ == "__main__":
    import_slowly()
    sys.exit(main(sys.argv[1:]))
