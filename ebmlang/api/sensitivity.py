"""`sensitivity`: how the lowest energy moves with data, weights, bounds and requirements.

By the envelope theorem: where a minimum moves smoothly, its energy changes as the Lagrangian

    L = E - sum_i lambda_i r_i - mu_lower (x - lower) - mu_upper (upper - x)

does at a point that stays where it is. So one backward pass through the compiled code, data and
weights included, gives all derivatives; no minimum is looked for again.

Source: Fiacco, Introduction to Sensitivity and Stability Analysis in Nonlinear Programming (1983),
theorem 3.4.1.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.evaluate import make_batch
from ebmlang.api.inputs import Point
from ebmlang.api.model import Model
from ebmlang.api.unordered import require_no_priority
from ebmlang.graph import RootKind
from ebmlang.graph.integrands import list_integrands
from ebmlang.lower.module import CompiledEnergy
from ebmlang.runs.sensitivity import Sensitivity
from ebmlang.solve.answers.multipliers import find_multipliers
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import build_solving_chart

AT_REST = 1e-4
"""Largest share of the slope left over at a point that is at rest: descents stop at 1e-8 of the
energy, and margins at 1e-7 of a tolerance."""


def find_sensitivity(model: Model, point: Point) -> Sensitivity:
    """Return the derivatives of the lowest energy at a design; see `Model.sensitivity`.

    Raises:
        EbmError: E0710 where it is no single point of the model; E0731 for a spec with a priority;
            E0732 for one that normalizes.
    """
    require_no_priority(
        model,
        "asked what its lowest energy hangs on",
        "the energies of several tiers are lowest, one after the other",
    )
    module = compile_model(model, dtype=torch.float64)
    if list_integrands(module.graph):
        raise EbmError(
            Diagnostic(
                code="E0732",
                headline="what the lowest energy hangs on is not known where a spec normalizes",
                notes=("an integral is estimated as one number, not as a function of the data",),
            )
        )
    batch, single = make_batch(module, point)
    if not single:
        raise EbmError(
            Diagnostic(code="E0710", headline="a sensitivity is of one point, not of a batch")
        )
    with torch.inference_mode(False):
        return _differentiate(module, module.pack(batch).detach().clone())


def _differentiate(module: CompiledEnergy, x: Tensor) -> Sensitivity:
    chart = build_solving_chart(lay_out(module), dtype=module.dtype, device=module.device)
    held = find_multipliers(module.packed(), chart, x)
    leaves = module.differentiable()
    with torch.enable_grad():
        point = x.clone().requires_grad_()
        packed = leaves.packed
        lagrangian = packed.energy(point)[0]
        lagrangian = lagrangian - (held.requirements * packed.requirements(point)[0]).sum()
        slope = _slope(lagrangian, point)[0]
        lower: dict[str, NDArray[np.float64]] = {}
        upper: dict[str, NDArray[np.float64]] = {}
        moved = lagrangian
        slopes = module.unpack(slope[None])
        points = module.unpack(x)
        for (path, kind), bound in leaves.bounds.items():
            # A bound that is met carries the point with it.
            at = bound.detach().expand_as(points[path][0])
            push = torch.where(points[path][0] == at, slopes[path][0], 0.0)
            outward = push.clamp(min=0) if kind is RootKind.LOWER else push.clamp(max=0)
            moved = moved + (outward * bound).sum()
            sides = lower if kind is RootKind.LOWER else upper
            sides[path] = outward.detach().numpy()
        givens = {
            path: _slope(moved, given).numpy()
            for path, given in leaves.givens.items()
            if given.requires_grad
        }
        weights = {path: float(_slope(moved, w)) for path, w in leaves.weights.items()}
    return Sensitivity(
        givens=givens,
        weights=weights,
        lower=lower,
        upper=upper,
        requirements=_by_path(module, held.requirements),
        leftover=held.leftover,
        reliable=held.unique and held.leftover <= AT_REST,
    )


def _by_path(module: CompiledEnergy, multipliers: Tensor) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for path, value in zip(module.required_paths(), multipliers.tolist(), strict=True):
        found[path] = max(found.get(path, 0.0), value)
    return found


def _slope(value: Tensor, leaf: Tensor) -> Tensor:
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (found,) = torch.autograd.grad(value, leaf, retain_graph=True, allow_unused=True)
    return torch.zeros_like(leaf) if found is None else found.detach()
