"""A block as a problem of its own: its share of E, and what is required of it."""

import numpy as np
import pytest
import torch

from ebmlang.analysis import GraphFacts
from ebmlang.analysis.alternatives import find_alternatives
from ebmlang.analysis.separation import separate
from ebmlang.graph import EnergyGraph
from ebmlang.lower.module import compile_graph
from ebmlang.passes.pruning import prune_unused
from tests.analysis.road import facts_of, random_point

SPECS = {
    "sums of terms": (
        "var x: real[2]\nvar y: real\nminimize e: sum(x^2) + 3 * abs(y)\nminimize f: (y - 1)^2"
    ),
    "requirements": (
        "var x: real\nvar y: real\nminimize e: (x^2 - 1)^2 - 2 * y\n"
        "require r: x >= 0.5 and y <= 3\nrequire s: y >= -1"
    ),
    "densities": "var x: real[2] ~ normal(0, 1)\nvar y: real ~ student_t(3, 0, 1)",
    "stacked": "var x: real\nvar y: real\nminimize e: sum([x^2, y^4, 3 * x])\nprefer p: x <= 1",
    "idle": "var x: real in [0, 1]\nvar y: real\nminimize e: (y^2 - 1)^2",
}

SAME = 1e-12
"""Rounding of a few sums in float64, relative."""


def values(graph: EnergyGraph, points: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    module = compile_graph(prune_unused(graph), dtype=torch.float64)
    packed = module.packed()
    x = module.pack({v.path: torch.tensor(points[v.path]) for v in module.graph.variables})
    return packed.energy(x).numpy(), packed.requirements(x).numpy()


def points_of(facts: GraphFacts, count: int = 8) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = [random_point(facts, rng) for _ in range(count)]
    found = {path: np.stack([point[path] for point in drawn]) for path in drawn[0]}
    # A variable that no term speaks of is no node of the graph.
    idle = {v.path: np.zeros((count, *v.shape)) for v in facts.graph.variables}
    return idle | found


@pytest.mark.parametrize("name", SPECS)
def test_the_energies_of_blocks_add_up_to_that_of_the_whole(name: str) -> None:
    """Up to a constant: so differences between points are compared."""
    facts = facts_of(SPECS[name])
    points = points_of(facts)
    whole, _ = values(facts.graph, points)

    parts = [values(separate(facts, block), points)[0] for block in facts.blocks]

    assert len(parts) == 2
    total = np.sum(parts, axis=0)
    np.testing.assert_allclose(total - total[0], whole - whole[0], rtol=SAME, atol=SAME)


@pytest.mark.parametrize("name", SPECS)
def test_what_is_required_holds_where_it_holds_for_each_block(name: str) -> None:
    facts = facts_of(SPECS[name])
    points = points_of(facts)
    _, whole = values(facts.graph, points)

    parts = [values(separate(facts, block), points)[1] for block in facts.blocks]

    together = np.all([(margins >= 0).all(1) for margins in parts], axis=0)
    np.testing.assert_array_equal(together, (whole >= 0).all(1))


def test_a_block_has_its_own_variables_and_terms_alone() -> None:
    facts = facts_of(SPECS["requirements"])

    graph = separate(facts, facts.blocks[1])

    assert [variable.path for variable in graph.variables] == ["y"]
    assert [term.path for term in graph.terms] == ["e", "r", "s"]
    assert all(n.option("path") == "y" for n in graph.nodes if n.operator == "variable")


# --- alternatives --------------------------------------------------------------------

CHOICES = {
    "noisy or": ("var x: real\nprefer e: x <= 0 or x >= 1\nminimize f: x^2", 2, False),
    "godel": ("logic godel\nvar x: real\nprefer e: x <= 0 or x >= 1\nminimize f: x^2", 2, True),
    "required": ("var x: real\nminimize f: x^2\nrequire r: x <= -1 or x >= 2", 2, True),
    "mixture": (
        "var x: real\nprefer e: mix(0.3: x ~ normal(0, 1), 0.7: x ~ normal(5, 1))",
        2,
        False,
    ),
    "exists": ("var x: real\nconst at = [1, 2, 3]\nprefer e: exists a in at: x == a within 0.1",
               3, False),
    "two": (
        "var x: real[2]\nprefer e: x[0] <= 0 or x[0] >= 1\nrequire r: x[1] <= x[0] or x[1] >= 3",
        4,
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_each_alternative_is_nowhere_better_than_the_whole(name: str) -> None:
    """So that a minimum of one is an energy that can be reached."""
    text, count, exact = CHOICES[name]
    facts = facts_of(text)
    points = points_of(facts, 64)
    energy, margins = values(facts.graph, points)

    found = find_alternatives(facts)

    assert len(found) == count
    assert all(one.exact is exact for one in found)
    feasible = np.zeros(len(energy), dtype=bool)
    for one in found:
        own, required = values(one.graph, points)
        assert (own >= energy - SAME * np.abs(energy).clip(1)).all()
        feasible |= (required >= 0).all(1)
    np.testing.assert_array_equal(feasible, (margins >= 0).all(1))


@pytest.mark.parametrize("name", [name for name, (_, _, exact) in CHOICES.items() if exact])
def test_the_least_of_exact_alternatives_is_the_whole(name: str) -> None:
    facts = facts_of(CHOICES[name][0])
    points = points_of(facts, 64)
    energy, margins = values(facts.graph, points)
    merit = np.where((margins >= 0).all(1), energy, np.inf)

    found = [values(one.graph, points) for one in find_alternatives(facts)]

    merits = [np.where((required >= 0).all(1), own, np.inf) for own, required in found]
    np.testing.assert_allclose(np.min(merits, axis=0), merit, rtol=SAME)


def test_an_or_that_stands_in_e_too_is_left_whole() -> None:
    """Choosing there as well could be lower than E, and would prove what is not true."""
    text = "var x: real\nlet m = max([x, -x - 1])\nminimize e: m\nrequire r: m >= 1"

    assert find_alternatives(facts_of(text)) == ()
