"""The second engine: the energy along a curve, and everywhere in a narrow region around it.

It shares no rule with the bounds from below: every element is enclosed between two functions of t,
operator by operator, for all large t at once. What it proves is a witness against propriety.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np

from ebmlang.analysis.affine import Affine, AffineForms
from ebmlang.analysis.elements import (
    Applied,
    Combination,
    Either,
    Element,
    Extreme,
    Form,
    Length,
    Opaque,
    Products,
    Quotient,
    Supported,
)
from ebmlang.analysis.propriety import tail as asymptotic
from ebmlang.analysis.propriety.expansion import Expansion, center_of, width_of
from ebmlang.analysis.propriety.tail import (
    EVERYTHING,
    ONE,
    TIME,
    ZERO,
    Monomial,
    Sum,
    Tail,
)
from ebmlang.graph import Node, Root, RootKind
from ebmlang.lang.behavior import enclose
from ebmlang.lang.facts import Envelope
from ebmlang.lang.interval import Interval
from ebmlang.lang.table import OPERATORS
from ebmlang.lang.types import DomainKind

DATA = 1e100
"""Data that is missing is any number up to this."""

FAR = 100.0
"""What goes to infinity is past it at last."""

_MANIFOLDS = (DomainKind.SIMPLEX, DomainKind.UNIT, DomainKind.ROTATION)

SHRINKING: Monomial = (0.0, -1.0, 0.0)
"""1 / t: a curve towards a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The points start + rates * motion(t) + widths(t) * u, with u in the box from -1 to 1.

    Attributes:
        start: A number for each coordinate.
        rates: Of those that move.
        motion: t, or 1 / t.
        widths: Radius and monomial for coordinates around the curve; 0 where missing.
    """

    start: Sequence[float]
    rates: Mapping[int, float]
    motion: Monomial = TIME
    widths: Mapping[int, tuple[float, Monomial]]


@dataclass(frozen=True, slots=True)
class Course:
    """What holds along a curve for all large t.

    Attributes:
        energy: An upper bound of E.
        inside: Whether every point keeps the domains and all that is required.
        terms: An upper bound of each soft term, by path.
    """

    energy: Sum
    inside: bool
    terms: Mapping[str, Sum]


Values: TypeAlias = Interval | list[Tail]


def follow(forms: AffineForms, curve: Curve) -> Course:
    """Return what holds along a curve."""
    graph = forms.elements.facts.graph
    total = graph.roots[Root(RootKind.TOTAL)]
    hard = [number for _, number in graph.roots_of(RootKind.HARD)]
    walk = _Walk(forms, curve)
    values = walk.run([total, *hard])
    margins = [margin for number in hard for margin in _tails(values[number])]
    inside = all(asymptotic.sign(margin.lower) >= 0 for margin in margins)
    terms = {
        root.path: _tails(values[number])[0].upper
        for root, number in graph.roots_of(RootKind.ENERGY)
    }
    return Course(_tails(values[total])[0].upper, inside and walk.stays_inside(), terms)


def _tails(values: Values) -> list[Tail]:
    if isinstance(values, list):
        return values
    lows, highs = values.lower.ravel().tolist(), values.upper.ravel().tolist()
    return [Tail.interval(low, high) for low, high in zip(lows, highs, strict=True)]


class _Walk:
    def __init__(self, forms: AffineForms, curve: Curve) -> None:
        self.forms = forms
        self.elements = forms.elements
        self.curve = curve
        self.values: dict[int, Values] = {}
        spread = {j for j, (_, monomial) in curve.widths.items() if monomial != ONE}
        self.moving = spread | set(curve.rates)

    def run(self, roots: Sequence[int]) -> dict[int, Values]:
        """Return the values of all nodes that the roots depend on."""
        graph = self.elements.facts.graph
        needed = set(roots)
        for number in range(max(roots, default=-1), -1, -1):
            if number in needed:
                needed.update(graph.nodes[number].inputs)
        for number in sorted(needed):
            self.values[number] = self._value(number, graph.nodes[number])
        return self.values

    def stays_inside(self) -> bool:
        """Return whether all points lie in the domains of the variables."""
        for j, at in enumerate(self.forms.coordinates):
            if at.kind in _MANIFOLDS:
                continue  # The curve starts on it; its neighborhood is what of it lies there.
            own = self._coordinate(j)
            above = asymptotic.plus(own.lower, asymptotic.number(-at.lower), -1)
            below = asymptotic.plus(asymptotic.number(at.upper), asymptotic.negated(own.upper), -1)
            if math.isnan(at.lower) or math.isnan(at.upper):
                return False
            if asymptotic.sign(above) < 0 or asymptotic.sign(below) < 0:
                return False
        return all(self._keeps_order(j) for j in range(len(self.forms.coordinates) - 1))

    def _keeps_order(self, j: int) -> bool:
        at, following = self.forms.coordinates[j], self.forms.coordinates[j + 1]
        if at.kind is not DomainKind.ORDERED or at.path != following.path:
            return True
        if at.place[:-1] != following.place[:-1]:
            return True
        step = self._row(Affine({j: -1.0, j + 1: 1.0}))
        return asymptotic.sign(step.lower) > 0

    # --- nodes -----------------------------------------------------------------------

    def _value(self, number: int, node: Node) -> Values:
        if node.operator == "variable":
            return self._variable(node)
        if node.operator == "given" and self.elements.value(number) is None:
            return Interval.make(np.full(node.shape, -DATA), np.full(node.shape, DATA))
        record = OPERATORS.get(node.operator)
        if record is None:
            if self.elements.varies(number):
                return Interval.everything(node.shape)
            return self.elements.facts.bounds[number].value
        inputs = [self.values[i] for i in node.inputs]
        still = [x for x in inputs if isinstance(x, Interval)]
        if len(still) == len(inputs):
            return enclose(record, still, dict(node.options))
        return [self._element((number, i)) for i in range(math.prod(node.shape))]

    def _variable(self, node: Node) -> Values:
        first = self.forms.first.get(node.option("path"), 0)
        own = range(first, first + math.prod(node.shape))
        tails = [self._coordinate(j) for j in own]
        if any(j in self.moving for j in own):
            return tails
        lows = np.array([asymptotic.limit(tail.lower) for tail in tails]).reshape(node.shape)
        highs = np.array([asymptotic.limit(tail.upper) for tail in tails]).reshape(node.shape)
        return Interval.make(lows, highs)

    def _coordinate(self, j: int) -> Tail:
        return self._row(Affine({j: 1.0}))

    def _row(self, affine: Affine) -> Tail:
        """Return an affine form: its value on the curve exactly, and its width around it."""
        center = center_of(affine, self.curve)
        around = width_of(affine, self.curve)
        return Tail(
            asymptotic.collect([*center, *((m, -r) for m, r in around)], -1),
            asymptotic.collect([*center, *around], 1),
        )

    # --- elements --------------------------------------------------------------------

    def _at(self, element: Element) -> Tail:
        values = self.values[element[0]]
        if isinstance(values, list):
            return values[element[1]]
        exact = self._exact(element)
        if exact is not None:
            return exact
        return Tail.interval(
            float(values.lower.flat[element[1]]), float(values.upper.flat[element[1]])
        )

    def _exact(self, element: Element) -> Tail | None:
        """Return an affine element, in which all that cancels has been canceled."""
        known = self.forms.forms.get(element[0])
        affine = known[element[1]] if known else None
        if affine is None or not affine.row or affine.low != affine.high:
            return None
        return self._row(affine)

    def _element(self, element: Element) -> Tail:
        exact = self._exact(element)
        return self._form(element, self.elements.form(element)) if exact is None else exact

    def _form(self, element: Element, form: Form) -> Tail:
        match form:
            case Combination():
                return self._combination(form)
            case Products():
                found = ZERO
                for a, b in form.pairs:
                    product = (
                        asymptotic.square(self._at(a))
                        if a == b
                        else asymptotic.multiply(self._at(a), self._at(b))
                    )
                    found = asymptotic.add(found, product)
                return found
            case Quotient():
                return asymptotic.multiply(
                    self._at(form.over), asymptotic.reciprocal(self._at(form.under))
                )
            case Applied():
                return asymptotic.scale(self._applied(form, self._at(form.of)), form.factor)
            case Extreme():
                return _extreme(form, [self._at(source) for source in form.among])
            case Length():
                total = ZERO
                for source in form.of:
                    total = asymptotic.add(total, asymptotic.square(self._at(source)))
                return asymptotic.power(total, 0.5)
            case Either():
                yes, no = self._at(form.yes), self._at(form.no)
                return Tail(
                    asymptotic.least([yes.lower, no.lower]),
                    asymptotic.largest([yes.upper, no.upper]),
                )
            case Supported():
                return self._supported(form)
            case Opaque():
                return self._enclosed(element)
            case _:
                assert_never(form)

    def _combination(self, form: Combination) -> Tail:
        """Return a sum; the products of affine elements in it are expanded before they are bounded.

        So what cancels between them does, as in x^2 - 2 * x * y + y^2 along x = y.
        """
        products = Expansion()
        rest: list[tuple[Element, float]] = []
        stack = list(form.terms)
        while stack:
            element, factor = stack.pop()
            inner = self.elements.form(element)
            pairs = self._affine_pairs(element, inner)
            if pairs is not None:
                products.add(pairs, factor)
            elif isinstance(inner, Combination) and self._exact(element) is None:
                stack += [(source, factor * c) for source, c in inner.terms]
            else:
                rest.append((element, factor))
        found = products.enclose(self.curve)
        for element, factor in rest:
            found = asymptotic.add(found, asymptotic.scale(self._at(element), factor))
        return found

    def _affine_pairs(
        self, element: Element, form: Form
    ) -> list[tuple[Affine, Affine, float]] | None:
        """Return an element as a sum of products of affine values, if it is one and moves."""
        if not isinstance(self.values[element[0]], list):
            return None
        sources: list[tuple[Element, Element, float]] = []
        if isinstance(form, Products):
            sources = [(a, b, 1.0) for a, b in form.pairs]
        elif isinstance(form, Applied) and (
            form.name == "square" or (form.name == "pow" and form.exponent == 2)
        ):
            sources = [(form.of, form.of, form.factor)]
        found = []
        for a, b, factor in sources:
            first, second = self.forms.of(a), self.forms.of(b)
            if first is None or second is None:
                return None
            if first.low != first.high or second.low != second.high:
                return None
            found.append((first, second, factor))
        return found or None

    def _supported(self, form: Supported) -> Tail:
        x, energy = self._at(form.of), self._at(form.energy)
        low, high = (self._at(end) for end in form.ends)
        if asymptotic.is_less(x.lower, low.upper) or asymptotic.is_less(high.lower, x.upper):
            return Tail(energy.lower, asymptotic.UP)
        return energy

    def _applied(self, form: Applied, x: Tail) -> Tail:
        match form.name:
            case "square":
                return asymptotic.square(x)
            case "abs":
                opposite = asymptotic.scale(x, -1.0)
                lower = asymptotic.largest([(), x.lower, opposite.lower])
                return Tail(lower, asymptotic.largest([x.upper, opposite.upper]))
            case "relu":
                return _relu(x)
            case "softplus":
                return asymptotic.add(_relu(x), Tail.interval(0.0, math.log(2.0)))
            case "exp":
                return asymptotic.exp(x)
            case "expm1":
                return asymptotic.add(asymptotic.exp(x), Tail.interval(-1.0, -1.0))
            case "log":
                return asymptotic.log(x)
            case "log1p":
                return asymptotic.log(asymptotic.add(x, Tail.interval(1.0, 1.0)))
            case "lgamma" if asymptotic.limit(x.lower) == math.inf:
                return asymptotic.lgamma(x)
            case "sqrt":
                return asymptotic.power(x, 0.5)
            case "pow" if form.exponent == 2 or form.exponent == -2:
                found = asymptotic.square(x)
                return found if form.exponent > 0 else asymptotic.reciprocal(found)
            case "pow" if form.exponent == -1:
                return asymptotic.reciprocal(x)
            case "pow" if asymptotic.sign(x.lower) >= 0:
                return asymptotic.power(x, form.exponent)
            case "sinh" | "cosh":
                down = asymptotic.exp(asymptotic.scale(x, -1.0))
                sign = 1.0 if form.name == "cosh" else -1.0
                both = asymptotic.add(asymptotic.exp(x), asymptotic.scale(down, sign))
                return asymptotic.scale(both, 0.5)
            case name if form.exponent == 1.0:
                found_interval = enclose(OPERATORS[name], [_range([x], ())], {})
                return Tail.interval(float(found_interval.lower), float(found_interval.upper))
            case _:
                return EVERYTHING

    def _enclosed(self, element: Element) -> Tail:
        """Return what an operator's bounds say of where its operands go in the end."""
        node = self.elements.nodes[element[0]]
        record = OPERATORS.get(node.operator)
        if record is None:
            return EVERYTHING
        ranges = [_range(_tails(self.values[i]), self.elements.nodes[i].shape) for i in node.inputs]
        found = enclose(record, ranges, dict(node.options))
        return Tail.interval(
            float(found.lower.flat[element[1]]), float(found.upper.flat[element[1]])
        )


def _range(tails: Sequence[Tail], shape: tuple[int, ...]) -> Interval:
    """Return numbers that each of some tails lies between for all large t."""
    lows = [_last(tail.lower, -1) for tail in tails]
    highs = [_last(tail.upper, 1) for tail in tails]
    return Interval.make(np.array(lows).reshape(shape), np.array(highs).reshape(shape))


def _last(value: Sum, rounding: int) -> float:
    end = asymptotic.limit(value)
    if math.isinf(end) and end * rounding < 0 and not asymptotic.is_infinite(value):
        return math.copysign(FAR, end)
    if math.isfinite(end) and len(value) > (end != 0):
        # It tends to this number from either side.
        return end + rounding * asymptotic.NEGLIGIBLE * max(1.0, abs(end))
    return end


def _relu(x: Tail) -> Tail:
    return Tail(asymptotic.largest([(), x.lower]), asymptotic.largest([(), x.upper]))


def _extreme(form: Extreme, among: Sequence[Tail]) -> Tail:
    lowers, uppers = [x.lower for x in among], [x.upper for x in among]
    exact = form.name in ("min", "max", "minimum", "maximum")
    slack = asymptotic.number(0.0 if exact else math.log(max(len(among), 1)))
    if form.envelope is Envelope.MIN:
        return Tail(
            asymptotic.plus(asymptotic.least(lowers), asymptotic.negated(slack), -1),
            asymptotic.least(uppers),
        )
    return Tail(asymptotic.largest(lowers), asymptotic.plus(asymptotic.largest(uppers), slack, 1))
