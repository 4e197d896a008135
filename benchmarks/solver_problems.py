"""Problems with published optima, written by hand in NumPy and in torch, for peers of `ebm solve`.

Each is also one of `tests.solve.optima`, written as a spec. Gradients are by hand, so that SciPy
does not pay for differences.
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


PROBLEMS: dict[str, Callable[[], HandWritten]] = {
    "lennard-jones 13": lambda: build_cluster(13),
    "rastrigin 10": lambda: build_rastrigin(10),
    "circles 10": lambda: build_circles(10),
    "MGH09": build_mgh09,
}
"""By the names of `tests.solve.optima`."""
