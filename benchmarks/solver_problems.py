"""Problems with published optima, written by hand in NumPy and in torch, for peers of `ebm solve`.

Each is also one of `tests.solve.optima`, written as a spec, but for the boxes, whose spec stands
here. Gradients are by hand, so that SciPy does not pay for differences.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.solve.nist.problems import read

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandWritten:
    """A problem as a peer sees it.

    Attributes:
        lower, upper: Bounds.
        value, slope: Energy and gradient of one point.
        margins, margin_slopes: What must not be negative, and its Jacobian; None if nothing.
        batch: The same energy of a batch, in torch.
        batch_margins: The same margins of a batch.
    """

    lower: Array
    upper: Array
    value: Callable[[Array], float]
    slope: Callable[[Array], Array]
    batch: Callable[[Tensor], Tensor]
    margins: Callable[[Array], Array] | None = None
    margin_slopes: Callable[[Array], Array] | None = None
    batch_margins: Callable[[Tensor], Tensor] | None = None


def build_cluster(count: int) -> HandWritten:
    """Return the Lennard-Jones cluster in the box of `examples/cluster.ebm`."""
    first, second = np.triu_indices(count, 1)
    half = 0.6 + 0.6 * count ** (1 / 3)

    def value(x: Array) -> float:
        atoms = x.reshape(count, 3)
        sixth = ((atoms[first] - atoms[second]) ** 2).sum(1) ** -3.0
        return float(4 * (sixth * sixth - sixth).sum())

    def slope(x: Array) -> Array:
        atoms = x.reshape(count, 3)
        apart = atoms[first] - atoms[second]
        square = (apart**2).sum(1)
        sixth = square**-3.0
        force = (4 * (-12 * sixth * sixth + 6 * sixth) / square)[:, None] * apart
        found = np.zeros((count, 3))
        np.add.at(found, first, force)
        np.subtract.at(found, second, force)
        return found.ravel()

    def batch(x: Tensor) -> Tensor:
        atoms = x.view(-1, count, 3)
        sixth = (atoms[:, first] - atoms[:, second]).square().sum(-1) ** -3
        return (4 * (sixth.square() - sixth)).sum(1)

    bound = np.full(3 * count, half)
    return HandWritten(lower=-bound, upper=bound, value=value, slope=slope, batch=batch)


def build_rastrigin(dim: int) -> HandWritten:
    """Return Rastrigin's function."""
    bound = np.full(dim, 5.12)
    return HandWritten(
        lower=-bound,
        upper=bound,
        value=lambda x: float((x * x - 10 * np.cos(2 * np.pi * x) + 10).sum()),
        slope=lambda x: 2 * x + 20 * np.pi * np.sin(2 * np.pi * x),
        batch=lambda x: (x * x - 10 * torch.cos(2 * torch.pi * x) + 10).sum(1),
    )


def build_circles(count: int) -> HandWritten:
    """Return circles in the unit square; the first unknown is their radius."""
    first, second = np.triu_indices(count, 1)
    pairs = np.arange(len(first))
    gradient = np.zeros(1 + 2 * count)
    gradient[0] = -1

    def margins(x: Array) -> Array:
        centers = x[1:].reshape(count, 2)
        apart = np.linalg.norm(centers[first] - centers[second], axis=1) - 2 * x[0]
        return np.concatenate([x[1:] - x[0], 1 - x[0] - x[1:], apart])

    def margin_slopes(x: Array) -> Array:
        centers = x[1:].reshape(count, 2)
        apart = centers[first] - centers[second]
        unit = apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-300)
        touch = np.zeros((len(first), 1 + 2 * count))
        touch[:, 0] = -2
        for axis in range(2):
            touch[pairs, 1 + 2 * first + axis] = unit[:, axis]
            touch[pairs, 1 + 2 * second + axis] = -unit[:, axis]
        one, away = -np.ones((2 * count, 1)), np.eye(2 * count)
        return np.vstack([np.hstack([one, away]), np.hstack([one, -away]), touch])

    def batch_margins(x: Tensor) -> Tensor:
        centers = x[:, 1:].view(-1, count, 2)
        apart = (centers[:, first] - centers[:, second]).norm(dim=-1) - 2 * x[:, :1]
        return torch.cat([x[:, 1:] - x[:, :1], 1 - x[:, :1] - x[:, 1:], apart], 1)

    return HandWritten(
        lower=np.zeros(1 + 2 * count),
        upper=np.concatenate([[0.5], np.ones(2 * count)]),
        value=lambda x: -float(x[0]),
        slope=lambda _x: gradient,
        batch=lambda x: -x[:, 0],
        margins=margins,
        margin_slopes=margin_slopes,
        batch_margins=batch_margins,
    )


def build_mgh09() -> HandWritten:
    """Return the sum of squares of NIST's MGH09."""
    known = read("MGH09")
    x, y = known.x, known.y
    xs, ys = torch.tensor(x), torch.tensor(y)

    def parts(b: Array) -> tuple[Array, Array]:
        return x * x + x * b[1], x * x + x * b[2] + b[3]

    def slope(b: Array) -> Array:
        top, bottom = parts(b)
        model = b[0] * top / bottom
        columns = np.stack(
            [top / bottom, b[0] * x / bottom, -model * x / bottom, -model / bottom], axis=1
        )
        return -2 * columns.T @ (y - model)

    def batch(b: Tensor) -> Tensor:
        top = xs * xs + xs * b[:, 1:2]
        bottom = xs * xs + xs * b[:, 2:3] + b[:, 3:4]
        return (ys - b[:, :1] * top / bottom).square().sum(1)

    def value(b: Array) -> float:
        top, bottom = parts(b)
        return float(((y - b[0] * top / bottom) ** 2).sum())

    return HandWritten(
        lower=np.zeros(4), upper=np.full(4, 50.0), value=value, slope=slope, batch=batch
    )


PAGE, SIZES = 10.0, ((4, 3), (3, 3), (3, 4), (4, 4), (3, 3), (3, 3))
"""Side of a page, and the widths and heights of six boxes on it: two thirds of its area."""

BOXES = f"""
const page = {PAGE}
const size = {[list(size) for size in SIZES]}
var at: real[6, 2] in [[[0, 0] for s in size], [[page - s[0], page - s[1]] for s in size]]

## One box [x, y, width, height] left of, right of, below or above another.
fn apart(a: real[4], b: real[4]) =
  a[0] + a[2] <= b[0] within 1 or b[0] + b[2] <= a[0] within 1
  or a[1] + a[3] <= b[1] within 1 or b[1] + b[3] <= a[1] within 1

prefer free: forall a, b in pairs(concat(at, size, axis=1)): apart(a, b)
"""
"""Twelve unknowns and thirty kinks; the optimum is 0, where no two boxes overlap."""


def build_boxes() -> HandWritten:
    """Return the energy of `BOXES`: per pair of boxes a noisy-or over the four sides."""
    sizes = np.array(SIZES, dtype=float)
    first, second = np.triu_indices(len(sizes), 1)
    rows = np.arange(len(first))
    # For each pair and side: the sign of (x_first - x_second), and what must be below zero.
    shift = np.stack([sizes[first, 0], sizes[second, 0], sizes[first, 1], sizes[second, 1]], axis=1)
    signs = np.array([1.0, -1.0, 1.0, -1.0])

    def parts(x: Array) -> tuple[Array, Array]:
        at = x.reshape(-1, 2)
        gap = np.repeat(at[first] - at[second], 2, axis=1) * signs + shift
        over = np.maximum(gap, 0.0)
        return over, over**2 / 2

    def value(x: Array) -> float:
        _, energies = parts(x)
        product = np.prod(-np.expm1(-energies), axis=1)
        return float(-np.log1p(-product).sum())

    def slope(x: Array) -> Array:
        over, energies = parts(x)
        failures = -np.expm1(-energies)
        found = np.zeros((len(sizes), 2))
        whole = 1 - np.prod(failures, axis=1)
        for side in range(4):
            others = np.prod(np.delete(failures, side, axis=1), axis=1)
            pull = np.exp(-energies[:, side]) * others / whole * over[:, side] * signs[side]
            np.add.at(found, (first, np.full_like(rows, side // 2)), pull)
            np.subtract.at(found, (second, np.full_like(rows, side // 2)), pull)
        return found.ravel()

    push, place = torch.tensor(shift), torch.tensor(signs)

    def batch(x: Tensor) -> Tensor:
        at = x.view(len(x), -1, 2)
        gap = (at[:, first] - at[:, second]).repeat_interleave(2, 2) * place + push
        product = -torch.expm1(-torch.relu(gap).square() / 2)
        return -torch.log1p(-product.prod(2)).sum(1)

    upper = (PAGE - sizes).ravel()
    return HandWritten(
        lower=np.zeros_like(upper), upper=upper, value=value, slope=slope, batch=batch
    )


PROBLEMS: dict[str, Callable[[], HandWritten]] = {
    "lennard-jones 13": lambda: build_cluster(13),
    "rastrigin 10": lambda: build_rastrigin(10),
    "circles 10": lambda: build_circles(10),
    "boxes 12": build_boxes,
    "MGH09": build_mgh09,
}
"""By the names of `tests.solve.optima`."""
