"""Objectives by hand, in C and in torch, for the loops around them."""

import torch

from ebmlang.lang import DomainKind
from ebmlang.lower.native.build import Library, build_library
from ebmlang.solve.native.machine import Machines, build_machine
from ebmlang.solve.native.text import Function, write_descents, write_objectives
from ebmlang.solve.objective import Lagrangian
from ebmlang.spaces import build_solving_chart
from tests.runtime.function_target import FunctionTarget, layout_of

DIM = 6

VALLEYS = """
#define valleys_SCRATCH 0
static void valleys(const real *restrict x, const inputs *in, real *const *restrict out,
                    real *restrict scratch) {
  real *value = out[0], *slope = out[1];
  for (int l = 0; l < LANES; ++l) value[l] = 0;
  for (int k = 0; k < 6 * LANES; ++k) slope[k] = 0;
  for (int j = 0; j < 5; ++j)
    for (int l = 0; l < LANES; ++l) {
      real a = x[j * LANES + l], b = x[(j + 1) * LANES + l];
      real bend = b - a * a, off = 1 - a;
      value[l] += 10 * bend * bend + off * off;
      slope[j * LANES + l] -= 40 * bend * a + 2 * off;
      slope[(j + 1) * LANES + l] += 20 * bend;
    }
}
"""
"""Rosenbrock's function, with 10 for 100, in six dimensions."""


def valleys(x: torch.Tensor) -> torch.Tensor:
    bend = x[:, 1:] - x[:, :-1].square()
    return (10 * bend.square() + (1 - x[:, :-1]).square()).sum(1)


def build_objective(dtype: torch.dtype, count: int, *, machine: bool, **bounds) -> Lagrangian:
    precision = "float64" if dtype is torch.float64 else "float32"
    texts = write_descents(), write_objectives([Function(name="valleys", text=VALLEYS)])
    loops, library = (build_library(text, precision) for text in texts)
    assert isinstance(loops, Library), loops
    assert isinstance(library, Library), library
    empty = torch.empty(count, 0, dtype=dtype)
    layout = layout_of(DomainKind.REAL, DIM, **bounds)
    chart = build_solving_chart(layout, dtype=dtype, device=torch.device("cpu"))
    code = build_machine("valleys", loops=loops, library=library, chart=chart, sizes=(DIM,))
    return Lagrangian(
        target=FunctionTarget(dim=DIM, energy=valleys, dtype=dtype),
        chart=chart,
        scale=empty,
        slack=empty,
        multipliers=empty,
        penalty=empty,
        machines=Machines(lagrangian=code, violation=None) if machine else None,
    )
