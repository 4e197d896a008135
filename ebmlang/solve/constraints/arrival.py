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

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.solve.objective import Lagrangian
from ebmlang.spaces import SolvingChart

LARGEST = 96
"""Most coordinates and requirements together: a step costs one gradient for each, and the cube of
their number."""

STEPS = 12
"""Most steps: Newton's method needs a handful where it converges at all."""

GRACE, SHORTER = 3, 0.5
"""Steps until what is held and what pushes may still change, and the most that a step may be of the
one before after that: where Newton's method converges it soon doubles the digits."""

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
    """Values and derivatives at a point of each start, for given multipliers.

    Attributes:
        gaps: Of all requirements.
        rest: What is left of the gradient: that of the Lagrangian.
        curvature: Second derivatives of the Lagrangian.
    """

    energy: Float[Tensor, " start"]
    gradient: Float[Tensor, "start dim"]
    margins: Float[Tensor, "start requirement"]
    gaps: Float[Tensor, "start requirement"]
    rest: Float[Tensor, "start dim"]
    curvature: Float[Tensor, "start dim dim"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pushing:
    """The requirements that are active at a point of each start, as many rows as any has.

    Attributes:
        which: Their numbers.
        on: 1 for an active one, 0 for a row that only fills up.
        slopes: Of their gaps.
    """

    which: Int[Tensor, "start row"]
    on: Float[Tensor, "start row"]
    slopes: Float[Tensor, "start row dim"]


def is_within_reach(chart: SolvingChart, dtype: torch.dtype, requirements: int) -> bool:
    """Whether Newton's method is worth its cost here: few coordinates, in a box, in float64."""
    few = chart.lower.shape[0] + requirements <= LARGEST
    return few and not chart.curved and dtype is torch.float64


def arrive(lagrangian: Lagrangian, y: Float[Tensor, "start dim"]) -> Arrival:
    """Go from near minima of a Lagrangian to minima under its requirements, where that works."""
    chart, tiny = lagrangian.chart, torch.finfo(y.dtype).tiny
    position, multipliers = y.clone(), lagrangian.multipliers.clone()
    rows = torch.arange(len(y), device=y.device)
    here, before = lagrangian, torch.full_like(y[:, 0], torch.inf)
    for count in range(STEPS):
        model = _expand(here, position[rows], multipliers[rows])
        active = multipliers[rows] - here.penalty * model.gaps > 0
        held = _held(chart, position[rows], model.rest)
        # More requirements than free coordinates: multipliers on the way to theirs hold too much.
        crowded = active.sum(1) > (~held).sum(1)
        held = held & ~crowded[:, None]
        pushing = _find_pushing(here, position[rows], active)
        move, following, _ = _solve(model, pushing, held)
        longest = move.abs().amax(1)
        room = LONGEST * position[rows].abs().amax(1).clamp(min=1)
        share = (room / longest.clamp(min=tiny)).clamp(max=1)
        fine = torch.isfinite(longest)
        step = torch.where(fine[:, None], share[:, None] * move, 0)
        position[rows] = chart.retract(position[rows] + step)
        multipliers[rows] = torch.where(fine[:, None], following, multipliers[rows])
        still = fine & (longest > torch.finfo(y.dtype).eps * room)
        hopeful = longest <= SHORTER * before if count >= GRACE else still
        left = torch.nonzero(still & hopeful)[:, 0]
        if not len(left):
            break
        rows, here, before = rows[left], here.take(left), longest[left]
    return _judge(lagrangian, y, position, multipliers)


def _judge(lagrangian: Lagrangian, y: Tensor, position: Tensor, multipliers: Tensor) -> Arrival:
    """Return the ends, those that are no minima taken back."""
    chart = lagrangian.chart
    model = _expand(lagrangian, position, multipliers)
    held = _held(chart, position, model.rest)
    stationarity = (position - model.rest).clamp(chart.lower, chart.upper) - position
    stationarity = stationarity.abs().amax(1)
    pushing = _find_pushing(lagrangian, position, multipliers != 0)
    shares = multipliers.gather(1, pushing.which).abs()
    parts = (shares[:, :, None] * pushing.slopes.abs()).sum(1) + model.gradient.abs()
    tolerance = torch.finfo(y.dtype).eps ** REST_POWER * parts.amax(1).clamp(min=1)
    *_, upwards = _solve(model, pushing, held)
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


def _held(chart: SolvingChart, y: Tensor, rest: Tensor) -> Tensor:
    return ((y <= chart.lower) & (rest > 0)) | ((y >= chart.upper) & (rest < 0))


def _find_pushing(lagrangian: Lagrangian, y: Tensor, active: Tensor) -> _Pushing:
    most = int(active.sum(1).max())
    which = active.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
    if not most:
        slopes = y.new_zeros(len(y), 0, y.shape[1])
        return _Pushing(which=which, on=which.to(y.dtype), slopes=slopes)
    # Each start is repeated once per row, each copy with the slope of that requirement.
    rows = _repeat(y, most)
    at, numbers = lagrangian.take(rows), which.reshape(-1, 1)

    def gap(x: Tensor) -> Tensor:
        return at.gap(at.target.requirements(x)).gather(1, numbers)[:, 0]

    _, slopes = _differentiate(lagrangian, y[rows], gap)
    return _Pushing(
        which=which,
        on=active.gather(1, which).to(y.dtype),
        slopes=slopes.reshape(len(y), most, y.shape[1]),
    )


def _solve(model: _Model, pushing: _Pushing, held: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the step, the multipliers after it, and whether the energy curves upwards there.

    Coordinates that are held, and rows that only fill up, are those of the unit matrix, of either
    sign.
    """
    free = (~held).to(model.gradient.dtype)
    on, (count, dim) = pushing.on, model.gradient.shape
    most = on.shape[1]
    gaps = model.gaps.gather(1, pushing.which)
    slopes = pushing.slopes * on[:, :, None] * free[:, None, :]
    width = dim + most
    matrix = model.gradient.new_zeros(count, width, width)
    matrix[:, :dim, :dim] = model.curvature * free[:, :, None] * free[:, None, :]
    matrix[:, :dim, :dim] += torch.diag_embed(1 - free)
    matrix[:, :dim, dim:] = slopes.transpose(1, 2)
    matrix[:, dim:, :dim] = slopes
    matrix[:, dim:, dim:] = -torch.diag_embed(1 - on)
    right = torch.cat([-model.gradient * free, -gaps * on], dim=1)
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
    # One negative eigenvalue belongs to each row of a requirement, none to a minimum, and none may
    # be zero: a valley whose floor is level here may lead on to lower ground.
    level = (values.abs() <= NOTHING * largest).any(1)
    upwards = finite & (downwards <= most) & ~level
    following = torch.zeros_like(model.gaps).scatter(1, pushing.which, -solved[:, dim:] * on)
    return solved[:, :dim], following, upwards


def _expand(lagrangian: Lagrangian, y: Tensor, multipliers: Tensor) -> _Model:
    target, chart, dim = lagrangian.target, lagrangian.chart, y.shape[1]
    energy, gradient = _differentiate(lagrangian, y, target.energy)
    with torch.no_grad():
        margins = target.requirements(chart.to_written(y))
    # Each start is repeated once per coordinate, each copy with the curvature along that one.
    rows = _repeat(y, dim)
    at, pulls = lagrangian.take(rows), multipliers[rows]
    unit = torch.eye(dim, dtype=y.dtype, device=y.device).repeat(len(y), 1)
    with torch.enable_grad():
        leaf = y[rows].detach().requires_grad_()
        x = chart.to_written(leaf)
        value = at.target.energy(x) - (pulls * at.gap(at.target.requirements(x))).sum(1)
        rest = _slope(value, leaf, again=True)
        curvature = _slope((unit * rest).sum(1), leaf).reshape(len(y), dim, dim)
    return _Model(
        energy=energy,
        gradient=gradient,
        margins=margins,
        gaps=lagrangian.gap(margins),
        rest=rest.detach().reshape(len(y), dim, dim)[:, 0],
        curvature=(curvature + curvature.transpose(1, 2)) / 2,
    )


def _repeat(y: Tensor, times: int) -> Tensor:
    return torch.arange(len(y), device=y.device).repeat_interleave(times)


def _differentiate(
    lagrangian: Lagrangian, y: Tensor, value_at: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        leaf = y.detach().requires_grad_()
        value = value_at(lagrangian.chart.to_written(leaf))
        slope = _slope(value, leaf)
    return value.detach(), slope


def _slope(values: Tensor, leaf: Tensor, *, again: bool = False) -> Tensor:
    """Return the gradient of one number per start, which can be derived `again` if need be."""
    if not values.requires_grad:
        return torch.zeros_like(leaf)
    (slope,) = torch.autograd.grad(
        values.sum(), leaf, create_graph=again, allow_unused=True, materialize_grads=True
    )
    return slope
