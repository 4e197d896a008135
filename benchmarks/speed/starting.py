"""From the start of a process to its first draws: CPU seconds of whole processes, in turn.

The package is measured as an installation has it, with its bytecode, in a folder of its own; what a
compiler takes counts. *First draws* is the moment at which the first kept draws are whole on the
disk. What comes after it is the verdict and the table. Cold is an empty cache folder, warm what
that run has left in it.
"""

import compileall
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.rounds import ROOT
from ebmlang.runs.directory import name_chunk

SPEC = str(ROOT / "examples" / "eight_schools.ebm")
DATA = str(ROOT / "examples" / "eight_schools.json")
WARMUP, DRAWS, CHAINS = 500, 100, 4

OURS = (sys.executable, "-m", "ebmlang")
SAMPLING = ("--chains", str(CHAINS), "--warmup", str(WARMUP), "--draws", str(DRAWS))

RUN = "starting.run"
"""What a run is called, in the folder of its caches."""

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Resolution of the CPU time of a process that goes on [s]."""

LOOK = 0.002
"""Time between two looks at whether there are draws [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What is measured.

    Attributes:
        command: It.
        tier: What `EBM_TIER` says.
        draws: Whether it writes draws, as a run.
    """

    command: tuple[str, ...]
    tier: str = ""
    draws: bool = False


Seconds = Mapping[str, Mapping[str, Sequence[float]]]
"""CPU seconds of every round, by process and by what was measured."""

STATES, MOMENTS = ("cold", "warm"), ("first draws", "end")


@contextmanager
def install() -> Iterator[Path]:
    """Give a folder in which the package lies as a wheel of it would be installed."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "ebmlang"
        shutil.copytree(ROOT / "ebmlang", package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "grammar", package / "_grammar")
        shutil.copytree(ROOT / "docs" / "errors", package / "_errors")
        compileall.compile_dir(folder, quiet=1)
        yield Path(folder)


def list_processes(tiers: Sequence[str], peers: str | None) -> dict[str, Process]:
    """Return what is measured, by what it does."""
    found = {
        "import torch": Process(command=(sys.executable, "-c", "import torch")),
        "ebm check": Process(command=(*OURS, "check", SPEC)),
    }
    for tier in tiers:
        command = (*OURS, "sample", SPEC, DATA, *SAMPLING)
        found[f"ebm sample, {tier}"] = Process(command=command, tier=tier, draws=True)
    if peers is not None:
        script = str(ROOT / "benchmarks" / "peer_models.py")
        numbers = [str(CHAINS), str(WARMUP), str(DRAWS), "1"]
        for peer in ("numpyro", "nutpie"):
            out = str(Path(tempfile.gettempdir()) / f"starting-{os.getpid()}.npz")
            command = (peers, "-W", "ignore", script, peer, "eight_schools", DATA, out, *numbers)
            found[peer] = Process(command=command)
    return found


def time_process(process: Process, installed: Path, cache: Path) -> dict[str, float]:
    """Return the CPU seconds until each moment, with those of what it has started and ended.

    Args:
        process: It.
        installed: Where the package is.
        cache: The user's cache folder.

    Returns:
        By moment; nothing where it fails.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(cache)}
    environment["PYTHONPATH"] = os.pathsep.join((str(installed), str(ROOT)))
    environment |= {"EBM_TIER": process.tier} if process.tier else {}
    command, run = list(process.command), cache / RUN
    if process.draws:
        shutil.rmtree(run, ignore_errors=True)
        command += ["--out", str(run)]
    first = None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Python puts the folder it runs in before all others.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen(command, cwd=installed, env=environment, **quiet)
    while started.poll() is None:
        if process.draws and first is None and (run / name_chunk(1)).exists():
            first = read_seconds(started.pid)
        time.sleep(LOOK)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A verdict that draws are not to be trusted is a result too.
    if started.returncode not in (0, 3) or (process.draws and first is None):
        return {}
    end = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"end": end} if first is None else {"first draws": first, "end": end}


def read_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) * TICK


def time_all(processes: Mapping[str, Process], rounds: int) -> Seconds:
    """Return the CPU seconds of each process, cold and warm, all in turn in every round."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in processes}
    with install() as installed:
        for _ in range(rounds):
            for name, process in processes.items():
                with tempfile.TemporaryDirectory() as folder:
                    for state in STATES:
                        for moment, seconds in time_process(
                            process, installed, Path(folder)
                        ).items():
                            found[name].setdefault(f"{state}, {moment}", []).append(seconds)
    return found


def show_starting(found: Seconds) -> str:
    """Return a table: median CPU seconds of each process, with and without what caches hold."""
    columns = [f"{state}, {moment}" for state in STATES for moment in MOMENTS]
    lines = [f"| CPU s | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for name, seconds in found.items():
        cells = [
            f"{statistics.median(seconds[column]):.2f}" if seconds.get(column) else ""
            for column in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
