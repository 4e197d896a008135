"""Targets with a C text of their own, for tests of the loops that know nothing of the language."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlang.runtime import EnergyText

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Quadratic:
    """E = x P x / 2 - b x, with a wall: the sum of x must not be below `floor`."""

    precision: Tensor
    slope: Tensor
    floor: float | None = None
    device: torch.device = CPU

    @property
    def dim(self) -> int:
        return len(self.slope)

    @property
    def dtype(self) -> torch.dtype:
        return self.slope.dtype

    def energy(self, x: Tensor) -> Tensor:
        return (x @ self.precision * x).sum(1) / 2 - x @ self.slope

    def requirements(self, x: Tensor) -> Tensor:
        if self.floor is None:
            return x.new_empty(len(x), 0)
        return x.sum(1, keepdim=True) - self.floor

    def write_text(self, blocks: int = 1) -> EnergyText | None:
        text = QUADRATIC + (SIDE_BY_SIDE if blocks > 1 else "")
        return EnergyText(
            text=text.replace("WIDTH", str(self.dim)).replace("MANY", str(blocks)),
            energy="quadratic" if blocks == 1 else "quadratics",
            blocks=blocks,
            margins="" if self.floor is None else "wall",
            required=int(self.floor is not None),
            energy_arrays=(self.precision.contiguous(), self.slope),
            margin_arrays=(torch.tensor([self.floor or 0.0], dtype=self.dtype),),
        )


SIDE_BY_SIDE = """
#define quadratics_SCRATCH 0
static void quadratics(const real *const *restrict x, const inputs *in, real *const *restrict out,
                       real *restrict scratch) {
  for (int block = 0; block < MANY; block++) quadratic(x[block], in, out + 2 * block, scratch);
}
"""

QUADRATIC = """
#define quadratic_SCRATCH 0
static void quadratic(const real *restrict x, const inputs *in, real *const *restrict out,
                      real *restrict scratch) {
  const real *precision = (const real *)in->shared[0], *slope = (const real *)in->shared[1];
  for (int l = 0; l < LANES; l++) {
    real energy = 0;
    for (int i = 0; i < WIDTH; i++) {
      real pulled = 0;
      for (int j = 0; j < WIDTH; j++) pulled += precision[i * WIDTH + j] * x[j * LANES + l];
      out[1][i * LANES + l] = pulled - slope[i];
      energy += x[i * LANES + l] * (pulled / 2 - slope[i]);
    }
    out[0][l] = energy;
  }
}
#define wall_SCRATCH 0
static void wall(const real *restrict x, const inputs *in, real *const *restrict out,
                 real *restrict scratch) {
  const real *bottom = (const real *)in->shared[0];
  for (int l = 0; l < LANES; l++) {
    real sum = 0;
    for (int i = 0; i < WIDTH; i++) sum += x[i * LANES + l];
    out[0][l] = sum - bottom[0];
  }
}
"""
