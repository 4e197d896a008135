"""The script for a GPU runs without one, in its small form."""

import json

import pytest

from benchmarks import gpu

SMALL = ("--small", "--device", "cpu", "--no-compile")


@pytest.mark.slow
def test_the_small_form_runs_on_a_cpu(tmp_path, capsys):
    out = tmp_path / "gpu.json"

    code = gpu.main([*SMALL, "--parts", "ring", "cluster", "--json", str(out)])

    found = json.loads(out.read_text())
    printed = capsys.readouterr().out
    assert code == 0
    assert set(found["ring"]["energy_and_gradient"]) == {
        "ebmlang",
        "torch autograd",
        "torch by hand",
    }
    assert all(row["per_second"] > 0 for row in found["ring"]["langevin_step"].values())
    # Five atoms: every pair of the triangular bipyramid but one is in contact.
    assert found["cluster"]["best"] == pytest.approx(-9.103852, abs=1e-4)
    assert "chain-gradients/s" in printed


def test_a_part_that_fails_does_not_stop_the_next(tmp_path, capsys, monkeypatch):
    def fail(setup):
        raise RuntimeError("no such device")

    parts = {"ring": (fail, str), "tests": (lambda setup: {"summary": "fine"}, str)}
    monkeypatch.setattr(gpu, "PARTS", parts)
    out = tmp_path / "gpu.json"

    code = gpu.main(["--device", "cpu", "--parts", "ring", "tests", "--json", str(out)])

    found = json.loads(out.read_text())
    assert code == 1
    assert found["ring"]["error"] == "RuntimeError: no such device"
    assert found["tests"]["summary"] == "fine"
