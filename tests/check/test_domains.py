import pytest

from ebmlang.check.formulas import Literal
from ebmlang.lang import DomainKind, Sort, Stage
from tests.check.road import accept, read, refusals


def domain(text: str):
    program, diagnostics = read(f"given k: real\nvar x: {text}")
    assert program is not None, diagnostics
    return program.body.variables[0].domain


@pytest.mark.parametrize(
    ("text", "kind", "shape"),
    [
        ("real", DomainKind.REAL, ()),
        ("real[2, 3]", DomainKind.REAL, (2, 3)),
        ("positive[4]", DomainKind.POSITIVE, (4,)),
        ("simplex[3]", DomainKind.SIMPLEX, (3,)),
        ("unit[3]", DomainKind.UNIT, (3,)),
        ("ordered[5]", DomainKind.ORDERED, (5,)),
        ("rotation[3]", DomainKind.ROTATION, (3, 3)),
        ("array[12] of unit[3]", DomainKind.UNIT, (12, 3)),
        ("array[2, 4] of rotation[3]", DomainKind.ROTATION, (2, 4, 3, 3)),
        ("array[2] of real[3]", DomainKind.REAL, (2, 3)),
    ],
)
def test_a_domain_has_a_kind_and_a_whole_shape(text, kind, shape):
    found = domain(text)

    assert (found.kind, found.shape) == (kind, shape)


def test_bounds_are_real_and_spread_over_the_variable():
    found = domain("real[3] in [[0, 1, 2], inf]")

    assert found.lower.type.sort is Sort.REAL
    assert isinstance(found.upper, Literal)


def test_bounds_may_be_inputs():
    assert domain("real in [0, k]").upper.type.stage is Stage.GIVEN


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("int in 0..9", "E0312", "int in 0..9"),
        ("bool[3]", "E0312", "bool[3]"),
        ("label {A, C}", "E0312", "label {A, C}"),
        ("permutation[3]", "E0312", "permutation[3]"),
        ("rotation[2]", "E0312", "2"),
        ("unit", "E0310", "unit"),
        ("unit[3, 2]", "E0310", "unit[3, 2]"),
        ("simplex[0]", "E0311", "simplex[0]"),
        ("simplex[1]", "E0312", "simplex[1]"),
        ("real in [1, 0]", "E0318", "1"),
        ("real in [1, 1]", "E0318", "1"),
        ("real[2] in [[0, 0, 0], 1]", "E0302", "[0, 0, 0]"),
        ("real in [0, y]", "E0304", "y"),
        ("real in [true, 1]", "E0301", "true"),
        ("real[k]", "E0304", "k"),
        ("real[-1]", "E0311", "-1"),
        ("real[10^5, 10^5]", "E0316", "real[10^5, 10^5]"),
    ],
)
def test_a_wrong_domain_is_reported(text, code, guilty):
    assert refusals(f"given k: real\nvar y: real\nvar x: {text}") == [(code, guilty)]


def test_inputs_may_be_real_int_or_bool():
    program = accept("given a: real[2]\ngiven b: int = 3\ngiven c: bool[4]")

    assert [str(given.type) for given in program.body.givens] == ["real[2]", "int", "bool[4]"]


def test_a_default_is_spread_over_its_input():
    program = accept("given a: real[2] = 1")

    assert str(program.body.givens[0].default.type) == "real[2]"


def test_a_default_decides_a_size_that_data_may_bind():
    program = accept("given a: real[N] = [1, 2, 3]")

    assert program.sizes == ("N",)
    assert str(program.body.givens[0].type) == "real[N]"
    assert str(program.body.givens[0].default.type) == "real[3]"


def test_inputs_share_the_sizes_they_name():
    program = accept(
        "given a: real[N, M]\ngiven b: real[M]\nvar x: real[N]\nprefer t: x - a @ b ~ normal(0, 1)"
    )

    assert program.sizes == ("N", "M")


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("given a: simplex[3]", "E0312", "simplex[3]"),
        ("given a: int in 0..9", "E0108", "int in 0..9"),
        ("given a: real in [0, 1]", "E0108", "real in [0, 1]"),
        ("given a: int = 1.5", "E0301", "1.5"),
        ("given a: real[2] = [1, 2, 3]", "E0302", "[1, 2, 3]"),
        ("given b: real\ngiven a: real = b", "E0304", "b"),
        ("given a: real = 1 / 0", "E0321", "1 / 0"),
    ],
)
def test_a_wrong_input_is_reported(text, code, guilty):
    assert refusals(text) == [(code, guilty)]
