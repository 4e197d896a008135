"""Rules for what is not differentiated again: their forms would lose digits in derivatives."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ebmlang.passes.simplification.site import LARGEST, Rule, Site

_LEAST = -87.0
"""Log of the smallest share that is told from nothing: below it float32 has no normal number, and
those that are not normal take five times as long."""


def _noisy_or(site: Site) -> int | None:
    """Write the OR of two energies a <= b as a - log(d), d = (1 - exp(-b)) + exp(a - b).

    The same d is the denominator of the slope by a (`passes.gradient.reductions`).
    """
    (x,) = site.node.inputs
    shape = site.of(x).shape
    if site.node.option("axes") != (-1,) or shape[-1] != 2 or site.is_fixed(x):
        return None
    a, b = (_element(site, x, place) for place in (0, 1))
    most = site.number(LARGEST, len(site.node.shape))

    def denominator(own: int, other: int) -> int:
        failure = site.make("neg", site.make("expm1", site.make("neg", other)))
        odds = site.make("exp", site.make("sub", own, site.make("minimum", other, most)))
        return site.make("add", failure, odds)

    # The smaller energy has the smaller one, from 1 to 2; of two that are inf it stays a number.
    smaller = site.make("minimum", denominator(a, b), denominator(b, a))
    logarithm = site.make("log", site.make("minimum", smaller, most))
    return site.make("sub", site.make("minimum", a, b), logarithm)


def _element(site: Site, x: int, place: int) -> int:
    index = site.builder.constant(np.asarray(place), site.node.origin)
    return site.make("take", x, index, axis=-1)


def _logsumexp(site: Site) -> int | None:
    """Write log(sum(exp(x))) over the last axis as its steps, which its derivative shares."""
    (x,) = site.node.inputs
    if site.node.option("axes") != (-1,) or site.is_fixed(x) or site.of(x).shape[-1] == 0:
        return None
    top, _, total = _shares(site, x)
    return site.make("add", top, site.make("log", total))


def _shares(site: Site, x: int) -> tuple[int, int, int]:
    """Return the largest x, each exp(x - largest), and their sum."""
    shape = site.of(x).shape
    kept = (*shape[:-1], 1)
    top = site.make("max", x, axes=(-1,))
    # Where all are -inf the difference must stay a number.
    least = site.number(-LARGEST, len(shape) - 1)
    finite = site.reshape(site.make("maximum", top, least), kept)
    gap = site.make("maximum", site.make("sub", x, finite), site.number(_LEAST, len(shape)))
    each = site.make("exp", gap)
    return top, each, site.make("sum", each, axes=(-1,))


def _exp(site: Site) -> int | None:
    """Write exp(x - logsumexp(x)) with the steps of `_logsumexp`: exp(x - largest) / sum."""
    inner = site.of(site.node.inputs[0])
    if inner.operator != "sub" or site.is_fixed(site.node.inputs[0]):
        return None
    x, shift = inner.inputs
    if site.of(x).shape != site.node.shape or site.of(shift).operator != "reshape":
        return None
    capped = site.of(site.of(shift).inputs[0])
    if capped.operator != "maximum":
        return None
    # Looked at first: the nodes of `_shares` are made only where they are there already.
    candidates = [i for i in capped.inputs if site.of(i).operator == "add"]
    for candidate in candidates:
        if any(site.of(i).operator == "log" for i in site.of(candidate).inputs):
            top, each, total = _shares(site, x)
            if site.make("add", top, site.make("log", total)) == candidate:
                rank = len(site.of(total).shape)
                # At least the largest is in it: a smaller sum is that of nothing at all.
                one = site.number(1.0, rank)
                share = site.make("div", one, site.make("maximum", total, one))
                kept = (*site.node.shape[:-1], 1)
                return site.make("mul", each, site.reshape(share, kept))
    return None


FINAL: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {"noisy_or": (_noisy_or,), "logsumexp": (_logsumexp,), "exp": (_exp,)}
)
"""By operator, the rules for it."""
