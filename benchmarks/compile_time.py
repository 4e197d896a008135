"""How compile time grows with the text, in CPU seconds, stage by stage; imports not included.

    python benchmarks/compile_time.py                # 1,000, 2,000, 4,000 and 8,000 terms
    python benchmarks/compile_time.py 10000          # one size
    python benchmarks/compile_time.py --pairs        # one term, over more and more points

The spec has one variable for two terms, and four kinds of terms over them by turns: relations,
ORs, sums of squares, and soft terms inside an AND, each with numbers of its own.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from ebmlang.check import check_file
from ebmlang.graph.build import build_graph
from ebmlang.lower.module import compile_graph
from ebmlang.passes import PASSES
from ebmlang.source import Report, SourceText
from ebmlang.syntax import parse_file

SIZES = (1_000, 2_000, 4_000, 8_000)
POINTS = (10, 100, 1_000)
STAGES = ("parse", "check", "build", *(one.name for one in PASSES), "lower", "bind", "first call")
SEED = 0

T = TypeVar("T")


def write_terms(terms: int) -> str:
    """Return a spec of so many terms."""
    rng = random.Random(SEED)
    variables = max(terms // 2, 4)
    lines = [f"var x{i}: real in [-5, 5]" for i in range(variables)]

    def name() -> str:
        return f"x{rng.randrange(variables)}"

    def number() -> str:
        return f"{rng.uniform(0.1, 2):.4f}"

    for i in range(terms):
        a, b, c = name(), name(), name()
        body = (
            f"prefer t{i}: {a} + {b} <= {number()} within 0.5",
            f"prefer t{i}: {a} <= {number()} or {b} >= {number()} within 0.3",
            f"minimize t{i}: ({a} - {number()} * {b})^2 + {number()} * {c}^2",
            f"prefer t{i}: {a} == {b} within 0.2 and not ({b} <= {c} + {number()} within 0.5)",
        )
        lines.append(body[i % len(body)])
    return "\n".join(lines) + "\n"


def write_pairs(points: int) -> str:
    """Return a spec of one term over all pairs of so many points."""
    return f"""var p: real[{points}, 2]
prefer apart: forall a, b in pairs(p): norm(a - b) >= 1 within 0.5
"""


def time_stages(text: str) -> Iterator[tuple[str, float]]:
    """Yield each stage on the road from text to a first value, and what it took [CPU seconds]."""
    spent: list[float] = []

    def timed(work: Callable[[], T]) -> T:
        start = time.process_time()
        result = work()
        spent.append(time.process_time() - start)
        return result

    report = Report()
    file = timed(lambda: parse_file(SourceText("terms.ebm", text), report))
    program = timed(lambda: check_file(file, report))
    report.raise_if_errors()
    assert program is not None
    graph = timed(lambda: build_graph(program, {}))
    for one in PASSES:
        graph = timed(lambda one=one, graph=graph: one.rewrite(graph))  # type: ignore[misc]
    module = timed(lambda: compile_graph(graph))
    timed(module.bind)
    packed = module.packed()
    timed(lambda: packed.energy(torch.zeros(1, packed.dim)))
    yield from zip(STAGES, spent, strict=True)


def main() -> None:
    """Print a row per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="*")
    parser.add_argument("--pairs", action="store_true", help="one term over all pairs of points")
    arguments = parser.parse_args()
    write = write_pairs if arguments.pairs else write_terms
    sizes = arguments.sizes or (POINTS if arguments.pairs else SIZES)
    print(f"{'size':>7}{'all':>8}", *(f"{stage:>10}" for stage in STAGES))
    for size in sizes:
        spent = dict(time_stages(write(size)))
        columns = (f"{spent[stage]:>10.2f}" for stage in STAGES)
        print(f"{size:>7}{sum(spent.values()):>8.2f}", *columns)


if __name__ == "__main__":
    main()
