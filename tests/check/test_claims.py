"""Properties and examples: what they may speak of, and what becomes of them."""

import numpy as np
import pytest

from ebmlang.check import show_program
from ebmlang.check.claims import Example, Property, property_body
from ebmlang.lang import Sort
from tests.check.road import accept, refusals, warnings

DESK = """
const width = 120
given k: real = 2
var lamp: real[2] in [0, width]
var cup: real[2] in [0, width]
fn dist(a, b) = norm(a - b)
require apart: dist(lamp, cup) >= 30
prefer side: lamp[0] <= 10
minimize reach: dist(cup, [60, 0])
spec leg(h: real) {
  var knee: real
  let reach = knee + h
  prefer bend: reach >= h
}
part left = leg(lamp[0])
"""


def claims(text: str) -> tuple[Property | Example, ...]:
    return accept(DESK + text).claims


def test_a_property_binds_names_of_every_domain():
    (claim,) = claims(
        "property p: forall a: real[2] in [-1, 1], q: positive, s: simplex[3], u: unit[3], "
        "r: rotation[3], o: ordered[4], m: array[2] of unit[3], n: int in 0..2, f: bool[2]: q <= 1"
    )

    assert [v.symbol.name for v in claim.unknowns] == ["a", "q", "s", "u", "r", "o", "m"]
    assert [(c.given.symbol.name, c.bounds) for c in claim.counted] == [("n", (0, 2)), ("f", None)]
    assert claim.bound == ("a", "q", "s", "u", "r", "o", "m", "n", "f")


def test_the_constraint_of_a_property_is_no_part_of_the_energy():
    program = accept(f"{DESK}property p: side implies apart")

    assert [term.name for term in program.body.terms] == ["apart", "side", "reach"]


def test_a_property_speaks_of_terms_by_name_constraints_and_numbers_alike():
    claim, other = claims("property p: side implies apart\nproperty q: reach >= 0")

    assert [let.symbol.name for let in claim.definitions] == ["apart", "side"]
    assert [let.value.type.sort for let in other.definitions] == [Sort.REAL]


def test_where_a_value_has_the_name_of_a_term_the_name_means_the_value():
    (claim,) = accept("var x: real\nlet low = x\nrequire low: x <= 1\nproperty p: low <= 3").claims

    assert claim.definitions == ()


def test_the_body_that_tests_a_property_has_it_as_its_one_requirement():
    program = accept(f"{DESK}property p: forall a: real, n: int: a <= k + n and side")
    (claim,) = program.claims

    body = property_body(program.body, claim)

    assert [v.symbol.name for v in body.variables] == ["lamp", "cup", "a"]
    assert [g.symbol.name for g in body.givens] == ["k", "n"]
    assert [(term.name, term.role.value) for term in body.terms] == [("p", "require")]


def test_a_range_that_a_property_binds_may_be_an_index():
    text = "var x: real[3]\nminimize c: sum(x)\nproperty p: forall i: int in 0..{}: x[i] <= 1"

    assert len(accept(text.format(2)).claims) == 1
    assert refusals(text.format(3)) == [("E0309", "i")]


def test_the_values_of_an_example_are_numbers_in_the_shape_of_what_they_are_for():
    (example,) = claims(
        "example e { lamp = width / 2, cup = [0, 1], k = 3, left.knee = pi } "
        "satisfies side violates left.bend"
    )

    values = {setting.path: setting.value for setting in example.settings}
    np.testing.assert_array_equal(values["lamp"], [60.0, 60.0])
    np.testing.assert_array_equal(values["cup"], [0.0, 1.0])
    assert values["k"].dtype == np.float64
    assert float(values["left.knee"]) == np.pi
    assert [(v.path, v.holds) for v in example.verdicts] == [("side", True), ("left.bend", False)]


def test_an_example_of_a_property_sets_the_names_that_it_binds():
    _, example = claims(
        "property p: forall a: real, n: int, f: bool: f implies a <= n\n"
        "example e { a = 1, n = 2, f = true } satisfies p"
    )

    assert [setting.value.dtype.kind for setting in example.settings] == ["f", "i", "b"]


def test_an_example_may_set_an_input_whose_size_the_data_binds():
    (example,) = accept(
        "given y: real[N]\nvar x: real[N]\nprefer t: x <= y\n"
        "example e { y = [1, 2, 3], x = [0, 0, 0] } satisfies t"
    ).claims

    assert [setting.value.shape for setting in example.settings] == [(3,), (3,)]


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("example e { lamp = 0 } satisfies left.bend", "E0416", "left.bend"),
        ("example e { lamp = 0 } satisfies left", "E0201", "left"),
        ("example e { width = 0 } satisfies side", "E0201", "width"),
        ("example e { a = 0 } satisfies side", "E0201", "a"),
        ("example e { lamp = [[0, 0]] } satisfies side", "E0302", "[[0, 0]]"),
        ("example e { lamp = k } satisfies side", "E0304", "k"),
        ("example e { lamp = inf } satisfies side", "E0321", "inf"),
        ("example e { lamp = sidd } satisfies side", "E0201", "sidd"),
        ("property p: side\nproperty p: apart", "E0202", "p"),
        ("property e: reach >= 0\nexample e { lamp = 0 } violates side", "E0202", "e"),
        ("property left: reach >= 0", "E0202", "left"),
        ("property p: forall a: real: a and side", "E0301", "a"),
        ("property p: forall n: int in 0..lamp: n >= 0", "E0301", "lamp"),
        ("property p: forall n: real in [1, 0]: n >= 0", "E0318", "1"),
        ("property p: forall n: simplex: n >= 0", "E0310", "simplex"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_claim_is_said_at_its_place(text, code, guilty):
    assert refusals(DESK + text) == [(code, guilty)]


def test_a_name_with_a_wrong_domain_is_reported_once_and_known_from_then_on():
    found = refusals(
        f"{DESK}property p: forall a: label {{A}}: a >= 1 and a <= 2 and dist(a, a) >= 0"
    )

    assert [code for code, _ in found] == ["E0312"]


def test_what_only_a_property_uses_is_used():
    text = "var x: real in [0, 1]\ngiven c: real = 1\nlet d = c * x\nproperty p: d >= 0"

    assert warnings(text) == []


def test_claims_of_imported_files_are_not_taken():
    assert accept("import std.geometry\nvar x: real\nminimize c: x^2").claims == ()


def test_claims_are_shown_with_the_typed_program():
    shown = show_program(
        accept(
            "var x: real in [0, 1]\nminimize low: x\n"
            "property p: forall a: real in [0, 1], n: int in 0..3: a <= n\n"
            "example e { x = 0.5, a = 1, n = 2 } satisfies p"
        )
    )

    assert shown.endswith(
        "property p: forall a: real in [0.0, 1.0], n: int in 0..3: a <= real(n) within 1.0\n"
        "example e { x = 0.5, a = 1.0, n = 2 } satisfies p\n"
    )
