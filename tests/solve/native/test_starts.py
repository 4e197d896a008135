"""Searches begin where they would in torch: one call of machine code looks at all candidates."""

import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.runtime import UNLIMITED, SilentProgress, watch_interrupts
from ebmlang.solve.local import Local, find_code
from ebmlang.solve.loop import Watch
from ebmlang.solve.native import building
from ebmlang.solve.problem import build_problem
from ebmlang.solve.search.starts import draw

HALF = """
var x: real[3] in [-1, 4]
minimize e: sum(x * log(x)) + sum(sin(5 * x))
"""
"""Finite where all three are above zero: in half of the domain."""

RING = """
var x: real[2] in [-2, 2]
minimize e: log(norm(x))^2
require above: x[0] >= 0.2
"""


def draw_in(tier: str, spec: str, context: pytest.MonkeyPatch) -> tuple[torch.Tensor, int]:
    """Return starts, and how many were drawn again."""
    native = tier == "native"
    context.setattr(building, "BUILD_COST", 0.0 if native else torch.inf)
    module = compile_model(ebmlang.loads(spec))
    with watch_interrupts() as interrupt:
        watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
        problem = build_problem(module.packed(), lay_out(module), seed=0, watch=watch)
        assert (find_code(problem, 24, Local()) is not None) == native
        return draw(problem, 24, 7, Local())


@pytest.mark.slow  # compiles
@pytest.mark.parametrize("spec", [HALF, RING], ids=["half", "ring"])
def test_both_tiers_begin_at_the_same_points(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        starts, again = draw_in("native", spec, context)
    with monkeypatch.context() as context:
        expected, known = draw_in("straight", spec, context)

    assert torch.equal(starts, expected)
    assert again == known


@pytest.mark.slow  # compiles
def test_what_is_not_finite_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 24 starts 12 are the first that come, half of which fall outside of the logarithms."""
    starts, again = draw_in("native", HALF, monkeypatch)

    # In the solver's coordinates, zero lies at -0.6.
    assert bool((starts > -0.6).all())
    assert 2 <= again <= 10
