"""Ctrl-C, and a reader that goes away, in processes of their own."""

import json
import signal
import sys
import time

import pytest

from tests.cli.run import EXAMPLES, start

LONG = ("--seed", "1", "--const", "N=60", "--starts", "2000", "--json")


CPU_SECONDS = 6.0
"""Time after which a process is surely past its imports and its checks [s]."""


def interrupt_once_torch_works(process) -> None:
    """Send Ctrl-C when the process has used enough time to be inside of its run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        if (int(fields[11]) + int(fields[12])) / 100 > CPU_SECONDS:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the time used from /proc")
def test_ctrl_c_in_a_long_solve_keeps_what_was_found(tmp_path):
    out = tmp_path / "found.json"
    process = start("solve", EXAMPLES / "cluster.ebm", *LONG, "--out", out)

    interrupt_once_torch_works(process)
    printed, complaints = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert json.loads(printed)["status"] == "interrupted"
    assert json.loads(out.read_text()) == json.loads(printed)
    assert json.loads(printed)["designs"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the time used from /proc")
def test_ctrl_c_in_a_long_sample_keeps_the_finished_draws(tmp_path):
    out = tmp_path / "draws.json"
    process = start(
        "sample",
        EXAMPLES / "mixture.ebm",
        *("--warmup", "20", "--draws", "200000", "--chains", "8", "--json", "--out", out),
    )

    interrupt_once_torch_works(process)
    printed, complaints = process.communicate(timeout=100)

    result = json.loads(out.read_text())
    assert process.returncode == 130, complaints
    assert "Traceback" not in complaints
    assert json.loads(printed)["status"] == result["status"] == "interrupted"
    assert len(result["variables"]["x"][0]) == result["draws"] > 0


def test_a_reader_that_goes_away_gives_no_traceback():
    process = start("explain", "E0302")
    process.stdout.close()

    complaints = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=60) in (0, 141)
    assert "Traceback" not in complaints
    assert "Exception ignored" not in complaints
