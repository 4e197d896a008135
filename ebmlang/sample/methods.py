"""The samplers by name, as a user asks for them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ebmlang.sample.sampler import Sampler
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.source import Diagnostic, EbmError

METHODS: Mapping[str, Callable[[], Sampler[Any]]] = MappingProxyType(
    {
        "hmc": build_hmc,
    }
)
"""What makes each of them. Any: each has a state of its own."""


def build_sampler(name: str) -> Sampler[Any]:
    """Return a sampler by its name; Any: its state is its own.

    Raises:
        EbmError: E0907 where there is none.
    """
    if name not in METHODS:
        known = ", ".join(f"`{known}`" for known in METHODS)
        raise EbmError(
            Diagnostic(
                code="E0907",
                headline=f"there is no method named `{name}`",
                helps=(f"the methods are {known}",),
            )
        )
    return METHODS[name]()
