"""The targets as ebmlang runs them: energy with gradient, and steps of its samplers.

The tier is what `EBM_TIER` says when the process starts.
"""

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType

import torch

import ebmlang
from benchmarks.speed.targets import Target
from ebmlang.api.compile import lay_out
from ebmlang.lower.module import CompiledEnergy
from ebmlang.runtime import threads_for
from ebmlang.sample import Plan, sample
from ebmlang.sample.draws import MemorySink
from ebmlang.sample.methods import METHODS
from ebmlang.sample.sampler import Place

SAMPLERS = {"langevin": "unadjusted-langevin", "adjusted": "langevin", "hmc": "hmc"}
"""What is measured, and the sampler that does it."""

WARMUP = 10
"""Iterations before the clock starts: they choose a step size, which does not change the cost."""

WORK: Mapping[str, int] = MappingProxyType({"": 40_000, "straight": 40_000, "native": 8_000_000})
FEWEST: Mapping[str, int] = MappingProxyType({"": 3, "straight": 3, "native": 500})
MOST: Mapping[str, int] = MappingProxyType({"": 1000, "straight": 1000, "native": 20_000})
"""Iterations times chains of a call, and its fewest and most iterations by tier: enough that what a
call costs is its steps, and no more; for a short run no machine code is built."""

DRAWS = 10
"""Most draws of a call: of longer ones each stands for several iterations, so that large batches
fit into memory."""


def list_tiers() -> tuple[str, ...]:
    """Return the tiers that this version has."""
    native = find_spec("ebmlang.lower.tiers") is not None
    return ("straight", "native") if native else ("straight",)


def compile_target(target: Target, dtype: torch.dtype = torch.float32) -> CompiledEnergy:
    """Return the compiled spec of a target, bound to its data."""
    return ebmlang.loads(target.text).bind(dict(target.data)).compile(dtype=dtype)


def build_call(kind: str, target: Target, size: int) -> tuple[Callable[[], object], float]:
    """Return a call to time, and how many gradients of the whole batch it takes.

    Args:
        kind: `energies`, or a key of `SAMPLERS`.
        target: Of it.
        size: Points or chains.
    """
    module = compile_target(target)
    if kind == "energies":
        gradient = module.packed().energy_and_gradient
        x = torch.tensor(target.points(size), dtype=torch.float32)

        def call() -> object:
            # As runs do it: nothing else decides how many threads there are.
            with threads_for(x.numel()):
                return gradient(x)

        return call, 1
    return _build_steps(kind, module, target, size)


class _PlaceSink(MemorySink):
    """Remembers where the warm-up ended."""

    place: Place[object] | None = None

    def warmed(self, place: Place[object]) -> None:
        self.place = place


def _build_steps(
    kind: str, module: CompiledEnergy, target: Target, size: int
) -> tuple[Callable[[], object], float]:
    layout, sampler = lay_out(module), METHODS[SAMPLERS[kind]]()
    starts = torch.tensor(target.points(size), dtype=torch.float32)
    tier = os.environ.get("EBM_TIER", "")
    steps = min(MOST[tier], max(FEWEST[tier], WORK[tier] // size))
    thin = -(-steps // DRAWS)
    plan = Plan(warmup=WARMUP, draws=steps // thin, thin=thin)
    sink = _PlaceSink()
    sample(module.packed(), layout, sampler, chains=size, plan=plan, starts=starts, sink=sink)
    assert sink.place is not None
    place = sink.place
    gradients = float(sum(chunk.gradients[0].sum() for chunk in sink.chunks))
    sink.chunks.clear()
    # Each call begins at the same place, and so takes the same numbers of steps.
    return (
        lambda: sample(module.packed(), layout, sampler, chains=size, plan=plan, resume=place),
        gradients,
    )
