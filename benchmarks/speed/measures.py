"""What is measured: each measure yields tables, and the same as JSON, as it goes."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from benchmarks.speed.report import Cell, show_race
from benchmarks.speed.rounds import (
    ROOT,
    Entrant,
    Workers,
    jax_entrants,
    open_workers,
    ours_entrants,
    time_in_turns,
    torch_entrants,
)
from benchmarks.speed.starting import list_processes, show_starting, time_all
from benchmarks.speed.targets import DENSITIES, ENERGIES
from benchmarks.speed.worker import Candidate

WAYS = (
    "torch autograd",
    "torch vmap",
    "torch by hand",
    "torch compile",
    "torch compile by hand",
)
"""Keys of `torch_forms.WAYS`, without importing torch into the process that keeps the clock."""

STEP_SIZES = (4, 64, 4096, 65536)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        workers: Where candidates run.
        peers: An interpreter with JAX.
        targets: Only these.
        sizes: Only these batches.
        rounds: How often all candidates take their turn.
        seconds: CPU seconds of a turn.
        ways: Only these of hand-written torch.
        core: Where all run.
    """

    workers: Workers
    peers: str | None
    targets: Sequence[str] | None
    sizes: Sequence[int]
    rounds: int
    seconds: float
    ways: Sequence[str] | None
    core: int

    def chosen(self, known: Mapping[str, object]) -> list[str]:
        """Return those targets of some that were asked for."""
        return [name for name in known if self.targets is None or name in self.targets]


Found: TypeAlias = tuple[str, list[dict[str, object]]]
"""A table, and the same as JSON."""


@cache
def find_tiers() -> tuple[str, ...]:
    """Return the tiers that this version has."""
    code = "from benchmarks.speed.ours import list_tiers; print(*list_tiers())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return tuple(done.stdout.split())


def _race(
    request: Request, kind: str, targets: Sequence[str], sizes: Sequence[int]
) -> Iterator[Found]:
    titles = {
        "energies": "energy and gradient",
        "langevin": "an unadjusted Langevin step",
        "hmc": "HMC",
    }
    for target in targets:
        cells = []
        for size in sizes:
            entrants = _list_entrants(request, kind, target, size)
            timings = time_in_turns(
                request.workers, entrants, rounds=request.rounds, seconds=request.seconds
            )
            cells.append(Cell(measure=kind, target=target, size=size, timings=tuple(timings)))
        unit = "microseconds per gradient of the whole batch, CPU"
        title = f"\n**{target}: {titles[kind]}**, {unit}\n"
        yield "\n".join([title, show_race(cells)]), [cell.describe() for cell in cells]


def _list_entrants(request: Request, kind: str, target: str, size: int) -> list[Entrant]:
    ways = [way for way in WAYS if request.ways is None or way in request.ways]
    return [
        *ours_entrants(kind, target, size, find_tiers()),
        *torch_entrants(kind, target, size, ways),
        *jax_entrants(kind, target, size, request.peers),
    ]


def energies(request: Request) -> Iterator[Found]:
    """Energy and gradient per call."""
    yield from _race(request, "energies", request.chosen(ENERGIES), request.sizes)


def steps(request: Request) -> Iterator[Found]:
    """Steps of samplers: Langevin and HMC."""
    sizes = [size for size in request.sizes if size in STEP_SIZES]
    names = request.chosen(DENSITIES) if request.targets else ["ring"]
    for kind in ("langevin", "hmc"):
        yield from _race(request, kind, names, sizes)


BUSY_SIZE = 64


def busy(request: Request) -> Iterator[Found]:
    """Calls at a batch of 64, quiet and with another process on each core: on the wall."""
    rows = []
    described: list[dict[str, object]] = []
    for target in request.chosen(ENERGIES):
        candidate = Candidate(
            form="ours", kind="energies", target=target, size=BUSY_SIZE, way="threads"
        )
        entrants = [
            Entrant(name=f"ebmlang {tier}", python=sys.executable, candidate=candidate, tier=tier)
            for tier in find_tiers()
        ]
        with open_workers(None) as workers:
            quiet = time_in_turns(workers, entrants, rounds=request.rounds, seconds=request.seconds)
            with _keep_busy():
                loud = time_in_turns(
                    workers, entrants, rounds=request.rounds, seconds=request.seconds
                )
        for alone, beside in zip(quiet, loud, strict=True):
            if not alone.samples or not beside.samples:
                continue
            first, second = statistics.median(alone.walls), statistics.median(beside.walls)
            rows.append(
                f"| {target} | {alone.name} | {first * 1e6:.3g} | {second * 1e6:.3g} |"
                f" {second / first:.2f} |"
            )
            described.append(
                {"measure": "busy", "target": target, "name": alone.name}
                | {"quiet": list(alone.walls), "busy": list(beside.walls)}
            )
    head = "| target | | quiet | busy | times |\n|---|---|---|---|---|"
    title = f"\n**batch {BUSY_SIZE}, another process on each core**, microseconds on the wall\n"
    yield "\n".join([title, head, *rows]), described


@contextmanager
def _keep_busy() -> Iterator[None]:
    """Keep every core busy with a process of its own."""
    code = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(core)])
        for core in sorted(os.sched_getaffinity(0))
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def starting(request: Request) -> Iterator[Found]:
    """Process start to the first draws of the eight schools, and `ebm check`."""
    processes = list_processes(find_tiers(), request.peers)
    found = time_all(processes, min(3, request.rounds))
    title = "\n**process start to the first result**, CPU seconds of the process\n"
    yield "\n".join([title, show_starting(found)]), [{"measure": "starting", "seconds": found}]


MEASURES: Mapping[str, Callable[[Request], Iterator[Found]]] = MappingProxyType(
    {"energies": energies, "steps": steps, "busy": busy, "starting": starting}
)
"""What else there is stands beside this kit: draws per second in `peers.py`, time to an optimum in
`solvers.py`, and one GPU in `gpu.py`."""
