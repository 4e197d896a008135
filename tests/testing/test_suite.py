"""Properties searched and examples looked at, from the text of a spec."""

import pytest

import ebmlang
from ebmlang.testing import run_tests

DESK = """
var lamp: real[2] in [[0, 0], [120, 60]]
var cup: real[2] in [[0, 0], [120, 60]]
fn dist(a: real[2], b: real[2]) = norm(a - b)
require apart: dist(lamp, cup) >= 30
prefer side: lamp[0] <= 10 within 2
"""


def outcomes(text, data=None, **options):
    return {one.name: one for one in run_tests(ebmlang.loads(DESK + text).bind(data), **options)}


def outcome(text, **options):
    (only,) = outcomes(text, **options).values()
    return only


HOLDS = {
    "over names of its own": (
        "forall a: real[2] in [-9, 9], b: real[2]: dist(a, b) == dist(b, a) within 1e-9"),
    "over the file's variables": "0 <= lamp[1] <= 60",
    "over terms": "(side and cup[0] >= 41) implies apart",
    "on a simplex": "forall s: simplex[3]: sum(s) == 1 within 1e-9",
    "on the sphere": "forall u: unit[3], r: rotation[3]: norm(r @ u) == 1 within 1e-9",
    "in order": "forall o: ordered[5]: forall a, b in adjacent(o): a <= b",
    "of whole numbers": "forall n: int in -3..3: n^2 <= 9",
    "of an index": "forall i: int in 0..1: lamp[i] <= 120",
    "of truth values": "forall f: bool, g: bool: (f implies g) iff (not g implies not f)",
    "of nothing": "forall i in 1..0: lamp[0] >= i",
    "of constants": "1 <= 2",
}  # fmt: skip


@pytest.mark.parametrize("text", HOLDS.values(), ids=HOLDS.keys())
def test_a_property_holds(text):
    found = outcome(f"property p: {text}")

    assert found.passed
    assert found.counterexample is None


REFUTED = {
    "shrunk to whole numbers": (
        "forall a: real[2]: dist(a, [0, 0]) <= 10", "a = [0, 11]"),
    "shrunk in the file's variables": ("lamp[0] <= 10", "lamp = [11, 0]"),
    "only what it depends on is set": ("cup[0] <= 10 or cup[1] <= 50", "cup = [11, 51]"),
    "whole numbers": ("forall n: int: n^2 <= 100", "n = 11"),
    "truth values": ("forall f: bool: not f", "f = true"),
    "in order": ("forall o: ordered[3]: o[2] <= 5", "o = [0, 1, 6]"),
    "an array without elements": ("forall a: real[0]: sum(a) >= 1", "a = [0 for i in 1..0]"),
    "rows without elements": (
        "forall a: real[2, 0]: sum(a) >= 1", "a = [[0 for i in 1..0] for i in 1..2]"),
    "no whole numbers": ("forall n: int[0]: sum(n) >= 1", "n = [0 for i in 1..0]"),
    "no truth values": (
        "forall t: real, f: bool[0]: t <= 10", "t = 11, f = [false for i in 1..0]"),
    "at the corner of a box alone": (
        "forall a: real in [0, 1], b: real in [0, 1]: a * b <= 1 - 1e-15", "a = 1, b = 1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "point"), REFUTED.values(), ids=REFUTED.keys())
def test_a_property_is_refuted_at_the_simplest_point(text, point):
    found = outcome(f"property p: {text}")

    assert found.counterexample == f"example p_fails {{ {point} }} violates p"
    (failure,) = found.failures
    assert failure.code == "E0417"
    assert found.counterexample in failure.helps[0]


@pytest.mark.parametrize(("text", "point"), REFUTED.values(), ids=REFUTED.keys())
def test_a_counterexample_that_is_pasted_is_looked_at_again(text, point):
    text = f"property p: {text}"
    pasted = outcome(text).counterexample

    again = outcomes(f"{text}\n{pasted}")
    mended = outcomes(f"{text.partition(':')[0]}: {_mended(text)}\n{pasted}")

    assert again["p_fails"].passed
    assert not again["p"].passed
    assert not mended["p_fails"].passed


def _mended(text):
    """Return the property's formula, made true by an alternative that always holds."""
    formula = text.partition(": ")[2]
    head, colon, body = formula.rpartition(": ")
    return f"{head}{colon}({body}) or 1 <= 2"


def test_sizes_that_data_makes_0_can_be_pasted_too():
    text = "given y: real[N]\nproperty p: forall a: real[N]: sum(a) + sum(y) >= 1"
    pasted = outcomes(text, {"y": []})["p"].counterexample

    again = outcomes(f"{text}\n{pasted}", {"y": []})

    assert pasted == "example p_fails { a = [0 for i in 1..0] } violates p"
    assert again["p_fails"].passed


LONG = {
    "a vector": (
        "forall a: real[100] in [0, 9]: sum(a) <= -1",
        "a = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...]"),
    "rows that fit": (
        "forall a: real[50, 9] in [0, 9]: sum(a) <= -1",
        "a = [[0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0], ...]"),
    "rows that do not": (
        "forall f: bool[2, 30]: exists row in f: exists e in row: e and not e",
        f"f = [[{'false, ' * 20}...], ...]"),
    "one row": (
        "forall f: bool[1, 30]: exists row in f: exists e in row: e and not e",
        f"f = [[{'false, ' * 20}...]]"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "sketch"), LONG.values(), ids=LONG.keys())
def test_of_a_long_counterexample_the_message_shows_the_first_numbers(text, sketch):
    text = f"property p: {text}"

    found = outcome(text)

    (failure,) = found.failures
    assert "`ebm test --json`\nhas it whole" in failure.helps[0]
    assert failure.helps[0].endswith(f":\nexample p_fails {{\n  {sketch}\n}} violates p")
    assert outcomes(f"{text}\n{found.counterexample}")["p_fails"].passed


def test_twenty_numbers_are_shown_whole():
    found = outcome("property p: forall a: real[20] in [0, 9]: sum(a) <= -1")

    assert found.counterexample in found.failures[0].helps[0]


def test_a_second_counterexample_takes_another_name():
    found = outcomes("property p: lamp[0] <= 10\nexample p_fails { lamp = [30, 0] } violates p")

    assert found["p"].counterexample.startswith("example p_fails_2 {")


def test_a_margin_that_is_no_number_has_its_own_words():
    found = outcome("property p: forall a: real: sqrt(a) >= 0")

    (failure,) = found.failures
    assert found.counterexample == "example p_fails { a = -1 } violates p"
    assert failure.primary.text == "the margin is not a number at the counterexample below"


def test_the_same_seed_looks_at_the_same_points_and_another_at_others():
    text = "property p: forall a: real in [0, 1]: a <= 0.5 or sin(1000 * a) <= 0.999"

    first, again, other = (outcome(text, points=400, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first.points != other.points


def test_as_many_points_are_looked_at_as_are_asked_for():
    found = outcome("property p: forall a: real: a <= a + 1", points=250)

    assert 250 <= found.points <= 252


def test_inputs_have_their_data_or_their_default():
    text = (
        "given top: real = 1\ngiven y: real[N]\nproperty p: forall a: real in [0, top]: a <= sum(y)"
    )

    assert outcomes(text, {"y": [1.0, 1.0]})["p"].passed
    assert not outcomes(text, {"y": [1.0, 1.0], "top": 3.0})["p"].passed


def test_an_input_without_data_is_asked_for():
    with pytest.raises(ebmlang.EbmError, match="E0701"):
        outcomes("given y: real[N]\nproperty p: forall a: real: a <= sum(y) + a^2 + 1")


def test_a_point_of_too_many_numbers_is_refused():
    with pytest.raises(ebmlang.EbmError, match="E0316"):
        outcomes("property p: forall a: real[1000, 1000]: sum(a) <= 1")


def test_a_point_of_many_numbers_is_drawn():
    assert outcome("property p: forall a: real[300, 300] in [0, 1]: sum(a) >= 0").passed


def test_an_example_is_looked_at_term_by_term():
    found = outcomes(
        "example good { lamp = [0, 30], cup = [60, 0] } satisfies side, apart\n"
        "example wrong { lamp = [0, 30], cup = [10, 30] } satisfies side, apart\n"
        "example far { lamp = [12, 0] } violates side"
    )

    assert found["good"].passed
    assert found["far"].passed
    (failure,) = found["wrong"].failures
    assert failure.headline == "the example `wrong` does not satisfy `apart`"
    # 10 where 30 are wanted, in tolerances of 1.
    assert failure.primary.text == "the margin is -20 here"


def test_an_example_sets_inputs_and_the_sizes_that_hang_on_them():
    text = "given y: real[N]\nprefer all: forall v in y: v <= lamp[0]\n"

    found = outcomes(
        f"{text}example e {{ y = [1, 2, 3], lamp = [3, 0] }} satisfies all\n"
        "example f { y = [1, 2, 3, 4], lamp = [3, 0] } violates all"
    )

    assert [one.passed for one in found.values()] == [True, True]


def test_an_example_speaks_of_the_terms_of_parts():
    found = outcomes(
        "spec leg(h: real) { var knee: real prefer bend: knee >= h }\npart left = leg(lamp[0])\n"
        "example e { lamp = [3, 0], left.knee = 2 } violates left.bend"
    )

    assert found["e"].passed


def test_a_file_without_claims_has_no_outcomes():
    assert outcomes("") == {}
