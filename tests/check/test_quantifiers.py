import pytest

from ebmlang.check.formulas import IterationKind, Quantified, QuantifierKind, Scan
from tests.check.road import accept, refusals, sort_and_shape, value


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("forall a in v: a >= 0", "constraint"),
        ("exists a in v: a >= 0", "constraint"),
        ("forall f in flags: f", "constraint"),
        ("forall a in v: a ~ normal(0, 1)", "energy"),
        ("forall a in v: energy(a)", "energy"),
        ("exists a in reals: x ~ normal(a, 1)", "density"),
        ("sum a in v: a^2", "real"),
        ("sum i in 0..3: i", "int"),
        ("sum row in m: row", "real[3]"),
        ("mean i in 0..3: i", "real"),
        ("min i in 0..3: i", "int"),
        ("min i in 0..3 where i >= 1: i", "real"),
        ("max a, b in pairs(v): a - b", "real"),
        ("[a + b for a, b in adjacent(v)]", "real[2]"),
        ("[a * b for a, b in pairs(v)]", "real[3]"),
        ("[row @ v for row in m]", "real[2]"),
        ("[i * a for i, a in enumerate(m)]", "real[2, 3]"),
        ("[a * b for a, b in product(v, reals)]", "real[12]"),
        ("[a + b + c for a, b, c in zip(v, v, v)]", "real[3]"),
        ("[i for i in 3..2]", "int[0]"),
        ("scan s = 0 over a in v: s + a", "real[4]"),
        ("scan s = [0, 0] over a in v: [s[1], a]", "real[4, 2]"),
        ("scan s = 1 over i in 1..3: s * i", "int[4]"),
        ("scan s = 0 over a, b in adjacent(v): s + a * b", "real[3]"),
    ],
)
def test_the_type_of_a_quantifier(text, type_):
    assert sort_and_shape(text, "given flags: bool[2]") == type_


def test_an_iteration_says_what_it_runs_over():
    found = value("sum i in 1..3 where i >= 2: i")

    assert isinstance(found, Quantified)
    assert found.kind is QuantifierKind.SUM
    assert (found.iteration.kind, found.iteration.bounds) == (IterationKind.RANGE, (1, 3))
    assert found.iteration.count == 3
    assert found.iteration.condition is not None


def test_a_product_holds_its_factors():
    iteration = value("sum a, b in product(v, reals): a * b").iteration

    assert iteration.kind is IterationKind.PRODUCT
    assert [factor.binders for factor in iteration.factors] == [
        (symbol,) for symbol in iteration.binders
    ]


def test_a_start_of_whole_numbers_becomes_real_where_the_states_are():
    found = value("scan s = 0 over a in v: s + a")

    assert isinstance(found, Scan)
    assert str(found.start.type) == "real"


def test_an_index_inside_a_range_is_proved_to_stay_inside():
    accept("const N = 4\nvar x: real[N]\nrequire t: forall i in 0..N - 2: x[i + 1] >= x[i]")

    text = "const N = 4\nvar x: real[N]\nrequire t: forall i in 0..N - 1: x[i + 1] >= x[i]"
    assert refusals(text) == [("E0309", "i + 1")]


def test_a_condition_may_keep_an_index_inside():
    accept("var x: real[4]\nrequire t: forall i in 0..3 where i < 3: x[i + 1] >= x[i]")


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("forall a in v: a", "E0301", "a"),
        ("exists a in v: energy(a)", "E0306", "energy(a)"),
        ("exists a in v: a ~ normal(0, 1)", "E0308", "a ~ normal(0, 1)"),
        ("sum a in v: a >= 0", "E0301", "a >= 0"),
        ("forall a, b in v: a >= b", "E0303", "a, b"),
        ("forall a in pairs(v): a >= 0", "E0303", "a"),
        ("forall a, a in pairs(v): a >= 0", "E0202", "a"),
        ("forall a in x: a >= 0", "E0310", "x"),
        ("forall a in 0..k: a >= 0", "E0304", "k"),
        ("forall a, b in zip(v, reals): a >= b", "E0302", "zip(v, reals)"),
        ("forall a, b in pairs(v, v): a >= b", "E0303", "pairs(v, v)"),
        ("forall a, b in pairs(x): a >= b", "E0310", "x"),
        ("forall a in v where a >= 0: a >= 1", "E0313", "a >= 0"),
        ("sum i in 0..10^9: i", "E0316", "0..10^9"),
        ("mean a in v[1..0]: a", "E0311", "v[1..0]"),
        ("[a >= 0 for a in v]", "E0301", "a >= 0"),
        ("scan s = x over a in v: [s, a]", "E0319", "[s, a]"),
        ("scan s = x over a in v: s >= a", "E0301", "s >= a"),
        ("scan s = (x >= 0) over a in v: s", "E0301", "(x >= 0)"),
        ("scan s = x over i in 1..10^6: s + i", "E0316", "1..10^6"),
    ],
)
def test_a_wrong_quantifier_is_reported(text, code, guilty):
    declarations = "var x: real var v: real[3] given k: int given reals: real[4]"

    assert refusals(f"{declarations} let z = {text}") == [(code, guilty)]
