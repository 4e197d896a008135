import pytest

from ebmlang.check.formulas import Apply, Connective, Convert, Logical, Mixture
from ebmlang.lang import Sort
from tests.check.road import accept, refusals, refuse, sort_and_shape, term, value


def test_logic_on_constraints_is_a_constraint_in_the_logic_of_the_file():
    found = value("x >= 0 or not x >= 1", "logic godel")

    assert isinstance(found, Logical)
    assert (found.connective, found.logic) == (Connective.OR, "godel")


def test_a_spec_may_have_its_own_logic():
    program = accept(
        """
        logic godel
        spec own(a) { logic product  prefer t: a >= 0 and a <= 1 }
        spec same(a) { prefer t: a >= 0 and a <= 1 }
        var x: real
        part p = own(x)
        part q = same(x)
        """
    )

    logics = [part.instance.body.terms[0].value.logic for part in program.body.definitions]
    assert logics == ["product", "godel"]


def test_a_truth_value_in_a_formula_is_converted():
    found = value("flag implies x >= 0")

    assert isinstance(found.operands[0], Convert)


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("x ~ normal(0, 1) and v[0] >= 0", "energy"),
        ("energy(x) and x >= 0", "energy"),
        ("x ~ normal(0, 1) and v ~ normal(0, 1)", "density"),
        ("x ~ normal(0, 1) and v ~ normal(x, 1)", "density"),
        ("x ~ normal(sum(v), 1) and v ~ normal(x, 1)", "energy"),
        ("x ~ normal(0, 1) and x ~ normal(1, 1)", "energy"),
        ("x ~ normal(0, 1) and 2 * x ~ normal(1, 1)", "energy"),
        ("x ~ normal(x, 1)", "energy"),
        ("x ~ normal(0, 1) or x ~ normal(1, 1)", "density"),
        ("(x - 1) ~ normal(0, 1) or x - 1 ~ normal(1, 1)", "density"),
        ("mix(0.3: x ~ normal(0, 1), 0.7: x ~ cauchy(0, 1))", "density"),
        ("unlike(x ~ normal(0, 1), x ~ normal(1, 1))", "energy"),
        ("softmin(x >= 0, x ~ normal(0, 1), energy(x))", "energy"),
        ("tempered(x ~ normal(0, 1), 2)", "energy"),
        ("repel(x ~ normal(0, 1), 2)", "energy"),
        ("repel(x >= 0, 2)", "energy"),
        ("repel(energy = energy(x), strength = 0.5)", "energy"),
        ("x >= 0 iff flag", "constraint"),
    ],
)
def test_the_sort_of_a_formula(text, sort):
    assert sort_and_shape(text) == sort


def test_left_sides_are_compared_through_lets_and_functions():
    declarations = """
        let gap = x - 1
        fn near(a, m) = a ~ normal(m, 1)
    """

    assert sort_and_shape("gap ~ normal(0, 1) or x - 1 ~ normal(1, 1)", declarations) == "density"
    assert sort_and_shape("near(x, 0) or near(x, 1)", declarations) == "density"
    assert sort_and_shape("near(x, 0) and near(v, 1)", declarations) == "density"


def test_a_function_of_densities_knows_their_left_sides():
    declarations = "fn either(a, b) = a or b"

    text = "either(x ~ normal(0, 1), x ~ normal(1, 1))"

    assert sort_and_shape(text, declarations) == "density"


def test_a_function_called_with_its_left_side_as_parameter_gives_a_plain_energy():
    declarations = "fn step(a, b) = b ~ normal(a, 1)"

    assert sort_and_shape("step(x, x)", declarations) == "energy"


def test_densities_of_different_arguments_are_not_mixed():
    text = """
        fn near(a, m) = a ~ normal(m, 1)
        var x: real var y: real
        prefer t: near(x, 0) or near(y, 0)
    """

    assert refusals(text) == [("E0308", "near(y, 0)")]


def test_a_mixture_keeps_its_weights():
    found = value("mix(0.3: x ~ normal(0, 1), 2: x ~ normal(1, 1))")

    assert isinstance(found, Mixture)
    assert [weight.value for weight in found.weights] == [0.3, 2.0]


def test_softmin_takes_its_operands_as_energies():
    found = value("softmin(x >= 0, energy(x))")

    assert isinstance(found, Apply)
    assert [argument.type.sort for argument in found.arguments] == [Sort.ENERGY, Sort.ENERGY]


def test_the_density_of_a_member_is_a_plain_energy():
    program = accept(
        """
        spec s() { var y: real  let pull = y ~ normal(0, 1)  prefer t: y >= 0 }
        part p = s()
        prefer all: p.pull
        """
    )

    assert term(program, "all").value.type.sort is Sort.ENERGY


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("x >= 0 and x", "E0301", "x"),
        ("flags and x >= 0", "E0310", "flags"),
        ("not x", "E0301", "x"),
        ("not energy(x)", "E0307", "not energy(x)"),
        ("not (x ~ normal(0, 1))", "E0307", "not (x ~ normal(0, 1))"),
        ("energy(x) or x >= 0", "E0306", "energy(x)"),
        ("x ~ normal(0, 1) or x >= 0", "E0306", "x >= 0"),
        ("x >= 0 implies energy(x)", "E0306", "energy(x)"),
        ("x ~ normal(0, 1) or y ~ normal(0, 1)", "E0308", "y ~ normal(0, 1)"),
        ("mix(1: energy(x), 1: x ~ normal(0, 1))", "E0306", "energy(x)"),
        ("mix(0: x ~ normal(0, 1), 1: x ~ normal(0, 1))", "E0311", "0"),
        ("mix(x: x ~ normal(0, 1), 1: x ~ normal(0, 1))", "E0304", "x"),
        ("unlike(energy(x), x ~ normal(0, 1))", "E0306", "energy(x)"),
        ("softmin(energy(x))", "E0303", "softmin(energy(x))"),
        ("softmin(x, energy(x))", "E0301", "x"),
        ("energy([x, y])", "E0310", "[x, y]"),
        ("tempered(energy(x), 0)", "E0311", "0"),
        ("tempered(energy(x), y)", "E0304", "y"),
        ("repel(x, 1)", "E0301", "x"),
        ("repel(energy(x))", "E0303", "repel(energy(x))"),
        ("repel(energy(x), 0)", "E0311", "0"),
        ("repel(energy(x), -1)", "E0311", "-1"),
        ("repel(energy(x), inf)", "E0311", "inf"),
        ("repel(energy(x), y)", "E0304", "y"),
    ],
)
def test_a_wrong_formula_is_reported(text, code, guilty):
    assert refusals(f"var x: real var y: real given flags: bool[2] let a = {text}") == [
        (code, guilty)
    ]


def test_or_on_an_energy_offers_the_ways_out():
    (found,) = refuse("var x: real\nprefer t: energy(x) or energy(-x)")

    assert "normalize" in found.helps[0]
    assert "softmin" in found.helps[1]
    assert "within" in found.helps[2]


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("logic fuzzy", "E0201", "fuzzy"),
        ("logic godel\nlogic product", "E0210", "logic product"),
        ("default within 1\ndefault within 2", "E0210", "default within 2"),
        ("default within 0", "E0311", "0"),
    ],
)
def test_wrong_settings_are_reported(text, code, guilty):
    assert refusals(text) == [(code, guilty)]
