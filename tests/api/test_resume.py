"""A run goes on as if it had never been stopped, whatever stopped it."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.api.resume import resume_run
from ebmlang.api.runs import read_samples
from ebmlang.runs import Trust, sink
from ebmlang.runs.directory import VERDICT, list_states, open_run
from ebmlang.runs.manifest import NAME
from ebmlang.runs.run_state import read_state
from ebmlang.runtime import SilentProgress
from ebmlang.runtime.checkpoint import flatten
from ebmlang.sample import loop
from ebmlang.sample.methods import METHODS
from ebmlang.source import EbmError
from tests.api import killing

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


def sample(path, **changed):
    settings = {**killing.SETTINGS, **changed}
    return ebmlang.loads(killing.SPEC).sample(killing.DATA, **settings, out=path)


@pytest.fixture
def small_chunks(monkeypatch):
    """Seven draws in each chunk, and a mark of the warm-up every five iterations."""
    monkeypatch.setattr(loop, "CHUNK", 4 * (3 + 8) * 7)
    monkeypatch.setattr(loop, "WARMUP_PER_MARK", 5)
    monkeypatch.setattr(sink, "SECONDS_PER_MARK", 0.0)


@pytest.fixture(scope="module")
def whole():
    """The draws of a run that nothing stopped, and that was kept in memory."""
    return sample(None)


def require_same_draws(first, second):
    for group in ("variables", "reports", "terms", "stats"):
        ours, theirs = getattr(first, group), getattr(second, group)
        assert set(ours) == set(theirs)
        for name in ours:
            assert ours[name].tobytes() == theirs[name].tobytes(), f"{group} {name}"
    assert first.divergences.tobytes() == second.divergences.tobytes()


def read_moments(path):
    state = read_state(open_run(path), CPU)
    return {name: array.tobytes() for name, array in flatten(state.moments).items()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is neither fork nor SIGKILL")
def test_a_run_that_was_killed_twenty_times_is_the_run_that_was_not(tmp_path, whole):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, killing.__file__, str(tmp_path)]
    done = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stderr
    *kills, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert [kill["code"] for kill in kills] == [-9] * killing.KILLS
    draws = [kill["draws"] for kill in kills]
    assert draws == sorted(draws)
    assert draws.count(0) > 2, "some kills are in the warm-up"
    assert len(set(draws)) > 4, "and some after it"
    assert last == {"code": 0, "draws": 60}
    killed, uninterrupted = open_run(tmp_path / "killed.run"), open_run(tmp_path / "whole.run")
    require_same_draws(killed.values, uninterrupted.values)
    require_same_draws(killed.values, whole.values)
    assert read_moments(killed.path) == read_moments(uninterrupted.path)
    moments = read_state(killed, CPU).moments
    assert moments.count == 60
    np.testing.assert_allclose(moments.pooled("x")[0], whole.draws["x"].mean((0, 1)), rtol=1e-12)
    verdicts = killed.read_verdict(), uninterrupted.read_verdict()
    assert verdicts[0] | {"seconds": 0} == verdicts[1] | {"seconds": 0}
    assert not [file for file in killed.path.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("files", [3, 20], ids=["in the warm-up", "among the draws"])
def test_a_disk_that_fails_stops_the_run_and_keeps_the_draws(
    tmp_path, monkeypatch, small_chunks, whole, number, files
):
    written, write = [], sink.write_archive

    def fail_later(path, arrays):
        written.append(path)
        if len(written) > files:
            path.write_bytes(b"half")
            raise OSError(number, os.strerror(number))
        write(path, arrays)

    path = tmp_path / "a.run"
    monkeypatch.setattr(sink, "write_archive", fail_later)
    with pytest.raises(EbmError) as raised:
        sample(path)
    monkeypatch.setattr(sink, "write_archive", write)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0805"
    assert raised.value.exit_code == 3
    done = open_run(path).draws
    assert f"after {done} of 60 draws" in diagnostic.headline
    assert os.strerror(number).lower() in diagnostic.headline
    assert not [file for file in path.iterdir() if file.name.startswith(".")]
    kept = open_run(path).values
    assert (done > 0) == (files == 20)
    if done:
        np.testing.assert_array_equal(kept.variables["x"], whole.draws["x"][:, :done])
    require_same_draws(resume_run(path).values, whole.values)


class Stop(Exception):
    """What ends a run in the middle of an iteration."""


class StopAfter(SilentProgress):
    """Ends a run after so many iterations and draws."""

    def __init__(self, left):
        object.__setattr__(self, "left", left)

    def advance(self, count, text):
        object.__setattr__(self, "left", self.left - count)
        if self.left == 0:
            raise Stop


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_on_bit_for_bit(tmp_path, small_chunks, method):
    settings = {"chains": 16, "warmup": 20, "draws": 12, "method": method}
    wanted = sample(None, **settings)
    stops = {"warm-up": 13, "draws": 29}

    for name, after in stops.items():
        path = tmp_path / f"{name}.run"
        with pytest.raises(Stop):
            sample(path, **settings, progress=StopAfter(after))
        assert read_state(open_run(path), CPU).place.iteration in range(after - 8, after)
        require_same_draws(resume_run(path).values, wanted.values)


@pytest.mark.slow
def test_branches_that_are_drawn_one_by_one_go_on(tmp_path, small_chunks):
    spec = """
var x: real in [-20, 20]
prefer either: mix(0.3: x ~ normal(-8, 1), 0.7: x ~ normal(8, 1))
"""
    settings = {"chains": 8, "warmup": 20, "seed": 2, "method": "branches"}
    model = ebmlang.loads(spec)
    model.sample(**settings, draws=9, out=tmp_path / "a.run")

    longer = model.resume(tmp_path / "a.run", draws=30)

    wanted = model.sample(**settings, draws=30)
    require_same_draws(longer.values, wanted.values)
    assert read_samples(tmp_path / "a.run").status is wanted.status


def test_a_run_that_is_stopped_in_its_warm_up_has_no_draws_yet(tmp_path, whole):
    stopped = sample(tmp_path / "a.run", seconds=1e-6)

    assert stopped.status is Trust.INTERRUPTED
    assert stopped.draws["x"].shape == (4, 0, 2)
    assert open_run(tmp_path / "a.run").draws == 0
    require_same_draws(resume_run(tmp_path / "a.run").values, whole.values)


def test_more_draws_are_those_of_a_longer_run(tmp_path, small_chunks, whole):
    sample(tmp_path / "a.run", draws=25)

    longer = resume_run(tmp_path / "a.run", draws=60)

    require_same_draws(longer.values, whole.values)
    assert open_run(tmp_path / "a.run").manifest.settings.draws == 60
    assert len(open_run(tmp_path / "a.run").manifest.sessions) == 2


def test_a_run_that_has_ended_is_read_and_not_drawn_again(tmp_path, monkeypatch, whole):
    sample(tmp_path / "a.run")
    before = (tmp_path / "a.run" / VERDICT).read_bytes()

    again = resume_run(tmp_path / "a.run")

    require_same_draws(again.values, whole.values)
    assert (tmp_path / "a.run" / VERDICT).read_bytes() == before
    assert len(open_run(tmp_path / "a.run").manifest.sessions) == 1


def test_thinned_draws_go_on_in_step(tmp_path, small_chunks):
    sample(tmp_path / "a.run", thin=3, draws=10)

    longer = resume_run(tmp_path / "a.run", draws=20)

    require_same_draws(longer.values, sample(None, thin=3, draws=20).values)


def test_without_a_state_a_run_begins_anew(tmp_path, whole):
    sample(tmp_path / "a.run")
    for _, file in list_states(tmp_path / "a.run"):
        file.unlink()

    require_same_draws(resume_run(tmp_path / "a.run").values, whole.values)


def test_a_state_that_the_disk_has_lost_is_replaced_by_the_one_before(
    tmp_path, small_chunks, whole
):
    sample(tmp_path / "a.run")
    (_, before), (_, latest) = list_states(tmp_path / "a.run")
    latest.write_bytes(latest.read_bytes()[:1000])

    require_same_draws(resume_run(tmp_path / "a.run").values, whole.values)

    assert before.exists()


def test_a_function_that_fails_keeps_the_draws_before(tmp_path, small_chunks):
    calls = []

    def energy(x):
        calls.append(1)
        if len(calls) == failing:
            raise RuntimeError("the simulator is gone")
        return x**2

    def build():
        return ebmlang.compose(
            {"x": "real"}, minimize={"low": ebmlang.term(energy, "x", sort="energy")}
        )

    failing = 0
    wanted = build().sample(**killing.SETTINGS)
    path, failing = tmp_path / "a.run", 2 * len(calls) // 3
    calls.clear()
    with pytest.raises(EbmError, match="cannot be evaluated") as failed:
        build().sample(**killing.SETTINGS, out=path)
    done = open_run(path).draws
    failing = 0

    with pytest.raises(EbmError) as raised:
        resume_run(path)
    longer = build().resume(path)

    assert 0 < done < 60
    assert str(failed.value.__cause__) == "the simulator is gone"
    assert raised.value.diagnostics[0].code == "E0807"
    require_same_draws(longer.values, wanted.values)


@pytest.mark.slow
def test_an_energy_that_is_no_number_somewhere_is_stepped_around_and_said(tmp_path):
    spec = "var x: real ~ normal(0, 1)\nminimize low: 0.5 * sqrt(x + 1)"

    found = ebmlang.loads(spec).sample(
        chains=8, warmup=50, draws=100, seed=1, method="hmc", out=tmp_path / "a.run"
    )

    stored = open_run(tmp_path / "a.run")
    assert stored.draws == 100
    assert np.isfinite(stored.values.variables["x"]).all()
    assert stored.values.variables["x"].min() > -1
    assert found.divergences.sum() > 0
    assert found.status is Trust.UNTRUSTED
    assert any("not finite" in reason for reason in found.verdict.reasons)


CHANGES = {
    "spec": (killing.SPEC.replace("3 * log", "2 * log"), killing.DATA, None, "another spec"),
    "a comment": (killing.SPEC + "# more\n", killing.DATA, None, "another spec"),
    "data": (killing.SPEC, {"y": [1.0, 2.0, 2.6]}, None, "other data"),
    "weights": (killing.SPEC, killing.DATA, {"fit": 2.0}, "other weights"),
    "both": (killing.SPEC + "\n", {"y": [0.0, 0.0, 0.0]}, None, "another spec and other data"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    path = tmp_path_factory.mktemp("ended") / "a.run"
    sample(path, draws=10)
    return path


@pytest.mark.parametrize(("spec", "data", "weights", "words"), CHANGES.values(), ids=CHANGES)
def test_a_run_of_something_else_does_not_go_on(ended, spec, data, weights, words):
    with pytest.raises(EbmError) as raised:
        ebmlang.loads(spec).bind(data, weights).resume(ended, draws=20)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0807"
    assert f"is a run of {words}" in diagnostic.headline
    assert open_run(ended).draws == 10


def test_fewer_draws_than_asked_for_before_are_refused(ended):
    with pytest.raises(EbmError) as raised:
        resume_run(ended, draws=9)

    assert raised.value.diagnostics[0].code == "E0903"


def test_a_run_remembers_modules_and_constants(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "bowl.ebm").write_text(
        "from .deep import k\nfn bowl(x: real) = k * x^2\n"
    )
    (tmp_path / "parts" / "deep.ebm").write_text("const k = 2.0\n")
    main = tmp_path / "main.ebm"
    main.write_text(
        "from .parts.bowl import bowl\nconst m = 1.0\nvar x: real\nminimize low: bowl(x - m)\n"
    )
    model = ebmlang.load(main, constants={"m": 5.0})
    settings = {"chains": 4, "warmup": 50, "seed": 1, "method": "hmc"}
    wanted = model.sample(**settings, draws=20)
    model.sample(**settings, draws=10, out=tmp_path / "a.run")
    for file in (main, *(tmp_path / "parts").iterdir()):
        file.unlink()

    found = resume_run(tmp_path / "a.run", draws=20)

    require_same_draws(found.values, wanted.values)
    assert wanted.draws["x"].mean() > 3
    assert str(tmp_path) not in (tmp_path / "a.run" / NAME).read_text()
