"""The samplers of the table: kernels with their adaptation."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor

from ebmlang.sample.methods import METHODS
from ebmlang.sample.sampler import Phase, Sampler, Setting
from ebmlang.sample.state import ChainState

SAMPLERS: Mapping[str, Callable[[], Sampler[Any]]] = {
    name: build for name, build in METHODS.items() if name != "unadjusted-langevin"
}
"""All that claim to be exact, which one says openly that it is not."""


def warm_up(sampler: Sampler[Any], setting: Setting, position: Tensor, warmup: int) -> Any:
    """Return the state at the end of a warm-up, frozen."""
    state = sampler.init(setting, position)
    for iteration in range(1, warmup + 1):
        noise = setting.streams.at(iteration)
        state, _ = sampler.adapt(setting, state, noise, Phase(iteration=iteration, warmup=warmup))
    return sampler.freeze(state)


def put_back(state: Any, frozen: Any) -> Any:
    """Return a state with its chains where those of another are, and all else as it is."""
    changes = {}
    for field in fields(state):
        here, there = getattr(state, field.name), getattr(frozen, field.name)
        if isinstance(here, ChainState):
            changes[field.name] = there
        elif is_dataclass(here) and type(there) is type(here):
            changes[field.name] = put_back(here, there)
    return replace(state, **changes)
