"""Candidates of several processes in turn, on one core, and what came of it."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.speed.worker import Candidate, write_candidate

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A candidate and the process that it runs in.

    Attributes:
        name: What the tables call it.
        python: The interpreter.
        tier: What `EBM_TIER` says there; empty for others' forms.
        candidate: It.
    """

    name: str
    python: str
    candidate: Candidate
    tier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one candidate took, per gradient of the whole batch.

    Attributes:
        name: Of the candidate.
        samples: CPU seconds, one per round.
        walls: Seconds on the wall, one per round.
        first: CPU seconds until its first call had ended.
        error: Why there are none.
    """

    name: str
    samples: tuple[float, ...] = ()
    walls: tuple[float, ...] = ()
    first: float = 0.0
    error: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        if len(self.samples) < 3:
            return 0.0
        low, _, high = statistics.quantiles(self.samples, n=4)
        return (high - low) / 2 / self.median


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[str]

    def ask(self, request: Mapping[str, object]) -> dict[str, float | str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "its process ended"}


@dataclass(slots=True)
class Workers:
    """Processes by interpreter and tier, started when first needed."""

    core: int | None
    stack: ExitStack
    running: dict[tuple[str, str], _Worker] = field(default_factory=dict)

    def find(self, entrant: Entrant) -> _Worker:
        key = (entrant.python, entrant.tier)
        if key not in self.running:
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            if self.core is None:
                environment.pop("OMP_NUM_THREADS", None)
            else:
                environment["OMP_NUM_THREADS"] = "1"
            if entrant.tier:
                environment["EBM_TIER"] = entrant.tier
            if self.core is not None:
                environment["SPEED_CORE"] = str(self.core)
            process = subprocess.Popen(
                [entrant.python, "-W", "ignore", "-m", "benchmarks.speed.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
                cwd=ROOT,
            )
            # On the way out it is told to end first; then its pipes are closed.
            self.stack.enter_context(process)
            self.stack.callback(process.terminate)
            self.running[key] = _Worker(process)
        return self.running[key]


@contextmanager
def open_workers(core: int | None) -> Iterator[Workers]:
    """Yield a way to processes that end with the block."""
    with ExitStack() as stack:
        yield Workers(core=core, stack=stack)


def time_in_turns(
    workers: Workers, entrants: Sequence[Entrant], *, rounds: int, seconds: float
) -> list[Timing]:
    """Return what each candidate took, all in turn in every round."""
    firsts: dict[str, float] = {}
    errors: dict[str, str] = {}
    for entrant in entrants:
        request = {"build": entrant.name, "candidate": write_candidate(entrant.candidate)}
        found = workers.find(entrant).ask(request)
        if "error" in found:
            errors[entrant.name] = str(found["error"])
        else:
            firsts[entrant.name] = float(found["first"])
    samples: dict[str, list[float]] = {name: [] for name in firsts}
    walls: dict[str, list[float]] = {name: [] for name in firsts}
    for turn in range(rounds + 1):
        for entrant in entrants:
            if entrant.name not in firsts:
                continue
            request = {"sample": entrant.name, "seconds": seconds}
            found = workers.find(entrant).ask(request)
            # The first round warms up: caches, allocators, the clock of the core.
            if turn and "cpu" in found:
                samples[entrant.name].append(float(found["cpu"]))
                walls[entrant.name].append(float(found["wall"]))
    for entrant in entrants:
        workers.find(entrant).ask({"drop": entrant.name})
    return [
        Timing(
            name=entrant.name,
            samples=tuple(samples.get(entrant.name, ())),
            walls=tuple(walls.get(entrant.name, ())),
            first=firsts.get(entrant.name, 0.0),
            error=errors.get(entrant.name, ""),
        )
        for entrant in entrants
    ]


def ours_entrants(kind: str, target: str, size: int, tiers: Sequence[str]) -> list[Entrant]:
    """Return our own candidates, one per tier."""
    candidate = Candidate(form="ours", kind=kind, target=target, size=size)
    return [
        Entrant(name=f"ebmlang {tier}", python=sys.executable, candidate=candidate, tier=tier)
        for tier in tiers
    ]


def torch_entrants(kind: str, target: str, size: int, ways: Sequence[str]) -> list[Entrant]:
    """Return hand-written torch, one candidate per way."""
    return [
        Entrant(
            name=way,
            python=sys.executable,
            candidate=Candidate(form="torch", kind=kind, target=target, size=size, way=way),
        )
        for way in ways
    ]


def jax_entrants(kind: str, target: str, size: int, python: str | None) -> list[Entrant]:
    """Return JAX, if there is an environment that has it."""
    if python is None:
        return []
    name = "jax" if kind == "energies" else "jax scan"
    candidate = Candidate(form="jax", kind=kind, target=target, size=size)
    return [Entrant(name=name, python=python, candidate=candidate)]
