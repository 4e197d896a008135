"""What is huge gives a clear error, or simply works, and never takes more than its length asks."""

import sys
from types import FrameType

import pytest

from ebmlang.syntax.parser import MOST_ERRORS
from tests.fuzz.survival import codes, survive

DEPTH = 10_000
"""Levels of nesting [1]."""

OPERANDS = 5000
"""Operands in a row [1]."""

CHAIN = 2000
"""Definitions that hang on each other [1]."""

HEAD = "var x: real in [0, 1]\nvar xs: real[3] in [0, 1]\nconst t = true\nfn f(a) = a\n"

FORMS = {
    "parentheses": ("(", "x", ")"),
    "arrays": ("[", "x", "]"),
    "calls": ("f(", "x", ")"),
    "built_in_calls": ("sqrt(", "x", ")"),
    "named_arguments": ("f(a = ", "x", ")"),
    "indices": ("xs[", "0", "]"),
    "minus": ("-", "x", ""),
    "powers": ("x^", "x", ""),
    "powers_of_minus": ("x^-", "x", ""),
    "conditions": ("if t then x else ", "x", ""),
    "conditions_in_conditions": ("if ", "t", " then t else t"),
    "sums_over": ("sum a in xs: ", "x", ""),
    "sums_over_sums": ("sum a in (", "xs", "): a"),
    "scans": ("scan s = (", "x", ") over a in xs: s"),
    "scan_bodies": ("scan s = x over a in xs: ", "x", ""),
    "builders": ("[", "x", " for a in xs]"),
    "mixtures": ("mix(1: ", "x ~ normal(0, 1)", ")"),
    "fields": ("", "x", ".x"),
    "index_after_index": ("", "xs", "[0..2]"),
}
"""How an expression gets deep: what opens a level, what stands inside, what closes it."""

FORMULAS = {
    "not": ("not ", "x <= 1", ""),
    "implies": ("x <= 1 implies ", "x <= 1", ""),
    "forall": ("forall a in xs: ", "x <= 1", ""),
    "exists": ("exists a in xs: ", "x <= 1", ""),
    "negated_parentheses": ("not (", "x <= 1", ")"),
    "both": ("(x <= 1 and ", "x <= 1", ")"),
    "within": ("x <= 1 within (", "1", ")"),
}

FLAT = {
    "sum": " + ",
    "product": " * ",
    "quotient": " / ",
    "comma": ", ",
}

FLAT_FORMULAS = {"and": " and ", "or": " or ", "iff": " iff "}


@pytest.mark.parametrize("form", FORMS)
def test_an_expression_nested_ten_thousand_deep_is_a_clear_error(form):
    opening, inside, closing = FORMS[form]

    found = survive(f"{HEAD}let y = {opening * DEPTH}{inside}{closing * DEPTH}\n")

    assert codes(found) == {"E0105"}


@pytest.mark.parametrize("form", FORMULAS)
def test_a_formula_nested_ten_thousand_deep_is_a_clear_error(form):
    opening, inside, closing = FORMULAS[form]

    found = survive(f"{HEAD}require y: {opening * DEPTH}{inside}{closing * DEPTH}\n")

    assert codes(found) == {"E0105"}


@pytest.mark.parametrize("form", FLAT)
def test_an_expression_of_five_thousand_operands_survives(form):
    survive(f"{HEAD}let y = [{FLAT[form].join(['x'] * OPERANDS)}]\n")


@pytest.mark.parametrize("form", FLAT_FORMULAS)
def test_a_formula_of_five_thousand_operands_survives(form):
    survive(f"{HEAD}require y: {FLAT_FORMULAS[form].join(['x <= 1'] * OPERANDS)}\n", build=False)


@pytest.mark.parametrize("bracket", ["(", ")", "[", "]", "{", "}", '"', "([{", "x[(", "spec a() {"])
def test_ten_thousand_brackets_are_a_clear_error(bracket):
    assert codes(survive(bracket * DEPTH))
    assert codes(survive(f"{HEAD}let y = {bracket * DEPTH}"))


def test_specs_nested_ten_thousand_deep_are_a_clear_error():
    text = "spec a() {\n" * DEPTH + "var x: real in [0, 1]\nminimize m: x\n" + "}\n" * DEPTH

    assert codes(survive(text)) == {"E0105"}


def test_a_chain_of_two_thousand_definitions_is_fine():
    chain = "\n".join(f"let a{i} = a{i - 1} + 1" for i in range(1, CHAIN))

    found = survive(f"var x: real in [0, 1]\nlet a0 = x\n{chain}\nminimize cost: a{CHAIN - 1}\n")

    assert codes(found) == set()


def test_a_chain_of_two_thousand_definitions_written_backwards_is_fine():
    chain = "\n".join(f"let a{i} = a{i - 1} + 1" for i in reversed(range(1, CHAIN)))

    found = survive(f"var x: real in [0, 1]\nminimize cost: a{CHAIN - 1}\n{chain}\nlet a0 = x\n")

    assert codes(found) == set()


def test_functions_that_call_each_other_two_thousand_deep_are_a_clear_error():
    chain = "\n".join(f"fn f{i}(a) = f{i - 1}(a) + 1" for i in range(1, CHAIN))

    found = survive(f"fn f0(a) = a\n{chain}\nvar x: real\nminimize cost: f{CHAIN - 1}(x)\n")

    assert codes(found) == {"E0105"}


def test_parts_in_parts_two_thousand_deep_are_a_clear_error():
    chain = "\n".join(f"spec s{i}() {{ part p = s{i - 1}() }}" for i in range(1, CHAIN))
    leaf = "spec s0() { var x: real in [0, 1] minimize m: x }"

    found = survive(f"{leaf}\n{chain}\npart p = s{CHAIN - 1}()\n")

    assert codes(found) == {"E0105"}


def _doubling(body: str, use: str, first: str = "a", levels: int = 30) -> str:
    lines = [f"fn f{i}(a) = {body.format(i - 1)}" for i in range(1, levels + 1)]
    return "\n".join([f"fn f0(a) = {first}", *lines, use.format(levels)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "first"),
    [
        pytest.param("f{0}(a + 1) * f{0}(a + 2)", "a", id="other values"),
        pytest.param("f{0}([a, a]) + f{0}([a, a, a])", "sum(a)", id="other shapes"),
        pytest.param("sum b in [a, 2 * a]: f{0}(b + 1) * f{0}(b + 2)", "a", id="other axes"),
    ],
)
def test_functions_that_multiply_out_are_a_clear_error(body, first):
    text = _doubling(body, "var x: real in [0, 1]\nminimize cost: f{0}(x)", first)

    assert codes(survive(text)) == {"E0316"}


def test_functions_called_twice_with_the_same_arguments_do_not_multiply_out():
    text = _doubling("f{0}(a) * f{0}(a)", "var x: real in [0, 1]\nminimize cost: f{0}(x)")

    assert codes(survive(text)) == set()


def test_a_constant_that_multiplies_out_is_a_clear_error():
    text = _doubling("f{0}(a + 1) + f{0}(a + 2)", "const big = f{0}(1)")

    assert codes(survive(text)) == {"E0316"}


def _tower(leaf: str, body: str, use: str, levels: int = 30) -> str:
    lines = [f"spec s{i}(a) {{ {body.format(i - 1)} }}" for i in range(1, levels + 1)]
    return "\n".join([f"spec s0(a) {{ {leaf} }}", *lines, use.format(levels)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("leaf", "body", "use"),
    [
        pytest.param(
            "var x: real in [0, 1] minimize m: x * a",
            "part p = s{0}(a) part q = s{0}(a)",
            "part top = s{0}(1)",
            id="parts",
        ),
        pytest.param(
            "require r: a >= 0",
            "require p: s{0}(a + 1) require q: s{0}(a + 2)",
            "var x: real in [0, 1]\nprefer top: s{0}(x)",
            id="expressions",
        ),
    ],
)
def test_specs_that_multiply_out_are_a_clear_error(leaf, body, use):
    assert codes(survive(_tower(leaf, body, use))) == {"E0316"}


def test_specs_used_twice_with_the_same_arguments_do_not_multiply_out():
    body = "require p: s{0}(a) require q: not s{0}(a)"
    text = _tower("require r: a >= 0", body, "var x: real in [0, 1]\nprefer top: s{0}(x)")

    assert codes(survive(text)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "const N = 10^12\nvar x: real[N] in [0, 1]\nminimize m: norm(x)",
        "const N = 10^12\nvar x: real in [0, 1]\nminimize m: sum i in 1..N: x * i",
        "const N = 10^12\nvar x: real in [0, 1]\nminimize m: x * sum(zeros(N))",
        "const N = 10^12\nvar x: real in [0, 1]\nminimize m: x * sum([i for i in 1..N])",
        "const N = 10^12\nvar x: real in [0, 1]\nlet p = scan s = x over i in 1..N: s\n"
        "minimize m: p[0]",
        "const N = 10^6\nvar x: real[N] in [0, 1]\nminimize m: sum a, b in pairs(x): a * b",
        "const N = 10^6\nvar x: real[N, N] in [0, 1]\nminimize m: norm(x)",
        "const N = 10^5\nvar x: real[N] in [0, 1]\n"
        "minimize m: sum a in x: sum b in x: sum c in x: a * b * c",
        "const N = 10^12\nvar x: array[N] of rotation[3]\nminimize m: sum(x)",
        "const N = 10^12\nvar x: real in [0, 1]\nrequire r: forall i in 1..N: x <= i",
        "const N = 10^12\nvar x: real in [0, 1]\nminimize m: x * linspace(0, 1, N)[5]",
        "const N = 10^12\nvar x: real in [0, 1]\nminimize m: sum(x * eye(N))",
    ],
)
def test_an_array_of_a_million_million_elements_is_a_clear_error(text):
    assert codes(survive(text)) == {"E0316"}


@pytest.mark.parametrize(
    "number",
    ["9" * 5000, "1" + "0" * 400, "1e999", "1e-999", "0." + "0" * 5000 + "1", "10^400",
     "2^2^2^2^2^2", "9^9^9^9", "(10^15)^10", "1^9999999", "(-1)^9999999", "0^9999999", "2^-1",
     "1e308 * 10", "1 / 0", "0 / 0", "0 % 0", "10^18 * 100", "-(2^63)"],
    ids=lambda number: number[:12],
)  # fmt: skip
def test_a_number_of_any_size_survives(number):
    survive(f"const n = {number}\nvar x: real in [0, 1]\nminimize m: x * n")
    survive(f"const n = {number}\nvar x: real[n] in [0, 1]\nminimize m: norm(x)")
    survive(f"var x: real in [0, 1]\nminimize m: x * {number}")
    survive(f"var x: real[3] in [0, 1]\nminimize m: x[{number}]")
    survive(f"var x: real in [0, {number}]\nprefer m: x <= 0.5 within {number} weight {number}")


def test_a_name_of_ten_thousand_characters_survives():
    name = "n" * 10_000

    assert codes(survive(f"var {name}: real in [0, 1]\nminimize m: {name}")) == set()
    assert codes(survive(f"var {name}: real in [0, 1]\nminimize m: {name}n")) == {"E0201"}
    assert codes(survive(f"var x: real in [0, 1]\nminimize {name}: x")) == set()


def test_a_line_of_a_million_blanks_survives():
    assert codes(survive("var x: real in [0, 1]\nminimize m:" + " " * 1_000_000 + "x + y"))


@pytest.mark.slow
def test_a_hundred_thousand_comments_are_fine():
    text = "# a\n" * 100_000 + "var x: real in [0, 1]\nminimize m: x\n"

    assert codes(survive(text)) == set()


def test_of_thousands_of_statements_that_cannot_be_read_the_first_are_reported():
    text = "".join(f"let a{i} = b{i} + \n" for i in range(3000))

    assert len(survive(text)) == MOST_ERRORS


def test_thousands_of_unknown_names_are_all_reported():
    text = "var x: real in [0, 1]\n" + "".join(f"minimize m{i}: x * y{i}\n" for i in range(2000))

    assert len(survive(text)) >= 2000


def _long_spec(statements: int) -> str:
    kinds = (
        "var x{0}: real[3] in [0, 1]",
        "let d{0} = norm(x{0} - [0.5, 0.5, 0.25]) + {0}",
        "fn f{0}(a, b: real[3]) = sum((a - b)^2) / {1}",
        "prefer p{0}: d{0} <= 1 within 0.1 and f{0}(x{0}, [1, 0, 1]) >= 0.25 weight 2",
    )
    return "\n".join(kinds[i % 4].format(i // 4, i // 4 + 1) for i in range(statements))


def _calls(text: str) -> int:
    """Return how many Python functions are called on the way; the same on every machine."""
    count = 0

    def notice(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(notice)
    try:
        assert codes(survive(text)) == set()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.slow
def test_twice_the_statements_take_twice_the_work():
    _calls(_long_spec(8))  # loads what is loaded once

    half, whole = _calls(_long_spec(1000)), _calls(_long_spec(2000))

    assert whole < 2.1 * half


def test_a_spec_of_two_thousand_statements_checks():
    assert codes(survive(_long_spec(2000), build=False, seconds=10)) == set()
