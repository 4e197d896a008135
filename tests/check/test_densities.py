import pytest

from ebmlang.check.formulas import Call, Convert, Density
from ebmlang.check.program import Role
from ebmlang.lang import Sort
from ebmlang.lang.distributions import DISTRIBUTIONS
from tests.check.road import accept, refusals, term, value
from tests.road import typed

LEFT = {
    "dirichlet": "simple",
    "mv_normal": "v",
    "categorical": "k",
    "poisson": "k",
    "bernoulli": "k",
    "binomial": "k",
}
ARGUMENTS = {
    "dirichlet": "[1, 2, 3]",
    "mv_normal": "[0, 0, 0], eye(3)",
    "categorical": "[0.2, 0.8]",
}


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
def test_every_distribution_has_an_energy_in_the_standard_library(name):
    distribution = DISTRIBUTIONS[name]
    numbers = ", ".join(str(i + 1) for i in range(len(distribution.parameters)))
    left, arguments = LEFT.get(name, "x"), ARGUMENTS.get(name, numbers)

    found = value(f"{left} ~ {name}({arguments})", "var simple: simplex[3]")

    assert isinstance(found, Density)
    assert isinstance(found.energy, Call)
    assert found.energy.instance.name == name
    assert found.energy.arguments == (found.left, *found.arguments)
    assert found.energy.type.shape == ()


def test_an_elementwise_energy_has_the_shape_of_its_left_side():
    found = value("m ~ normal(v, 1)")

    assert found.energy.type.shape == (2, 3)


def test_a_prior_is_a_term_under_the_name_of_its_variable():
    program = accept("var x: real[3] ~ normal(mu, 1)\nvar mu: real ~ normal(0, 1)")

    prior = term(program, "x")
    assert (prior.role, prior.value.type.sort) == (Role.PREFER, Sort.DENSITY)
    assert [t.name for t in program.body.terms] == ["x", "mu"]


def test_whole_numbers_are_taken_as_real_by_a_density_of_reals():
    found = value("ints ~ normal(0, 1)")

    assert isinstance(found.left, Convert)


def test_truth_values_are_counted():
    found = value("flag ~ bernoulli(0.5)")

    assert isinstance(found.left, Convert)
    assert found.left.type.sort is Sort.INT


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("x ~ normal(0)", "E0303", "normal(0)"),
        ("x ~ normal(0, 1, 2)", "E0303", "2"),
        ("x ~ normal(0, 0)", "E0311", "0"),
        ("x ~ normal(0, -1)", "E0311", "-1"),
        ("x ~ gamma(1, [1, 0])", "E0302", "[1, 0]"),
        ("v ~ gamma(1, [1, 0, 2])", "E0311", "[1, 0, 2]"),
        ("x ~ uniform(1, 0)", "E0318", "1, 0"),
        ("v ~ normal([0, 0], 1)", "E0302", "[0, 0]"),
        ("x ~ norml(0, 1)", "E0204", "norml"),
        ("x ~ f(0, 1)", "E0204", "f"),
        ("x ~ poisson(1)", "E0301", "x"),
        ("x >= 0 ~ normal(0, 1)", "E0102", "~"),
        ("(x >= 0) ~ normal(0, 1)", "E0301", "(x >= 0)"),
        ("x ~ normal(x >= 0, 1)", "E0301", "x >= 0"),
        ("x ~ mv_normal([0], [[1]])", "E0310", "x"),
        ("v ~ mv_normal([0, 0, 0], [1, 1, 1])", "E0310", "[1, 1, 1]"),
        ("v ~ mv_normal([0, 0, 0], eye(2))", "E0302", "eye(2)"),
        ("ks ~ categorical([0.5, 0.5])", "E0310", "ks"),
    ],
)
def test_a_wrong_density_is_reported(text, code, guilty):
    declarations = "fn f(a, b) = a + b var x: real var v: real[3] given ks: int[4]"

    assert refusals(f"{declarations} prefer t: {text}") == [(code, guilty)]


def test_parameters_may_be_named_as_the_distribution_names_them():
    """`mean` is a reserved word, and still the name of a parameter."""
    by_place = typed("var x: real\nprefer p: x ~ normal(2, 3)")
    by_name = typed("var x: real\nprefer p: x ~ normal(sd = 3, mean = 2)")

    (first,), (second,) = (program.body.terms for program in (by_place, by_name))
    assert [a.value for a in first.value.arguments] == [a.value for a in second.value.arguments]
