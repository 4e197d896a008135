"""Memory in machine code: what a cell reads is there when it reads it."""

import numpy as np
import pytest
import torch

from ebmlang.graph import RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.lower.native.build import find_compiler
from tests.lower.native.unit import build_functions, reports
from tests.lower.sketch import Sketch

pytestmark = [
    pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler"),
    pytest.mark.slow,
]


def test_elements_put_together_stay_as_long_as_somebody_reads_them():
    """The running sums stand in memory that nothing but the stack reads, at once and much later."""
    s = Sketch()
    x = s.variable("x", (6,))
    sums = s("cumsum", x)
    ends = [s("take", sums, s.constant(place), axis=-1) for place in (5, 0)]
    pair = s("stack", *ends, axis=-1)
    later = x
    for _ in range(4):
        later = s("cumsum", s("sin", later))
    late = s("sum", later, axes=(-1,))
    s.root(RootKind.REPORT, s("mul", pair, s("reshape", late, rank=0, shape=(1,))), "out")
    energy = compile_graph(s.graph(), dtype=torch.float64)
    (run,) = build_functions([reports(energy)])
    points = torch.tensor(np.random.default_rng(1).normal(size=(5, 6)))

    (found,) = run(points)

    expected = points
    for _ in range(4):
        expected = expected.sin().cumsum(1)
    ends = points.cumsum(1)[:, [5, 0]]
    np.testing.assert_allclose(found, ends * expected.sum(1, keepdim=True), rtol=1e-12)
