"""Variables, and elements of variables, whose value nothing decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.analysis import GraphFacts
from ebmlang.analysis.findings.tracing import trace_needs
from ebmlang.graph import RootKind
from ebmlang.lower.reference import evaluate
from ebmlang.passes import ANALYZED, optimize
from tests.analysis.findings.road import codes, find, names
from tests.road import built, typed

UNTOUCHED = {
    "a factor of zero": ("var y: real", "minimize e: x^2 + 0 * y", ["y"]),
    "a report": ("var y: real", "minimize e: x^2\nreport r = y", ["y"]),
    "one element": ("var v: real[3]", "minimize e: x + v[0]^2 + v[2]^2", ["v[1]"]),
    "a row": ("var m: real[2, 2]", "minimize e: x + sum(m[0]^2)", ["m[1, 0]"]),
    "a slice": ("var v: real[4]", "minimize e: x + sum(v[1..2]^2)", ["v[0]"]),
    "a gap between neighbours": (
        "var v: real[4]",
        "minimize e: x + sum i in [0, 1, 3]: v[i]^2",
        ["v[2]"],
    ),
    "a zero in a vector of factors": (
        "var v: real[2]",
        "minimize e: x + sum([1, 0] * v)",
        ["v[1]"],
    ),
    "nothing": ("var v: real[3]", "minimize e: x + sum(v^2)", []),
    "nothing, by a requirement": ("var y: real", "require e: x + y >= 1", []),
    "nothing, by order": ("var o: ordered[3]", "minimize e: x + o[0]^2", []),
    "nothing, on a simplex": ("var p: simplex[3]", "minimize e: x + p[0]", []),
    "nothing, by an index that data decides": (
        "var v: real[3]\ngiven k: int",
        "minimize e: x + v[k]^2",
        [],
    ),
    "nothing, by a recurrence": (
        "var v: real[3]",
        "let path = scan s = 0.0 over a in v: s + a\nminimize e: x + path[3]^2",
        [],
    ),
}


@pytest.mark.parametrize(("variable", "terms", "expected"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_nothing_touches_is_named(variable, terms, expected):
    assert names(f"var x: real\n{variable}\n{terms}", "W0211") == expected


def test_a_variable_of_a_term_that_says_nothing_is_left_to_the_message_about_the_term():
    assert codes("var x: real in [0, 1]\nprefer a: x <= 5") == ["W0423"]


def test_of_many_elements_the_first_few_are_named():
    (found,) = find("var v: real[9] in [0, 1]\nminimize e: v[0]")

    assert found.headline == "no term depends on `v[1]`, `v[2]`, `v[3]`, `v[4]` and 4 more"


def test_a_variable_of_a_spec_is_untouched_only_if_it_is_in_every_part():
    spec = "spec leg(k) { var foot: real  var toe: real  minimize e: k * foot^2 + toe^2 }\n"

    assert names(f"{spec}part a = leg(0)\npart b = leg(0)", "W0211") == ["a.foot"]
    assert names(f"{spec}part a = leg(0)\npart b = leg(1)", "W0211") == []


READS = (
    "v[{i}]",
    "sum(v[{i}..{j}])",
    "m[{k}, {l}]",
    "sum(m[{k}])",
    "max(v)",
    "transpose(m)[{l}, {k}]",
    "v[{i}] * v[{j}]",
    "concat(v, m[{k}])[{i}]",
    "norm(m @ [v[{i}], v[{j}], 1])",
)


@pytest.mark.slow
@given(data=st.data())
def test_an_element_called_untouched_does_not_change_the_energy(data):
    """By the oracle, energies at two points that differ only there are equal."""
    low = data.draw(st.integers(0, 3))
    places = {
        "i": low,
        "j": data.draw(st.integers(low, 3)),
        "k": data.draw(st.integers(0, 1)),
        "l": data.draw(st.integers(0, 2)),
    }
    reads = data.draw(st.lists(st.sampled_from(READS), min_size=1, max_size=3))
    energy = " + ".join(read.format(**places) for read in reads)
    text = f"var v: real[4] in [-1, 1]\nvar m: real[2, 3] in [-1, 1]\nminimize e: {energy}"
    graph = optimize(built(text), ANALYZED)
    needed = trace_needs(GraphFacts(graph), [n for _, n in graph.roots_of(RootKind.ENERGY)])
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    one = {"v": rng.uniform(-1, 1, 4), "m": rng.uniform(-1, 1, (2, 3))}
    idle = {path: ~np.broadcast_to(needed.get(path, False), one[path].shape) for path in one}
    other = {
        path: np.where(idle[path], rng.uniform(-1, 1, one[path].shape), one[path]) for path in one
    }

    energies = [energy_of(text, point) for point in (one, other)]

    assert energies[0] == energies[1]


def energy_of(text: str, point: dict) -> float:
    return evaluate(typed(text), point=point).total
