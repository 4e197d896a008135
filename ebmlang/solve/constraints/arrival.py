"""The last steps to a constrained minimum: Newton's method on the conditions that hold there.

Where the minimum is,

    grad E = sum_i lambda_i grad c_i,    c_i = 0 for the requirements that push, lambda_i >= 0,

for margins c_i in the scale and above the slack of the augmented Lagrangian. Rounds of multipliers
approach this by a constant factor each; Newton's method doubles the digits each step, and meets an
equality to the last of them. Which requirements push is asked anew at every step: those for which
`lambda_i - rho c_i > 0`, as in the Lagrangian itself.

A start has arrived where the conditions hold to working accuracy, every margin is above zero, and
the energy curves upwards along all that is left free; any other stays where it was.

Sources: Birgin and Martinez, Improving ultimate convergence of an augmented Lagrangian method
(2008); Hintermueller, Ito and Kunisch, The primal-dual active set strategy as a semismooth Newton
method (2002); Nocedal and Wright, Numerical Optimization (2006), theorem 16.3 for the inertia.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.solve.objective import Lagrangian
from ebmlang.spaces import SolvingChart

LARGEST = 96
"""Most coordinates and requirements together: a step costs one gradient for each, and the cube of
their number."""

STEPS = 12
"""Most steps: Newton's method needs a handful where it converges at all."""

LONGEST = 0.3
"""Longest step, in the solver's coordinates relative to the largest coordinate or 1: beyond it
the quadratic model of the last round's minimum says little."""

NOTHING = 1e-13
"""Eigenvalues of the conditions below this share of the largest are zero: along them nothing
moves."""

DOWNWARDS = 1e-7
"""Share of the largest eigenvalue below which a negative curvature is round-off."""

REST_POWER = 1 / 2
"""Power of eps that makes what is left of the gradient small enough, relative to its parts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """Where Newton's method has led.

    Attributes:
        position: Of every start; where it did not arrive, what it was.
        multipliers: Likewise, of scaled margins.
        energy: Of every start that arrived.
        stationarity: Largest entry of what is left of the gradient.
        arrived: Which starts did.
    """

    position: Float[Tensor, "start dim"]
    multipliers: Float[Tensor, "start requirement"]
    energy: Float[Tensor, " start"]
    stationarity: Float[Tensor, " start"]
    arrived: Bool[Tensor, " start"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Model:
    """Values and derivatives at a point of each start; `curvature` is that of the Lagrangian."""

    energy: Float[Tensor, " start"]
    gradient: Float[Tensor, "start dim"]
    margins: Float[Tensor, "start requirement"]
    gaps: Float[Tensor, "start requirement"]
    slopes: Float[Tensor, "start requirement dim"]
    curvature: Float[Tensor, "start dim dim"]


def is_within_reach(chart: SolvingChart, dtype: torch.dtype, requirements: int) -> bool:
    """Whether Newton's method is worth its cost here: few coordinates, in a box, in float64."""
    few = chart.lower.shape[0] + requirements <= LARGEST
    return few and not chart.curved and dtype is torch.float64


def arrive(lagrangian: Lagrangian, y: Float[Tensor, "start dim"]) -> Arrival:
    """Go from near minima of a Lagrangian to minima under its requirements, where that works."""
    chart = lagrangian.chart
    position, multipliers = y, lagrangian.multipliers
    for _ in range(STEPS):
        model = _expand(lagrangian, position, multipliers)
        active = multipliers - lagrangian.penalty * model.gaps > 0
        held = _held(chart, position, _remainder(model, multipliers))
        # More requirements than free coordinates: multipliers on the way to theirs hold too much.
        crowded = active.sum(1) > (~held).sum(1)
        held = held & ~crowded[:, None]
        move, following, _ = _solve(model, active, held)
        longest = move.abs().amax(1)
        room = LONGEST * position.abs().amax(1).clamp(min=1)
        share = (room / longest.clamp(min=torch.finfo(y.dtype).tiny)).clamp(max=1)
        fine = torch.isfinite(longest)[:, None]
        step = torch.where(fine, share[:, None] * move, 0)
        position = chart.retract(position + step)
        multipliers = torch.where(fine, following, multipliers)
        if bool((longest.nan_to_num() <= torch.finfo(y.dtype).eps * room).all()):
            break
    return _judge(lagrangian, y, position, multipliers)


def _judge(lagrangian: Lagrangian, y: Tensor, position: Tensor, multipliers: Tensor) -> Arrival:
    """Return the ends, those that are no minima taken back."""
    chart = lagrangian.chart
    model = _expand(lagrangian, position, multipliers)
    rest = _remainder(model, multipliers)
    held = _held(chart, position, rest)
    stationarity = ((position - rest).clamp(chart.lower, chart.upper) - position).abs().amax(1)
    parts = (multipliers.abs()[:, :, None] * model.slopes.abs()).sum(1) + model.gradient.abs()
    tolerance = torch.finfo(y.dtype).eps ** REST_POWER * parts.amax(1).clamp(min=1)
    active = multipliers != 0
    *_, upwards = _solve(model, active, held)
    arrived = (
        (stationarity <= tolerance)
        & (model.margins >= 0).all(1)
        & (multipliers >= -tolerance[:, None]).all(1)
        & upwards
        & torch.isfinite(model.energy)
    )
    return Arrival(
        position=torch.where(arrived[:, None], position, y),
        multipliers=torch.where(arrived[:, None], multipliers.clamp(min=0), lagrangian.multipliers),
        energy=model.energy,
        stationarity=stationarity,
        arrived=arrived,
    )


def _remainder(model: _Model, multipliers: Tensor) -> Tensor:
    return model.gradient - (multipliers[:, :, None] * model.slopes).sum(1)


def _held(chart: SolvingChart, y: Tensor, rest: Tensor) -> Tensor:
    return ((y <= chart.lower) & (rest > 0)) | ((y >= chart.upper) & (rest < 0))


def _solve(model: _Model, active: Tensor, held: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the step, the multipliers after it, and whether the energy curves upwards there.

    Coordinates that are held, and multipliers of what is not active, get rows of the unit matrix.
    """
    free = (~held).to(model.gradient.dtype)
    on = active.to(free.dtype)
    count, dim = model.gradient.shape
    width = dim + active.shape[1]
    slopes = model.slopes * on[:, :, None] * free[:, None, :]
    matrix = model.gradient.new_zeros(count, width, width)
    matrix[:, :dim, :dim] = model.curvature * free[:, :, None] * free[:, None, :]
    matrix[:, :dim, :dim] += torch.diag_embed(1 - free)
    matrix[:, :dim, dim:] = slopes.transpose(1, 2)
    matrix[:, dim:, :dim] = slopes
    matrix[:, dim:, dim:] = -torch.diag_embed(1 - on)
    right = torch.cat([-model.gradient * free, -model.gaps * on], dim=1)
    finite = torch.isfinite(matrix).all((1, 2)) & torch.isfinite(right).all(1)
    unit = torch.eye(width, dtype=matrix.dtype, device=matrix.device)
    matrix = torch.where(finite[:, None, None], matrix, unit)
    # Rows and columns of equal size keep the signs of the eigenvalues and lose less to round-off.
    sizes = matrix.abs().amax(2).sqrt()
    even = torch.where(sizes > 0, 1 / sizes, 1)
    values, vectors = torch.linalg.eigh(even[:, :, None] * matrix * even[:, None, :])
    largest = values.abs().amax(1, keepdim=True)
    weights = torch.where(values.abs() > NOTHING * largest, 1 / values, 0)
    shares = (vectors.transpose(1, 2) @ (even * right)[:, :, None])[:, :, 0]
    solved = even * (vectors @ (weights * shares)[:, :, None])[:, :, 0]
    solved = torch.where(finite[:, None], solved, torch.nan)
    downwards = (values < -DOWNWARDS * largest).sum(1)
    # One negative eigenvalue belongs to each row of a requirement, and none to a minimum.
    upwards = finite & (downwards <= active.shape[1])
    return solved[:, :dim], -solved[:, dim:] * on, upwards


def _expand(lagrangian: Lagrangian, y: Tensor, multipliers: Tensor) -> _Model:
    target, chart = lagrangian.target, lagrangian.chart
    with torch.enable_grad():
        leaf = y.detach().requires_grad_()
        x = chart.to_written(leaf)
        energy, margins = target.energy(x), target.requirements(x)
        gaps = lagrangian.gap(margins)
        gradient = _slope(energy, leaf)
        slopes = torch.stack([_slope(gap, leaf) for gap in gaps.unbind(1)], dim=1)
        rest = gradient - (multipliers[:, :, None] * slopes).sum(1)
        rows = [_slope(part, leaf) for part in rest.unbind(1)]
    return _Model(
        energy=energy.detach(),
        gradient=gradient.detach(),
        margins=margins.detach(),
        gaps=gaps.detach(),
        slopes=slopes.detach(),
        curvature=_symmetric(torch.stack(rows, dim=1).detach()),
    )


def _slope(values: Tensor, leaf: Tensor) -> Tensor:
    """Return the gradient of one number per start, itself differentiable."""
    if not values.requires_grad:
        return torch.zeros_like(leaf)
    (slope,) = torch.autograd.grad(
        values.sum(), leaf, create_graph=True, allow_unused=True, materialize_grads=True
    )
    return slope


def _symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.transpose(1, 2)) / 2
