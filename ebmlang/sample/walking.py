"""Draws taken step by step, by one kernel, in torch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ebmlang.runtime import map_tensors
from ebmlang.sample.collector import Collector
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.sampler import Kernel, Striding
from ebmlang.sample.state import ChainState, Stride
from ebmlang.sample.streams import Noise, Streams


def walk(
    kernel: Kernel,
    density: TargetDensity,
    chains: ChainState,
    streams: Streams,
    collector: Collector,
    *,
    first: int,
    thin: int,
    draws: int,
) -> ChainState:
    """Take draws, and return where the chains are then.

    Args:
        kernel: What takes a step, or several in one go.
        density: What is sampled.
        chains: Where the chains are.
        streams: Of random numbers.
        collector: What the draws are added to.
        first: The number of the first iteration.
        thin: Iterations of each draw.
        draws: How many.
    """
    place, end = 0, thin * draws
    reach = 0 if density.is_restricted or not isinstance(kernel, Striding) else end
    # What is made without a mind to differentiate it takes less time at each call.
    with torch.inference_mode():
        while place < end:
            size = min(reach, end - place, collector.room)
            noises = [streams.at(first + place + i) for i in range(max(1, size))]
            stride = _go_far(kernel, density, chains, noises[:size])
            if stride is not None:
                chains = stride.state
                collector.take_stride(stride, stride.visited[thin - place % thin : size : thin])
                place, reach = place + size, 2 * size
            elif size > 1:
                # Where a chain stays is found by halves, in the end by a step.
                reach = size // 2
                continue
            else:
                before = chains
                chains, info = kernel.step(density, before, noises[0])
                collector.note(before, info)
                place, reach = place + 1, min(reach, 1)
            if place % thin == 0:
                collector.add(chains)
    return _leave_inference(chains)


def _go_far(
    kernel: Kernel, density: TargetDensity, chains: ChainState, noises: Sequence[Noise]
) -> Stride | None:
    """Take all these steps in one go; None where they have to be taken one by one."""
    if not noises or not isinstance(kernel, Striding):
        return None
    return kernel.stride(density, chains, noises)


def _leave_inference(state: ChainState) -> ChainState:
    """Return the same in tensors that may be differentiated; what is one tensor stays one."""
    copies: dict[int, Tensor] = {}

    def own(values: Tensor) -> Tensor:
        if not values.is_inference():
            return values
        if id(values) not in copies:
            copies[id(values)] = values.clone()
        return copies[id(values)]

    return map_tensors(own, state)
