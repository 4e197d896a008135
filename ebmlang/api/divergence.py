"""Which term is steepest where trajectories diverged, and where it is written.

A trajectory diverges where its steps are too long for the energy, which is where the energy bends
and so rises fastest. Of the places at which some of them began, each names the term whose gradient
is longest there, with every coordinate in units of its own spread.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.runs.convergence import Verdict
from ebmlang.runs.values import DrawValues
from ebmlang.source import Label

MOST_POINTS = 64
"""Places that are looked at: each term needs a gradient there."""


def locate_divergences(verdict: Verdict, module: CompiledEnergy, values: DrawValues) -> Verdict:
    """Return a verdict with the place of the term that is steepest where trajectories diverged.

    Args:
        verdict: On the draws.
        module: The energy, bound to its data.
        values: The draws, and some places where trajectories began that diverged.
    """
    if not len(values.divergences):
        return verdict
    spreads = [
        np.asarray(values.variables[variable.path]).std(axis=(0, 1)).reshape(-1)
        for variable in module.graph.variables
    ]
    points = torch.from_numpy(values.divergences).to(module.device, module.dtype)
    label = blame_divergences(module, points, torch.from_numpy(np.concatenate(spreads)).to(points))
    if label is None:
        return verdict
    return replace(verdict, place=label, remarks=(*verdict.remarks, label.text))


def blame_divergences(
    module: CompiledEnergy,
    points: Float[Tensor, "point packed"],
    scale: Float[Tensor, " packed"],
) -> Label | None:
    """Return where the term is written that is steepest at most of the points.

    Args:
        module: The energy, bound to its data.
        points: Where trajectories began that diverged, in the written coordinates.
        scale: The spread of each coordinate over the draws.

    Returns:
        The place, and which term it is; None where there are no points, or no term varies there.
    """
    if not len(points) or not any(module.graph.roots_of(RootKind.ENERGY)):
        return None
    slopes = measure_slopes(module, points[:MOST_POINTS], scale)
    steepest = Counter(
        max(slopes, key=lambda path: float(slopes[path][row]))
        for row in range(min(len(points), MOST_POINTS))
        if any(float(slope[row]) > 0 for slope in slopes.values())
    )
    if not steepest:
        return None
    ((path, _),) = steepest.most_common(1)
    number = next(n for root, n in module.graph.roots_of(RootKind.ENERGY) if root.path == path)
    span = module.graph.nodes[number].origin.span
    return (
        None if span is None else Label(span, f"`{path}` is steepest where trajectories diverged")
    )


def measure_slopes(
    module: CompiledEnergy,
    points: Float[Tensor, "point packed"],
    scale: Float[Tensor, " packed"],
) -> dict[str, Float[Tensor, " point"]]:
    """Return the length of each soft term's gradient, by path; `inf` where it is not finite."""
    leaf = points.to(module.dtype).detach().clone().requires_grad_()
    energies = module.terms(module.unpack(leaf)).energies
    broken = torch.stack([~energy.isfinite() for energy in energies.values()]).any(0)
    slopes = {}
    for path, energy in energies.items():
        if not energy.requires_grad:
            slopes[path] = torch.zeros_like(energy)
            continue
        (gradient,) = torch.autograd.grad(
            energy.sum(), leaf, retain_graph=True, materialize_grads=True
        )
        slope = (gradient * scale).norm(dim=1)
        # Terms share a backward pass, in which one that is not finite spoils the others' gradients.
        slope = torch.where(slope.isnan() & broken, 0.0, slope.nan_to_num(torch.inf, torch.inf))
        slopes[path] = torch.where(energy.isfinite(), slope, torch.inf)
    return slopes
