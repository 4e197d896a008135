"""E as branches: what opens up, what its parts are, and that they make up the whole."""

import numpy as np
import pytest
import torch

from ebmlang.analysis import GraphFacts, Inputs
from ebmlang.analysis.branches import MOST_BRANCHES, MOST_ESTIMATED, find_branches
from ebmlang.analysis.plan import pick_sampler
from ebmlang.graph import EnergyGraph
from ebmlang.graph.build import build_graph
from ebmlang.lower.module import compile_graph
from ebmlang.passes import ANALYZED, optimize
from ebmlang.passes.pruning import prune_unused
from tests.road import typed


def facts_of(text, **givens):
    graph = optimize(build_graph(typed(text), {}), ANALYZED)
    return GraphFacts(graph, Inputs(givens={path: np.asarray(v) for path, v in givens.items()}))


def branches_of(text, **givens):
    return find_branches(facts_of(text, **givens))


def energies(graph: EnergyGraph, points, givens):
    module = compile_graph(prune_unused(graph), dtype=torch.float64)
    paths = {given.path for given in module.graph.givens}
    module.bind({path: value for path, value in givens.items() if path in paths})
    return module.packed().energy(points)


WHOLE = {
    "or": "prefer a: x ~ normal(0, 1) or x ~ normal(3, 2)",
    "mix": "prefer a: mix(1: x ~ normal(0, 1), 4: x ~ normal(3, 2))",
    "a mix of weights from data": "prefer a: mix(k: x ~ normal(0, 1), 4: x ~ normal(3, 2))",
    "exists": "prefer a: exists m in [-1.0, 2, 3]: x ~ normal(m, 1)",
    "softmin": "prefer a: softmin(energy(sum(x^2)), energy(norm(x - 3)))",
    "normalize": "prefer a: mix(1: normalize(energy(sum(x^4))), 2: normalize(energy(norm(x))))",
    "a mix inside of a mix": """
      prefer a: mix(1: x ~ normal(0, 1), 4: mix(1: x ~ normal(9, 1), 2: x ~ normal(3, 2)))""",
    "two beside each other": """
      prefer a: x ~ normal(0, 1) or x ~ normal(3, 2)
      prefer b: x ~ normal(1, 1) or x ~ normal(5, 2)""",
    "in a sum": "prefer a: (x ~ normal(0, 1) or x ~ normal(3, 2)) and energy(norm(x))",
    "with what else there is": """
      prefer a: x ~ normal(0, 1) or x ~ normal(3, 2)
      minimize b: norm(x) weight 3
      prefer c: x[0] <= x[1] or x[0] >= 2""",
}
"""Terms on `x: real[2]` and `k`."""


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_the_branches_sum_up_to_the_whole(text):
    givens = {"k": 2.5, "log Z of a": 0.3, "log Z of a:2": -1.7}
    facts = facts_of(f"given k: real\nvar x: real[2]\n{text}", **givens)
    points = torch.tensor(np.random.default_rng(1).normal(1, 3, (20, 2)))

    branches = find_branches(facts)

    assert len(branches) > 1
    whole = energies(facts.graph, points, givens)
    parts = torch.stack([energies(branch.graph, points, givens) for branch in branches])
    np.testing.assert_allclose(-torch.logsumexp(-parts, 0), whole, rtol=1e-12, atol=1e-12)


def test_branches_are_named_by_terms_and_places():
    nested = branches_of(f"given k: real\nvar x: real[2]\n{WHOLE['a mix inside of a mix']}")
    beside = branches_of(f"given k: real\nvar x: real[2]\n{WHOLE['two beside each other']}")

    assert [branch.name for branch in nested] == ["a[0]", "a[1][0]", "a[1][1]"]
    assert [b.name for b in beside] == ["a[0] b[0]", "a[0] b[1]", "a[1] b[0]", "a[1] b[1]"]


def test_a_branch_says_where_it_is_written():
    found = branches_of("var x: real[2]\nprefer a: x ~ normal(0, 1) or normalize(energy(sum(x^4)))")

    assert [b.span.text for b in found] == ["x ~ normal(0, 1)", "normalize(energy(sum(x^4)))"]


SHARES = {
    "a mix of densities": (
        "var x: real\nprefer a: mix(1: x ~ normal(0, 1), 3: x ~ cauchy(3, 2))", [0.25, 0.75]),
    "an OR": ("var x: real[2]\nprefer a: x ~ normal(0, 1) or x ~ normal(3, 2)", [0.5, 0.5]),
    "each element of an array": (
        "var x: real[2]\nprefer a: exists m in [1.0, 2, 4]: x ~ normal(m, 1)", [1 / 3] * 3),
    "several numbers": (
        "var x: real\nprefer a: exists m in [1.0, 2, 4]: x ~ normal(m, 1)", [1 / 3] * 3),
    "vectors": (
        """var x: real[2]
        prefer a: mix(1: x ~ mv_normal([0, 0], eye(2)), 4: x ~ mv_normal([3, 0], eye(2)))""",
        [0.2, 0.8]),
    "one inside of another": (
        """var x: real
        prefer a: mix(1: x ~ normal(0, 1), 1: mix(1: x ~ normal(0, 2), 3: x ~ normal(0, 3)))""",
        [0.5, 0.125, 0.375]),
    "a density that depends on the mixed one": (
        """var x: real
        var y: real
        prefer a: mix(1: x ~ normal(0, 1), 3: x ~ normal(3, 2))
        prefer b: y ~ normal(x, exp(x))""", [0.25, 0.75]),
    "what is normalized, whatever its domain": (
        """var x: real in [0, 1]
        prefer a: mix(1: normalize(energy(x)), 4: normalize(energy(x^2)))""", [0.2, 0.8]),
}  # fmt: skip
"""Specs whose branches have the masses that are written."""


@pytest.mark.parametrize(("text", "shares"), SHARES.values(), ids=SHARES)
def test_the_mass_of_a_density_is_its_weight(text, shares):
    found = branches_of(text)

    np.testing.assert_allclose(np.exp([b.log_weight for b in found]), shares, rtol=1e-12)


ESTIMATED = {
    "bounds cut it off": "var x: real in [0, 9]\nprefer a: x ~ normal(0, 1) or x ~ normal(3, 2)",
    "another term holds it": """
      var x: real
      prefer a: x ~ normal(0, 1) or x ~ normal(3, 2)
      prefer b: x ~ normal(1, 1)""",
    "something is required": """
      var x: real
      prefer a: x ~ normal(0, 1) or x ~ normal(3, 2)
      require b: x >= 0""",
    "it is an energy": "var x: real\nprefer a: softmin(energy(x^2), energy(x^4))",
    "of a half only": "var x: real[2]\nprefer a: x[0] ~ normal(0, 1) or x[0] ~ normal(3, 2)",
    "they go in a circle": """
      var x: real
      var y: real
      prefer a: x ~ normal(y, 1) or x ~ normal(3 - y, 2)
      prefer b: y ~ normal(x, 1)""",
    "the weights of two terms": """
      var x: real
      var y: real
      prefer a: x ~ normal(0, 1) or x ~ normal(3, 2)
      prefer b: y ~ normal(0, 1) weight 2""",
}  # fmt: skip
"""Specs whose branches have other masses than those that are written."""


@pytest.mark.parametrize("text", ESTIMATED.values(), ids=ESTIMATED)
def test_a_mass_that_is_no_weight_is_left_to_be_estimated(text):
    found = branches_of(text)

    assert len(found) == 2
    assert [branch.log_weight for branch in found] == [None, None]


CLOSED = {
    "no OR": "prefer a: x ~ normal(0, 1)",
    "a weight": "prefer a: (x ~ normal(0, 1) or x ~ normal(3, 2)) weight 2",
    "an OR of constraints": "prefer a: x <= 0 or x >= 1\nprefer b: x ~ normal(0, 1)",
    "inside of an energy": "prefer a: tempered(x ~ normal(0, 1) or x ~ normal(3, 2), 2)",
    "one operand": "prefer a: mix(1: x ~ normal(0, 1))",
    "a mask": "prefer a: exists m in [0.0, 1, 2] where m > k: x ~ normal(m, 1)",
}


@pytest.mark.parametrize("text", CLOSED.values(), ids=CLOSED)
def test_what_is_no_sum_of_densities_does_not_open(text):
    assert branches_of(f"given k: real\nvar x: real\n{text}") == ()


def test_the_weight_that_counts_is_the_one_that_is_bound():
    text = "var x: real\nprefer a: (x ~ normal(0, 1) or x ~ normal(3, 2)) weight 2"
    graph = optimize(build_graph(typed(text), {}), ANALYZED)

    assert len(find_branches(GraphFacts(graph, Inputs(weights={"a": 1.0})))) == 2


def test_too_many_branches_are_left_to_others():
    many = ", ".join(f"{k}.0" for k in range(MOST_BRANCHES + 1))
    some = ", ".join(f"{k}.0" for k in range(MOST_ESTIMATED + 1))
    text = "var x: real\nprefer a: exists m in [{}]: x ~ normal(m, 1)"

    assert branches_of(text.format(many)) == ()
    assert len(branches_of(text.format(some))) == MOST_ESTIMATED + 1
    assert branches_of(text.format(some) + "\nprefer b: x ~ normal(0, 1)") == ()


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("prefer a: x ~ normal(0, 1) or x ~ normal(9, 1)", "branches"),
        ("prefer a: x ~ normal(0, 1)\nprefer b: x <= 1 or x >= 3", "smc"),
        (
            "prefer a: x ~ normal(0, 1) or x ~ normal(9, 1)\nprefer b: x <= 1 or x >= 3",
            "smc",
        ),
    ],
)
def test_branches_are_drawn_by_themselves_unless_one_of_them_has_an_or(text, method):
    assert pick_sampler(facts_of(f"var x: real\n{text}")).method == method
