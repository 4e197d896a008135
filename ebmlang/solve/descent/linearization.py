"""A sum of squares near a point: residuals and their Jacobian, by one forward sweep of the batch.

Every start is repeated once per coordinate, each copy with the tangent of that coordinate, so a
Jacobian costs `dim` evaluations in one call of the same compiled code. Copies are made in chunks,
so that memory stays bounded however many starts, coordinates and residuals there are.
"""

import warnings
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

from ebmlang.runtime import concatenate
from ebmlang.solve.objective import SquaredObjective

CHUNK = 2**24
"""Numbers of a Jacobian, or of its points, that are computed at once: 128 MB in float64."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linearization:
    """Residuals and their derivatives, compressed by a QR factorization.

    With J = Q R: `|r + J p|^2 = |Q^T r + R p|^2 + what no p changes`.

    Attributes:
        squares: The sum of the squared residuals; `inf` where anything is not finite.
        columns: The length of each column of J, by the solver's coordinates.
        factor: R.
        projected: Q^T r.
        gradient: Of the sum of squares, 2 J^T r.
    """

    squares: Float[Tensor, " start"]
    columns: Float[Tensor, "start dim"]
    factor: Float[Tensor, "start row dim"]
    projected: Float[Tensor, "start row"]
    gradient: Float[Tensor, "start dim"]


def linearize(objective: SquaredObjective, y: Float[Tensor, "start dim"]) -> Linearization:
    """Return the objective's squares near a point per start.

    Args:
        objective: A sum of squares.
        y: In the solver's coordinates. On spheres and rotations derivatives are tangent.
    """
    dim = y.shape[1]
    with torch.no_grad():
        residuals = objective.residuals(objective.chart.to_written(y))
        size = max(1, CHUNK // max(1, dim * max(dim, residuals.shape[1])))
        rows = torch.arange(len(y), device=y.device)
        parts = [
            _factorize(objective.take(part), y[part], residuals[part])
            for part in torch.split(rows, size)
        ]
    return concatenate(parts)


def _factorize(objective: SquaredObjective, y: Tensor, residuals: Tensor) -> Linearization:
    jacobian = objective.chart.tangent(y, differentiate_residuals(objective, y))
    squares = residuals.square().sum(1)
    finite = torch.isfinite(squares) & torch.isfinite(jacobian.square().sum((1, 2)))
    jacobian = torch.where(finite[:, None, None], jacobian, 0)
    r = torch.where(finite[:, None], residuals, 0)[:, :, None]
    # Householder's factorization does not mind columns of very different lengths.
    q, factor = torch.linalg.qr(jacobian)
    return Linearization(
        squares=torch.where(finite, squares, torch.inf),
        columns=jacobian.norm(dim=1),
        factor=factor,
        projected=(q.mT @ r)[:, :, 0],
        gradient=2 * (jacobian.mT @ r)[:, :, 0],
    )


def differentiate_residuals(
    objective: SquaredObjective, y: Float[Tensor, "start dim"]
) -> Float[Tensor, "start residual dim"]:
    """Return the Jacobian of the residuals by the solver's coordinates."""
    starts, dim = y.shape
    rows = torch.arange(starts, device=y.device).repeat_interleave(dim)
    tangents = torch.eye(dim, dtype=y.dtype, device=y.device).repeat(starts, 1)
    repeated = objective.take(rows)
    _load_rules()
    with forward_ad.dual_level():
        dual: Tensor = forward_ad.make_dual(y[rows], tangents)  # type: ignore[no-untyped-call]
        value = repeated.residuals(objective.chart.to_written(dual))
        pair = forward_ad.unpack_dual(value)  # type: ignore[no-untyped-call]
        slopes: Tensor | None = pair.tangent
    if slopes is None:  # No residual depends on an unknown.
        slopes = torch.zeros_like(value)
    return slopes.reshape(starts, dim, -1).mT


@cache
def _load_rules() -> None:
    """Load torch's forward rules, which it would do at the first use, warning of its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch._decomp.decompositions_for_jvp  # noqa: F401
