"""The emitted text: goldens for people, and what holds for all of it."""

import ast
from pathlib import Path

import numpy as np
import pytest

from ebmlang.graph import Kind, RootKind
from ebmlang.lower import emit_source
from ebmlang.lower.emit import emit_gradient
from ebmlang.lower.gradient import Question, gradient_graph, show_gradient
from tests.lower.sketch import Sketch
from tests.road import optimized

GOLDEN = Path(__file__).parent.parent / "golden" / "code"


def desk():
    """Two things on a desk: apart, and near a wall or another."""
    s = Sketch()
    lamp, cup = s.variable("lamp", (2,)), s.variable("cup", (2,))
    s.path = "apart"
    distance = s("norm", s("sub", lamp, cup), axes=(-1,))
    margin = s("sub", distance, s.constant(30.0))
    s.root(RootKind.MARGIN, margin, "apart")
    s.root(RootKind.HARD, s("reshape", margin, rank=0, shape=(1,)), "apart")
    s.path = "side"
    walls = s.constant([[0.0, 30.0], [120.0, 30.0]])
    offsets = s("sub", s("reshape", lamp, rank=1, shape=(1, 2)), walls)
    beyond = s("sub", s("norm", offsets, axes=(-1,)), s.constant([10.0]))
    energies = s("square", s("relu", s("div", beyond, s.constant([2.0]))))
    side = s("mul", s("noisy_or", energies, axes=(-1,)), s.weight("side", 1.0))
    s.root(RootKind.ENERGY, side, "side")
    s.path = "reach"
    goal = s.given("goal", (2,), default=[60.0, 0.0])
    reach = s("div", s("norm", s("sub", cup, goal), axes=(-1,)), s.constant(100.0))
    s.root(RootKind.ENERGY, reach, "reach")
    s.path = ""
    return s.graph(s("sum", s("stack", side, reach, axis=-1), axes=(-1,)))


def pull():
    """A recurrence: a ball pulled along, with data for every step."""
    body = Sketch(path="motion")
    ball, push, drag = body.parameter(0, (2,)), body.parameter(1), body.parameter(2)
    slower = body("mul", ball, body("reshape", body("exp", body("neg", drag)), rank=0, shape=(1,)))
    result = body("add", slower, body("reshape", push, rank=0, shape=(1,)))
    s = Sketch(path="motion")
    start, pushes, drag = s.given("start", (2,)), s.variable("pushes", (4,)), s.variable("drag")
    states = s.scan(body.body(result), start, [pushes], [drag], steps=4, rank=1)
    s.path = "end"
    end = s("take", states, s.constant(4), axis=-2)
    total = s("sum", s("square", end), axes=(-1,))
    s.root(RootKind.ENERGY, total, "end")
    return s.graph(total)


def lookup():
    """Data that says which elements count, and guards for those that do not."""
    s = Sketch(path="fit")
    x = s.variable("x", (5, 3))
    place = s.given("place", (), Kind.INT)
    s.root(RootKind.INDEX, place, "fit", size=5)
    row = s("take", x, place, axis=-2)
    seen = s("where", s.given("seen", (3,), Kind.BOOL), s("log", row), s.constant([0.0]))
    total = s("sum", seen, axes=(-1,))
    s.root(RootKind.ENERGY, total, "fit")
    s.root(RootKind.REPORT, row, "row")
    s.root(RootKind.LOWER, s.constant(np.zeros((5, 3))), "x")
    return s.graph(total)


CASES = {"desk": desk, "pull": pull, "lookup": lookup}


@pytest.mark.parametrize("name", CASES)
def test_the_code_reads_as_shown(name):
    assert emit_source(CASES[name]()) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_the_code_of_a_gradient_reads_as_shown():
    shown = (GOLDEN / "desk_gradient.txt").read_text(encoding="utf-8")

    assert show_gradient(desk()) == shown


def test_what_leaves_a_gradient_to_autograd_is_said():
    s = Sketch(path="fit")
    x = s.variable("x")

    assert "no rule for `extern`" in show_gradient(s.graph(s.node("extern", [x], name="f")))


@pytest.mark.parametrize("name", CASES)
def test_the_same_graph_gives_the_same_text(name):
    assert emit_source(CASES[name]()) == emit_source(CASES[name]())


def test_no_line_is_too_long():
    s = Sketch(path="m")
    variables = [s.variable(f"x{i}", (2,)) for i in range(60)]
    norms = [s("norm", x, axes=(-1,)) for x in variables]
    text = emit_source(s.graph(s("sum", s("stack", *norms, axis=-1), axes=(-1,))))

    ast.parse(text)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_text_of_the_user_cannot_become_code():
    s = Sketch(path="m\nimport os")
    energy = s("square", s.variable("x) + __import__('os"))
    text = emit_source(s.graph(energy))

    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)]
    assert [alias.name for node in imported for alias in node.names] == [
        "torch",
        "torch.nn.functional",
        "ebmlang.lower.torch_kernels",
    ]
    assert "__import__(" not in text


def test_each_function_computes_only_what_it_needs():
    text = emit_source(desk())

    required = text[text.index("def requirements") : text.index("def reports")]
    assert "noisy_or" not in required
    assert "noisy_or" in text[text.index("def total") : text.index("def terms")]


def test_a_long_chain_of_steps_is_emitted_without_recursion():
    s = Sketch()
    x = s.variable("x")
    for _ in range(20_000):
        x = s("sin", x)

    assert emit_source(s.graph(x)).count("torch.sin") == 20_000


def test_the_code_for_the_energy_of_many_terms_is_as_long_as_that_for_few():
    def lines(count):
        terms = "\n".join(
            f"prefer t{i}: x{i} <= 0.{i + 1} within 0.5 or x{i + 1} + x{i} >= 0.{i + 1}"
            for i in range(count)
        )
        names = "\n".join(f"var x{i}: real" for i in range(count + 1))
        _, text = emit_source(optimized(f"{names}\n{terms}")).split("def total(")
        return text.split("\ndef ")[0].splitlines()

    assert len(lines(100)) == len(lines(10))
    assert not any("unbind" in line for line in lines(10))


def test_slopes_by_many_variables_are_not_taken_apart_and_put_together_again():
    names = "\n".join(f"var x{i}: real" for i in range(20))
    terms = "\n".join(
        f"minimize m{i}: exp(x{i} - {i + 1}) * x{(3 * i + 1) % 20}" for i in range(20)
    )
    graph = gradient_graph(optimized(f"{names}\n{terms}"), Question.ENERGY)

    text = emit_gradient(graph).text

    assert "stack" not in text.split("def value_and_gradient(")[1]
