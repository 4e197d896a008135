import math

import pytest

from ebmlang.check.formulas import Literal
from ebmlang.check.program import Let
from tests.check.road import accept, read, refusals, warnings


def constant(text: str, declarations: str = "", **constants) -> int | float | bool:
    program = accept(f"{declarations}\nconst answer = {text}", constants=constants)
    (found,) = [d for d in program.body.definitions if d.symbol.name == "answer"]
    assert isinstance(found, Let)
    assert isinstance(found.value, Literal)
    return found.value.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("7 % 3", 1),
        ("-7 % 3", 2),
        ("2^10", 1024),
        ("10^12", 10**12),
        ("1 / 4", 0.25),
        ("2 * pi", 2 * math.pi),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("floor(2.5)", 2.0),
        ("sum([1, 2, 3])", 6),
        ("norm([3, 4])", 5.0),
        ("[10, 20, 30][1]", 20),
        ("sum([10, 20, 30][1..2])", 50),
        ("det([[1, 2], [3, 4]])", pytest.approx(-2.0)),
        ("sum(zeros(3)) + sum(ones(2, 2)) + sum(eye(3))", 7.0),
        ("sum(linspace(0, 1, 3))", 1.5),
        ("size([[1, 2, 3]], 1)", 3),
        ("sum i in 1..4: i^2", 30),
        ("prod i in 1..5: i", 120),
        ("max a, b in pairs([1, 5, 2]): b - a", 4.0),
        ("sum a, b in adjacent([1, 5, 2]): abs(b - a)", 7),
        ("sum a, b in zip([1, 2], [3, 4]): a * b", 11),
        ("sum i, a in enumerate([5, 6]): i * a", 6),
        ("sum a, b in product([1, 2], [3, 4]): a * b", 21),
        ("sum i in 0..9 where i % 2 == 0: i", 20),
        ("mean i in 0..3: i", 1.5),
        ("sum(scan s = 1 over i in 1..3: s * i)", 10),
        ("sum([i^2 for i in 0..3])", 14),
        ("if 1 < 2 then 5 else 6", 5),
        ("if not (1 < 2 and 2 == 3) then 5 else 6", 5),
        ("if 1 == 2 implies 1 == 3 then 5 else 6", 5),
        ("if 1 == 1 iff 1 == 2 then 5 else 6", 6),
        ("if exists i in 0..3: i == 3 then 5 else 6", 5),
        ("if not forall i in 0..3: i >= 1 then 5 else 6", 5),
        ("if true == false then 5 else 6", 6),
        ("if 1.05 == 1.0 within 0.1 then 5 else 6", 5),
    ],
)
def test_constants_are_evaluated(text, expected):
    assert constant(text) == expected


def test_constants_use_functions_and_other_constants():
    assert constant("f(N) + 1", "const N = 5\nfn f(n) = n * n + size(zeros(n))") == 31


def test_a_constant_given_from_outside_stands_in_for_the_one_written():
    assert constant("2 * N", "const N = 3", N=7) == 14


def test_a_constant_from_outside_decides_shapes():
    program = accept("const N = 3\nvar x: real[N]\nminimize t: sum(x)", constants={"N": 7})

    assert program.body.variables[0].domain.shape == (7,)


def test_an_unknown_constant_from_outside_is_reported():
    _, (found,) = read("const width = 3", constants={"widht": 4})

    assert found.code == "E0902"
    assert "did you mean `width`?" in found.helps


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("const a = 1 / 0", "E0321", "1 / 0"),
        ("const a = 1 + log(-1)", "E0321", "log(-1)"),
        ("const a = inf - inf", "E0321", "inf - inf"),
        ("const a = [1, 0 / 0]", "E0321", "0 / 0"),
        ("const a = inv([[1, 2], [2, 4]])", "E0321", "inv([[1, 2], [2, 4]])"),
        ("const a = 3 % 0", "E0321", "3 % 0"),
        ("let a = sqrt(-1)", "E0321", "sqrt(-1)"),
        ("const a = 10^30", "E0316", "10^30"),
        ("var x: real\nconst a = x", "E0304", "x"),
        ("given k: real\nconst a = 2 * k", "E0304", "2 * k"),
        ("const a = 1 <= 2", "E0301", "1 <= 2"),
        ("const N = 2.5\nvar x: real[N]", "E0304", "N"),
        ("const N = 10^12\nvar x: real[N]", "E0316", "N"),
        ("const a = zeros(10^4, 10^4)", "E0316", "zeros(10^4, 10^4)"),
        ("const a = sum i in 1..10^6: i", "E0316", "sum i in 1..10^6: i"),
        ("const a = true + 1", "E0301", "true"),
        ("const a = mean i in 1..0: i", "E0311", "1..0"),
    ],
)
def test_a_wrong_constant_is_reported(text, code, guilty):
    assert refusals(text) == [(code, guilty)]


def test_a_whole_real_constant_is_a_size():
    program = accept("const N = 6 / 2\nvar x: real[N]\nminimize t: sum(x)")

    assert program.body.variables[0].domain.shape == (3,)


def test_infinite_bounds_are_fine():
    assert warnings("const lo = [-inf, 0]\nvar x: real[2] in [lo, inf]\nminimize t: sum(x)") == []


@pytest.mark.slow
def test_functions_that_multiply_out_are_not_evaluated_for_ever():
    lines = ["fn f0(x) = x + 1"]
    lines += [f"fn f{i}(x) = f{i - 1}(x) + f{i - 1}(x)" for i in range(1, 31)]

    found = refusals("\n".join([*lines, "const a = f30(1.0)"]))

    assert [code for code, _ in found] == ["E0316"]
