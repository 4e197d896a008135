"""The command of the kit: `python -m benchmarks.speed --help`."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed import measures
from benchmarks.speed.report import describe_machine
from benchmarks.speed.rounds import open_workers
from benchmarks.speed.targets import TARGETS

SIZES = (1, 4, 64, 4096, 65536)


def find_versions(python: str, names: Sequence[str]) -> dict[str, str]:
    """Return the versions of those of some packages that an interpreter has."""
    code = (
        "import importlib.metadata as m, json, sys\n"
        "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    known = json.loads(done.stdout) if done.returncode == 0 else {}
    return {name: known[name] for name in names if name in known}


def main() -> None:
    """Measure what is asked for, print it, and write it as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(measures.MEASURES))
    parser.add_argument("--peers", help="a Python that has jax; without one it is left out")
    parser.add_argument("--targets", nargs="*", choices=TARGETS)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.02, help="CPU seconds of a sample")
    parser.add_argument("--ways", nargs="*", help="of hand-written torch; all if not said")
    parser.add_argument("--core", type=int, help="the core to run on; the last if not said")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all samples")
    asked = parser.parse_args()
    unknown = set(asked.measures) - {*measures.MEASURES}
    if unknown:
        parser.error(f"no measure is called {', '.join(sorted(unknown))}")
    core = max(os.sched_getaffinity(0)) if asked.core is None else asked.core
    versions = find_versions(sys.executable, ("torch", "numpy", "scipy"))
    if asked.peers:
        versions |= find_versions(asked.peers, ("jax", "numpyro", "blackjax", "nutpie"))
    machine = describe_machine(versions)
    print("; ".join(f"{name} {value}" for name, value in machine.items()) + "\n")
    found: list[dict[str, object]] = []
    with open_workers(core) as workers:
        request = measures.Request(
            workers=workers,
            peers=asked.peers,
            targets=asked.targets,
            sizes=asked.sizes,
            rounds=asked.rounds,
            seconds=asked.seconds,
            ways=asked.ways,
            core=core,
        )
        for name in asked.measures or measures.MEASURES:
            for text, described in measures.MEASURES[name](request):
                print(text, flush=True)
                found.extend(described)
                if asked.json is not None:
                    asked.json.write_text(
                        json.dumps({"machine": machine, "found": found}, indent=1), encoding="utf-8"
                    )


if __name__ == "__main__":
    main()
