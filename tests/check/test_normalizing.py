"""`normalize`: what it is a density of, and what it may depend on."""

import pytest

from ebmlang.check.formulas import Normalized
from ebmlang.check.walk import reach_expressions
from tests.check.road import accept, refusals, sort_and_shape, term


def names(text):
    """Return the names of all integrals of a program."""
    body = accept(text).body
    return sorted(e.name for e in reach_expressions(body) if isinstance(e, Normalized))


@pytest.mark.parametrize(
    "energy",
    ["energy(x^2)", "x <= 1", "x ~ normal(0, 1)", "energy(x^2) and x >= 0", "x > 1 or x < 0"],
)
def test_every_kind_of_energy_can_be_normalized(energy):
    assert sort_and_shape(f"normalize({energy})") == "density"


@pytest.mark.parametrize(
    "energy",
    [
        "energy(sum(v^2))",
        "energy(sum a in v: a^2)",
        "forall a in v: a <= 1",
        "energy(twice)",
        "shell(v)",
        "energy(last(scan s = 0.0 over a in v: s + a))",
        "energy(k * sum(v^2))",
        "soft(v)",
    ],
)
def test_it_is_a_density_of_the_variables_behind_names_and_calls(energy):
    accept(
        f"""
        var v: real[3]
        given k: real
        let twice = 2 * norm(v)
        fn last(a: real[n]) = a[n - 1]
        fn shell(a: real[n]) = energy(norm(a) * k)
        spec soft(a: real[n]) {{ let wide = norm(a)  prefer low: wide <= 1 }}
        prefer t: mix(0.5: normalize({energy}), 0.5: v ~ normal(0, 1))
        """
    )


def test_the_variable_of_a_part_is_one_left_side_however_it_is_reached():
    accept(
        """
        spec leg(hip: real) { var knee: real  let bend = knee - hip  prefer low: knee <= 1 }
        var base: real
        part left = leg(base)
        prefer one: normalize(energy(left.knee^2)) or left.knee ~ normal(0, 1)
        prefer two: normalize(energy(left.bend^4 + base^2)) or
          (left.knee ~ normal(0, 1) and base ~ normal(0, 1))
        """
    )


def test_other_variables_behind_a_part_are_other_left_sides():
    found = refusals(
        """
        spec leg(hip: real) { var knee: real  let bend = knee - hip  prefer low: knee <= 1 }
        var base: real
        part left = leg(base)
        prefer t: normalize(energy(left.bend^4)) or left.knee ~ normal(0, 1)
        """
    )

    assert found == [("E0308", "left.knee ~ normal(0, 1)")]


def test_a_function_of_a_fixed_number_has_one_integral_for_each():
    text = "var x: real fn bowl(n) = normalize(energy(x^n)) prefer t: bowl(2) or bowl(4)"

    assert names(text) == ["t", "t:2"]


def test_integrals_are_named_by_their_statements():
    text = """
    var x: real
    let low = normalize(energy(x^2))
    prefer t: low or normalize(energy(x^4)) or normalize(energy(x^6))
    prefer u: normalize(energy(x^8))
    """

    assert names(text) == ["low", "t", "t:2", "u"]


def test_a_normalized_density_inside_of_another_is_one():
    text = "var x: real prefer t: normalize(normalize(energy(x^2)) or normalize(energy(x^4)))"

    assert names(text) == ["t", "t:2", "t:3"]


def test_a_product_of_densities_is_one_where_one_of_them_is_normalized():
    program = accept(
        "var x: real var y: real prefer t: normalize(energy(x^4)) and y ~ normal(x, 1)"
    )

    assert str(term(program, "t").value.type) == "density"


MOVING = "normalize(energy((x - c)^2))"


@pytest.mark.parametrize(
    ("text", "guilty"),
    [
        (f"fn f(c) = {MOVING} prefer t: f(x + 0.5)", MOVING),
        (f"prefer t: forall c in [0.5, 1.5]: {MOVING}", MOVING),
        ("given k: real prefer t: normalize(energy(k)) and x ~ normal(k, 1)", "energy(k)"),
    ],
)
def test_what_has_not_one_integral_is_refused(text, guilty):
    assert refusals(f"var x: real {text}") == [("E0322", guilty)]
