"""What a machine takes for counted work, and so how many chains a second a spec is good for.

A prediction, from a few constants: it is meant to tell a hundred from ten thousand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ebmlang.analysis.cost import Work

REAL_BYTES: Mapping[str, int] = MappingProxyType({"float32": 4, "float64": 8})
"""Bytes of a number, by precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What one core takes, in one tier.

    Attributes:
        tier: Its name.
        per_batch: Of a call of energy and gradient, whatever is in it [s].
        per_call: Of one operation of torch on next to nothing [s]; 0 where there are none.
        per_function: Of an exponential of one element [s].
        per_operation: Of an addition of one element that is at hand [s].
        per_product: Of one operation in a product of matrices [s].
        per_byte: Of what is read and written [s]; 0 where intermediate values stay in registers.
        per_far_byte: The same once it does not fit the cache [s].
    """

    tier: str
    per_batch: float
    per_call: float
    per_function: float
    per_operation: float
    per_product: float
    per_byte: float
    per_far_byte: float


CACHE_BYTES = 1 << 20
"""What one operation may touch before it goes to memory [bytes]: the second cache of a core."""

STRAIGHT = Floors(
    tier="straight",
    per_batch=20e-6,
    per_call=2e-6,
    per_function=1.3e-9,
    per_operation=0.0,
    per_product=1 / 75e9,
    per_byte=1 / 40e9,
    per_far_byte=1 / 19e9,
)
"""Torch operation by operation. Additions cost what their operands take to come and go.

Source: our own measurement, one core, float32; see docs/performance.md.
"""

NATIVE = Floors(
    tier="native",
    per_batch=8e-6,
    per_call=0.0,
    per_function=0.45e-9,
    per_operation=0.06e-9,
    per_product=0.013e-9,
    per_byte=0.0,
    per_far_byte=0.0,
)
"""A loop over chains in C, whose values stay in registers.

Source: as above; fitted to the three energies that are measured there.
"""


def predict_seconds(work: Work, floors: Floors, *, chains: int, precision: str) -> float:
    """Return what a batch takes.

    Args:
        work: Of one chain.
        floors: Of the machine and the tier.
        chains: How many.
        precision: `float32` or `float64`; halves what fits into a register, and into a cache.
    """
    size = REAL_BYTES[precision]
    wide = size / REAL_BYTES["float32"]
    touched = work.traffic * size * chains
    near = touched <= CACHE_BYTES * max(1.0, work.calls)
    per_chain = (
        work.functions * floors.per_function
        + work.arithmetic * floors.per_operation
        + work.products * floors.per_product
    )
    moved = touched * (floors.per_byte if near else floors.per_far_byte)
    calls = floors.per_batch + work.calls * floors.per_call
    return calls + chains * per_chain * wide + moved
