"""`normalize(A)`, compiled, is A plus the input that its path names, as the oracle has it."""

import numpy as np
import pytest

from ebmlang.analysis import GraphFacts, Inputs
from ebmlang.analysis.verdict import Answer
from ebmlang.graph import RootKind
from ebmlang.graph.build import build_graph
from ebmlang.graph.integrands import extract_integrand, list_integrands
from ebmlang.passes import ANALYZED, PASSES, optimize
from ebmlang.testing.laws import assert_kernel_matches_oracle
from ebmlang.testing.strategies import Case
from ebmlang.testing.values import by_torch, compiled
from tests.road import typed

TEXT = """
spec leg() {
  var knee: real in [0, 2]
  given k: real
  prefer bend: normalize(energy(k * knee^2)) or normalize(knee >= 1 within 0.5)
}
part left = leg()
part right = leg() weight 3
var x: real[2]
let shell = normalize(energy((norm(x) - 1)^2))
fn bowl(c: real[2]) = energy(sum((x - c)^4))
prefer place: mix(0.3: normalize(bowl([0, 0])), 0.7: normalize(bowl([1, 0])), 1: shell)
"""

INTEGRALS = {
    "log Z of left.bend": -1.25,
    "log Z of left.bend:2": 0.5,
    "log Z of right.bend": 2.0,
    "log Z of right.bend:2": -0.75,
    "log Z of shell": 1.5,
    "log Z of place": -0.5,
    "log Z of place:2": 3.0,
}
"""Any numbers: nothing here says that they are right."""


def case(**changed):
    rng = np.random.default_rng(1)
    points = tuple(
        {
            "left.knee": rng.uniform(0, 2),
            "right.knee": rng.uniform(0, 2),
            "x": rng.normal(size=2),
        }
        for _ in range(5)
    )
    data = {"left.k": np.float64(2.0), "right.k": np.float64(0.5)}
    integrals = {path: np.float64(value) for path, value in {**INTEGRALS, **changed}.items()}
    return Case(text=TEXT, sizes={}, data={**data, **integrals}, points=points)


def analyzed():
    return optimize(build_graph(typed(TEXT), {}), ANALYZED)


def test_a_compiled_normalize_has_the_value_of_the_oracle():
    assert_kernel_matches_oracle(case())


def test_every_normalize_of_every_part_has_an_input_of_its_own():
    assert {given.path for given in list_integrands(analyzed())} == set(INTEGRALS)


def test_an_integral_without_end_takes_the_share_of_a_mixture_from_its_branch():
    made = case(**{"log Z of shell": 1e3})

    found = by_torch(made, compiled(made)).energies["place"]

    for point, energy in zip(made.points, found, strict=True):
        (x, y) = point["x"]
        logs = [np.log(0.15) - (x**4 + y**4) + 0.5, np.log(0.35) - ((x - 1) ** 4 + y**4) - 3.0]
        assert energy == pytest.approx(-np.logaddexp(*logs), rel=1e-12)


def test_an_integrand_is_the_energy_alone_over_its_own_variables():
    graph = analyzed()
    (integral,) = [g for g in list_integrands(graph) if g.path == "log Z of left.bend"]

    found = extract_integrand(graph, integral)

    assert [variable.path for variable in found.variables] == ["left.knee"]
    assert [given.path for given in found.givens] == ["left.k"]
    kinds = {root.kind for root in found.roots}
    assert kinds == {RootKind.ENERGY, RootKind.TOTAL, RootKind.LOWER, RootKind.UPPER}
    assert len(found) < len(graph) / 4


def test_pruning_drops_what_only_an_estimate_needs():
    graph = optimize(build_graph(typed(TEXT), {}), PASSES)

    assert not list(graph.roots_of(RootKind.INTEGRAND))


@pytest.mark.parametrize(
    ("energy", "answer"),
    [
        ("energy(x^2)", Answer.PROPER),
        ("energy(abs(x))", Answer.PROPER),
        ("x <= 1 within 0.5", Answer.IMPROPER),
        ("x <= 1 and x >= 0", Answer.PROPER),
        ("energy(relu(x))", Answer.IMPROPER),
    ],
)
def test_what_is_normalized_is_judged_without_the_other_terms(energy, answer):
    normal = "x ~ normal(0, 1)"
    text = f"var x: real\nprefer a: {normal}\nprefer b: normalize({energy}) or {normal}"
    graph = optimize(build_graph(typed(text), {}), ANALYZED)
    (integral,) = list_integrands(graph)

    facts = GraphFacts(extract_integrand(graph, integral), Inputs())

    assert facts.propriety.integrable.answer is answer


def test_a_mixture_of_what_integrates_is_proved_to_integrate_whatever_the_estimates_are():
    square, quartic = (f"normalize(energy(sum(x^{power})))" for power in (2, 4))
    text = f"var x: real[2]\nprefer a: mix(0.2: {square}, 0.8: {quartic})"

    facts = GraphFacts(optimize(build_graph(typed(text), {}), ANALYZED), Inputs())

    assert facts.propriety.integrable.answer is Answer.PROPER
