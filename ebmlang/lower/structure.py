"""How operators are written whose code depends on shapes, options or which operands vary."""

import math
from dataclasses import replace

import numpy as np

from ebmlang.graph import Kind
from ebmlang.lower.site import Operand, Site, as_real, show_shape, spread

_POWERS = {
    1.0: "{0}",
    2.0: "torch.square({0})",
    0.5: "k.sqrt({0})",
    -1.0: "torch.reciprocal({0})",
    -0.5: "torch.rsqrt({0})",
}
"""Exponents with a call of their own."""


def write_power(site: Site) -> str:
    """Write a ^ b; whole numbers stay whole only where the exponent is known not to be negative."""
    base, exponent = site.operands
    whole = exponent.constant is not None and bool(np.all(exponent.constant >= 0))
    if site.node.kind is Kind.INT and not whole:
        base, exponent = as_real(base), as_real(exponent)
    if exponent.number is not None:
        form = _POWERS.get(float(exponent.number)) if base.kind is Kind.REAL else None
        if form is not None:
            return form.format(base.text)
        return f"torch.pow({base.text}, {exponent.number!r})"
    if base.number is not None:
        return f"torch.pow({base.number!r}, {exponent.text})"
    return f"torch.pow({base.text}, {exponent.text})"


def write_product(site: Site) -> str:
    """Write a product over axes one by one, which is all that torch has."""
    text = site.operands[0].text
    # Dropping the outermost first leaves the negative numbers of the others as they are.
    return text + "".join(f".prod({axis})" for axis in sorted(site.option("axes")))


# --- vectors and matrices ------------------------------------------------------------


def write_dot(site: Site) -> str:
    """Write an inner product; with one fixed vector it is a matrix product over all chains."""
    a, b = site.operands
    if site.node.kind is Kind.REAL:
        if _is_fixed(b, 1):
            return f"torch.matmul({a.text}, {b.text})"
        if _is_fixed(a, 1):
            return f"torch.matmul({b.text}, {a.text})"
    return f"({a.text} * {b.text}).sum(-1)"


def write_matvec(site: Site) -> str:
    """Write matrix times vector; a fixed matrix takes all chains in one matrix product."""
    a, b = site.operands
    if _is_fixed(a, 2):
        return f"F.linear({b.text}, {a.text})"
    return f"torch.matmul({a.text}, {b.text}.unsqueeze(-1)).squeeze(-1)"


def write_vecmat(site: Site) -> str:
    """Write row vector times matrix; a fixed matrix takes all chains in one matrix product."""
    a, b = site.operands
    if _is_fixed(b, 2):
        return f"torch.matmul({a.text}, {b.text})"
    return f"torch.matmul({a.text}.unsqueeze(-2), {b.text}).squeeze(-2)"


def _is_fixed(operand: Operand, rank: int) -> bool:
    return not operand.varying and len(operand.shape) == rank


# --- elements moved about ------------------------------------------------------------


def write_reshape(site: Site) -> str:
    """Write the same elements under another shape."""
    (operand,) = site.operands
    return (
        operand.under(site.node.shape) if site.varying else f"{operand.text}.reshape({site.shape})"
    )


def write_expand(site: Site) -> str:
    """Write a repetition by broadcasting."""
    (operand,) = site.lined_up((len(site.operands[0].shape),)).operands
    missing = len(site.node.shape) - len(operand.shape)
    text = operand.text
    if operand.varying and missing:
        shape = show_shape((*(1,) * missing, *operand.shape), varying=True)
        text = f"{text}.reshape({shape})"
    return f"{text}.expand({site.shape})"


def write_stack(site: Site) -> str:
    """Write arrays along a new axis."""
    return f"torch.stack(({_pieces(site)}), {site.option('axis')})"


def write_concat(site: Site) -> str:
    """Write arrays end to end."""
    return f"torch.cat(({_pieces(site)}), {site.option('axis')})"


def _pieces(site: Site) -> str:
    pieces = [spread(o) if site.varying else o for o in site.operands]
    return ", ".join(piece.text for piece in pieces) + ("," if len(pieces) == 1 else "")


def write_take(site: Site) -> str:
    """Write elements of one axis: a view where the places are known and in a row."""
    base, index = site.operands
    assert not index.varying, "an index cannot depend on an unknown"
    axis = site.option("axis")
    if index.constant is not None:
        view = _known_places(base, index, axis)
        if view is not None:
            return view
    if not index.shape:
        return f"{base.text}.index_select({axis}, {index.text}.reshape(1)).squeeze({axis})"
    if len(index.shape) == 1:
        return f"{base.text}.index_select({axis}, {index.text})"
    flat = f"{base.text}.index_select({axis}, {index.text}.reshape(-1))"
    return f"{flat}.reshape({site.shape})"


def _known_places(base: Operand, index: Operand, axis: int) -> str | None:
    assert index.constant is not None
    if not index.shape:
        return f"{base.text}.select({axis}, {int(index.constant)})"
    if len(index.shape) > 1:
        return None
    places = index.constant
    size = base.shape[len(base.shape) + axis]
    if places.size > size:
        return None
    if 1 < places.size == size and np.array_equal(places, np.arange(places.size)[::-1]):
        return f"{base.text}.flip({axis})"
    start = int(places[0]) if places.size else 0
    if not np.array_equal(places, np.arange(start, start + places.size)):
        return None
    if places.size == size:
        return base.text
    return f"{base.text}.narrow({axis}, {start}, {places.size})"


def write_scatter(site: Site) -> str:
    """Write elements added to zeros at their places."""
    base, index = site.operands
    behind = -site.option("axis") - 1
    text = base.text
    if len(index.shape) != 1:
        lead = base.shape[: len(base.shape) - behind - len(index.shape)]
        flat = (*lead, math.prod(index.shape), *base.shape[len(base.shape) - behind :])
        text = f"{text}.reshape({show_shape(flat, varying=base.varying)})"
    zeros = f"{text}.new_zeros({site.shape})"
    return f"{zeros}.index_add({site.option('axis')}, {index.text}.reshape(-1), {text})"


def write_gather(site: Site) -> str:
    """Write, for each leading position, its own element."""
    rank = site.option("rank")
    base, index = site.lined_up((rank + 1, 0)).operands
    return f"k.gather({base.text}, {index.text}, {rank})"


def write_moveaxis(site: Site) -> str:
    """Write an axis moved to another place."""
    return f"{site.operands[0].text}.movedim({site.option('source')}, {site.option('target')})"


def write_slice(site: Site) -> str:
    """Write a run of elements of one axis."""
    start, stop = site.option("start"), site.option("stop")
    return f"{site.operands[0].text}.narrow({site.option('axis')}, {start}, {stop - start})"


def with_axes(site: Site) -> Site:
    """Return a reduction's site with at least one axis: reducing none becomes one of size 1.

    Torch reads an empty tuple of axes as all of them.
    """
    if site.option("axes"):
        return site
    (operand,) = site.operands
    shape = (*operand.shape, 1)
    unit = operand.inside("{}.unsqueeze(-1)", shape=shape, constant=None)
    node = replace(site.node, options=(("axes", (-1,)),))
    return replace(site, node=node, operands=(unit,))
