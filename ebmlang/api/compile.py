"""A model as a torch function, compiled once per sizes, dtype and device."""

import copy
from typing import TypeAlias

import torch

from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph
from ebmlang.graph.integrands import list_integrands
from ebmlang.lang import DomainKind
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.runtime import keep_freed_memory, pick_device
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

ModuleKey: TypeAlias = tuple[object, torch.dtype, torch.device]

DTYPE = torch.float64
"""What energies are computed in where the caller does not say."""


def compile_model(
    model: Model, *, dtype: torch.dtype | None = None, device: str = "cpu"
) -> CompiledEnergy:
    """Return a module of the caller's own, bound to the model's data and weights.

    What is compiled is kept for sizes, dtype and device; each caller gets a copy that shares the
    functions, so that runs beside each other do not see each other's data. Networks among the
    functions from Python are shared by all, and are taken to this dtype and device.

    Raises:
        EbmError: E0701-E0705 for the data, E0901 or E0903 for weights, E0906 for the device; E0715
            where what something is normalized by cannot be relied on.
    """
    chosen = pick_device(device)
    keep_freed_memory()
    graph, bound = find_graph(model)
    bound_to = (tuple(sorted(bound.sizes.items())), tuple(sorted(model.rows)))
    key = (bound_to, dtype or DTYPE, chosen)
    with torch.inference_mode(False):
        module = find_module(model, graph, key)
        module.bind({**bound.data, **estimate_inputs(model, graph)}, model.weights)
    return module


def find_module(model: Model, graph: EnergyGraph, key: ModuleKey) -> CompiledEnergy:
    """Return a copy of a graph's compiled module, not bound to anything yet; compiled once.

    Args:
        model: Keeps what is compiled.
        graph: Optimized; the whole model's, or that of a part of it.
        key: What it is kept under: something that stands for the graph, the dtype, the device.
    """
    _, dtype, device = key
    # Tensors that are made in inference mode could not be differentiated through later.
    with torch.inference_mode(False):
        if key not in model.modules:
            model.modules[key] = compile_graph(
                graph, dtype=dtype, device=device, externs=model.externs
            )
        module = copy.copy(model.modules[key])
        # A shallow copy shares the tables that `to` and `bind` of torch's modules write into.
        for table in ("_parameters", "_buffers", "_modules"):
            module.__dict__[table] = dict(module.__dict__[table])
        module.to(device=device, dtype=dtype)
    return module


def estimate_inputs(model: Model, graph: EnergyGraph) -> dict[str, float]:
    """Return the inputs that are no data: what each `normalize` adds.

    Raises:
        EbmError: E0715 where an estimate cannot be relied on, and the model does not accept that.
    """
    if not list_integrands(graph):
        return {}
    # Only a spec that normalizes pays for it.
    from ebmlang.api.normalizers import find_integrals, require_reliable

    found = find_integrals(model)
    if not model.accept_unreliable:
        require_reliable(found)
    return {path: integral.log_value for path, (_, integral) in found.items()}


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
