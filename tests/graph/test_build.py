"""Quantifiers become axes, operands line up, equal steps are one."""

import numpy as np
import pytest

from ebmlang.graph import Kind, Root, RootKind
from ebmlang.graph.show import show_graph
from ebmlang.source import EbmError
from tests.road import built

CLUSTER = """
const N = 13
var atoms: real[N, 3] in [-2, 2]
minimize lj: sum a, b in pairs(atoms): 4 * (norm(a - b)^-12 - norm(a - b)^-6)
"""


@pytest.mark.parametrize("size", [2, 7, 200])
def test_the_graph_of_pairs_does_not_grow_with_the_number_of_elements(size):
    graph = built(CLUSTER, N=size)

    assert len(graph) == len(built(CLUSTER, N=13))


def test_the_same_expression_twice_is_one_node():
    once = built("var x: real[2]\nminimize a: norm(x)")
    twice = built("var x: real[2]\nminimize a: norm(x) + norm(x)")

    norms = [node for node in twice.nodes if node.operator == "norm"]

    assert len(norms) == 1
    assert len(twice) == len(once) + 1


def test_equal_bodies_of_two_quantifiers_are_one_node():
    graph = built(
        """
        var x: real[5]
        prefer low: forall a in x: a <= 1
        prefer also: exists b in x: b <= 1
        """
    )

    assert sum(node.operator == "le" for node in graph.nodes) == 1


def test_nested_quantifiers_get_one_axis_each_outermost_first():
    graph = built(
        """
        var x: real[4, 2]
        var y: real[3]
        prefer all: forall p in x: forall q in y: p[0] + p[1] <= q
        """
    )

    relation = next(node for node in graph.nodes if node.operator == "le")

    assert relation.shape == (4, 3)


def test_a_body_that_ignores_its_binder_still_counts_once_for_each():
    graph = built("var x: real\nprefer many: forall i in 1..5: x <= 0")

    quantifier = next(node for node in graph.nodes if node.operator == "all")

    assert graph.nodes[quantifier.inputs[0]].shape == (5,)


def test_every_node_knows_its_place_and_its_term():
    graph = built("var x: real[3]\nprefer small: norm(x) <= 1\nminimize far: sum(x)")

    norm = next(n for n, node in enumerate(graph.nodes) if node.operator == "norm")

    assert graph.nodes[norm].origin.path == "small"
    assert graph.nodes[norm].origin.span.text == "norm(x)"
    assert graph.terms_of(norm) == ("small",)
    assert graph.variables_of(norm) == ("x",)


def test_a_recurrence_has_one_body_however_many_steps():
    text = """
    const T = 5
    var u: real[T]
    let path = scan s = 0 over a in u: s + a * a
    minimize end: path[T]
    """

    short, long = built(text), built(text, T=500)

    assert len(short) == len(long)
    scan = next(node for node in long.nodes if node.operator == "scan")
    assert scan.shape == (501,)


def test_a_recurrence_inside_a_quantifier_captures_what_is_around_it():
    graph = built(
        """
        var x: real[4]
        var k: real
        let ends = [(scan s = a over i in 1..3: s * k + i)[3] for a in x]
        minimize end: sum(ends)
        """
    )

    scan = next(node for node in graph.nodes if node.operator == "scan")

    assert scan.shape == (4, 4)
    assert len(scan.inputs) == 3  # start, elements, the captured k


@pytest.mark.parametrize("index", ["x[3]", "x[i + 1]", "x[i - 1]", "x[3 - i * 3]", "x[i * i]"])
def test_an_index_outside_its_axis_is_an_error(index):
    with pytest.raises(EbmError) as caught:
        built(f"var x: real[3]\nminimize m: sum i in 0..2: {index}")

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0309"


def test_an_index_is_checked_once_the_data_has_set_the_sizes():
    text = "given y: real[N]\nvar x: real\nminimize m: x * y[4]"

    assert built(text, {"N": 5})
    with pytest.raises(EbmError) as caught:
        built(text, {"N": 4})

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0309"
    assert diagnostic.primary.span.text == "4"


def test_a_known_condition_leaves_elements_out():
    graph = built("var x: real[10]\nprefer even: forall i in 0..9 where i % 2 == 0: x[i] >= 0")

    relation = next(node for node in graph.nodes if node.operator == "le")

    assert relation.shape == (5,)


def test_a_condition_on_data_becomes_a_mask():
    graph = built(
        """
        given keep: bool[10]
        var x: real[10]
        prefer kept: forall i in 0..9 where keep[i]: x[i] >= 0
        """
    )

    guard = next(node for node in graph.nodes if node.operator == "guard")

    assert guard.shape == (10,)
    assert graph.nodes[guard.inputs[0]].kind is Kind.BOOL


def test_pairs_are_all_unordered_pairs_in_order():
    graph = built("var x: real[4]\nminimize m: sum a, b in pairs(x): a * b")

    places = [n.option("value").array for n in graph.nodes if n.operator == "constant"]
    first, second = (p for p in places if p.shape == (6,))

    expected = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    assert list(zip(first, second, strict=True)) == expected


def test_weights_multiply_down_the_parts():
    graph = built(
        """
        spec inner() { var x: real  minimize m: x^2 weight 3 }
        spec outer() { part deep = inner() weight 2 }
        part top = outer() weight 5
        """
    )

    assert graph.weights == {"top": 5.0, "top.deep": 2.0, "top.deep.m": 3.0}


def test_an_array_past_the_limit_is_an_error():
    with pytest.raises(EbmError) as caught:
        built("given n: real[N]\nvar x: real\nminimize m: sum a, b in product(n, n): a * b * x",
              {"N": 30_000})  # fmt: skip

    assert caught.value.diagnostics[0].code == "E0316"


def test_the_printed_graph_has_a_line_for_each_node_and_root():
    graph = built(CLUSTER)

    text = show_graph(graph)

    assert all(f"%{number}:" in text for number in range(len(graph)))
    number = graph.roots[Root(RootKind.TERM, "lj")]
    assert f"term lj     = %{number}\n" in text


def test_constants_of_one_value_are_shared_and_of_another_are_not():
    graph = built("var x: real\nminimize m: 2.0 * x + 2.0 * x^3 + 3.0 * x")

    values = [n.option("value").array for n in graph.nodes if n.operator == "constant"]

    assert len([v for v in values if np.array_equal(v, np.asarray(2.0))]) == 1


def test_bounds_are_roots_of_the_variable_s_shape():
    graph = built("given top: real\nvar x: real[2, 3] in [-1, top]\nminimize m: sum(x)")

    lower = next(n for root, n in graph.roots.items() if root.kind is RootKind.LOWER)

    assert graph.nodes[lower].shape == (2, 3)
