"""Steps that leave a density as it is, one per file, and how to combine them."""

from ebmlang.sample.kernels.combine import Cycle, Mixture, find_block, on_block
from ebmlang.sample.kernels.generalized import Generalized
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.kernels.langevin import AdjustedLangevin, UnadjustedLangevin
from ebmlang.sample.kernels.nuts import Nuts
from ebmlang.sample.kernels.reflection import Reflective
from ebmlang.sample.kernels.slice import Slice

__all__ = [
    "AdjustedLangevin",
    "Cycle",
    "Generalized",
    "Hmc",
    "Mixture",
    "Nuts",
    "Reflective",
    "Slice",
    "UnadjustedLangevin",
    "find_block",
    "on_block",
]
