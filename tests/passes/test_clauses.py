"""Clauses: smooth, and together exactly the requirement that they are of."""

import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model
from ebmlang.graph import RootKind

REQUIREMENTS = {
    "x == [1, 2, y] within 0.1": 6,
    "(y == 3 within 1e-3 and x[0] <= 2) or (forall a in x: a >= 1)": 9,
    "forall a in x: a >= 0 or a == -1 within 0.2": 6,
    "not (y == 1 within 0.5) or x[1] == y within 0.3": 2,
    "exists a in x: a == 1 within 0.1": 1,
    "(y >= 1 and y <= 2) or (x[0] >= 1 and x[1] >= 1) or x[2] == 0 within 1": 8,
    "y >= 1 implies (x[0] == 0 within 1 and x[1] == 0 within 1)": 4,
    "forall i in 0..2 where i != 1: x[i] == 0 within 1 or y >= 2": 4,
}
"""By requirement, the number of its clauses, counted by hand."""


def columns(text: str) -> tuple[torch.Tensor, torch.Tensor]:
    model = ebmlang.loads(f"var x: real[3]\nvar y: real\nrequire it: {text}\n")
    module = compile_model(model)
    rng = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(500, 4, dtype=torch.float64, generator=rng)
    return module.packed().requirements(x), module.terms(module.unpack(x)).margins["it"]


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_the_smallest_clause_is_the_margin(text: str) -> None:
    clauses, margin = columns(text)

    assert torch.equal(clauses.amin(1), margin)


@pytest.mark.parametrize(("text", "count"), REQUIREMENTS.items())
def test_an_or_is_written_as_a_clause_for_each_choice(text: str, count: int) -> None:
    clauses, _ = columns(text)

    # Elements that a condition leaves out count as clauses that always hold.
    assert int(torch.isfinite(clauses).any(0).sum()) == count


def test_many_choices_stay_one_margin() -> None:
    """Four operands of four relations each would be 256 clauses."""
    operand = "(x[0] >= {0} and x[1] >= {0} and x[2] >= {0} and y >= {0})"
    text = " or ".join(operand.format(number) for number in range(4))

    clauses, margin = columns(text)

    assert clauses.shape[1] == 1
    assert torch.equal(clauses[:, 0], margin)


def test_what_has_no_kinks_has_no_clauses_of_its_own() -> None:
    model = ebmlang.loads("var x: real[2]\nrequire it: x[0] <= 1 and x[1] >= 2\n")

    assert not list(compile_model(model).graph.roots_of(RootKind.CLAUSES))
