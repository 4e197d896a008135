"""What each pass promises, seen on the graph; that values stay equal is tested in `laws`."""

import numpy as np
import pytest

from ebmlang.graph import Kind, Root, RootKind
from ebmlang.passes import PASSES, optimize
from ebmlang.passes.negation import push_negation
from ebmlang.passes.pruning import prune_unused
from tests.road import built, optimized

DE_MORGAN = [
    ("not (a and b)", "not a or not b"),
    ("not (a or b)", "not a and not b"),
    ("not not a", "a"),
    ("not (a implies b)", "a and not b"),
    ("not forall i in 0..3: x[i] <= 1", "exists i in 0..3: not (x[i] <= 1)"),
    ("not exists i in 0..3: x[i] <= 1", "forall i in 0..3: not (x[i] <= 1)"),
    ("not (x <= 1)", "exists v in x: v >= 1"),
    ("not (x == 1 within 0.5)", "exists v in x: v != 1 within 0.5"),
]


@pytest.mark.parametrize("logic", ["product", "godel"])
@pytest.mark.parametrize(("left", "right"), DE_MORGAN)
def test_both_sides_of_de_morgan_become_the_same_graph(logic, left, right):
    def graph(formula):
        text = f"""
        logic {logic}
        var x: real[4]
        let a = x[0] <= 1 within 0.3
        let b = x[1] == 2 within 0.1
        prefer term: {formula}
        """
        return optimized(text)

    assert graph(left) == graph(right)


def test_negation_leaves_no_not():
    graph = push_negation(
        built("var x: real\nprefer p: not (x <= 1 and not (x >= 0 or x == 3 within 1))")
    )

    assert all(node.operator != "not" for node in graph.nodes)


def test_after_the_energies_no_constraint_is_left():
    graph = optimized("var x: real[3]\nrequire r: x >= 0\nprefer p: norm(x) <= 1 or sum(x) >= 2")

    assert all(node.kind is not Kind.CONSTRAINT for node in graph.nodes)
    kinds = {root.kind for root in graph.roots}
    assert kinds == {RootKind.ENERGY, RootKind.MARGIN, RootKind.HARD, RootKind.TOTAL}


def test_a_requirement_gives_one_margin_for_each_conjunct():
    graph = optimized(
        """
        var x: real[3]
        require r: x >= 0 and (sum(x) <= 1 or x[0] >= 5) and forall i in 0..1: x[i] <= x[i + 1]
        """
    )

    ((_, hard),) = graph.roots_of(RootKind.HARD)

    assert graph.nodes[hard].shape == (3 + 1 + 2,)


def test_folding_computes_what_is_constant():
    graph = optimized("var x: real\nminimize m: x * (2 + 3) ^ 2 + sum(linspace(0, 1, 5))")

    constants = sorted(
        float(n.option("value").array) for n in graph.nodes if n.operator == "constant"
    )
    assert constants == [2.5, 25.0]


def test_folding_leaves_out_neutral_operands():
    plain = optimized("var x: real\nminimize m: x^2")
    padded = optimized("var x: real\nminimize m: (x * 1 + 0)^2 / 1 - 0")

    assert len(plain) == len(padded)


def test_folding_turns_products_of_one_thing_into_squares():
    graph = optimized("var x: real\nvar y: real[3]\nminimize m: x * x + dot(y, y)")

    names = [node.operator for node in graph.nodes]
    assert names.count("square") == 2
    assert "dot" not in names


def test_sharing_merges_commuted_operands():
    graph = optimized("var x: real\nvar y: real\nminimize m: exp(x + y) * sin(y + x)")

    adds = [n for n in graph.nodes if n.operator == "add"]
    assert len(adds) == 1


def test_pruning_keeps_only_what_roots_need():
    graph = prune_unused(built("var x: real\nlet unused = exp(x)\nminimize m: sin(x)"))

    assert all(node.operator != "exp" for node in graph.nodes)


def test_optimizing_twice_changes_nothing_more():
    graph = optimized("var x: real[3]\nprefer p: norm(x) <= 1 or not (sum(x) >= 2 within 0.5)")

    assert optimize(graph, [p for p in PASSES if not p.needs and p.name != "negation"]) == graph


@pytest.mark.parametrize("logic", ["product", "godel"])
@pytest.mark.parametrize(
    ("formula", "margin", "energy"),
    [
        ("forall i in 1..0: x <= i", np.inf, 0),
        ("exists i in 1..0: x <= i", -np.inf, np.inf),
        ("not forall i in 1..0: x <= i", -np.inf, np.inf),
        ("not exists i in 1..0: x <= i", np.inf, 0),
        ("zeros(0) <= 1", np.inf, 0),
    ],
)
def test_a_quantifier_over_nothing_has_the_value_of_its_law(logic, formula, margin, energy):
    graph = optimized(f"logic {logic}\nvar x: real\nprefer p: {formula}\nminimize m: x")

    margins = graph.nodes[graph.roots[Root(RootKind.MARGIN, "p")]]
    weighted = graph.nodes[graph.roots[Root(RootKind.ENERGY, "p")]]
    inputs = [graph.nodes[i] for i in weighted.inputs]  # the energy, and the weight of a run
    energies = [node for node in inputs if node.operator == "constant"]
    assert margins.option("value").array == margin
    assert [node.option("value").array for node in energies] == [energy]
