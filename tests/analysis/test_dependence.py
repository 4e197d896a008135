"""Which variables a node depends on, and which parts of the energy share none."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ebmlang.analysis.dependence import Block, find_conjuncts, find_summands
from ebmlang.graph import Root, RootKind
from ebmlang.lower.reference import evaluate
from ebmlang.testing.strategies import Arithmetic, specs
from tests.analysis.road import energy_node, facts_of, random_point, total_node, values_of
from tests.road import typed

TWO = "var x: real\nvar y: real\n"


def blocks_of(text):
    return facts_of(text).blocks


def test_a_term_depends_on_the_variables_below_it():
    facts = facts_of("var x: real\nvar y: real[2]\nvar z: real\nminimize e: x * sum(y)")

    assert facts.dependence[energy_node(facts, "e")].value == {"x", "y"}


def test_what_the_variable_is_multiplied_away_from_is_still_said_to_depend():
    """Dependence is by reachability; that a factor is 0 is for the bounds to know."""
    facts = facts_of("var x: real\ngiven k: real\nminimize e: k * x")

    assert facts.dependence[energy_node(facts, "e")].value == {"x"}


def test_a_given_is_no_variable():
    facts = facts_of("var x: real\ngiven k: real\nminimize e: x^2 + k^2")

    assert facts.dependence[total_node(facts)].value == {"x"}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ("minimize e: x^2 + exp(y)", [(("x",), ("e",)), (("y",), ("e",))]),
        ("minimize e: 3 * (x^2 - exp(y)) / 4", [(("x",), ("e",)), (("y",), ("e",))]),
        ("minimize e: sum([x^2, y^2])", [(("x",), ("e",)), (("y",), ("e",))]),
        ("minimize e: mean([x^2, y^2])", [(("x",), ("e",)), (("y",), ("e",))]),
        ("minimize e: (x + y)^2", [(("x", "y"), ("e",))]),
        ("minimize e: x * y", [(("x", "y"), ("e",))]),
        ("minimize e: max([x, y])", [(("x", "y"), ("e",))]),
        ("prefer e: x >= 0 and y >= 0", [(("x",), ("e",)), (("y",), ("e",))]),
        ("prefer e: x >= 0 or y >= 0", [(("x", "y"), ("e",))]),
        (
            "prefer e: (x ~ normal(0, 1)) and (y ~ normal(0, 1))",
            [(("x",), ("e",)), (("y",), ("e",))],
        ),
        ("minimize a: x\nminimize b: y", [(("x",), ("a",)), (("y",), ("b",))]),
        ("minimize a: x\nminimize b: y\nrequire c: x <= y", [(("x", "y"), ("a", "b", "c"))]),
        ("minimize a: x\nrequire c: x <= 1 and y <= 1", [(("x",), ("a", "c")), (("y",), ("c",))]),
        ("minimize a: x^2", [(("x",), ("a",)), (("y",), ())]),
        ("minimize a: x + x * y - x * y", [(("x", "y"), ("a",))]),
    ],
)
def test_blocks_are_what_no_summand_and_no_requirement_ties(terms, expected):
    assert blocks_of(TWO + terms) == tuple(Block(*block) for block in expected)


def test_an_and_by_maximum_is_one_block():
    text = f"logic godel\n{TWO}prefer e: x >= 0 and y >= 0"

    assert len(blocks_of(text)) == 1


def test_blocks_come_in_the_order_of_their_variables():
    text = "var a: real\nvar b: real\nvar c: real\nminimize e: b^2 + (a - c)^2"

    assert [block.variables for block in blocks_of(text)] == [("a", "c"), ("b",)]


@pytest.mark.parametrize(
    "text",
    ["var x: real[2]\nminimize e: x[0]^2 + x[1]^2", f"{TWO}prefer e: [x, y] ~ normal(0, 1)"],
)
def test_elements_of_one_array_are_one_block(text):
    assert len(blocks_of(text)) == 1


def test_terms_of_a_part_are_named_by_their_path():
    text = "spec one() {\n  var x: real\n  minimize low: x^2\n}\npart a = one()\npart b = one()"

    assert blocks_of(text) == (Block(("a.x",), ("a.low",)), Block(("b.x",), ("b.low",)))


@pytest.mark.parametrize(
    ("energy", "signs"),
    [("x^2 - y^2", {1, -1}), ("-(x^2 - 2 * y^2)", {1, -1}), ("x^2 + 3 * y^2", {1})],
)
def test_summands_carry_the_sign_of_their_factor(energy, signs):
    facts = facts_of(f"{TWO}minimize e: {energy}")

    found = find_summands(facts, energy_node(facts, "e"))

    assert {summand.sign for summand in found} == signs


def test_the_sign_of_an_unknown_factor_is_not_known():
    facts = facts_of("var x: real\ngiven k: real\nminimize e: k * x^2")

    (summand,) = find_summands(facts, energy_node(facts, "e"))

    assert summand.sign == 0


def test_conjuncts_of_a_requirement_are_its_margins():
    facts = facts_of(f"{TWO}require c: x >= 0 and y^2 <= 1")

    conjuncts = find_conjuncts(facts, facts.graph.roots[Root(RootKind.HARD, "c")])

    assert [facts.dependence[n].value for n in conjuncts] == [{"x"}, {"y"}]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=specs(Arithmetic.SMOOTH, depth=2))
def test_energies_of_blocks_add_up(case):
    """E(a) + E(b) stays the same when a and b exchange their values of one block."""
    facts = facts_of(case.text, case.sizes, givens=case.data)
    program = typed(case.text)

    def energy(point):
        return evaluate(program, point=point, data=case.data, sizes=case.sizes).total

    points = [dict(point) for point in case.points[:2]]
    before = [energy(point) for point in points]

    for block in facts.blocks:
        swapped = [
            {path: points[i ^ (path in block.variables)][path] for path in points[0]}
            for i in range(2)
        ]
        after = [energy(point) for point in swapped]
        if np.isfinite([*before, *after]).all():
            scale = np.abs([*before, *after]).max() + 1.0
            assert sum(after) == pytest.approx(sum(before), abs=1e-9 * scale)


def test_nodes_do_not_move_with_variables_that_they_do_not_depend_on():
    text = """var x: real
var y: real[3]
var z: real
minimize a: x^2 + norm(y)
prefer b: y[0] <= z or y[1] <= z
require c: x + sum(y) >= -1 and z <= 2"""
    facts = facts_of(text)
    rng = np.random.default_rng(0)
    here, there = random_point(facts, rng), random_point(facts, rng)

    for path in here:
        values = values_of(facts.graph, here)
        moved = values_of(facts.graph, {**here, path: there[path]})
        for number, (value, other) in enumerate(zip(values, moved, strict=True)):
            if path not in facts.dependence[number].value:
                np.testing.assert_array_equal(value, other)
