"""Which variables each term depends on, through names, functions, specs and parts."""

import pytest

from ebmlang.check.dependence import find_term_variables
from tests.check.road import accept

CASES = {
    "what it names": ("prefer t: x >= 0", {"t": {"x"}}),
    "nothing": ("given g: real\nprefer t: g >= 0", {"t": set()}),
    "a name for a value": ("let d = x + y\nlet e = 2 * d\nprefer t: e >= 0", {"t": {"x", "y"}}),
    "arguments that a function uses": ("fn f(a, b) = a\nprefer t: f(x, y) >= 0", {"t": {"x"}}),
    "what a function closes over": ("fn f(a) = a + y\nprefer t: f(x) >= 0", {"t": {"x", "y"}}),
    "functions inside functions": (
        "fn g(a) = a * y\nfn f(a, b) = g(b)\nprefer t: f(x, 1) >= 0", {"t": {"y"}}),
    "a spec as an expression": (
        "spec s(a: real) { let b = a\n prefer u: b >= y }\nprefer t: s(x)", {"t": {"x", "y"}}),
    "a prior": ("var z: real ~ normal(x, 1)", {"z": {"z", "x"}}),
    "a quantifier": ("var q: real[3]\nprefer t: forall a in q: a >= x", {"t": {"q", "x"}}),
    "a density": ("prefer t: x ~ normal(y, 1)", {"t": {"x", "y"}}),
    "parts, each with its own": (
        """spec foot(h: real) { var s: real prefer flat: s >= h }
        spec leg(h: real) { var q: real part foot = foot(h + q) let s = foot.s
          prefer bend: s >= h }
        part left = leg(x)
        part right = leg(left.q)
        prefer t: right.foot.s >= 0""",
        {
            "left.bend": {"left.foot.s", "x"},
            "left.foot.flat": {"left.foot.s", "left.q", "x"},
            "right.bend": {"right.foot.s", "left.q"},
            "right.foot.flat": {"right.foot.s", "right.q", "left.q"},
            "t": {"right.foot.s"},
        }),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_a_term_depends_on(text, expected):
    program = accept(f"var x: real\nvar y: real\n{text}")

    assert find_term_variables(program.body) == expected


def test_functions_that_double_their_calls_take_no_longer_than_their_text():
    lines = [f"fn f{i}(a) = f{i - 1}(a) + f{i - 1}(a + y)" for i in range(1, 60)]
    text = "\n".join(
        ["var x: real", "var y: real", "fn f0(a) = a", *lines, "prefer t: f59(x) >= 0"]
    )

    assert find_term_variables(accept(text).body) == {"t": {"x", "y"}}
