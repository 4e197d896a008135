"""exp, log and what is made of them, against longer arithmetic, in units in the last place."""

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

ULPS = 3.0
"""What `elementary.h` promises."""

RANGES = {
    "exp": (np.exp, -87.0, 88.0),
    "log": (np.log, 1e-30, 1e3),
    "log1p": (np.log1p, -0.999999, 1e3),
    "expm1": (np.expm1, -60.0, 88.0),
    "tanh": (np.tanh, -20.0, 20.0),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_elementary_functions_are_right_to_few_units_in_the_last_place(dtype):
    energies = []
    for name in RANGES:
        s = Sketch()
        s.root(RootKind.REPORT, s(name, s.variable("x")), "out")
        energies.append(compile_graph(s.graph(), dtype=dtype))
    functions = build_functions([reports(energy) for energy in energies])
    rng = np.random.default_rng(4)

    for (name, (exact, low, high)), run in zip(RANGES.items(), functions, strict=True):
        near = rng.uniform(max(low, -2.0), 2.0, 40_000)
        tiny = rng.choice([-1, 1], 20_000) * np.exp(rng.uniform(-60, 0, 20_000))
        points = np.concatenate([rng.uniform(low, high, 40_000), near, tiny])
        x = torch.tensor(np.clip(points, low, high)[:, None], dtype=dtype)
        (found,) = run(x)
        # 64 bits of mantissa against 53: the truth, as far as half a unit goes.
        truth = exact(x[:, 0].numpy().astype(np.longdouble))
        unit = np.spacing(np.abs(truth).astype(found.numpy().dtype))
        worst = np.max(np.abs(found.numpy().astype(np.longdouble) - truth) / unit)
        assert worst <= ULPS, (name, worst)
