"""Rules for sums over axes, products of matrices, and other reductions."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from ebmlang.graph import Kind, Node
from ebmlang.passes.simplification.site import Rule, Site

Axes = tuple[int, ...]

_FEW = 8
"""Arrays that are added rather than stacked and summed: a copy costs as much as three sums."""


def _sum(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    axes = site.node.option("axes")
    if all(node.shape[axis] == 1 for axis in axes):
        return site.reshape(x, site.node.shape)
    if site.is_fixed(x) or node.kind is not Kind.REAL:
        return None
    match node.operator:
        case "neg":
            return site.make("neg", site.make("sum", node.inputs[0], axes=axes))
        case "mul" | "div":
            return (
                _common_factor(site, node, axes)
                or _contraction(site, node, axes)
                or _distributed(site, node, axes)
            )
        case "add" | "sub":
            return _without_number(site, node, axes)
        case "exp":
            return _all_shares(site, node, axes)
        case "stack":
            return _few(site, node, axes)
        case "reshape":
            return _inside(site, node, axes)
    return None


def _few(site: Site, node: Node, axes: Axes) -> int | None:
    """Return the sum of a few stacked arrays as their sum, one after the other."""
    if axes != (node.option("axis"),) or len(node.inputs) > _FEW:
        return None
    total, *rest = node.inputs
    for number in rest:
        total = site.make("add", total, number)
    return total


def _inside(site: Site, node: Node, axes: Axes) -> int | None:
    """Return the sum over the axis in front of a last one of size 1, which was only put there."""
    (x,) = node.inputs
    shape = site.of(x).shape
    if axes != (-2,) or node.shape != (*shape, 1):
        return None
    return site.reshape(site.make("sum", x, axes=(-1,)), site.node.shape)


def _common_factor(site: Site, node: Node, axes: Axes) -> int | None:
    """Return the sum of a * b where b is the same along the axes: sum(a) * b."""
    pairs = [node.inputs]
    if node.operator == "mul":
        pairs.append(node.inputs[::-1])
    for a, b in pairs:
        alone = site.of(a).shape
        if all(site.of(b).shape[axis] == 1 for axis in axes) and all(
            alone[axis] == node.shape[axis] for axis in axes
        ):
            total = site.make("sum", a, axes=axes)
            factor = site.reshape(b, _dropped(site.of(b).shape, axes))
            return site.make(node.operator, total, factor)
    return None


def _contraction(site: Site, node: Node, axes: Axes) -> int | None:
    """Return a sum of products with a fixed vector or matrix as a product of matrices."""
    if node.operator != "mul" or len(axes) != 1:
        return None
    for x, matrix in (node.inputs, node.inputs[::-1]):
        if site.is_fixed(matrix) and not site.is_fixed(x):
            found = _times_matrix(site, x, matrix, axes[0])
            if found is not None and site.of(found).shape == site.node.shape:
                return found
    return None


def _times_matrix(site: Site, x: int, matrix: int, axis: int) -> int | None:
    free, fixed = site.of(x).shape, site.of(matrix).shape
    rank = len(free)
    if any(dim != 1 for dim in fixed[: max(0, rank - 2)]) or fixed[axis] == 1:
        return None
    if axis == -1 and free[-1] == fixed[-1] and all(dim == 1 for dim in fixed[:-1]):
        return site.make("dot", x, site.reshape(matrix, fixed[-1:]))
    if rank < 2 or 1 in fixed[-2:]:
        return None
    plain = site.reshape(matrix, fixed[-2:])
    if axis == -2 and free[-1] == 1 and free[-2] == fixed[-2]:
        return site.make("vecmat", site.reshape(x, free[:-1]), plain)
    if axis == -1 and free[-2] == 1 and free[-1] == fixed[-1]:
        return site.make("matvec", plain, site.reshape(x, (*free[:-2], free[-1])))
    return None


def _distributed(site: Site, node: Node, axes: Axes) -> int | None:
    """Return sum_k w_k (x + c_k) as x * sum(w) + w @ c: no array of all differences is needed.

    It is off by the rounding of x and c, which the difference inherits from them anyway.
    """
    if node.operator != "mul" or axes != (-2,):
        return None
    for weights, spread in (node.inputs, node.inputs[::-1]):
        inner = site.of(spread)
        if site.of(weights).shape[-1] != 1 or inner.operator not in ("add", "sub"):
            continue
        for x, c in (inner.inputs, inner.inputs[::-1]):
            fits = site.is_fixed(c) and not site.is_fixed(x) and site.of(x).shape[-2] == 1
            if not fits or site.is_fixed(weights):
                continue
            pulled = _times_matrix(site, weights, c, -2)
            if pulled is None or site.of(pulled).shape != site.node.shape:
                continue
            total = site.make("sum", weights, axes=axes)
            alone = site.reshape(x, _dropped(site.of(x).shape, axes))
            other = site.make("mul", alone, total)
            first = x == inner.inputs[0]
            return site.make(inner.operator, *((other, pulled) if first else (pulled, other)))
    return None


def _without_number(site: Site, node: Node, axes: Axes) -> int | None:
    """Return the sum of x + n as sum(x) + count * n, with one fixed number n."""
    a, b = node.inputs
    count = float(math.prod(node.shape[axis] for axis in axes))
    rank = len(site.node.shape)
    for place, (x, n) in enumerate(((a, b), (b, a))):
        if not site.is_scalar(n) or site.of(x).shape != node.shape:
            continue
        total = site.make("sum", x, axes=axes)
        together = site.make("mul", site.rank(n, rank), site.number(count, rank))
        pair = (total, together) if place == 0 else (together, total)
        return site.make(node.operator, *pair)
    return None


def _all_shares(site: Site, node: Node, axes: Axes) -> int | None:
    """Return 1 for sum(exp(x - logsumexp(x))), as the derivative of logsumexp has it."""
    inner = site.of(node.inputs[0])
    if inner.operator != "sub":
        return None
    x, total = inner.inputs
    while site.of(total).operator in ("reshape", "maximum"):
        operands = [i for i in site.of(total).inputs if not site.is_fixed(i)]
        if len(operands) != 1:
            return None
        (total,) = operands
    found = site.of(total)
    if found.operator != "logsumexp" or found.inputs != (x,) or found.option("axes") != axes:
        return None
    one = site.number(1.0, len(site.node.shape))
    return site.make("expand", one, shape=site.node.shape)


def _dropped(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    return tuple(dim for i, dim in enumerate(shape) if i - len(shape) not in axes)


def _logsumexp(site: Site) -> int | None:
    """Take a fixed number out of logsumexp(x + n)."""
    (x,) = site.node.inputs
    node = site.of(x)
    rank = len(site.node.shape)
    if node.operator in ("add", "sub") and not site.is_fixed(x):
        for inner, n in (node.inputs, node.inputs[::-1]):
            if site.is_scalar(n) and site.of(inner).shape == node.shape:
                # A difference can only be n - x: x - n is x + (-n) by now.
                x = site.make("neg", inner) if node.operator == "sub" else inner
                total = site.make("logsumexp", x, axes=site.node.option("axes"))
                return site.make("add", total, site.rank(n, rank))
    return None


# --- products of matrices ------------------------------------------------------------


def _matvec(site: Site) -> int | None:
    """Let a fixed matrix take the fixed number that its vector is multiplied by."""
    matrix, x = site.node.inputs
    parts = site.split(x)
    if parts is None or not site.is_fixed(matrix):
        return None
    inner, n = parts
    if _is_symmetric(site, matrix):
        # So that the product itself is shared with others of the same matrix.
        product = site.make("matvec", matrix, inner)
        return site.make("mul", product, site.rank(n, len(site.node.shape)))
    return site.make("matvec", _scaled(site, matrix, n), inner)


def _vecmat(site: Site) -> int | None:
    """Likewise; and use that a matrix is symmetric."""
    x, matrix = site.node.inputs
    if _is_symmetric(site, matrix):
        return site.make("matvec", matrix, x)
    parts = site.split(x)
    if parts is None or not site.is_fixed(matrix):
        return None
    return site.make("vecmat", parts[0], _scaled(site, matrix, parts[1]))


def _scaled(site: Site, matrix: int, n: int) -> int:
    return site.make("mul", matrix, site.rank(n, len(site.of(matrix).shape)))


def _dot(site: Site) -> int | None:
    """Write x . (A x) with a symmetric A, whose gradient needs one product with it, not two."""
    if site.node.kind is not Kind.REAL:
        return None
    for x, product in (site.node.inputs, site.node.inputs[::-1]):
        node = site.of(product)
        if node.operator != "matvec" or node.inputs[1] != x:
            continue
        matrix = node.inputs[0]
        if site.is_fixed(matrix) and not _is_symmetric(site, matrix):
            whole = site.make("add", matrix, site.make("transpose", matrix))
            half = site.number(0.5, len(site.of(matrix).shape))
            even = site.make("mul", whole, half)
            return site.make("dot", x, site.make("matvec", even, x))
    for x, other in (site.node.inputs, site.node.inputs[::-1]):
        found = _times_matrix(site, x, other, -1) if _may_contract(site, x, other) else None
        if found is not None and site.of(found).shape == site.node.shape:
            return found
        parts = site.split(x)
        if parts is not None:
            total = site.make("dot", parts[0], other)
            return site.make("mul", total, site.rank(parts[1], len(site.node.shape)))
    return None


def _may_contract(site: Site, x: int, other: int) -> bool:
    shapes = [site.of(i).shape for i in (x, other)]
    fixed = site.is_fixed(other) and not site.is_fixed(x)
    return fixed and len(shapes[0]) == len(shapes[1]) > 1 and shapes[1][-2] > 1


def _is_symmetric(site: Site, matrix: int) -> bool:
    """Whether a matrix was made even by `_dot`."""
    node = site.of(matrix)
    if node.operator != "mul" or not site.is_fixed(matrix):
        return False
    for whole, half in (node.inputs, node.inputs[::-1]):
        total = site.of(whole)
        if site.is_scalar(half) and total.operator == "add":
            a, b = total.inputs
            for one, other in ((a, b), (b, a)):
                turned = site.of(other)
                if turned.operator == "transpose" and turned.inputs == (one,):
                    return True
    return False


REDUCTIONS: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "sum": (_sum,),
        "logsumexp": (_logsumexp,),
        "matvec": (_matvec,),
        "vecmat": (_vecmat,),
        "dot": (_dot,),
    }
)
"""By operator, the rules for it."""
