"""Multipliers at a minimum: what each active requirement and bound pushes back with.

At a minimum the gradient of the energy is balanced by what holds the point,

    grad E = sum_i lambda_i grad r_i + (mu_lower - mu_upper),   lambda, mu >= 0,

over margins r_i that are zero and bounds that are met. The multipliers are found afresh from these
gradients, by non-negative least squares, so that they do not depend on how the point was found;
what is left over says how far from a minimum it is.

Source: Nocedal and Wright, Numerical Optimization (2006), theorem 12.1; Lawson and Hanson, Solving
Least Squares Problems (1974), chapter 23, for the least squares.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.solve.constraints.augmented_lagrangian import RESOLUTION, WIDEST_SLACK
from ebmlang.spaces import SolvingChart

ACTIVE = 100
"""Margins below so many slacks of the solver are zero: it aims at one slack above, which is a
distance in its coordinates, and never more than half of a tolerance."""

MET = 1e-9
"""Distance from a bound at which it is met, in the solver's coordinates."""

DEPENDENT = 1e-8
"""Least singular value, as a share of the largest, of gradients that are independent."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Multipliers:
    """What holds a point.

    Attributes:
        requirements: One per margin, 0 where it is not active [nats per tolerance].
        leftover: Length of what is not balanced, as a share of the larger of the energy's gradient
            and 1, in the solver's coordinates.
        unique: Whether no other multipliers balance the gradient as well.
    """

    requirements: Float[Tensor, " requirement"]
    leftover: float
    unique: bool


def find_multipliers(target: Target, chart: SolvingChart, x: Float[Tensor, "1 dim"]) -> Multipliers:
    """Balance the gradient at a point.

    Args:
        target: The model.
        chart: The solver's coordinates.
        x: A packed point, feasible and at rest.
    """
    from scipy.optimize import nnls

    with torch.enable_grad():
        y = chart.from_written(x).detach().requires_grad_()
        written = chart.to_written(y)
        energy, margins = target.energy(written), target.requirements(written)
        slope = _differentiate(energy, y)
        rows = [_differentiate(margins[:, column], y) for column in range(margins.shape[1])]
    normals = torch.stack([slope, *rows], 1)
    normals = chart.tangent(y.detach(), normals)[0].cpu().double()
    near = ACTIVE * RESOLUTION[target.dtype] * normals[1:].norm(dim=1)
    active = torch.nonzero(margins[0].detach().cpu() <= near.clamp(max=2 * WIDEST_SLACK))[:, 0]
    normals = normals[torch.cat([active.new_zeros(1), active + 1])]
    width = (chart.upper - chart.lower).nan_to_num(posinf=1.0)
    here = y.detach()[0]
    ones = torch.eye(len(here), dtype=torch.float64)
    at_lower = (here - chart.lower <= MET * width).cpu()
    at_upper = (chart.upper - here <= MET * width).cpu()
    columns = torch.cat([normals[1:], ones[at_lower], -ones[at_upper]]).T.numpy()
    wanted = normals[0].numpy()
    found = np.zeros(columns.shape[1])
    if columns.size:
        lengths = np.linalg.norm(columns, axis=0)
        # A margin that does not move with the point holds nothing.
        lengths[lengths == 0] = 1.0
        found = nnls(columns / lengths, wanted)[0] / lengths
    left = wanted - columns @ found
    requirements = torch.zeros_like(margins[0])
    requirements[active] = torch.as_tensor(found[: len(active)]).to(requirements)
    return Multipliers(
        requirements=requirements.detach(),
        leftover=float(np.linalg.norm(left)) / max(1.0, float(np.linalg.norm(wanted))),
        unique=_is_independent(columns),
    )


def _differentiate(value: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of one value, zero where it does not depend on the point."""
    if not value.requires_grad:
        return torch.zeros_like(y)
    (slope,) = torch.autograd.grad(value.sum(), y, retain_graph=True, allow_unused=True)
    return torch.zeros_like(y) if slope is None else slope


def _is_independent(columns: np.ndarray) -> bool:
    if not columns.size:
        return True
    if columns.shape[1] > columns.shape[0]:
        return False
    lengths = np.linalg.norm(columns, axis=0)
    if not lengths.all():
        return False
    sizes = np.linalg.svd(columns / lengths, compute_uv=False)
    return bool(sizes[-1] > DEPENDENT * sizes[0])
