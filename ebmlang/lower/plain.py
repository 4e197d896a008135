"""Other calls of torch for operators of small arrays, where they are measured to be faster.

Only in code that autograd does not differentiate. Torch loops over the last axis innermost, so that
a last axis of a few elements costs a loop of its own for each few numbers: a broadcast sum or a
reduction is then 4 to 10 times dearer than a product of matrices that does the same.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ebmlang.graph import Kind
from ebmlang.lower.site import Site, show_axes

SHORT = 16
"""A last axis of so many elements, or fewer, is short."""


def write_sum_of_rows(site: Site) -> str | None:
    """Write a short vector plus each row of a fixed matrix."""
    for x, rows in (site.operands, site.operands[::-1]):
        if not x.varying or rows.varying or len(x.shape) < 2 or rows.kind is not Kind.REAL:
            continue
        repeated = all(dim == 1 for dim in x.shape[:-1]) and x.kind is Kind.REAL
        count = rows.shape[-2]
        if (
            repeated
            and rows.shape == site.node.shape
            and 1 < x.shape[-1] == rows.shape[-1] <= SHORT
            and count > 1
        ):
            return f"k.add_rows({x.text}, {rows.text})"
    return None


def write_short_sum(site: Site) -> str | None:
    """Write a sum over a short last axis of an array with more axes."""
    return f"k.sum_short({site.operands[0].text})" if _is_short(site) else None


def write_short_norm(site: Site) -> str | None:
    """Write the length of short vectors, of which there are several."""
    if not _is_short(site):
        return None
    return f"torch.sqrt(k.sum_short(torch.square({site.operands[0].text})))"


def _is_short(site: Site) -> bool:
    (x,) = site.operands
    shape = x.shape
    several = len(shape) > 1 and any(dim > 1 for dim in shape[:-1])
    short = several and x.varying and 1 < shape[-1] <= SHORT
    return short and site.option("axes") == (-1,) and x.kind is Kind.REAL


PLAIN: Mapping[str, Callable[[Site], str | None]] = MappingProxyType(
    {
        "add": write_sum_of_rows,
        "sum": write_short_sum,
        "norm": write_short_norm,
        "sqrt": lambda site: f"torch.sqrt({site.operands[0].text})",
        "logaddexp": lambda site: "torch.logaddexp({0.text}, {1.text})".format(*site.operands),
        "logsumexp": lambda site: (
            f"torch.logsumexp({site.operands[0].text}, {show_axes(site.option('axes'))})"
        ),
    }
)
"""By operator, an expression for it, or None where the usual one is as good."""
