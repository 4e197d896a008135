"""The specs of the honesty experiment against the targets whose moments are known."""

import pytest
import torch

from benchmarks import honesty_targets
from ebmlang.api.compile import compile_model


@pytest.mark.parametrize("name", honesty_targets.TARGETS)
def test_a_spec_is_its_target_up_to_a_constant(name):
    target = honesty_targets.find(name)
    points = target.draw(50, torch.Generator().manual_seed(6))

    ours = compile_model(honesty_targets.load(name)).packed().energy(points)

    offsets = ours - target.energy(points)
    scale = ours.abs().max().item() + 1
    torch.testing.assert_close(offsets, offsets[:1].expand(50), rtol=0, atol=1e-12 * scale)
    assert ours.std() > 0.1
