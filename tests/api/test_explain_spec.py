"""What is known of a spec before it runs, as plain data."""

import json
import math

import pytest

import ebmlang
from ebmlang.api.explain_spec import describe_facts
from ebmlang.runs.plain import show_json
from tests.api.fit import DATA, fit

SPEC = """var x: real[2] in [-3, 3]
var s: positive
prefer home: norm(x) <= 1 within 0.5
prefer away: norm(x) >= 0.5 within 0.1 weight 2
minimize low: s - x[0]
require small: s <= 2 and x[0] >= 0
"""


def described(text=SPEC):
    return describe_facts(ebmlang.loads(text, name="small.ebm"))


def term(path, text=SPEC):
    (found,) = (one for one in described(text)["terms"] if one["path"] == path)
    return found


def test_every_term_is_described_in_the_order_written():
    paths = [(one["path"], one["role"]) for one in described()["terms"]]

    assert paths == [
        ("home", "prefer"),
        ("away", "prefer"),
        ("low", "minimize"),
        ("small", "require"),
    ]


def test_the_facts_of_a_convex_term():
    home = term("home")

    assert home["of"] == "energy"
    assert (home["lower"], home["sign"]) == (0.0, "nonnegative")
    assert home["upper"] == pytest.approx(((3 * math.sqrt(2) - 1) / 0.5) ** 2 / 2)
    assert home["curvature"] == "convex"
    assert home["curvature_broken_by"] is None
    assert home["smoothness"] == "C1"
    assert home["residuals"] == 1
    assert home["variables"] == ["x"]


def test_where_curvature_breaks_is_said_with_text_place_and_rule():
    away = term("away")

    assert away["curvature"] == "unknown"
    assert away["curvature_broken_by"]["text"] == "norm(x) >= 0.5 within 0.1"
    assert away["curvature_broken_by"]["at"] == "small.ebm:4:14"
    assert away["curvature_broken_by"]["rule"]


def test_where_a_term_is_not_smooth_is_said_with_text_and_place():
    places = [place for place in term("away")["not_smooth_at"] if place["order"] == 0]

    text = "norm(x) >= 0.5 within 0.1"
    assert places == [{"kind": "kink", "order": 0, "text": text, "at": "small.ebm:4:14"}]


def test_slopes_say_how_a_term_moves_with_each_variable():
    low = term("low")

    assert low["slopes"]["s"] == "rising"
    assert low["slopes"]["x"] in ("falling", "mixed")
    assert (low["curvature"], low["smoothness"]) == ("affine", "smooth")
    assert low["residuals"] is None


def test_a_requirement_shows_its_margin_and_the_curvature_of_its_conjuncts():
    small = term("small")

    assert small["of"] == "margin"
    assert small["upper"] == pytest.approx(2.0)
    assert small["curvature"] == "affine"
    assert small["residuals"] is None


def test_conjuncts_that_bend_both_ways_are_mixed():
    text = "var x: real[2]\nminimize e: sum(x)\nrequire r: 1 <= norm(x) <= 2"

    assert term("r", text)["curvature"] == "mixed"
    assert term("r", text)["curvature_broken_by"] is None


def test_blocks_carry_their_plan():
    block, _ = described()["blocks"]

    assert block["variables"] == ["x"]
    assert block["terms"] == ["home", "away", "low", "small"]
    assert block["numbers"] == 2
    assert not block["convex"]
    for verb in ("solve", "sample"):
        assert block[verb]["runs"]
        assert block[verb]["because"]


def test_independent_terms_are_blocks_of_their_own():
    text = "var x: real\nvar y: real\nminimize e: x^2 + cosh(y)"

    assert [block["variables"] for block in described(text)["blocks"]] == [["x"], ["y"]]


def test_the_three_questions_are_answered():
    propriety = described()["propriety"]

    assert {key: verdict["answer"] for key, verdict in propriety.items()} == {
        "bounded_below": "proper",
        "has_minimizer": "proper",
        "integrable": "proper",
    }


def test_an_improper_verdict_carries_its_trace_its_direction_and_help():
    verdict = described("var x: real\nvar y: real\nminimize e: x^2")["propriety"]["integrable"]

    assert verdict["answer"] == "improper"
    assert verdict["variables"] == ["y"]
    assert verdict["direction"]["rates"]["y"] != 0
    assert verdict["because"]
    assert all("text" in reason for reason in verdict["because"])
    assert verdict["helps"]


def test_what_is_refused_is_not_planned():
    (block, _) = described("var x: real\nvar y: real\nminimize e: x^2")["blocks"]

    assert block["sample"]["runs"] == ["nothing: exp(-E) has no finite integral"]
    assert not any("nothing" in line for line in block["solve"]["runs"])
    assert "L-BFGS" in block["solve"]["runs"][0]


def test_all_of_it_is_json():
    assert json.loads(show_json(described()))["name"] == "small"


def test_without_the_data_that_decides_sizes_it_says_what_is_missing():
    found = describe_facts(fit())

    assert found["status"] == "needs data"
    assert found["missing"] == ["there is no data for `y`", "there is no data for `sigma`"]
    assert [item["path"] for item in found["interface"]["variables"]] == ["mu"]


def test_with_its_data_it_is_analyzed():
    found = describe_facts(fit().bind(DATA))

    assert found["status"] == "analyzed"
    assert found["terms"][0]["residuals"] == 3


def test_data_that_decides_no_size_need_not_be_there():
    found = described("given k: real\nvar x: real\nminimize e: (x - k)^2")

    assert found["status"] == "analyzed"
    assert found["terms"][0]["curvature"] == "convex"


def test_data_that_does_not_fit_is_refused():
    with pytest.raises(ebmlang.EbmError, match="E0705"):
        describe_facts(fit().bind({**DATA, "z": 1.0}))
