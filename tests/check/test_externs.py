from ebmlang.check import Extern
from ebmlang.check.formulas import Apply, Convert, Relation, RelationOperator
from ebmlang.lang import Sort, Stage
from tests.check.road import accept, refusals, term

EXTERNS = {
    "margin": Extern(name="margin", sort=Sort.CONSTRAINT),
    "cost": Extern(name="cost", sort=Sort.ENERGY),
    "field": Extern(name="field", sort=Sort.REAL, shape=(3,)),
}


def test_a_constraint_from_outside_is_a_margin_that_is_not_negative():
    program = accept("var x: real[2]\nrequire t: margin(x, 1)", externs=EXTERNS)

    found = term(program, "t").value
    assert isinstance(found, Relation)
    assert found.operator is RelationOperator.GE
    assert isinstance(found.left, Apply)
    assert (found.left.operator, found.left.options) == ("extern", (("name", "margin"),))
    assert all(a.type.sort is Sort.REAL for a in found.left.arguments)


def test_an_energy_from_outside_is_converted():
    program = accept("var x: real\nprefer t: cost(x)", externs=EXTERNS)

    assert isinstance(term(program, "t").value, Convert)


def test_an_array_from_outside_has_its_shape_and_is_never_a_constant():
    program = accept("minimize t: sum(field(1))\nlet a = field()", externs=EXTERNS)

    inner = term(program, "t").value.arguments[0]
    assert inner.type.shape == (3,)
    assert inner.type.stage is Stage.GIVEN


def test_a_function_from_outside_takes_numbers():
    assert refusals("prefer t: cost(true)", externs=EXTERNS) == [("E0301", "true")]
