"""Many rows in machine code: each start reads the data, and the bounds, of its own row."""

from dataclasses import replace

import numpy as np
import pytest

import ebmlang
from ebmlang.solve.native.building import Work, find_machines

pytestmark = pytest.mark.slow  # compiles

SPEC = """
given a: real[3]
given top: real
var x: real[3] in [-2, top]
minimize e: sum((x - a)^4) + x[0] * x[1]
require small: sum(x) <= 1
"""

ROWS = 60
SEED = 5


def table() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(SEED)
    return {"a": rng.uniform(-2, 2, (ROWS, 3)), "top": rng.uniform(0.2, 1.5, ROWS)}


def test_answers_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds differ from row to row, and some optima lie on them."""
    model = ebmlang.loads(SPEC)
    used = []

    def find(target, chart, work: Work):
        used.append(find_machines(target, chart, replace(work, starts=10**7)))
        return used[-1]

    with monkeypatch.context() as context:
        context.setattr("ebmlang.solve.local.find_machines", find)
        native = model.solve_each(table(), starts=4)
    with monkeypatch.context() as context:
        context.setattr("ebmlang.solve.local.find_machines", lambda *_: None)
        straight = model.solve_each(table(), starts=4)

    assert used
    assert all(machines is not None for machines in used)
    np.testing.assert_allclose(native.energy, straight.energy, atol=1e-6)
    assert native.feasible.all()
