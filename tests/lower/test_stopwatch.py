"""The clock of emitted code: each step is timed once, forward and backward."""

import torch

import ebmlang
from ebmlang.analysis.attribution import share_energy, share_gradient
from ebmlang.graph import RootKind
from ebmlang.lower.gradient import Question, gradient_graph
from ebmlang.lower.stopwatch import time_gradient, time_values

LEAVES = {"variable", "constant", "weight", "given"}


def _time(text, chains=4):
    module = ebmlang.loads(text).compile()
    x = torch.rand(chains, module.dim, dtype=torch.float64)
    totals = [number for _, number in module.graph.roots_of(RootKind.TOTAL)]
    return module.graph, time_values(module, totals, x, rounds=1, backward=True)


SPEC = """
var x: real[3]
prefer near: norm(x) <= 1 within 0.5 or x[0] <= 0 within 0.5
minimize rest: sum(exp(x))
"""


def test_every_step_is_timed_forward():
    graph, lap = _time(SPEC)

    steps = {n for n in share_energy(graph) if graph.nodes[n].operator not in LEAVES}
    assert set(lap.forward) == steps
    assert all(seconds > 0 for seconds in lap.forward.values())


def test_what_is_timed_backward_was_timed_forward():
    graph, lap = _time(SPEC)

    operators = {graph.nodes[number].operator for number in lap.backward}
    assert set(lap.backward) <= set(lap.forward)
    assert {"exp", "norm", "noisy_or"} <= operators


def test_every_step_of_an_emitted_gradient_is_timed():
    module = ebmlang.loads(SPEC).compile()
    x = torch.rand(4, module.dim, dtype=torch.float64)
    derived = gradient_graph(module.graph, Question.ENERGY)

    lap = time_gradient(module, derived, x, rounds=1)

    users = share_gradient(module.graph, derived)
    steps = {n for n in users if derived.nodes[n].operator not in LEAVES}
    assert set(lap.forward) == steps
    assert not lap.backward


def test_a_value_takes_eight_bytes_per_chain_and_element():
    graph, lap = _time("var x: real[3]\nminimize e: sum(exp(x))", chains=5)

    (exponential,) = [n for n, node in enumerate(graph.nodes) if node.operator == "exp"]
    assert lap.kept[exponential] == 5 * 3 * 8


def test_a_recurrence_is_timed_as_one_step():
    graph, lap = _time(
        "var u: real[4]\nlet s = scan t = 0.0 over a in u: sin(t) + a\nminimize e: s[4]^2"
    )

    (recurrence,) = [n for n, node in enumerate(graph.nodes) if node.operator == "scan"]
    assert lap.forward[recurrence] > 0
    assert lap.backward[recurrence] > 0
