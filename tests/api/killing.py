"""A process that has children draw, and kill themselves without warning at any moment.

    python killing.py FOLDER

A moment is an iteration, a step of writing a file (a part of it written, flushed, moved), or
another file removed. What is left in the folder after each kill is printed, as one JSON object a
line. Torch is imported once, and each child begins as a copy of this process.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import torch

import ebmlang
from ebmlang.api.resume import resume_run
from ebmlang.runs import sink
from ebmlang.runs.archive import map_archive
from ebmlang.runs.directory import open_run
from ebmlang.runtime import SilentProgress
from ebmlang.sample import loop

KILLS = 20
SEED = 5

SPEC = """
given y: real[3]
var x: real[2] ~ normal(0, 1)
var s: real in [0.1, 10]
minimize fit: sum((y - x[0])^2) / s^2 + 3 * log(s)
report gap = x[0] - x[1]
"""
DATA = {"y": [1.0, 2.0, 2.5]}
SETTINGS = {"chains": 4, "warmup": 60, "draws": 60, "seed": 3, "method": "hmc"}


def draw(path):
    if path.exists():
        return resume_run(path)
    return ebmlang.loads(SPEC).sample(DATA, **SETTINGS, out=path)


class Moments:
    """Counts moments, and ends the process at one of them."""

    def __init__(self, last):
        self.count, self.last = 0, last

    def tick(self):
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner, name):
        """Make moments before and after each call of a function."""
        function = getattr(owner, name)

        def watched(*arguments, **options):
            self.tick()
            result = function(*arguments, **options)
            self.tick()
            return result

        setattr(owner, name, watched)

    def watch_all(self):
        self.watch(np.lib.format, "write_array")
        self.watch(os, "fsync")
        self.watch(os, "close")
        self.watch(Path, "replace")
        self.watch(Path, "unlink")
        self.watch(SilentProgress, "advance")
        self.watch(loop, "_warm_up")
        self.watch(sink, "reopen_run")


def run_child(path, last):
    """Draw in a child that ends at a moment; return how it ended and how many moments it saw."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        moments = Moments(last)
        moments.watch_all()
        code = 1
        try:
            draw(path)
            os.write(writer, str(moments.count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    seen = os.read(reader, 100).decode()
    os.close(reader)
    return os.waitstatus_to_exitcode(status), int(seen or 0)


def require_readable(path):
    """Raise unless every file of a run that has its name can be read whole."""
    if not path.exists():
        return 0
    for file in path.iterdir():
        if file.name.startswith("."):
            continue
        if file.suffix == ".json":
            json.loads(file.read_text())
        else:
            with np.load(file) as archive:
                # NumPy compares the sums of all bytes with those that were written.
                assert all(archive[name] is not None for name in archive.files)
            map_archive(file)
    run = open_run(path)
    run.read_verdict()
    return run.draws


def main(folder):
    torch.set_num_threads(1)
    # Many small chunks, and a mark every few iterations: more moments at which to be killed.
    loop.CHUNK = 4 * (3 + 8) * 7
    loop.WARMUP_PER_MARK = 5
    sink.SECONDS_PER_MARK = 0.0
    code, moments = run_child(folder / "whole.run", None)
    assert code == 0
    rng = random.Random(SEED)
    for _ in range(KILLS):
        code, _ = run_child(folder / "killed.run", rng.randrange(1, moments // 7))
        draws = require_readable(folder / "killed.run")
        print(json.dumps({"code": code, "draws": draws}), flush=True)
    code, _ = run_child(folder / "killed.run", None)
    print(json.dumps({"code": code, "draws": require_readable(folder / "killed.run")}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
