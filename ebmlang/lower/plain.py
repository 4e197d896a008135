"""Other calls of torch for operators of small arrays, where they are measured to be faster.

Only in code that autograd does not differentiate. Torch loops over the last axis innermost, so that
a last axis of a few elements costs a loop of its own for each few numbers: a broadcast sum or a
reduction is then 4 to 10 times dearer than a product of matrices that does the same.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ebmlang.graph import Kind
from ebmlang.lower.site import BlockSize, Site, show_axes

SHORT = 16
"""A vector of so many elements, or fewer, is repeated by a product of matrices."""

SUMMED = 64
"""A last axis of so many elements, or fewer, is summed by one."""


def write_sum_of_rows(site: Site) -> str | None:
    """Write a short vector plus each row of a fixed matrix."""
    for x, rows in (site.operands, site.operands[::-1]):
        if not x.varying or rows.varying or len(x.shape) < 2 or rows.kind is not Kind.REAL:
            continue
        repeated = all(dim == 1 for dim in x.shape[:-1]) and x.kind is Kind.REAL
        if any(isinstance(dim, BlockSize) for dim in rows.shape):
            continue
        count = rows.shape[-2]
        if (
            repeated
            and rows.shape == site.node.shape
            and 1 < x.shape[-1] == rows.shape[-1] <= SHORT
            and count > 1
        ):
            size = x.shape[-1]
            # Exact where x is finite: each element is one of its numbers, and zeros.
            ones = site.constant(np.tile(np.eye(size), (1, math.prod(rows.shape) // size)))
            flat = (
                f"{rows.text}.reshape(-1)" if rows.before is None else rows.before("{}.reshape(-1)")
            )
            total = f"torch.addmm({flat}, {x.under((size,))}, {ones})"
            return f"{total}.reshape({site.shape})"
    return None


def write_short_sum(site: Site) -> str | None:
    """Write a sum over a short last axis."""
    (x,) = site.operands
    return _summed(site, x.text, x.shape[-1]) if _is_short(site) else None


def write_short_norm(site: Site) -> str | None:
    """Write the length of short vectors."""
    if not _is_short(site):
        return None
    (x,) = site.operands
    return f"torch.sqrt({_summed(site, f'torch.square({x.text})', x.shape[-1])})"


def write_short_dot(site: Site) -> str | None:
    """Write the inner product of two short vectors that both vary."""
    a, b = site.operands
    real = a.kind is Kind.REAL and b.kind is Kind.REAL
    if not (a.varying and b.varying and real and _is_few(a.shape)):
        return None
    return _summed(site, f"{a.text} * {b.text}", a.shape[-1])


def _summed(site: Site, text: str, size: int) -> str:
    return f"torch.matmul({text}, {site.constant(np.ones(size))})"


def _is_short(site: Site) -> bool:
    (x,) = site.operands
    shape = x.shape
    real = x.varying and x.kind is Kind.REAL
    return real and site.option("axes") == (-1,) and _is_few(shape)


def _is_few(shape: tuple[int, ...]) -> bool:
    """Whether the last axis is a short one, of a size known now."""
    return 1 < shape[-1] <= SUMMED and not isinstance(shape[-1], BlockSize)


PLAIN: Mapping[str, Callable[[Site], str | None]] = MappingProxyType(
    {
        "add": write_sum_of_rows,
        "sum": write_short_sum,
        "norm": write_short_norm,
        "dot": write_short_dot,
        "sqrt": lambda site: f"torch.sqrt({site.operands[0].text})",
        "logaddexp": lambda site: (
            f"torch.logaddexp({site.operands[0].text}, {site.operands[1].text})"
        ),
        "logsumexp": lambda site: (
            f"torch.logsumexp({site.operands[0].text}, {show_axes(site.option('axes'))})"
        ),
    }
)
"""By operator, an expression for it, or None where the usual one is as good."""
