"""What the batch pass makes of graphs; that values and gradients stay is tested in `laws`."""

import pytest

from ebmlang.graph import Root, RootKind
from ebmlang.graph.show import show_graph
from ebmlang.passes import PASSES, optimize
from ebmlang.passes.batching import LEAST, batch_terms
from tests.road import built, optimized

TREE = (
    "prefer t{i}: (x[{a}] <= 0.{i} within 0.5 and x[{b}] >= 0.{i} within 0.3)"
    " or not (x[{c}] + x[{a}] <= 1.{i} within 0.2)"
)


def tree(terms):
    places = (
        {"i": i + 1, "a": i, "b": (7 * i + 1) % terms, "c": (i + 1) % terms} for i in range(terms)
    )
    return "\n".join([f"var x: real[{terms}]", *(TREE.format(**place) for place in places)])


def steps(graph):
    """Return how many nodes the energy takes, without its leaves."""
    total = graph.roots[Root(RootKind.TOTAL)]
    return sum(bool(graph.nodes[i].inputs) for i in (*graph.ancestors(total), total))


def operators(text):
    return [node.operator for node in optimized(text).nodes]


def test_the_energy_of_many_terms_takes_as_many_steps_as_that_of_few():
    assert steps(optimized(tree(80))) == steps(optimized(tree(20)))


def test_terms_written_apart_take_a_few_steps_more_than_a_quantifier():
    apart = optimized(tree(200))
    together = optimized(
        """
        var x: real[200]
        given b: int[200]
        given c: int[200]
        given u: real[200]
        prefer t: forall i in 0..199: (x[i] <= u[i] within 0.5 and x[b[i]] >= u[i] within 0.3)
            or not (x[c[i]] + x[i] <= 1 + u[i] within 0.2)
        """
    )

    assert steps(apart) <= steps(together) + 5


@pytest.mark.parametrize("count", [LEAST - 1, LEAST])
def test_few_terms_stay_as_they_are(count):
    lines = "\n".join(f"minimize m{i}: exp(x[{i}])" for i in range(count))

    assert operators(f"var x: real[{count}]\n{lines}").count("exp") == (
        1 if count == LEAST else count
    )


def test_numbers_of_terms_become_one_constant_and_elements_one_take():
    lines = "\n".join(f"minimize m{i}: exp(x[{7 - i}] - {i + 1})" for i in range(8))
    graph = optimized(f"var x: real[8]\n{lines}")

    (step,) = (node for node in graph.nodes if node.operator == "sub")
    elements, numbers = (graph.nodes[i] for i in step.inputs)
    assert numbers.option("value").array.tolist() == list(range(1, 9))
    places = graph.nodes[elements.inputs[1]].option("value").array
    assert (elements.operator, places.tolist()) == ("take", list(range(7, -1, -1)))


def test_variables_of_their_own_are_read_as_one_packed_point():
    names = "\n".join(f"var x{i}: real" for i in range(8))
    lines = "\n".join(f"minimize m{i}: exp(x{i})" for i in range(8))
    graph = optimized(f"{names}\n{lines}")

    (step,) = (node for node in graph.nodes if node.operator == "exp")
    point = graph.nodes[step.inputs[0]]
    assert point.operator == "stack"
    assert [graph.nodes[i].option("path") for i in point.inputs] == [f"x{i}" for i in range(8)]


def test_what_all_members_share_is_computed_once():
    lines = "\n".join(f"minimize m{i}: exp(x[{i}] * sin(y))" for i in range(8))

    assert operators(f"var x: real[8]\nvar y: real\n{lines}").count("sin") == 1


def test_a_long_sum_written_out_is_one_sum():
    text = " + ".join(f"exp(x[{i}])" for i in range(12))

    found = operators(f"var x: real[12]\nminimize m: {text}")

    assert (found.count("exp"), found.count("sum"), found.count("add")) == (1, 1, 0)


def test_terms_of_several_shapes_are_each_one_step():
    kinds = ("exp(x[{i}])", "sin(x[{i}])", "exp(x[{i}]) * x[{i}]")
    lines = "\n".join(
        f"minimize m{i}: {kinds[i % len(kinds)].format(i=i)}" for i in range(3 * LEAST)
    )

    found = operators(f"var x: real[{3 * LEAST}]\n{lines}")

    assert (found.count("exp"), found.count("sin")) == (1, 1)


def test_elements_are_told_apart_by_path():
    graph = optimized(tree(12))

    assert [root.path for root, _ in graph.roots_of(RootKind.ENERGY)] == [
        f"t{i}" for i in range(1, 13)
    ]
    energies = graph.nodes[graph.roots[Root(RootKind.ENERGIES)]]
    assert energies.shape == (12,)
    assert [origin.path for origin in energies.origin.members] == [f"t{i}" for i in range(1, 13)]


def test_steps_of_a_choice_stay_next_to_it_so_that_its_gradients_can_be_cut_off():
    """The products of the branch are used elsewhere too, by other terms: those are other arrays."""
    lines = "\n".join(
        f"minimize m{i}: if f[{i}] then log(x[{i}]) * log(x[{7 - i}] + {i + 1}) else 0\n"
        f"minimize n{i}: log(x[{i}] + 30)"
        for i in range(8)
    )
    graph = optimize(built(f"given f: bool[8]\nvar x: real[8]\n{lines}"), PASSES)

    (choice,) = (node for node in graph.nodes if node.operator == "where")
    product = graph.nodes[choice.inputs[1]]
    assert product.operator == "mul"
    assert [graph.nodes[i].operator for i in product.inputs] == ["log", "log"]


def test_batching_is_deterministic_and_settled():
    graph = optimize(built(tree(20)), PASSES[:-1])
    batched = batch_terms(graph)

    assert show_graph(batched) == show_graph(batch_terms(graph))
    assert steps(batch_terms(batched)) == steps(batched)
