"""Kernels that take more than one torch call; emitted code knows this module as `k`.

All work on last axes and repeat themselves over the axes before them, the chain axis among them.
Each has finite gradients wherever its value is finite, unless its docstring says otherwise.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.lower import blocking

LOG_2 = math.log(2.0)


def blocks(count: int, each: int) -> Iterator[tuple[int, int]]:
    """Yield where the blocks of an axis start, and how many places each has.

    Args:
        count: How many places the axis has.
        each: How many elements the largest array has for each of them.
    """
    size = max(1, blocking.LARGEST // max(1, each))
    for start in range(0, count, size):
        yield start, min(size, count - start)


def sqrt(x: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Return the square root, whose gradient at 0 is taken as 0.

    Torch's is infinite there, and turns into nan where nothing depends on it.
    """
    zero = x == 0
    return torch.where(zero, 0.0, torch.sqrt(torch.where(zero, 1.0, x)))


def log1mexp(x: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Return log(1 - exp(-x)) for x >= 0.

    Its gradient at 0 is infinite, as its value is.

    Source: Maechler, Accurately computing log(1 - exp(-|a|)), equation 7.
    """
    small = x < LOG_2
    near = torch.log(-torch.expm1(-torch.where(small, x, 1.0)))
    far = torch.log1p(-torch.exp(-torch.where(small, 1.0, x)))
    return torch.where(small, near, far)


def logaddexp(a: Float[Tensor, "*a"], b: Float[Tensor, "*b"]) -> Float[Tensor, "*axes"]:
    """Return log(exp(a) + exp(b)); where both are -inf, with gradient 0."""
    nothing = torch.maximum(a, b) == -math.inf
    total = torch.logaddexp(torch.where(nothing, 0.0, a), torch.where(nothing, 0.0, b))
    return torch.where(nothing, -math.inf, total)


def logsumexp(x: Float[Tensor, "*axes"], axes: int | tuple[int, ...]) -> Float[Tensor, "*kept"]:
    """Return log(sum(exp(x))) over axes; where all are -inf, with gradient 0."""
    nothing = torch.amax(x, axes, keepdim=True) == -math.inf
    total = torch.logsumexp(torch.where(nothing, 0.0, x), axes)
    return torch.where(nothing.squeeze(axes), -math.inf, total)


# --- the OR of the product logic -----------------------------------------------------


def noisy_or(
    energies: Float[Tensor, "*axes"], axes: int | tuple[int, ...]
) -> Float[Tensor, "*kept"]:
    """Return E = -log(1 - prod_i(1 - exp(-C_i))) over axes, exact for C from 0 to 1e30.

    With P = prod_i(1 - exp(-C_i)): where P is small, from log P; else in the telescoping form
    1 - P = sum_i exp(-C_i) prod_{j<i}(1 - exp(-C_j)), in log space.

    Args:
        energies: C >= 0 [nats].
        axes: The axes of the alternatives, negative.

    Returns:
        E, with the gradient dE/dC_i = exp(-C_i + sum_{j != i} log(1 - exp(-C_j)) + E), finite
        everywhere and 0 where all C are inf.

    Source: Pearl, Probabilistic Reasoning in Intelligent Systems, section 4.3.2.
    """
    if isinstance(axes, tuple):
        last = tuple(range(-len(axes), 0))
        energies = energies.movedim(axes, last).flatten(-len(axes))
    elif axes != -1:
        energies = energies.movedim(axes, -1)
    if not (energies.requires_grad and torch.is_grad_enabled()):
        return _noisy_or_values(energies)
    return _NoisyOr.apply(energies)  # type: ignore[no-any-return, no-untyped-call]


class _NoisyOr(torch.autograd.Function):
    """Noisy-or over the last axis, with the gradient in closed form."""

    @staticmethod
    def forward(ctx: Any, energies: Tensor) -> Tensor:  # Any: torch's context has no type
        ctx.save_for_backward(energies)
        return _noisy_or_values(energies)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # Any: as above
        (energies,) = ctx.saved_tensors
        return gradient.unsqueeze(-1) * _noisy_or_slopes(energies)


def _noisy_or_values(energies: Tensor) -> Tensor:
    logs = _log_failures(energies)
    running = logs.cumsum(-1)
    log_product = running[..., -1]
    before = F.pad(running[..., :-1], (1, 0))
    far = -torch.logsumexp(before - energies, -1)
    near = -torch.log1p(-torch.exp(log_product.clamp(max=-LOG_2)))
    return torch.where(log_product < -LOG_2, near, far)


def _noisy_or_slopes(energies: Tensor) -> Tensor:
    """Return dE/dC_i, with differences of huge C taken before anything small is added."""
    logs = _log_failures(energies)
    # Sums over the others from both sides: a total minus the own share would be inf - inf.
    before = F.pad(logs[..., :-1].cumsum(-1), (1, 0))
    after = F.pad(logs[..., 1:].flip(-1).cumsum(-1).flip(-1), (0, 1))
    shares = before - energies
    top = shares.amax(-1, keepdim=True).detach()
    hopeless = top == -math.inf
    top = torch.where(hopeless, 0.0, top)
    log_total = torch.log(torch.exp(shares - top).sum(-1, keepdim=True))
    log_total = torch.where(hopeless, 0.0, log_total)
    return torch.exp((-energies - top) + before + after - log_total)


def _log_failures(energies: Tensor) -> Tensor:
    """Return log(1 - exp(-C)) to the absolute accuracy that sums of them need."""
    return torch.log(-torch.expm1(-energies))


# --- derivatives ---------------------------------------------------------------------


def others(x: Float[Tensor, "*loops n"]) -> Float[Tensor, "*loops n"]:
    """Return, for each element of the last axis, the product of the others; exact at zeros."""
    before = F.pad(x[..., :-1], (1, 0), value=1.0).cumprod(-1)
    behind = F.pad(x[..., 1:], (0, 1), value=1.0).flip(-1).cumprod(-1).flip(-1)
    return before * behind


# --- elements and matrices -----------------------------------------------------------


def gather(x: Tensor, index: Int[Tensor, "*loops"], rank: int) -> Tensor:
    """Return, for each leading position, its own element of the axis before the last `rank`."""
    loops = max(x.dim() - rank - 1, index.dim())
    wide = x.reshape(*(1,) * (loops - x.dim() + rank + 1), *x.shape)
    places = index.reshape(*(1,) * (loops - index.dim()), *index.shape, *(1,) * (rank + 1))
    axis = -rank - 1
    return torch.take_along_dim(wide, places, axis).squeeze(axis)


def sort_by(x: Float[Tensor, "... n"], keys: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Return elements in the order in which their keys rise, ties as they stand."""
    order = keys.argsort(dim=-1, stable=True)
    loops = max(x.dim(), keys.dim())
    wide, places = (a.reshape(*(1,) * (loops - a.dim()), *a.shape) for a in (x, order))
    return torch.take_along_dim(wide, places, -1)


def inverse(x: Float[Tensor, "*loops n n"]) -> Float[Tensor, "*loops n n"]:
    """Return inverse matrices; nan for those that have none, so that one chain stops no other."""
    result, info = torch.linalg.inv_ex(x)
    return _valid(result, info)


def solve(a: Float[Tensor, "*a n n"], b: Float[Tensor, "*b n k"]) -> Float[Tensor, "*loops n k"]:
    """Return the x with a @ x == b; nan for a singular a."""
    # With fewer axes torch may take b for a batch of vectors.
    b = b.reshape(*(1,) * (a.dim() - b.dim()), *b.shape)
    result, info = torch.linalg.solve_ex(a, b)
    return _valid(result, info)


def cholesky(x: Float[Tensor, "*loops n n"]) -> Float[Tensor, "*loops n n"]:
    """Return lower triangular factors; nan for matrices that are not positive definite."""
    result, info = torch.linalg.cholesky_ex(x)
    return _valid(result, info)


def _valid(result: Tensor, info: Tensor) -> Tensor:
    return torch.where((info == 0)[..., None, None], result, math.nan)
