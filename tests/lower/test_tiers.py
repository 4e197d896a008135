"""Which tier a run takes, and that it goes on where machine code cannot be had."""

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.graph import RootKind
from ebmlang.lower import tiers
from ebmlang.lower.gradient import Question
from ebmlang.lower.native import build
from ebmlang.lower.native.build import find_compiler
from ebmlang.lower.native.emit import NativeProgram, emit_native
from ebmlang.lower.tiers import Ahead, Tier, asked_tier, count_operations, pays
from ebmlang.source import EbmError
from ebmlang.testing.strategies import Case
from ebmlang.testing.values import compiled
from tests.road import optimized

TEXT = "var x: real[2]\nprefer near: norm(x - [1, 2]) <= 0.5 within 0.25\nminimize e: exp(x[0])"
POINT = {"x": np.array([0.3, -0.7])}


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch):
    monkeypatch.delenv(tiers.VARIABLE, raising=False)
    monkeypatch.setattr(tiers, "_said", set())


def energy():
    return compiled(Case(text=TEXT, sizes={}, data={}, points=(POINT,)))


def slopes(module):
    return module.packed().energy_and_gradient(torch.tensor([[0.3, -0.7], [2.0, 2.0]]).double())


def machine_code(module):
    return [code for code in module.natives.values() if code is not None]


def test_without_work_ahead_a_run_is_straight():
    module = energy()

    slopes(module)

    assert module.natives == {}


@pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")
@pytest.mark.slow
def test_much_work_ahead_is_done_in_machine_code_with_the_same_values():
    straight = energy()
    native = energy()
    native.ahead = Ahead(calls=10**6, points=100)

    expected, found = slopes(straight), slopes(native)

    assert len(machine_code(native)) == 1
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-13)


def test_little_work_ahead_is_not_worth_a_compiler():
    module = energy()
    module.ahead = Ahead(calls=10, points=4)

    slopes(module)

    assert list(module.natives.values()) == [None]


def test_straight_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(tiers.VARIABLE, "straight")
    module = energy()
    module.ahead = Ahead(calls=10**6, points=100)

    slopes(module)

    assert module.natives == {}
    assert asked_tier() is Tier.STRAIGHT


def test_a_tier_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setenv(tiers.VARIABLE, "fast")

    with pytest.raises(EbmError) as raised:
        asked_tier()

    assert [diagnostic.code for diagnostic in raised.value.diagnostics] == ["E0904"]


def test_without_a_compiler_the_run_goes_on_and_says_so_once(monkeypatch, capsys):
    monkeypatch.setenv(tiers.VARIABLE, "native")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build, "_loaded", {})
    module, other = energy(), energy()

    found = slopes(module)
    slopes(other)

    monkeypatch.setenv(tiers.VARIABLE, "straight")
    for value, expected in zip(found, slopes(energy()), strict=True):
        assert torch.equal(value, expected)
    assert capsys.readouterr().err.count("no C compiler") == 1


def test_a_binding_keeps_its_tier_once_it_has_begun(monkeypatch):
    packed = energy().packed()
    before = packed.derive(Question.ENERGY)

    monkeypatch.setenv(tiers.VARIABLE, "native")

    assert packed.derive(Question.ENERGY) is before


def test_more_work_pays_more_and_longer_text_less():
    def worth(calls, lines):
        return pays(Ahead(calls=calls, points=10), operations=50, elements=500, lines=lines)

    assert worth(10**5, 100)
    assert not worth(10**3, 100)
    assert not worth(10**5, 10**5)


def test_a_recurrence_works_as_often_as_it_has_steps():
    """In torch each step is calls of its own, in machine code only more elements."""

    def count(steps):
        graph = optimized(
            f"var x: real[{steps}]\nlet s = scan s = 0 over e in x: sin(s) + e\nminimize e: sum(s)"
        )
        (total,) = [n for root, n in graph.roots.items() if root.kind is RootKind.TOTAL]
        program = emit_native(graph, [total], "f")
        assert isinstance(program, NativeProgram)
        return count_operations(graph), program.work

    few, many, more = (count(steps) for steps in (10, 20, 30))

    assert all(b - a > 20 for a, b in zip(few, many, strict=True))
    assert all(c - b == b - a for a, b, c in zip(few, many, more, strict=True))


@pytest.mark.parametrize("tier", ["straight", "native"])
def test_the_gradient_by_a_single_number_is_a_vector_of_one(tier, monkeypatch):
    """And so a sum of squares of it is solved: (y - 1)^2 by Levenberg-Marquardt."""
    monkeypatch.setenv(tiers.VARIABLE, tier)
    model = ebmlang.loads("var y: real\nminimize f: (y - 1)^2")

    value, gradient = (
        model.compile(dtype=torch.float64)
        .packed()
        .energy_and_gradient(torch.tensor([[0.0], [3.0]]).double())
    )

    assert value.tolist() == [1.0, 4.0]
    assert gradient.tolist() == [[-2.0], [4.0]]
    assert float(model.solve(starts=4)[0].variables["y"]) == pytest.approx(1.0, abs=1e-9)
