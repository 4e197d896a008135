"""Quantifiers over more elements than torch code computes in one piece: machine code beside it."""

import numpy as np
import pytest
import torch

from ebmlang.api.compile import compile_model
from ebmlang.api.load import loads
from ebmlang.lower.gradient import Question, gradient_graph, show_gradient
from ebmlang.lower.native.build import find_compiler
from ebmlang.lower.native.slopes import group_slopes
from tests.lower.native.unit import Asked, build_functions

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

SUMMED = {"rtol": 1e-9, "atol": 1e-9}
"""float64: a million numbers, summed in another order."""

FORMS = (
    "prefer t: forall a, b in pairs(p): norm(a - b) >= 0.5 within 0.05",
    "minimize t: sum a, b in pairs(p): log(norm(a - b) + 1) * a[0]",
    "logic godel\nprefer t: forall a, b in pairs(p): norm(a - b) >= 0.5 within 0.05",
    "minimize t: sum a, b in product(p, q): exp(-norm(a - b)^2) * a[1]",
)


@pytest.mark.slow
def test_machine_code_and_blocks_of_torch_code_agree(monkeypatch):
    monkeypatch.setenv("EBM_TIER", "straight")
    asked = []
    for form in FORMS:
        logic, _, term = form.rpartition("\n")
        text = f"{logic}\nvar p: real[1030, 2] in [-10, 10]\nlet q = p[0..509]\n{term}\n"
        energy = compile_model(loads(text), dtype=torch.float64)
        assert "k.blocks" in show_gradient(energy.graph)
        graph = gradient_graph(energy.graph, Question.ENERGY)
        asked.append(Asked(energy=energy, graph=graph, groups=group_slopes(graph)))

    for one, function in zip(asked, build_functions(asked), strict=True):
        x = torch.tensor(np.random.default_rng(3).uniform(-10, 10, (2, one.energy.dim)))
        value, gradient = function(x)
        expected, slopes = one.energy.packed().energy_and_gradient(x)
        torch.testing.assert_close(value, expected, **SUMMED)
        torch.testing.assert_close(gradient, slopes, **SUMMED)
