"""The samplers by name, as a user asks for them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ebmlang.sample.sampler import Sampler
from ebmlang.sample.samplers.ensemble import build_ensemble
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.sample.samplers.langevin import build_langevin, build_unadjusted_langevin
from ebmlang.sample.samplers.meads import build_meads
from ebmlang.sample.samplers.nuts import build_nuts
from ebmlang.sample.samplers.reflection import build_reflection
from ebmlang.sample.samplers.slice import build_slice
from ebmlang.sample.tempering import build_tempering
from ebmlang.source import Diagnostic, EbmError

METHODS: Mapping[str, Callable[[], Sampler[Any]]] = MappingProxyType(
    {
        "ensemble": build_ensemble,
        "meads": build_meads,
        "hmc": build_hmc,
        "nuts": build_nuts,
        "langevin": build_langevin,
        "unadjusted-langevin": build_unadjusted_langevin,
        "slice": build_slice,
        "reflection": build_reflection,
        "tempering": build_tempering,
    }
)
"""What makes each of them. Any: each has a state of its own."""


SMC, BRANCHES = "smc", "branches"
"""Two more that are no kernels: particles on islands, and each branch of an OR by itself."""


def require_method(name: str) -> str:
    """Return the name of a sampler if there is one.

    Raises:
        EbmError: E0907 where there is none.
    """
    names = (*METHODS, SMC, BRANCHES)
    if name not in names:
        known = ", ".join(f"`{known}`" for known in names)
        raise EbmError(
            Diagnostic(
                code="E0907",
                headline=f"there is no method named `{name}`",
                helps=(f"the methods are {known}",),
            )
        )
    return name
