"""Rules for sums, products and functions of single elements."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from ebmlang.graph import Kind
from ebmlang.passes.simplification.site import Rule, Site

# --- sums ----------------------------------------------------------------------------


def _add(site: Site) -> int | None:
    a, b = site.node.inputs
    for one, other in ((a, b), (b, a)):
        if site.single(other) == 0 and site.keeps(one):
            return one
        node = site.of(other)
        if node.operator == "neg" and not site.is_fixed(other):
            return site.make("sub", one, node.inputs[0])
        if site.is_fixed(other) and not site.is_fixed(one):
            left = site.of(one)
            if left.operator == "add":
                for x, n in (left.inputs, left.inputs[::-1]):
                    if site.is_fixed(n):
                        return site.make("add", x, site.make("add", n, other))
            if left.operator == "sub" and site.is_fixed(left.inputs[0]):
                n, x = left.inputs
                return site.make("sub", site.make("add", n, other), x)
    return _twice(site, a, b)


def _twice(site: Site, a: int, b: int) -> int | None:
    """Return x * n + x * m as x * (n + m), also where y is added to one of them."""
    if site.node.kind is not Kind.REAL or site.is_fixed(a):
        return None
    for one, other in ((a, b), (b, a)):
        node = site.of(other)
        if node.operator == "add" and not site.is_fixed(other):
            for x, y in (node.inputs, node.inputs[::-1]):
                total = _together(site, one, x)
                if total is not None:
                    return site.make("add", total, y)
    return _together(site, a, b)


def _together(site: Site, a: int, b: int) -> int | None:
    (x, n), (y, m) = (site.split(i) or (i, None) for i in (a, b))
    if x != y or site.of(a).shape != site.of(b).shape:
        return None
    one = site.number(1.0, len(site.of(a).shape))
    return site.make("mul", x, site.make("add", one if n is None else n, one if m is None else m))


def _sub(site: Site) -> int | None:
    a, b = site.node.inputs
    if site.single(b) == 0 and site.keeps(a):
        return a
    if site.single(a) == 0 and site.keeps(b):
        return site.make("neg", b)
    if site.is_fixed(b) and not site.is_fixed(a) and site.node.kind is Kind.REAL:
        return site.make("add", a, site.make("neg", b))
    if site.of(b).operator == "neg" and not site.is_fixed(b):
        return site.make("add", a, site.of(b).inputs[0])
    if site.is_fixed(a) and not site.is_fixed(b):
        right = site.of(b)
        if right.operator == "add":
            for x, n in (right.inputs, right.inputs[::-1]):
                if site.is_fixed(n):
                    return site.make("sub", site.make("sub", a, n), x)
    return None


def _neg(site: Site) -> int | None:
    (x,) = site.node.inputs
    node = site.of(x)
    if node.operator == "neg":
        return node.inputs[0]
    if node.operator == "sub" and not site.is_fixed(x):
        a, b = node.inputs
        return site.make("sub", b, a)
    if node.operator == "add" and not site.is_fixed(x):
        for one, n in (node.inputs, node.inputs[::-1]):
            if site.is_fixed(n):
                return site.make("sub", site.make("neg", n), one)
    if node.operator in ("mul", "div") and not site.is_fixed(x):
        a, b = node.inputs
        if site.is_fixed(b):
            return site.make(node.operator, a, site.make("neg", b))
        if site.is_fixed(a):
            return site.make(node.operator, site.make("neg", a), b)
    return None


# --- products ------------------------------------------------------------------------


def _mul(site: Site) -> int | None:
    a, b = site.node.inputs
    for one, other in ((a, b), (b, a)):
        factor = site.single(other)
        if site.keeps(one) and factor == 1:
            return one
        if site.keeps(one) and factor == -1:
            return site.make("neg", one)
        if site.of(one).operator == "neg" and not site.is_fixed(one):
            return site.make("neg", site.make("mul", site.of(one).inputs[0], other))
    for one, other in ((a, b), (b, a)):
        found = _merged(site, one, other) or _outward(site, one, other)
        if found is not None:
            return found
    return None


def _merged(site: Site, one: int, factor: int) -> int | None:
    """Return (x * n) * m and (n / x) * m as one product or quotient, with n and m fixed."""
    if not site.is_fixed(factor) or site.is_fixed(one):
        return None
    left = site.of(one)
    if left.operator == "mul":
        for x, n in (left.inputs, left.inputs[::-1]):
            if site.is_fixed(n):
                return site.make("mul", x, site.make("mul", n, factor))
    if left.operator == "div" and site.is_fixed(left.inputs[0]):
        n, x = left.inputs
        return site.make("div", site.make("mul", n, factor), x)
    return None


def _outward(site: Site, one: int, other: int) -> int | None:
    """Move a fixed number out of an operand, or to the other one where that is smaller."""
    if site.is_fixed(other) or site.is_fixed(one):
        return None
    left = site.of(one)
    if left.operator == "div" and site.is_scalar(left.inputs[0]):
        n, x = left.inputs
        if site.of(x).shape == site.node.shape:
            return site.make("mul", site.make("div", other, x), n)
    parts = site.split(one)
    if parts is None:
        return None
    x, n = parts
    own, others = (math.prod(site.of(i).shape) for i in (one, other))
    if others < own:
        return site.make("mul", x, site.make("mul", other, n))
    if left.shape == site.node.shape:
        return site.make("mul", site.make("mul", x, other), n)
    return None


def _div(site: Site) -> int | None:
    a, b = site.node.inputs
    if site.single(b) == 1 and site.keeps(a):
        return a
    if site.is_fixed(a):
        return None
    if site.is_fixed(b):
        one = site.number(1.0, len(site.of(b).shape))
        return site.make("mul", a, site.make("div", one, b))
    left = site.of(a)
    if left.operator == "neg":
        return site.make("neg", site.make("div", left.inputs[0], b))
    parts = site.split(a)
    if parts is not None and left.shape == site.node.shape:
        x, n = parts
        return site.make("mul", site.make("div", x, b), n)
    return None


# --- functions of one number ---------------------------------------------------------


def _square(site: Site) -> int | None:
    (x,) = site.node.inputs
    if site.of(x).operator == "neg":
        return site.make("square", site.of(x).inputs[0])
    parts = site.split(x)
    if parts is None or site.node.kind is not Kind.REAL:
        return None
    inner, n = parts
    return site.make("mul", site.make("square", inner), site.make("square", n))


def _relu(site: Site) -> int | None:
    """Take a known factor out: relu(x * n) is relu(x) * n, and relu(-x) * -n for n below 0."""
    (x,) = site.node.inputs
    parts = site.split(x)
    if parts is None or site.node.kind is not Kind.REAL:
        return None
    inner, n = parts
    factor = site.single(n)
    if factor is None or factor == 0 or not math.isfinite(factor):
        return None
    if factor < 0:
        inner = site.make("neg", inner)
    size = site.number(abs(factor), len(site.node.shape))
    return site.make("mul", site.make("relu", inner), size)


ARITHMETIC: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "add": (_add,),
        "sub": (_sub,),
        "neg": (_neg,),
        "mul": (_mul,),
        "div": (_div,),
        "square": (_square,),
        "relu": (_relu,),
    }
)
"""By operator, the rules for it."""
