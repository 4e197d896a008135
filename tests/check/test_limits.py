import sys
import time

import pytest

from tests.check.road import accept, refusals

PLENTY = 10.0
"""Seconds; far more than is needed, so that only what does not end fails."""


def test_a_chain_of_definitions_written_backwards_is_followed():
    lines = [f"let a{i} = a{i + 1} + 1" for i in range(2000)]

    accept("\n".join([*lines, "var a2000: real", "minimize t: a0"]))


def test_two_thousand_wrong_names_are_reported_in_time():
    lines = [f"minimize t{i}: nope{i} + x" for i in range(2000)]
    before = time.process_time()

    found = refusals("\n".join(["var x: real", *lines]))

    assert len(found) == 2000
    assert time.process_time() - before < PLENTY


def test_the_recursion_limit_is_what_it_was():
    before = sys.getrecursionlimit()

    accept("var x: real\nminimize t: x")

    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("let a = " + "[" * 150 + "1" + "]" * 150, "E0316"),
        ("fn f(a) = [a, a]\nlet a = " + "f(" * 20 + "1" + ")" * 20, "E0316"),
        ("var x: real[10^5]\nlet a = sum p, q in pairs(x): p * q", "E0316"),
        ("var x: real[10^5]\nlet a = [[p * q for p in x] for q in x]", "E0316"),
    ],
)
def test_what_grows_too_large_is_refused(text, code):
    assert [found for found, _ in refusals(text)] == [code]


def test_parts_that_double_at_each_level_are_looked_at_once():
    lines = ["spec s0(a) { prefer t: a >= 0 }"]
    lines += [
        f"spec s{i}(a) {{ part q = s{i - 1}(a)  part r = s{i - 1}(a) }}" for i in range(1, 60)
    ]

    accept("\n".join([*lines, "var x: real", "prefer t: s59(x)"]))


@pytest.mark.slow
def test_two_thousand_statements_check_in_seconds():
    lines = ["fn dist(a, b) = norm(a - b)"]
    for i in range(500):
        lines += [
            f"var x{i}: real[2] in [0, 1]",
            f"let d{i} = dist(x{i}, x{i * 7 % 500}) + 2 * {i}",
            f"require r{i}: d{i} >= 0.5 within 0.1 and x{i}[0] <= 0.9",
            f"prefer p{i}: x{i} ~ normal(0, 1)",
        ]
    before = time.process_time()

    accept("\n".join(lines))

    assert time.process_time() - before < PLENTY
