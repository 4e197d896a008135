"""From the start of a process to its first result: CPU seconds of whole processes, in turn."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.speed.rounds import ROOT

SPEC = str(ROOT / "examples" / "eight_schools.ebm")
DATA = str(ROOT / "examples" / "eight_schools.json")
WARMUP, DRAWS, CHAINS = 500, 100, 4

OURS = (sys.executable, "-m", "ebmlang")
SAMPLING = ("--chains", str(CHAINS), "--warmup", str(WARMUP), "--draws", str(DRAWS))


def list_processes(tiers: Sequence[str], peers: str | None) -> dict[str, tuple[list[str], str]]:
    """Return the command of each process, and its tier, by what it does."""
    found: dict[str, tuple[list[str], str]] = {
        "import torch": ([sys.executable, "-c", "import torch"], ""),
        "ebm check": ([*OURS, "check", SPEC], ""),
    }
    for tier in tiers:
        found[f"ebm sample, {tier}"] = ([*OURS, "sample", SPEC, DATA, *SAMPLING], tier)
    if peers is not None:
        script = str(ROOT / "benchmarks" / "peer_models.py")
        numbers = [str(CHAINS), str(WARMUP), str(DRAWS), "1"]
        for peer in ("numpyro", "nutpie"):
            out = str(Path(tempfile.gettempdir()) / f"starting-{os.getpid()}.npz")
            command = [peers, "-W", "ignore", script, peer, "eight_schools", DATA, out, *numbers]
            found[peer] = (command, "")
    return found


def time_process(command: Sequence[str], tier: str, cache: Path | None) -> float | None:
    """Return the CPU seconds of a process; None where it fails.

    Args:
        command: It.
        tier: What `EBM_TIER` says.
        cache: The user's cache folder; the real one if None.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment |= {"EBM_TIER": tier} if tier else {}
    environment |= {} if cache is None else {"XDG_CACHE_HOME": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A verdict that draws are not to be trusted is a result too.
    if done.returncode not in (0, 3):
        return None
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_all(
    processes: Mapping[str, tuple[list[str], str]], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Return the CPU seconds of each process, cold and warm, all in turn in every round."""
    found: dict[str, dict[str, list[float]]] = {
        name: {"cold": [], "warm": []} for name in processes
    }
    for _ in range(rounds):
        for name, (command, tier) in processes.items():
            with tempfile.TemporaryDirectory() as folder:
                for state in ("cold", "warm"):
                    seconds = time_process(command, tier, Path(folder))
                    if seconds is not None:
                        found[name][state].append(seconds)
    return found


def show_starting(found: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return a table: CPU seconds of each process, with and without what caches hold."""
    lines = ["| process | cold, CPU s | warm, CPU s |", "|---|---|---|"]
    for name, states in found.items():
        cells = [
            f"{statistics.median(seconds):.2f}" if seconds else "-" for seconds in states.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
