"""How nodes move with variables; random compositions are in `test_compositions`."""

import pytest

from ebmlang.lang.facts import Slope
from tests.analysis.node_values import facts_of, node_of

RISING, FALLING, FLAT, MIXED = Slope.RISING, Slope.FALLING, Slope.FLAT, Slope.MIXED


def slopes_of(text, path="r"):
    facts = facts_of(text)
    return facts.slopes[node_of(facts, path)].value


@pytest.mark.parametrize(
    ("domain", "formula", "slope"),
    [
        ("real", "2 * x + 1", RISING),
        ("real", "1 - x", FALLING),
        ("real", "-x / 3", FALLING),
        ("real", "exp(-x)", FALLING),
        ("real", "x^2", MIXED),
        ("positive", "x^2", RISING),
        ("real in [-2, -1]", "x^2", FALLING),
        ("real", "x^3", RISING),
        ("positive", "1 / x", FALLING),
        ("real", "1 / x", MIXED),
        ("real in [-3, -1]", "x^-2", RISING),
        ("real", "2^x", RISING),
        ("real", "0.5^x", FALLING),
        ("real in [0, 3]", "cos(x)", FALLING),
        ("real in [0, 4]", "cos(x)", MIXED),
        ("real in [-1, 1]", "sin(x)", RISING),
        ("positive", "log(1 + x^2)", RISING),
        ("real", "floor(x)", RISING),
        ("real", "max([x, 3 * x - 1])", RISING),
        ("real", "abs(x) - x", MIXED),
        ("real in [-2, 0]", "relu(x)", FLAT),
        ("positive", "norm([x, 2 * x])", RISING),
        ("real", "softplus(-x)", FALLING),
        ("real in [1, 2]", "lgamma(x + 1)", RISING),
    ],
)
def test_slopes_of_one_variable(domain, formula, slope):
    assert slopes_of(f"var x: {domain}\nreport r = {formula}")["x"] is slope


def test_slopes_are_told_by_variable():
    text = """
    var a: real
    var b: positive
    var c: real[2]
    report r = a - b * b + sum(c)
    """

    assert slopes_of(text) == {"a": RISING, "b": FALLING, "c": RISING}


def test_a_product_moves_by_the_sign_of_the_other_factor():
    text = "var a: positive\nvar b: real in [-2, -1]\nreport r = a * b"

    assert slopes_of(text) == {"a": FALLING, "b": RISING}


def test_a_matrix_of_one_sign_keeps_the_slope():
    text = "var x: real[2]\nreport r = [[1, 2], [0, 3]] @ x\nreport s = [[1, -2], [0, 3]] @ x"

    assert slopes_of(text)["x"] is RISING
    assert slopes_of(text, "s")["x"] is MIXED


def test_a_recurrence_moves_as_its_steps_do():
    text = """
    var u: real[5]
    var start: real
    report r = scan s = start over a in u: 0.5 * s - a
    report flips = scan s = start over a in u: a - s
    """

    assert slopes_of(text) == {"start": RISING, "u": FALLING}
    assert slopes_of(text, "flips") == {"start": MIXED, "u": MIXED}


def test_what_no_variable_moves_has_no_slope():
    assert slopes_of("var x: real\nminimize t: x\nreport r = 3 * 4") == {}
