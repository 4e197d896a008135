"""Large arrays in blocks: the same values and slopes as in one piece, in less room."""

import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ebmlang.api.compile import compile_model
from ebmlang.api.load import loads
from ebmlang.lower import blocking
from ebmlang.lower.gradient import Question, gradient_graph, show_gradient
from ebmlang.passes.gradient import reductions
from ebmlang.testing.laws import assert_same_values
from ebmlang.testing.strategies import Arithmetic, specs
from ebmlang.testing.values import by_oracle, by_torch, compiled, graph_of

LAW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)

SHARP = {"rtol": 1e-9, "atol": 1e-9}
"""float64: sums of some hundred elements, in another order."""

NEVER = 1 << 60
"""A budget that nothing passes."""

ITERATIONS = (
    ("a, b in pairs(p)", "(a - b)", "a[0] - b[1]"),
    ("a, b in product(p, q)", "(a + b)", "a[0] * b[1]"),
    ("i in 0..8", "p[i]", "p[i, 0] + q[(i + 4) % 7, 1]"),
    ("a in q", "a", "a[0] * y[2] - a[1]"),
    ("a, b in adjacent(p)", "(2 * a - b)", "a[1] - b[1]"),
    ("i in 0..8 where i % 2 == 0", "p[i]", "p[i, 0] + y[i]"),
)
"""What is gone through, a vector and a number of each element."""

MEASURES = ("norm({v})", "sum({v})", "({s})^2", "exp(-({s})^2)", "{s}", "max({v})", "abs({s})")


@st.composite
def texts(draw):
    """Draw a spec of quantifiers and sums, perhaps one inside the other."""
    logic = draw(st.sampled_from(["", "logic godel\n"]))
    lines = ["var p: real[9, 2]", "var q: real[7, 2]", "given y: real[9]"]
    for place in range(draw(st.integers(1, 3))):
        over, vector, number = draw(st.sampled_from(ITERATIONS))
        first, second = (
            draw(st.sampled_from(MEASURES)).format(v=vector, s=number) for _ in range(2)
        )
        word = draw(st.sampled_from(["sum", "mean", "max", "min", "forall", "exists", "nested"]))
        match word:
            case "forall" | "exists":
                joint = draw(st.sampled_from([" or ", " and ", " and not "]))
                text = (
                    f"{word} {over}: ({first} <= 0.7 within 0.5){joint}({second} >= 0.4 within 2)"
                )
                lines.append(f"prefer t{place}: {text}")
            case "nested":
                inner = f"(sum k in 0..8: tanh(y[k] * {first}))"
                lines.append(f"minimize t{place}: sum {over}: {inner} * {second}")
            case _:
                lines.append(f"minimize t{place}: ({word} {over}: {first} * {second})^2")
    return logic + "\n".join(lines) + "\n"


def _bound(text):
    model = loads(text).bind({"y": np.linspace(-1, 1, 9)})
    energy = compile_model(model, dtype=torch.float64)
    x = torch.randn(
        (3, energy.dim), dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    return energy, x


def _answers(text, budget, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(blocking, "LARGEST", budget)
        # A number of alternatives past which their slopes are computed in another way.
        patch.setattr(reductions, "MANY", budget)
        energy, x = _bound(text)
        packed = energy.packed()
        terms = energy.terms(energy.unpack(x))
        value, gradient = packed.energy_and_gradient(x)
        return packed.energy(x), dict(terms.energies), dict(terms.margins), value, gradient


@pytest.mark.parametrize("budget", [5, 20, 60])
def test_blocks_give_what_one_piece_gives(budget, monkeypatch):
    @LAW
    @given(texts())
    def law(text):
        found = _answers(text, budget, monkeypatch)
        expected = _answers(text, NEVER, monkeypatch)

        torch.testing.assert_close(found, expected, **SHARP)

    law()


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", Arithmetic)
def test_blocks_give_what_the_oracle_gives(arithmetic, monkeypatch):
    monkeypatch.setattr(blocking, "LARGEST", 2)

    @LAW
    @given(specs(arithmetic, depth=2))
    def law(case):
        found = by_torch(case, compiled(case, graph=graph_of(case)))

        assert_same_values(found, by_oracle(case), SHARP["rtol"])

    law()


PAIRS = "var p: real[{n}, 2] in [-10, 10]\n"
APART = PAIRS + "prefer t: forall a, b in pairs(p): norm(a - b) >= 0.1 within 0.05\n"
ATOMS = PAIRS + "minimize t: sum a, b in pairs(p): norm(a - b)^-12 - norm(a - b)^-6\n"
SOME = PAIRS + "prefer t: exists a, b in pairs(p): norm(a - b) <= 0.1 within 0.05\n"
MIXED = PAIRS + "minimize t: log(sum a, b in pairs(p): exp(-norm(a - b)))\n"


@pytest.mark.parametrize("text", [APART, ATOMS, SOME, MIXED], ids=["all", "sum", "any", "log"])
def test_no_array_outside_of_loops_is_large(text):
    """All that stands outside of the loops is as small as the points are."""
    model = loads(text.format(n=1_200))
    graph = gradient_graph(compile_model(model).graph, Question.ENERGY)
    code = show_gradient(compile_model(model).graph)

    outside = [line for line in code.splitlines() if re.match(r"    \w+ = ", line)]

    assert max(len(node.shape) and node.shape[0] for node in graph.nodes) == 1_200 * 1_199 // 2
    assert "k.blocks(719400" in code
    assert not any("719400" in line for line in outside), outside
    assert not any("index_select" in line for line in outside), outside


def test_what_keeps_the_axis_is_put_together_end_to_end():
    text = "var p: real[800, 2]\nminimize t: sum a, b in product(p, p): exp(-norm(a - b))\n"

    code = show_gradient(compile_model(loads(text)).graph)

    assert "k.blocks(800" in code
    assert "torch.cat" in code
    assert "800, 800" not in code


def test_small_energies_have_no_blocks():
    assert "k.blocks" not in show_gradient(compile_model(loads(ATOMS.format(n=100))).graph)


def test_the_largest_array_of_many_chains_is_within_the_budget(monkeypatch):
    """Counted by the hook that torch has for every operation: bytes of what each makes."""
    monkeypatch.setattr(blocking, "LARGEST", 10_000)
    energy = compile_model(loads(ATOMS.format(n=200)), dtype=torch.float32)
    x = torch.rand((16, energy.dim))
    packed = energy.packed()
    packed.energy_and_gradient(x)

    class Largest(torch.utils._python_dispatch.TorchDispatchMode):
        elements = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            made = function(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and made._base is None:
                self.elements = max(self.elements, made.numel())
            return made

    with Largest() as largest:
        packed.energy_and_gradient(x)

    # The pairs of one chain are 19,900, those of all 318,400; the points 6,400.
    assert 6_400 <= largest.elements <= 10_000
