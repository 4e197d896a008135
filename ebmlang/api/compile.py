"""A model as a torch function, compiled once per sizes, dtype and device."""

import copy

import torch

from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.lang import DomainKind
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.runtime import pick_device
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

DTYPE = torch.float64
"""What energies are computed in where the caller does not say."""


def compile_model(
    model: Model, *, dtype: torch.dtype | None = None, device: str = "cpu"
) -> CompiledEnergy:
    """Return a module of the caller's own, bound to the model's data and weights.

    Modules for other data share the compiled functions with it, and nothing else.
    """
    module = copy.copy(find_module(model, dtype=dtype, device=device))
    # A shallow copy shares the tables that `to` and `bind` of torch's modules write into.
    for table in ("_parameters", "_buffers", "_modules"):
        module.__dict__[table] = dict(module.__dict__[table])
    return module


def find_module(
    model: Model, *, dtype: torch.dtype | None = None, device: str = "cpu"
) -> CompiledEnergy:
    """Return the one module of these sizes, dtype and device, bound to the model's data now.

    Raises:
        EbmError: E0701-E0705 for the data, E0901 or E0903 for weights, E0906 for the device.
    """
    chosen = pick_device(device)
    graph, bound = find_graph(model)
    key = (tuple(sorted(bound.sizes.items())), dtype or DTYPE, chosen)
    if key not in model.modules:
        model.modules[key] = compile_graph(
            graph, dtype=dtype or DTYPE, device=chosen, externs=model.externs
        )
    module = model.modules[key]
    # Networks among the functions from Python are shared by all modules of a model, and are where
    # the last one used has taken them.
    module.to(device=chosen, dtype=dtype or DTYPE)
    module.bind(bound.data, model.weights)
    return module


def lay_out(module: CompiledEnergy) -> Layout:
    """Return where the points of a bound module live.

    Raises:
        EbmError: E0312 for a domain that is not supported, E0318 for bounds without room.
    """
    bounds = module.bounds()
    domains = {}
    for variable in module.graph.variables:
        lower, upper = bounds[variable.path]
        real = variable.domain is DomainKind.REAL
        domains[variable.path] = ConcreteDomain(
            kind=variable.domain,
            shape=variable.shape,
            lower=lower if real else None,
            upper=upper if real else None,
        )
    return build_layout(domains)
