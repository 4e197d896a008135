"""What `normalize` adds: estimated where it is needed, once for the same content."""

import math

import numpy as np
import pytest

import ebmlang
from ebmlang import EbmError
from ebmlang.api import normalizers
from ebmlang.api.load import build_model
from ebmlang.api.normalizers import find_integrals
from ebmlang.lang import Sort
from ebmlang.sample.smc.partition import LogPartition
from ebmlang.source import SourceText

STANDARD_ERRORS = 4.0


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Keep estimates of these tests away from the user's, and from each other."""
    monkeypatch.setattr(normalizers, "cache_folder", lambda: tmp_path)
    return tmp_path / "integrals"


@pytest.fixture
def counted(monkeypatch):
    """Answer at once, with log Z = 1.5, and count how often."""
    calls = []

    def estimate(density, *, seed):
        calls.append(density)
        return answer()

    monkeypatch.setattr(normalizers, "estimate_log_partition", estimate)
    return calls


def answer(value=1.5, reasons=()):
    return LogPartition(
        value=value,
        error=0.01,
        khat=0.1,
        reverse_gap=0.0,
        reverse_error=0.01,
        drift=0.0,
        overlooked=0.0,
        reasons=reasons,
        islands=(value,) * 4,
    )


KNOWN = {
    "a Gaussian": ("var x: real[2]", "energy(sum((x - 2)^2) / 8)", math.log(8 * math.pi)),
    "on a box": ("var x: real in [-1, 1]", "energy(x)", math.log(2 * math.sinh(1))),
    "a constraint": (
        "var x: real in [-50, 50]",
        "x >= 0 and x <= 3 within 1",
        math.log(3 + math.sqrt(2 * math.pi)),
    ),
    "on a simplex": ("var x: simplex[3]", "energy(0 * x[0])", math.log(0.5)),
    "a density cut off": ("var x: real in [0, inf]", "x ~ normal(0, 1)", math.log(0.5)),
}
"""Declarations, energy, log Z by formula."""


@pytest.mark.slow
@pytest.mark.parametrize(("declared", "energy", "log_z"), KNOWN.values(), ids=KNOWN)
def test_it_is_the_log_of_the_integral(declared, energy, log_z):
    model = ebmlang.loads(f"{declared}\nprefer a: normalize({energy})")

    ((_, integral),) = find_integrals(model).values()

    assert integral.reliable, integral.reasons
    assert integral.error < 0.05
    assert abs(integral.log_value - log_z) < STANDARD_ERRORS * integral.error


def test_an_energy_has_what_was_estimated_added(counted):
    model = ebmlang.loads("var x: real\nprefer a: normalize(energy(x^2))")

    assert float(model.energy({"x": 3.0})) == pytest.approx(9 + 1.5)
    assert model.take_apart({"x": 3.0}).energy.mean == pytest.approx(9 + 1.5)


def test_one_inside_of_another_is_estimated_first(counted):
    text = "var x: real\nprefer a: normalize(normalize(energy(x^2)) or normalize(energy(x^4)))"
    model = ebmlang.loads(text)

    # Each of the two is e^-1.5 too low, and so is their half.
    assert float(model.energy({"x": 1.0})) == pytest.approx(1 + 1.5 + 1.5)
    assert len(counted) == 3


def test_what_is_never_needed_is_not_estimated(counted):
    text = "var x: real\nlet spare = normalize(energy(x^4))\nminimize low: x^2"

    assert float(ebmlang.loads(text).energy({"x": 2.0})) == 4
    assert not counted


SPEC = """
given k: real = 1
given far: real = 1
var x: real
prefer a: normalize(energy(k * x^2)) or x ~ normal(far, 1)
"""


def test_the_same_content_is_estimated_once(counted, cache):
    for _ in range(2):
        model = ebmlang.loads(SPEC)
        model.energy({"x": 1.0})
        model.bind({"far": 3.0}, {"a": 2.0}).energy({"x": 1.0})

    assert len(counted) == 1
    assert len(list(cache.glob("*.json"))) == 1


def test_other_data_is_other_content(counted):
    model = ebmlang.loads(SPEC)

    for k in (1.0, 2.0, 1.0):
        model.bind({"k": k}).energy({"x": 1.0})

    assert len(counted) == 2


@pytest.mark.parametrize("text", ["", "{", '{"log_value": 3}', "[1, 2]"])
def test_a_broken_file_of_the_cache_is_written_again(counted, cache, text):
    ebmlang.loads(SPEC).energy({"x": 1.0})
    (file,) = cache.iterdir()
    whole = file.read_text()
    file.write_text(text)

    ebmlang.loads(SPEC).energy({"x": 1.0})

    assert len(counted) == 2
    assert file.read_text() == whole


def test_a_cache_that_cannot_be_written_changes_nothing(counted, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setattr(normalizers, "cache_folder", lambda: blocked)
    model = ebmlang.loads(SPEC)

    first, second = (float(model.energy({"x": 1.0})) for _ in range(2))

    assert first == second
    assert len(counted) == 1


def test_what_a_function_from_python_decides_is_kept_for_the_model_alone(counted, cache):
    text = "var x: real in [0, 1]\nprefer a: normalize(bowl(x))"
    source = SourceText("spec.ebm", text)
    model = build_model(source, externs={"bowl": (Sort.ENERGY, lambda x: x**2)})

    for x in (0.0, 0.5):
        assert float(model.energy({"x": x})) == pytest.approx(x**2 + 1.5)

    assert len(counted) == 1
    assert not cache.exists()


def test_what_has_no_integral_is_refused_before_it_is_estimated(counted):
    model = ebmlang.loads("var x: real\nprefer a: normalize(energy(relu(x)))")

    with pytest.raises(EbmError) as refusal:
        model.energy({"x": 1.0})

    assert [d.code for d in refusal.value.diagnostics] == ["E0418"]
    assert not counted


def test_missing_data_is_reported_as_such(counted):
    model = ebmlang.loads(SPEC.replace("k: real = 1", "k: real"))

    with pytest.raises(EbmError) as refusal:
        model.energy({"x": 1.0})

    assert [d.code for d in refusal.value.diagnostics] == ["E0701"]


@pytest.fixture
def unreliable(monkeypatch):
    doubtful = answer(reasons=("a few weights carry the mean: k-hat is 0.93",))
    monkeypatch.setattr(normalizers, "estimate_log_partition", lambda density, seed: doubtful)


@pytest.mark.parametrize("verb", ["solve", "sample"])
def test_an_unreliable_estimate_stops_a_run(unreliable, verb):
    model = ebmlang.loads(SPEC)

    with pytest.raises(EbmError) as refusal:
        getattr(model, verb)()

    (found,) = refusal.value.diagnostics
    assert found.code == "E0715"
    assert "k-hat" in found.because[0]
    assert found.primary.span.text == "normalize(energy(k * x^2))"


def test_an_unreliable_estimate_is_used_where_that_is_accepted(unreliable):
    model = ebmlang.loads(SPEC).bind(accept_unreliable=True)

    designs = model.solve(starts=4)

    first, second = 1.0 + 1.5, 0.5 * math.log(2 * math.pi)
    assert float(model.bind({"far": 1.0}).energy({"x": 1.0})) == pytest.approx(
        -np.logaddexp(-first, -second) + math.log(2)
    )
    assert designs


def test_an_explained_spec_tells_what_was_estimated(counted):
    from ebmlang.api.explain_spec import describe_facts

    (described,) = describe_facts(ebmlang.loads(SPEC, name="spec.ebm"))["integrals"]

    assert described["name"] == "a"
    assert described["log_value"] == 1.5
    assert described["error"] == 0.01
    assert described["text"] == "normalize(energy(k * x^2))"
    assert described["at"] == "spec.ebm:5:11"


def test_nothing_is_estimated_to_explain_a_spec_without_its_data(counted):
    from ebmlang.api.explain_spec import describe_facts

    described = describe_facts(ebmlang.loads(SPEC.replace("k: real = 1", "k: real")))

    assert described["integrals"] == []
    assert not counted
