"""A number that is not finite is followed to the step that made it."""

import math

import torch

from ebmlang.graph import RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.lower.trace import explain_nonfinite
from tests.lower.sketch import Sketch
from tests.road import optimized


def explain(sketch, total, x, data=None):
    sketch.root(RootKind.ENERGY, total, "m")
    energy = compile_graph(sketch.graph(total))
    energy.bind(data or {})
    return explain_nonfinite(energy, {"x": torch.tensor(x)})


def test_a_finite_energy_needs_no_explanation():
    s = Sketch()

    assert explain(s, s("log", s.variable("x")), [1.0]) is None


def test_the_guilty_step_its_chain_its_operand_and_its_term_are_named():
    s = Sketch()
    x = s.variable("x", (2,))
    total = s("sum", s("square", s("log", x)), axes=(-1,))

    message = explain(s, total, [[1.0, 2.0], [3.0, -0.5]])

    assert message.code == "E0707"
    assert message.headline == "the energy of chain 1 is not a number"
    assert message.primary.span.text == "log(x[0])"
    assert message.primary.text == "this is not a number"
    assert message.notes == ("the step is `log` of -0.5 at [1]", "it is part of `m`")


def test_overflow_is_found_in_the_dtype_that_it_happens_in():
    s = Sketch()
    total = s("log", s("exp", s.variable("x")))

    message = explain(s, total, [100.0])

    assert message.headline == "the energy of chain 0 is infinite"
    assert message.notes[0] == "the step is `exp` of 100"


def test_an_infinite_bound_is_not_to_blame():
    s = Sketch()
    x = s.variable("x")
    total = s("supported", x, s.constant(0.0), s.constant(math.inf), s("square", x))

    message = explain(s, total, [-1.0])

    assert message.notes[0] == "the step is `supported` of -1, 0, inf, 1"


def test_the_branch_not_taken_is_not_to_blame():
    s = Sketch()
    x = s.variable("x", (2,))
    kept = s("where", s("nonnegative", x), s("log", x), s.constant([0.0]))
    total = s("sum", s("div", kept, s("sub", x, s.constant([2.0]))), axes=(-1,))

    message = explain(s, total, [[-1.0, 2.0]])

    assert message.notes[0].startswith("the step is `div` of 0.693")


def test_bad_data_is_followed_to_the_step_before_any_point():
    s = Sketch()
    total = s("mul", s.variable("x"), s("log", s.given("k")))

    message = explain(s, total, [1.0], {"k": -1.0})

    assert message.notes[0] == "the step is `log` of -1"


def test_a_recurrence_names_its_step():
    body = Sketch()
    result = body("square", body("add", body.parameter(0), body.parameter(1)))
    s = Sketch()
    states = s.scan(body.body(result), s.variable("x"), [s.constant([0.0] * 9)], steps=9)

    message = explain(s, s("sum", states, axes=(-1,)), [10.0])

    # 10^(2^t) passes the largest float32, 3.4e38, at t = 6.
    assert message.notes[0] == "the state of the recurrence is first so after step 6"


def test_the_guilty_term_of_many_that_are_computed_together_is_named():
    lines = "\n".join(f"minimize m{i}: log(x[{i}])" for i in range(6))
    energy = compile_graph(optimized(f"var x: real[6]\n{lines}"))

    message = explain_nonfinite(energy, {"x": torch.tensor([[1.0, 2.0, 3.0, -4.0, 5.0, 6.0]])})

    assert message.primary.span.text == "log(x[3])"
    assert message.notes == ("the step is `log` of -4 at [3]", "it is part of `m3`")
