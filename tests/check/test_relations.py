import pytest

from ebmlang.check.formulas import Connective, Convert, Literal, Logical, Relation, RelationOperator
from ebmlang.lang import Sort
from tests.check.road import accept, refusals, term, value


def relation(text: str, declarations: str = "") -> Relation:
    found = value(text, declarations)
    assert isinstance(found, Relation)
    return found


def tolerance(found: Relation) -> float:
    assert isinstance(found.tolerance, Literal)
    return found.tolerance.value


def test_less_on_reals_is_less_or_equal():
    assert relation("x < 1").operator is RelationOperator.LE
    assert relation("x > 1").operator is RelationOperator.GE


def test_less_on_integers_stays():
    found = relation("k < 1")

    assert (found.operator, found.tolerance) == (RelationOperator.LT, None)


def test_an_inequality_without_tolerance_has_scale_one():
    assert tolerance(relation("x <= 1")) == 1.0


def test_the_default_tolerance_stands_in_for_a_missing_one():
    assert tolerance(relation("x == 1", "default within 0.25")) == 0.25
    assert tolerance(relation("x == 1 within 0.5", "default within 0.25")) == 0.5


def test_a_spec_has_its_own_default_tolerance():
    program = accept(
        """
        default within 0.1
        spec s(a) { default within 0.2  prefer inside: a == 1 }
        var x: real
        part p = s(x)
        prefer outside: x == 1
        """
    )

    inside = program.body.definitions[0].instance.body.terms[0].value
    assert tolerance(inside) == 0.2
    assert tolerance(term(program, "outside").value) == 0.1


def test_integers_with_a_tolerance_are_compared_as_reals():
    found = relation("k == 2 within 1")

    assert isinstance(found.left, Convert)
    assert found.left.type.sort is Sort.REAL


def test_a_chain_is_the_and_of_its_links():
    found = value("0 <= x < 1 within 0.1")

    assert isinstance(found, Logical)
    assert found.connective is Connective.AND
    assert [tolerance(link) for link in found.operands] == [0.1, 0.1]
    assert found.operands[0].right is found.operands[1].left


def test_a_relation_of_arrays_is_one_constraint():
    assert value("m <= v").type.shape == ()


def test_a_tolerance_may_be_an_input():
    accept("given s: real\nvar x: real\nprefer a: x == 1 within s")


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("x == 1", "E0305", "x == 1"),
        ("x != 1", "E0305", "x != 1"),
        ("x <= 1 within 0", "E0311", "0"),
        ("x <= 1 within -2", "E0311", "-2"),
        ("x <= 1 within inf", "E0311", "inf"),
        ("x <= 1 within x", "E0304", "x"),
        ("x <= 1 within true", "E0301", "true"),
        ("v <= reals", "E0302", "v <= reals"),
        ("v <= 1 within reals", "E0302", "v <= 1 within reals"),
        ("x <= true", "E0301", "x <= true"),
        ("flag <= true", "E0301", "flag <= true"),
        ("(x <= 1) == (x <= 2)", "E0301", "(x <= 1)"),
    ],
)
def test_a_wrong_relation_is_reported(text, code, guilty):
    declarations = "var x: real var v: real[3] given flag: bool given reals: real[4]"

    assert refusals(f"{declarations} let a = {text}") == [(code, guilty)]
