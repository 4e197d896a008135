"""The oracle against numbers worked out by hand, one construct of the language at a time."""

import math

import numpy as np
import pytest

from ebmlang.lower.reference import evaluate, gradient
from tests.road import typed

SHARP = {"rtol": 1e-13, "atol": 1e-13}
"""A few roundings."""


def report(text, expression, **point):
    """Return the value of an expression where the variables have these values."""
    program = typed(f"{text}\nreport value = {expression}")
    return evaluate(program, point=point).reports["value"]


DESK = """
const width = 120
const depth = 60
var lamp: real[2] in [[0, 0], [width, depth]]
var cup:  real[2] in [[0, 0], [width, depth]]
fn dist(a: real[2], b: real[2]) = norm(a - b)
fn near(a: real[2], b: real[2]) = dist(a, b) <= 10 within 2
require apart: dist(lamp, cup) >= 30
prefer  side:  near(lamp, [0, 30]) or near(lamp, [120, 30])
prefer  calm:  not near(cup, [60, 30])            weight 0.5
minimize reach: dist(cup, [60, 0]) / 100
"""


def test_the_desk_of_the_first_page_has_the_energies_of_its_formulas():
    lamp, cup = np.array([14.0, 30.0]), np.array([60.0, 24.0])

    found = evaluate(typed(DESK), point={"lamp": lamp, "cup": cup})

    # 14 from the one side, 106 from the other: 2 and 48 tolerances too far.
    near, far = 2.0**2 / 2, 48.0**2 / 2
    side = -math.log(1 - (1 - math.exp(-near)) * (1 - math.exp(-far)))
    # 6 from the middle of the table: 2 tolerances too near.
    expected = {"side": side, "calm": 0.5 * 2.0**2 / 2, "reach": 0.24}
    assert found.energies == pytest.approx(expected, rel=1e-13)
    assert found.total == pytest.approx(sum(expected.values()), rel=1e-13)
    assert found.margins == pytest.approx(
        {"apart": math.hypot(46, 6) - 30, "side": -2.0, "calm": -2.0}
    )
    assert found.satisfied == {"apart": True, "side": False, "calm": False}
    assert found.feasible


def test_a_violated_requirement_makes_a_point_infeasible_and_costs_nothing():
    program = typed("var x: real\nrequire r: x >= 1\nminimize m: x")

    found = evaluate(program, point={"x": np.array(0.25)})

    assert not found.feasible
    assert found.margins == {"r": -0.75}
    assert found.energies == {"m": 0.25}
    assert found.total == 0.25


def test_what_is_maximized_enters_with_a_minus_sign():
    found = evaluate(typed("var x: real\nmaximize m: x weight 3"), point={"x": np.array(2.0)})

    assert found.energies == {"m": -6.0}


HIERARCHY = """
spec foot(h: real) {
  var s: real
  prefer bend: s <= h weight 3
}
spec leg(h: real) {
  var q: real[2]
  part foot = foot(q[0]) weight 5
  prefer low: q[1] <= h
  report angle = q[1] + foot.s
}
var u: real
part left = leg(u) weight 2
part right = leg(left.q[1])
report both = left.foot.s - right.foot.s
minimize m: u
"""
LEGS = {
    "u": np.array(1.0),
    "left.q": np.array([0.0, 2.0]),
    "left.foot.s": np.array(1.0),
    "right.q": np.array([0.0, 4.0]),
    "right.foot.s": np.array(2.0),
}


def test_parts_have_their_own_variables_terms_and_reports_under_their_paths():
    found = evaluate(typed(HIERARCHY), point=LEGS)

    assert found.energies == {
        "left.foot.bend": 2 * 5 * 3 * 0.5,
        "left.low": 2 * 0.5,
        "right.foot.bend": 5 * 3 * 2.0,
        "right.low": 2.0,
        "m": 1.0,
    }
    reports = {path: float(value) for path, value in found.reports.items()}
    assert reports == {"left.angle": 3.0, "right.angle": 6.0, "both": -1.0}


def test_weights_are_replaced_by_path_and_multiply_down():
    weights = {"left": 7.0, "left.foot.bend": 11.0, "m": 0.5}

    found = evaluate(typed(HIERARCHY), point=LEGS, weights=weights)

    assert found.energies["left.foot.bend"] == 7 * 5 * 11 * 0.5
    assert found.energies["left.low"] == 7 * 0.5
    assert found.energies["right.low"] == 2.0
    assert found.energies["m"] == 0.5


def test_data_binds_givens_and_defaults_stand_in():
    program = typed("given y: real[N]\ngiven k: real = 2\nvar x: real\nminimize m: k * sum(y) * x")
    point, data = {"x": np.array(1.0)}, {"y": np.array([1.0, 2.0, 4.0])}

    assert evaluate(program, point=point, data=data, sizes={"N": 3}).total == 14.0
    more = {**data, "k": np.array(3.0)}
    assert evaluate(program, point=point, data=more, sizes={"N": 3}).total == 21.0


X = np.array([1.0, 2.0, 4.0])
VECTOR = "var x: real[3]"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum v in x: v^2", 21.0),
        ("prod v in x: v", 8.0),
        ("min v in x: -v", -4.0),
        ("max v in x: -v", -1.0),
        ("mean v in x: v", 7 / 3),
        ("sum a, b in pairs(x): b - a", 1.0 + 3.0 + 2.0),
        ("sum a, b in adjacent(x): b / a", 4.0),
        ("sum a, b in zip(x, [3, 2, 1]): a * b", 3.0 + 4.0 + 4.0),
        ("sum i, v in enumerate(x): i * v", 10.0),
        ("sum a, b in product(x, [1, 10]): a * b", 77.0),
        ("sum i in 0..2 where i != 1: x[i]", 5.0),
        ("sum i in 2..1: x[0]", 0.0),
        ("prod i in 2..1: x[0]", 1.0),
        ("min i in 2..1: x[0]", math.inf),
        ("max i in 2..1: x[0]", -math.inf),
        ("[2 * v for v in x]", [2.0, 4.0, 8.0]),
        ("[[a, b] for a, b in pairs(x)]", [[1.0, 2.0], [1.0, 4.0], [2.0, 4.0]]),
        ("scan s = 1.0 over v in x: s * v", [1.0, 1.0, 2.0, 8.0]),
        ("scan s = [0.0, 1.0] over v in x: [s[1], s[0] + v]",
         [[0.0, 1.0], [1.0, 1.0], [1.0, 3.0], [3.0, 5.0]]),
        ("x[1..2]", [2.0, 4.0]),
        ("x[0..0]", [1.0]),
        ("2^3 - 7 % 4 + 1 / 4", 5.25),
        ("(if 1 < 2 then x else -x)[2]", 4.0),
        ("linspace(0, x[2], 3)", [0.0, 2.0, 4.0]),
        ("eye(2) @ [x[0], x[2]] + ones(2) + zeros(2)", [2.0, 5.0]),
        ("reshape(concat(x, [0]), 2, 2)", [[1.0, 2.0], [4.0, 0.0]]),
        ("stack(x[0..1], x[1..2])", [[1.0, 2.0], [2.0, 4.0]]),
        ("size(x)", 3),
        ("cumsum(x)", [1.0, 3.0, 7.0]),
        ("sort(-x)", [-4.0, -2.0, -1.0]),
        ("-x^2", [-1.0, -4.0, -16.0]),
    ],
)  # fmt: skip
def test_expressions_have_their_value(expression, expected):
    np.testing.assert_allclose(report(VECTOR, expression, x=X), expected, **SHARP)


@pytest.mark.parametrize(
    ("logic", "formula", "margin", "energy"),
    [
        ("product", "x <= 3", -1.0, 0.5),
        ("product", "x <= 0", -4.0, (1 + 4 + 16) / 2),
        ("godel", "x <= 0", -4.0, 8.0),
        ("godel", "not x <= 3", 1.0, 0.0),
        ("product", "not x <= 5", -1.0, -math.log(1 - math.prod(
            1 - math.exp(-(d**2) / 2) for d in (4, 3, 1)))),
        ("product", "0 <= x[0] <= 0.5 within 0.5", -1.0, 0.5),
        ("product", "forall v in x: v <= 3", -1.0, 0.5),
        ("product", "exists v in x: v >= 4", 0.0, 0.0),
        ("product", "forall v in x where false: v <= -9", math.inf, 0.0),
        ("product", "exists v in x where false: v >= -9", -math.inf, math.inf),
        ("godel", "forall v in x where false: v <= -9", math.inf, 0.0),
        ("product", "x[0] <= 0 implies x[1] <= 0", 1.0, 0.0),
        ("godel", "x[0] <= 0 iff x[1] <= 0", 1.0, 0.0),
        ("godel", "x[0] <= 0 iff x[1] >= 0", -1.0, 0.5),
        ("product", "true", 0.0, 0.0),
        ("product", "x[0] <= 2 and false", -1.0, 1.0),
    ],
)  # fmt: skip
def test_formulas_have_their_margin_and_energy(logic, formula, margin, energy):
    program = typed(f"logic {logic}\n{VECTOR}\nprefer p: {formula}")

    found = evaluate(program, point={"x": X})

    assert found.margins["p"] == margin
    assert found.energies["p"] == pytest.approx(energy, rel=1e-13)


def test_a_spec_as_an_expression_is_the_and_of_its_weighted_terms():
    text = """
    spec calm(a: real) {
      prefer low: a <= 0 weight 3
      prefer high: a >= 2
    }
    var x: real
    prefer yes: calm(x)
    prefer no: not calm(x)
    """

    found = evaluate(typed(text), point={"x": np.array(1.0)})

    assert found.energies == pytest.approx({"yes": 3 * 0.5 + 0.5, "no": 0.0})
    assert found.margins == {"yes": -1.0, "no": 1.0}


def test_energies_and_densities_have_the_values_of_their_rules():
    text = """
    var x: real
    let a = x ~ normal(0, 1)
    let b = x ~ normal(2, 0.5)
    prefer both: a and b
    prefer either: a or b
    prefer mixed: mix(1: a, 3: b)
    prefer away: unlike(a, b)
    prefer soft: softmin(a, energy(x))
    prefer warm: tempered(a, 4)
    prefer far: repel(a, 3)
    """
    x = 0.7
    p_a = math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    p_b = math.exp(-(((x - 2) / 0.5) ** 2) / 2) / math.sqrt(2 * math.pi) / 0.5

    found = evaluate(typed(text), point={"x": np.array(x)})

    assert found.energies == pytest.approx(
        {
            "both": -math.log(p_a * p_b),
            "either": -math.log(p_a / 2 + p_b / 2),
            "mixed": -math.log(p_a / 4 + 3 * p_b / 4),
            "away": -math.log(p_a**2 / (p_a + p_b)),
            "soft": -math.log(p_a + math.exp(-x)),
            "warm": -math.log(p_a) / 4,
            "far": 3 * math.log(p_a),
        },
        rel=1e-13,
    )


def test_a_density_of_an_array_is_summed_over_its_elements():
    program = typed("var x: real[3] ~ normal([1, 2, 3], 2)")

    found = evaluate(program, point={"x": X})

    expected = 0.5 * (1 / 2) ** 2 + 3 * math.log(2 * math.sqrt(2 * math.pi))
    assert found.energies == pytest.approx({"x": expected})


def test_functions_see_their_arguments_and_nothing_of_the_caller():
    text = "fn f(x) = 2 * x\nfn g(a, x) = f(a) - x\nvar x: real"

    assert report(text, "g(x + 1, f(x))", x=np.array(5.0)) == 2.0


def test_an_index_outside_its_axis_is_an_error():
    program = typed("given n: int\nvar x: real[3]\nminimize m: x[n]")

    with pytest.raises(IndexError):
        evaluate(program, point={"x": X}, data={"n": np.array(3)})


def test_gradients_are_exact_to_ten_digits():
    program = typed("var x: real[2]\nvar u: real\nminimize m: sin(x[0]) * exp(x[1]) + u^3")
    x, u = np.array([0.4, -1.3]), np.array(2.0)

    found = gradient(program, point={"x": x, "u": u})

    exact = [math.cos(0.4) * math.exp(-1.3), math.sin(0.4) * math.exp(-1.3)]
    np.testing.assert_allclose(found["x"], exact, rtol=1e-10)
    np.testing.assert_allclose(found["u"], 12.0, rtol=1e-10)
