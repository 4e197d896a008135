"""How smooth an energy is: claims by hand, and a search for places that refute them.

The search: a jump of a function stays while an interval is halved around it, and so does a jump
of its derivative. Values come from the compiled energy, derivatives from torch.
"""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang import loads
from ebmlang.analysis.smoothness import Regularity
from ebmlang.analysis.spots import SMOOTH, SpotKind
from tests.analysis.road import energy_node, facts_of, total_node

torch.set_num_threads(1)

PLAIN = "var x: real in [-2, 2]\n"


def regularity_of(text: str, path: str = "e") -> Regularity:
    facts = facts_of(text)
    return facts.smoothness[energy_node(facts, path)].value


def order_of(energy: str, declarations: str = PLAIN) -> int:
    return regularity_of(f"{declarations}minimize e: {energy}").order


def kinds_of(energy: str, declarations: str = PLAIN) -> set[str]:
    spots = regularity_of(f"{declarations}minimize e: {energy}").spots
    return {spot.kind.value for spot in spots}


@pytest.mark.parametrize(
    ("energy", "order"),
    [
        ("x^2 + sin(x) * exp(x)", SMOOTH),
        ("abs(x)", 0),
        ("relu(x - 1)", 0),
        ("relu(x)^2", 1),
        ("relu(x)^3", 2),
        ("relu(x)^1.5", 1),
        ("relu(x)^2 + abs(x - 1)", 0),
        ("cosh(abs(x))", 1),
        ("abs(x)^2", SMOOTH),
        ("abs(x)^4", SMOOTH),
        ("exp(abs(x))", 0),
        ("relu(abs(x) - 1)", 0),
        ("relu(abs(x) - 1)^2", 1),
        ("sqrt(x^2)", 0),
        ("sqrt(x^2 + 1)", SMOOTH),
        ("sqrt(relu(x))", 0),
        ("sqrt(relu(x))^2", 0),
        ("floor(x)", -1),
        ("floor(x) - x", -1),
        ("floor(x / 5 + 0.5)", SMOOTH),
        ("x % 1", -1),
        ("max([x, 0])", 0),
        ("max([x, 3])", 0),
        ("abs(x + 3)", SMOOTH),
        ("relu(x + 2)", SMOOTH),
        ("relu(x - 2)", SMOOTH),
        ("log(x + 3)", SMOOTH),
        ("asin(x / 3)", SMOOTH),
        ("asin(x / 2)", SMOOTH),
        ("asin(sin(x))", 0),
        ("2^x", SMOOTH),
        ("atan2(x, 1)", SMOOTH),
        ("atan2(0 * x, x)", -1),
        ("norm([x, 1])", SMOOTH),
        ("norm([x, 0])", 0),
        ("norm([x, 0])^2", SMOOTH),
        ("softplus(x)", SMOOTH),
    ],
)
def test_the_order_of_a_composition(energy, order):
    assert order_of(energy) == order


@pytest.mark.parametrize(
    ("term", "order"),
    [
        ("prefer e: x <= 1 within 0.1", 1),
        ("prefer e: x == 1 within 0.1", 1),
        ("prefer e: x != 1 within 0.1", 0),
        ("prefer e: x <= 0 or x >= 1", 1),
        ("prefer e: x ~ normal(0, 1)", SMOOTH),
        ("prefer e: x ~ laplace(0, 1)", 0),
        ("prefer e: x ~ cauchy(0, 1)", SMOOTH),
        ("prefer e: mix(0.5: x ~ normal(0, 1), 0.5: x ~ normal(1, 1))", SMOOTH),
        ("prefer e: x ~ uniform(-1, 1)", -1),
        ("prefer e: x ~ uniform(-2, 2)", SMOOTH),
        ("prefer e: x ~ exponential(1)", -1),
    ],
)
def test_the_order_of_a_term(term, order):
    assert regularity_of(PLAIN + term).order == order


def test_the_tip_of_a_cone_inside_a_disc_is_flat():
    """At the goal itself nothing is asked, so that the kink of the distance does not show."""
    text = "var p: real[2]\nprefer e: norm(p) <= 1 within 0.1"

    assert regularity_of(text).order == 1


def test_the_tip_of_a_cone_to_be_kept_away_from_shows():
    text = "var p: real[2]\nprefer e: norm(p) >= 1 within 0.1"

    regularity = regularity_of(text)

    assert regularity.order == 0
    assert "norm(p)" in {spot.origin.span.text for spot in regularity.spots if spot.order == 0}


@pytest.mark.parametrize(
    "prior",
    ["gamma(2, 1)", "half_normal(1)", "half_cauchy(1)", "exponential(1)", "lognormal(0, 1)",
     "inv_gamma(2, 1)"],
)  # fmt: skip
def test_a_support_that_is_the_domain_is_no_wall(prior):
    assert regularity_of(f"var x: positive ~ {prior}", "x").order == SMOOTH


def test_a_beta_on_its_interval_has_no_wall():
    assert regularity_of("var x: real in [0, 1] ~ beta(2, 2)", "x").order == SMOOTH


@pytest.mark.parametrize(
    ("energy", "kinds"),
    [
        ("abs(x)", {"kink"}),
        ("floor(x)", {"jump"}),
        ("1 / x", {"pole"}),
        ("x^-2", {"pole"}),
        ("log(x)", {"pole"}),
        ("log(abs(x))", {"pole"}),
        ("tan(x)", {"pole"}),
        ("sqrt(relu(x))", {"kink", "cusp"}),
        ("exp(x)", set()),
    ],
)
def test_a_place_that_is_not_smooth_has_a_kind(energy, kinds):
    assert kinds_of(energy) == kinds


def test_a_pole_does_not_lower_the_order_of_what_is_finite():
    assert order_of("x^-2") == SMOOTH


def test_a_wall_is_said_to_be_one():
    (spot,) = regularity_of(f"{PLAIN}prefer e: x ~ uniform(-1, 1)").spots

    assert spot.kind is SpotKind.WALL


def test_edges_of_the_domain_are_no_kinks():
    assert order_of("abs(x)", "var x: real in [0, 1]\n") == SMOOTH
    assert order_of("sqrt(x)", "var x: positive\n") == SMOOTH
    assert order_of("sqrt(1 - x)", "var x: real in [0, 1]\n") == SMOOTH


def test_a_variable_that_data_fixes_is_looked_at_where_it_is():
    text = "given low: real\nvar x: real in [low, 0]\nminimize e: abs(x)"
    facts = facts_of(text, givens={"low": np.asarray(0.0)})

    assert facts.smoothness[energy_node(facts, "e")].value.order == SMOOTH


def test_a_mask_that_no_variable_moves_is_no_jump():
    text = "var x: real[4]\nprefer e: forall i in 0..3 where i % 2 == 0: x[i] >= 0 within 1"

    assert regularity_of(text).order == 1


def test_a_kink_inside_of_a_recurrence_shows():
    text = """given a: real[3]
var x: real
let states = scan s = x over b in a: {step}
minimize e: sum(states)"""

    assert regularity_of(text.replace("{step}", "abs(s) + b")).order == 0
    assert regularity_of(text.replace("{step}", "sin(s) + b")).order == SMOOTH


def test_a_kink_in_front_of_a_recurrence_shows():
    text = """given a: real[3]
var x: real
let states = scan s = abs(x) over b in a: sin(s) + b
minimize e: sum(states)"""

    assert regularity_of(text).order == 0


@pytest.mark.slow
def test_more_places_than_are_told_apart_keep_the_lowest_order():
    """Ones that vanish must not hide one that stays."""
    hinges = " + ".join(f"relu(x - {i / 20})^2" for i in range(20))
    facts = facts_of(f"{PLAIN}minimize e: {hinges} + abs(x - 0.123)")

    assert facts.smoothness[total_node(facts)].value.order == 0


# --- the search ----------------------------------------------------------------------

INNER = st.sampled_from(["x", "x - 0.375", "2 * x + 1", "x^2 - 1", "sin(3 * x)", "-x"])

OUTER = (
    "abs({a})", "relu({a})", "({a})^2", "relu({a})^2", "relu(({a}) - 0.5)", "sqrt(abs({a}))",
    "exp(-({a})^2)", "sin({a})", "softplus({a})", "max([{a}, {b}])", "min([{a}, {b}])",
    "({a}) + ({b})", "({a}) - ({b})", "({a}) * ({b})", "norm([{a}, {b}])", "norm([{a}, {b}])^2",
    "floor({a})", "sqrt(1 + ({a})^2)", "relu(1 - abs({a}))^2", "relu(abs({a}) - 0.5)^2",
    "0.5 * ({a})", "relu({a})^3", "atan2({a}, 1 + ({b})^2)", "cosh(sin({a}))",
)  # fmt: skip


@st.composite
def functions(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a function of x that is finite on [-2, 2]."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(INNER)
    form = draw(st.sampled_from(OUTER))
    parts = {"a": draw(functions(depth - 1))}
    if "{b}" in form:
        parts["b"] = draw(functions(depth - 1))
    return form.format(**parts)


GRID = 4001
"""Points on which a jump is first looked for."""

HALVINGS = 30
"""After it an interval is 1e-12 wide: above rounding, and far below everything else."""

JUMP = 1e-5
"""A change over such an interval of more than this times the size of the function is a jump."""


def has_jump(function, grid) -> bool:
    """Whether a function changes over the last of a row of halved intervals."""
    values = np.abs(function(grid))
    low, high = grid[:-1], grid[1:]
    most = np.argsort(np.abs(function(high) - function(low)))[-20:]
    low, high = low[most], high[most]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        left = np.abs(function(middle) - function(low))
        right = np.abs(function(high) - function(middle))
        low, high = np.where(left >= right, low, middle), np.where(left >= right, middle, high)
    change = np.abs(function(high) - function(low)).max()
    return bool(change > JUMP * (1.0 + values.max()))


# Off the coarse numbers at which kinks lie.
POINTS = np.linspace(-2 + 1e-7, 2 - 1e-7, GRID)


@pytest.mark.parametrize("jump", [np.floor, lambda x: np.sign(x - 0.375), lambda x: 0.01 * (x > 1)])
def test_the_search_finds_a_jump(jump):
    assert has_jump(jump, POINTS)


@pytest.mark.parametrize("smooth", [np.sin, np.abs, lambda x: x**8, lambda x: 1e3 * np.exp(3 * x)])
def test_the_search_finds_no_jump_where_there_is_none(smooth):
    assert not has_jump(smooth, POINTS)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(energy=functions())
def test_no_place_refutes_the_order_that_is_claimed(energy):
    text = f"{PLAIN}minimize e: {energy} + 0 * x"
    order = regularity_of(text).order
    module = loads(text).compile()

    def value(x):
        with torch.no_grad():
            return module({"x": torch.tensor(x, dtype=torch.float64)}).numpy()

    def slope(x):
        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(module({"x": leaf}).sum(), leaf)
        return gradient.numpy()

    # The root of a root changes a lot over any interval.
    if order >= 0 and energy.count("sqrt(abs") < 2:
        assert not has_jump(value, POINTS)
    if order >= 1:
        assert not has_jump(slope, POINTS)


def test_densities_told_apart_twice_have_no_jump_where_both_are_positive():
    text = "var x: real\nprefer e: unlike(x ~ normal(0, 2), x ~ normal(1, 1))"

    assert regularity_of(text).order == SMOOTH
