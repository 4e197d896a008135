"""Rules for operators that move elements about, and for choices."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ebmlang.passes.simplification.site import Rule, Site


def _reshape(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    if node.shape == site.node.shape:
        return x
    if node.operator == "reshape":
        return site.reshape(node.inputs[0], site.node.shape)
    if node.operator == "neg":
        return site.make("neg", site.reshape(node.inputs[0], site.node.shape))
    parts = site.split(x)
    if parts is not None:
        inner = site.reshape(parts[0], site.node.shape)
        return site.make("mul", inner, site.rank(parts[1], len(site.node.shape)))
    return None


def _expand(site: Site) -> int | None:
    (x,) = site.node.inputs
    if site.keeps(x):
        return x
    if site.of(x).operator == "expand":
        return site.make("expand", site.of(x).inputs[0], shape=site.node.shape)
    return None


def _slice(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    axis, start, stop = (site.node.option(name) for name in ("axis", "start", "stop"))
    if site.keeps(x):
        return x
    if node.operator == "stack" and node.option("axis") == axis and stop == start + 1:
        return site.reshape(node.inputs[start], site.node.shape)
    if node.operator == "concat" and node.option("axis") == axis:
        before = 0
        for piece in node.inputs:
            size = site.of(piece).shape[axis]
            if before <= start and stop <= before + size:
                return site.make(
                    "slice", piece, axis=axis, start=start - before, stop=stop - before
                )
            before += size
    return None


def _take(site: Site) -> int | None:
    x, index = site.node.inputs
    node, place = site.of(x), site.of(index)
    axis = site.node.option("axis")
    if place.operator != "constant" or place.shape:
        return None
    at = int(place.option("value").array) % max(1, node.shape[axis])
    if node.operator == "stack" and node.option("axis") == axis:
        element: int = node.inputs[at]
        return element
    if node.shape[axis] == 1:
        return site.reshape(x, site.node.shape)
    if node.operator == "concat" and node.option("axis") == axis:
        thin = site.make("slice", x, axis=axis, start=at, stop=at + 1)
        if site.of(thin).operator != "slice":
            return site.reshape(thin, site.node.shape)
    return None


def _joined(site: Site) -> int | None:
    if len(site.node.inputs) > 1:
        return None
    return site.reshape(site.node.inputs[0], site.node.shape)


def _where(site: Site) -> int | None:
    condition, yes, no = site.node.inputs
    if yes == no and site.keeps(yes):
        return yes
    known = site.of(condition)
    if known.operator == "constant":
        truth = known.option("value").array
        for taken, number in ((True, yes), (False, no)):
            if truth.size and bool((truth == taken).all()) and site.keeps(number):
                return number
    if known.operator == "less_equal" and site.single(yes) == 0 and site.keeps(no):
        probe, limit = known.inputs
        gated = site.single(limit) == 0 and site.of(probe).operator in ("relu", "square", "abs")
        # Where the probe is 0 so is a product with it.
        if gated and _has_factor(site, no, probe):
            return no
    for place, number in ((1, yes), (2, no)):
        inner = site.of(number)
        if inner.operator == "where" and inner.inputs[0] == condition:
            chosen = inner.inputs[place]
            inputs = (condition, chosen, no) if place == 1 else (condition, yes, chosen)
            shapes = [site.of(i).shape for i in inputs]
            if np.broadcast_shapes(*shapes) == site.node.shape:
                return site.make("where", *inputs)
    return None


def _has_factor(site: Site, number: int, factor: int) -> bool:
    if number == factor:
        return True
    node = site.of(number)
    match node.operator:
        case "mul":
            return any(_has_factor(site, i, factor) for i in node.inputs)
        case "neg":
            return _has_factor(site, node.inputs[0], factor)
        case "div":
            return site.is_fixed(node.inputs[1]) and _has_factor(site, node.inputs[0], factor)
        case _:
            return False


def _less_equal(site: Site) -> int | None:
    """Compare with 0 what a positive factor was taken off."""
    probe, limit = site.node.inputs
    parts = site.split(probe)
    if parts is None or site.single(limit) != 0:
        return None
    x, n = parts
    factor = site.single(n)
    return site.make("less_equal", x, limit) if factor is not None and factor > 0 else None


ELEMENTS: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "reshape": (_reshape,),
        "expand": (_expand,),
        "slice": (_slice,),
        "take": (_take,),
        "stack": (_joined,),
        "concat": (_joined,),
        "where": (_where,),
        "less_equal": (_less_equal,),
    }
)
"""By operator, the rules for it."""
