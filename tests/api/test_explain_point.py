"""Points and runs taken apart: shares by hand, the worst elements, means and their errors."""

import json
import math

import numpy as np
import pytest
import torch

from ebmlang import load, loads
from ebmlang.api.run_files import Run
from ebmlang.source import EbmError
from tests.cli.run import DESK

torch.set_num_threads(1)

SPREAD = """
var x: real[4] in [0, 10]
require apart: forall a, b in pairs(x): abs(a - b) >= 1
prefer low: forall i in 0..3: x[i] <= 2 weight 3
minimize total: sum(x) / 10
"""


def shares(explanation, name):
    (term,) = [term for term in explanation.terms if term.name == name]
    return term


def test_energies_of_the_terms_and_of_their_elements_are_those_of_the_formula():
    found = loads(SPREAD).take_apart({"x": [0.0, 2.5, 4.0, 9.0]})

    low = shares(found, "low")
    assert low.energy.mean == pytest.approx(3 * (0.5**2 + 2**2 + 7**2) / 2)
    assert [part.name for part in low.parts] == [
        "[i = 3] x[i] <= 2",
        "[i = 2] x[i] <= 2",
        "[i = 1] x[i] <= 2",
    ]
    assert low.parts[0].energy.mean == pytest.approx(3 * 49 / 2)
    assert low.parts[0].responsibility.mean == pytest.approx(49 / (49 + 4 + 0.25))
    assert low.elements == 4
    assert found.energy.mean == pytest.approx(low.energy.mean + 15.5 / 10)


def test_gradients_are_those_of_the_formula():
    found = loads(SPREAD).take_apart({"x": [0.0, 2.5, 4.0, 9.0]})

    low = shares(found, "low")
    assert low.gradient.mean == pytest.approx(3 * math.hypot(0.5, 2, 7))
    assert low.parts[0].gradient.mean == pytest.approx(3 * 7)
    assert shares(found, "total").gradient.mean == pytest.approx(0.1 * 2)


def test_pairs_are_named_by_the_places_of_both():
    found = loads(SPREAD).take_apart({"x": [0.0, 2.5, 2.75, 9.0]})

    apart = shares(found, "apart")
    assert apart.parts[0].name == "[a = 1, b = 2] abs(a - b) >= 1"
    assert apart.parts[0].margin.mean == pytest.approx(-0.75)
    assert apart.satisfied == 0
    assert found.feasible == 0


def test_a_share_is_the_product_of_the_responsibilities_down_its_path():
    found = loads(SPREAD).take_apart({"x": [0.0, 2.5, 4.0, 9.0]})

    low = shares(found, "low")
    first = low.parts[0]
    assert first.share == pytest.approx(low.responsibility.mean * first.responsibility.mean)
    soft = [term for term in found.terms if term.kind != "require"]
    assert sum(term.responsibility.mean for term in soft) == pytest.approx(1)


def test_elements_with_no_energy_are_shown_by_their_margins():
    found = loads(SPREAD).take_apart({"x": [0.0, 1.25, 4.0, 9.0]})

    apart = shares(found, "apart")
    margins = [part.margin.mean for part in apart.parts]
    assert margins == pytest.approx([0.25, 1.75, 3.0])


def test_a_point_outside_of_its_domain_is_said_to_be():
    found = load(DESK).take_apart({"lamp": [5.0, 30.0], "cup": [61.0, -1.0]})

    (outside,) = found.outside
    assert outside.path == "cup"
    assert outside.reason == "`cup[1]` is -1, below its lower bound 0"


def test_a_batch_is_no_single_point():
    with pytest.raises(EbmError) as raised:
        loads("var x: real\nminimize low: x").take_apart({"x": [1.0, 2.0]})

    assert raised.value.diagnostics[0].code == "E0710"


def test_a_run_shows_means_over_all_draws():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 200))
    model = loads("var x: real\nprefer right: x >= 0 weight 2\nprefer near: x <= 1 or x >= 3")

    found = model.take_run_apart(Run(kind="draws", values={"x": x}))

    right = shares(found, "right")
    energy = np.maximum(-x, 0) ** 2
    assert found.points == 800
    assert right.energy.mean == pytest.approx(energy.mean())
    assert right.energy.sd == pytest.approx(energy.std())
    assert right.satisfied == pytest.approx((x >= 0).mean())
    # Independent draws: the error of the mean is sd / sqrt(n), within the error of estimating it.
    assert right.energy.mcse == pytest.approx(energy.std() / math.sqrt(800), rel=0.3)


def test_designs_have_a_spread_and_no_monte_carlo_error():
    model = loads("var x: real\nprefer right: x >= 0")

    found = model.take_run_apart(Run(kind="designs", values={"x": np.array([[-1.0, 3.0]])}))

    right = shares(found, "right")
    assert (right.energy.mean, right.energy.sd) == (0.25, 0.25)
    assert right.energy.mcse is None


def test_points_of_a_run_outside_of_the_domain_are_counted():
    model = loads("var x: real in [0, 1]\nminimize low: x")

    found = model.take_run_apart(Run(kind="designs", values={"x": np.array([[0.5, 2.0, 3.0]])}))

    assert found.outside[0].points == 2


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        ("positive", -1.0, "must be positive"),
        ("simplex[2]", [0.5, 0.6], "sum to 1"),
        ("unit[2]", [1.0, 1.0], "length 1"),
        ("ordered[2]", [2.0, 1.0], "rising order"),
        ("rotation[3]", np.diag([1.0, 1.0, -1.0]), "no rotation"),
    ],
)
def test_every_domain_has_its_own_words(declared, value, words):
    found = loads(f"var x: {declared}\nreport y = x").take_apart({"x": value})

    assert words in found.outside[0].reason


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("simplex[2]", [0.25, 0.75]),
        ("unit[2]", [0.6, 0.8]),
        ("ordered[2]", [1.0, 2.0]),
        ("rotation[3]", np.diag([1.0, -1.0, -1.0])),
    ],
)
def test_a_point_inside_is_not_said_to_be_outside(declared, value):
    found = loads(f"var x: {declared}\nreport y = x").take_apart({"x": value})

    assert found.outside == ()


def rebuilt(node):
    """The energy of a node of the JSON, from those of its leaves."""
    if "parts" not in node:
        return node["energy"]
    if node["joint"] == "sum":
        return sum(rebuilt(part) for part in node["parts"]) + node["rest"]
    blamed = sum(
        part["responsibility"] * (rebuilt(part) + part["offset"])
        for part in node["parts"]
        if part["responsibility"] > 0
    )
    return blamed + node["rest"] - node["entropy"]


@pytest.mark.parametrize(
    "terms",
    [
        "prefer one: x[0] >= 1 or x[1] >= 2 or (x[2] <= -1 and x[3] <= -3) weight 3",
        "prefer any: exists i in 0..3: x[i] >= 4 + i",
        "prefer all: forall i in 0..3: (x[i] >= 4 or x[i] <= -2) weight 2",
        "prefer two: mix(1: x[0] ~ normal(0, 1), 3: x[0] ~ normal(2, 1))\nmaximize m: x[1]",
        "logic godel\nprefer both: x[0] >= 1 and (x[1] >= 4 or x[2] >= 3)",
        "prefer low: softmin(energy(x[0]^2), energy((x[1] - 1)^2))",
    ],
)
def test_the_energy_can_be_rebuilt_from_the_json_alone(terms):
    logic, terms = ("logic godel\n", terms[12:]) if terms.startswith("logic") else ("", terms)
    model = loads(f"{logic}var x: real[4]\n{terms}")
    point = {"x": [0.0, 0.5, 0.25, -1.5]}

    described = json.loads(json.dumps(model.take_apart(point).describe()["terms"]))

    expected = float(model.energy(point))
    assert sum(rebuilt(term) for term in described) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("value", "words"), [([math.nan, 1.0], "is not a number"), ([1.0, math.inf], "is infinite")]
)
def test_a_point_that_is_not_finite_is_refused_by_name(value, words):
    with pytest.raises(EbmError) as raised:
        loads("var x: real[2] in [0, 9]\nminimize low: sum(x)").take_apart({"x": value})

    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, diagnostic.headline) == ("E0710", f"`x` of the point {words}")


def test_a_wrong_shape_of_a_point_is_told_without_chains():
    with pytest.raises(EbmError) as raised:
        loads("var x: real[2]\nminimize low: sum(x)").take_apart({"x": [1.0]})

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.headline == "`x` of the point has shape [1], and should have [2]"


BOWL = "var x: real[2] in [-9, 9]\nminimize bowl: sum(x^2) weight {}\nprefer right: x[0] >= 1"


def test_what_solve_returns_is_taken_apart_as_it_is(tmp_path):
    model = loads(BOWL.format(1))
    designs = model.solve(starts=4)
    file = tmp_path / "found.json"
    file.write_text(json.dumps({"designs": [{"variables": {"x": [0.5, 0.0]}}]}))

    one = model.take_apart(designs[0])
    runs = [model.take_run_apart(source) for source in (designs, designs[0], str(file), file)]

    assert one.energy.mean == pytest.approx(designs[0].energy)
    assert [run.points for run in runs] == [len(designs), 1, 1, 1]
    assert [run.stale for run in runs] == [False, False, None, None]
    assert model.find_idle(designs).points == len(designs)
    assert model.take_apart(file).energy.mean == pytest.approx(0.375)
    with pytest.raises(EbmError, match="more than one point"):
        model.take_apart(designs)


@pytest.mark.slow
def test_what_sample_returns_or_writes_is_taken_apart_and_known_to_be_stale(tmp_path):
    model, other = loads(BOWL.format(1)), loads(BOWL.format(1.001))
    samples = model.sample(draws=50, warmup=50, chains=2)
    sources = [samples]
    for ending in ("nc", "npz", "json"):
        samples.write(tmp_path / f"run.{ending}")
        sources.append(tmp_path / f"run.{ending}")

    for source in sources:
        found = model.take_run_apart(source)
        assert (found.points, found.stale) == (100, False)
        assert found.energy.mean == pytest.approx(samples.energies.mean())
        assert other.take_run_apart(source).stale is True
        assert model.find_idle(source).stale is False
        assert other.find_idle(source).stale is True
