"""From elements of the graph to a bound from below: the one place where operators are read.

Starting at the energy, linear operators pass their factor on to their operands; what is not linear
becomes an atom with the growth that the operator's facts state. Wherever an element's bounds are
finite on the side that matters, what cannot be expressed is left out; elsewhere it is a fault.
"""

import heapq
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import assert_never

from ebmlang.analysis.affine import (
    Affine,
    AffineForms,
    Row,
    TooLargeError,
    combine,
    scaled_row,
    shifted,
)
from ebmlang.analysis.elements import (
    Applied,
    Combination,
    Either,
    Element,
    Elements,
    Extreme,
    Form,
    Length,
    Opaque,
    Products,
    Quotient,
    Supported,
)
from ebmlang.analysis.growth import WALL, composed, scaled
from ebmlang.analysis.propriety.branches import judge_branches
from ebmlang.analysis.propriety.domain import domain_walls
from ebmlang.analysis.propriety.hinges import is_bent, is_hinge, settles
from ebmlang.analysis.propriety.lower_bound import (
    Atom,
    Choice,
    Conjunction,
    Square,
    compose,
    fault,
    join,
    opposite,
)
from ebmlang.analysis.propriety.pieces import find_cases, find_exponents
from ebmlang.analysis.propriety.poles import domain_of, find_poles
from ebmlang.analysis.propriety.products import product_of_rows, squared_length
from ebmlang.analysis.propriety.quotients import (
    ScaledSquare,
    bound_misfit,
    find_scaled_square,
)
from ebmlang.analysis.propriety.strata import Goal, Standing, is_settled
from ebmlang.graph import RootKind
from ebmlang.lang.facts import Envelope, Growth, Rate, Slope
from ebmlang.lang.interval import Interval
from ebmlang.lang.restriction import slope_over

READS = 300_000
"""Most elements read for one bound; one that many share may be read for each anew."""

DEPTH = 60
"""How many functions that are not linear may stand one inside the other."""

LINEAR = Growth(Rate.POWER, 1.0, 1.0)


class Bounding:
    """Bounds of elements of one graph from below.

    Args:
        forms: The affine forms of its elements.
        left_out: Elements that count as 0: densities that are integrated out.
    """

    def __init__(self, forms: AffineForms, left_out: frozenset[Element] = frozenset()) -> None:
        self.forms = forms
        self.elements: Elements = forms.elements
        self.left_out = left_out
        self.incomplete = _nodes_over(forms, {number for number, _ in left_out})
        self.domain = domain_walls(forms)
        self._reads = 0
        self._depth = 0

    def energy(self, total: int) -> Conjunction:
        """Return a bound of the energy, a scalar node."""
        return self.below([((total, 0), 1.0)])

    def walls(self) -> Conjunction:
        """Return what the domains and the requirements add to the energy."""
        graph = self.elements.facts.graph
        required = [
            self.wall((number, i))
            for _, number in graph.roots_of(RootKind.HARD)
            for i in range(math.prod(graph.nodes[number].shape))
        ]
        return join([self.domain, *required])

    def wall(self, margin: Element) -> Conjunction:
        """Return a bound of what a requirement adds: infinity where its margin is negative."""
        cases = find_cases(self.forms, margin, -1.0)
        if cases is None:
            return compose(self.below([(margin, -1.0)]), WALL, margin)
        walls = [join([self._wall(affine, margin) for affine in pieces]) for pieces in cases]
        return walls[0] if len(walls) == 1 else Conjunction(choices=(Choice(tuple(walls), margin),))

    def _wall(self, affine: Affine, source: Element) -> Conjunction:
        """Return a wall around the points where an affine value is at most 0."""
        row = self.forms.moving(affine)
        rows = (row,) if row else ()
        return Conjunction(atoms=(Atom(rows, WALL, source, affine),))

    def below(self, demands: Iterable[tuple[Element, float]]) -> Conjunction:
        """Return a bound from below of a linear combination of elements."""
        wanted: dict[Element, float] = {}
        queue: list[Element] = []

        def push(element: Element, factor: float) -> None:
            if factor == 0:
                return
            if element not in wanted:
                heapq.heappush(queue, (-element[0], -element[1]))
            wanted[element] = wanted.get(element, 0.0) + factor

        for element, factor in demands:
            push(element, factor)
        self._depth += 1
        if self._depth > DEPTH:
            raise TooLargeError
        parts: list[Conjunction] = []
        linear: list[tuple[Row, float]] = []
        ratios: list[ScaledSquare] = []
        while queue:
            key = heapq.heappop(queue)
            element = (-key[0], -key[1])
            factor = wanted.pop(element)
            self._reads += 1
            if self._reads > READS:
                raise TooLargeError
            if factor == 0 or element in self.left_out:
                continue
            # Affine forms and bounds are those of the whole: they say nothing of what is left.
            affine = None if element[0] in self.incomplete else self.forms.of(element)
            if affine is None:
                ratio = find_scaled_square(self.forms, element, factor)
                ratios += [] if ratio is None else [ratio]
                parts.append(self._part(element, factor, push))
                continue
            linear.append((self.forms.moving(affine), factor))
            if affine.low != affine.high and not settles(self.forms, element, factor):
                parts.append(Conjunction(settles=False))
        self._depth -= 1
        if linear:
            parts.append(Conjunction(linear=combine(linear)))
        parts += bound_misfit(self.forms, ratios)
        return join(parts) if parts else Conjunction()

    # --- the others ------------------------------------------------------------------

    def _part(
        self, element: Element, factor: float, push: Callable[[Element, float], None]
    ) -> Conjunction:
        """Return a bound of factor * element, or pass the factor on to its operands."""
        low, high = self.elements.bounds(element)
        if (factor > 0 and low == math.inf) or (factor < 0 and high == -math.inf):
            return Conjunction(infinite=True)
        form = self.elements.form(element)
        whole = element[0] not in self.incomplete
        safe = whole and (low > -math.inf if factor > 0 else high < math.inf)
        if isinstance(form, Combination):
            return self._combination(form, factor, push, safe=safe)
        return self._kept(self._bound(element, form, factor), safe=safe)

    def _combination(
        self,
        form: Combination,
        factor: float,
        push: Callable[[Element, float], None],
        *,
        safe: bool,
    ) -> Conjunction:
        terms = [(source, factor * c) for source, c in form.terms]
        if safe and not all(self.elements.is_bounded(source, c) for source, c in terms):
            # Only together are they bounded: what is lost when they are split must not be.
            return self._kept(self.below(terms), safe=True)
        for source, c in terms:
            push(source, c)
        return Conjunction()

    def _kept(self, found: Conjunction, *, safe: bool) -> Conjunction:
        """Return a bound, unless it falls although bounds tell that the value does not."""
        if not safe or found.rises:
            return found
        judged = judge_branches(
            join([found, self.domain]), Goal.BOUNDED, self.forms, self.forms.unbounded
        )
        kept = judged.finding.standing is Standing.HOLDS
        return found if kept else Conjunction(settles=False)

    def _bound(self, element: Element, form: Form, factor: float) -> Conjunction:
        match form:
            case Applied():
                return self._applied(element, form, factor)
            case Products():
                return join(
                    [self._product(element, a, b, factor) for a, b in form.pairs] or [Conjunction()]
                )
            case Quotient():
                return self._quotient(element, form, factor)
            case Extreme():
                return self._extreme(element, form, factor)
            case Length():
                return self._length(element, form, factor)
            case Either():
                least = self._least(element, (form.yes, form.no), factor)
                return replace(least, settles=False)
            case Supported():
                return self._supported(element, form, factor)
            case Opaque() | Combination():
                return fault(element)
            case _:
                assert_never(form)

    # --- functions of one number -----------------------------------------------------

    def _applied(self, element: Element, form: Applied, factor: float) -> Conjunction:
        factor *= form.factor
        if factor == 0:
            return Conjunction()
        exponents = find_exponents(self.forms, form)
        if exponents is not None:
            return self._soft_maximum(element, exponents, factor)
        poles = find_poles(self.forms, element, form, factor)
        if poles.faults or (form.profile.period is not None and not form.profile.lift):
            return join([poles, Conjunction(settles=False)])
        affine = self.forms.of(form.of)
        if affine is None:
            return join([poles, self._nested(element, form, factor)])
        row = self.forms.moving(affine)
        if not row:
            return join(
                [poles, Conjunction(settles=settles(self.forms, element, factor / form.factor))]
            )
        low, high = self.forms.rest(affine)
        right, left = scaled(form.profile.right, factor), scaled(form.profile.left, factor)
        if (right.rate, right.power, right.factor) == (Rate.POWER, 2.0, left.factor):
            square = Square(row, right.factor, low, high, element)
            return join([poles, Conjunction(squares=(square,))])
        atoms = []
        if right.rate is not Rate.BOUNDED and domain_of(form.profile)[1] == math.inf:
            atoms.append(Atom((row,), right, element))
        if left.rate is not Rate.BOUNDED and domain_of(form.profile)[0] == -math.inf:
            atoms.append(Atom((opposite(row),), left, element))
        return join([poles, Conjunction(atoms=tuple(atoms), settles=is_hinge(form))])

    def _soft_maximum(
        self, element: Element, exponents: list[Affine], factor: float
    ) -> Conjunction:
        """Return factor * log of a sum of exponentials: that of the largest, but for a constant."""
        rows = [scaled_row(self.forms.moving(affine), factor) for affine in exponents]
        if factor > 0:
            return _largest_of(rows, element)
        ends = tuple(Conjunction(linear=row, settles=False) for row in rows)
        return Conjunction(choices=(Choice(ends, element),), settles=False)

    def _nested(self, element: Element, form: Applied, factor: float) -> Conjunction:
        """Return a bound of factor * f(v) for a v that is not affine."""
        low, high = self.elements.bounds(form.of)
        start, end = domain_of(form.profile)
        parts = []
        squared = squared_length(self.forms, element, form, factor)
        if squared is not None:
            return squared
        right, left = scaled(form.profile.right, factor), scaled(form.profile.left, factor)
        sides = [
            (right, 1.0, high == math.inf and end == math.inf),
            (left, -1.0, low == -math.inf and start == -math.inf),
        ]
        for growth, sign, reached in sides:
            if not reached or growth.rate is Rate.BOUNDED:
                continue
            if growth.factor > 0:
                inner = self.below([(form.of, sign)])
                parts.append(compose(inner, growth, element))
            else:
                parts.append(self._fallen(element, form.of, -sign, growth))
        over = slope_over(form.profile, Interval.make(low, high))
        rises = over in (Slope.RISING, Slope.FLAT) and factor > 0 and len(parts) == 1
        if (rises and all(part.settles for part in parts)) or is_bent(self.forms, form, factor):
            return replace(join(parts), settles=True)
        return join([*parts, Conjunction(settles=False)])

    def _fallen(self, element: Element, of: Element, sign: float, growth: Growth) -> Conjunction:
        """Return a bound of R(v), R falling, from one of -v: from how fast v can grow.

        Args:
            element: For messages.
            of: The element v, or -v.
            sign: -1 where it is v.
            growth: R; its factor is negative.
        """
        inner = self.below([(of, sign)])
        falls = any(pole.growth.factor < 0 for pole in inner.poles)
        if inner.faults or falls or not all(choice.rises for choice in inner.choices):
            return fault(element)
        grown = [
            *((atom.rows, atom.growth) for atom in inner.atoms if atom.growth.factor < 0),
            *(
                ((s.row, opposite(s.row)), Growth(Rate.POWER, s.factor, 2.0))
                for s in inner.squares
                if s.factor < 0
            ),
        ]
        if inner.linear:
            grown.append(((opposite(inner.linear),), scaled(LINEAR, -1.0)))
        atoms = []
        for rows, own in grown:
            if own.rate in (Rate.FASTER, Rate.EXP):
                return fault(element)
            whole = composed(growth, scaled(own, -1.0))
            if growth.rate is Rate.POWER and growth.power > 1:
                # (a + b)^p is at most 2^p times the larger of a^p and b^p.
                whole = Growth(whole.rate, -math.inf, whole.power)
            atoms.append(Atom(rows, whole, element))
        return Conjunction(atoms=tuple(atoms), settles=False)

    # --- functions of several --------------------------------------------------------

    def _product(self, element: Element, a: Element, b: Element, factor: float) -> Conjunction:
        first, second = self.forms.of(a), self.forms.of(b)
        if first is not None and second is not None:
            rows = (self.forms.moving(first), self.forms.moving(second))
            if rows[0] and rows[1]:
                ends = (self.forms.rest(first), self.forms.rest(second))
                return product_of_rows(element, rows, ends, factor)
        for held, other in ((a, b), (b, a)):
            low, high = self._held_between(held)
            if math.isfinite(low) and math.isfinite(high):
                return self._multiple(other, factor, low, high)
        return fault(element, self._why_product(a, b))

    def _held_between(self, element: Element) -> tuple[float, float]:
        """Return what an element lies between, exactly where it is a constant."""
        affine = self.forms.of(element)
        if affine is not None and not self.forms.moving(affine):
            return self.forms.rest(affine)
        return self.elements.bounds(element)

    def _multiple(self, of: Element, factor: float, low: float, high: float) -> Conjunction:
        """Return a bound of factor * e * v with e in [low, high], and v the element `of`."""
        least, most = sorted((factor * low, factor * high))
        if least == most:
            return self.below([(of, least)])
        below, above = self.elements.bounds(of)
        if below >= 0:
            return join([self.below([(of, least)]), Conjunction(settles=False)])
        if above <= 0:
            return join([self.below([(of, most)]), Conjunction(settles=False)])
        affine = self.forms.of(of)
        if affine is not None:
            row = self.forms.moving(affine)
            fall = Growth(Rate.POWER, least - most, 1.0)
            return Conjunction(
                linear=scaled_row(row, least),
                atoms=(Atom((opposite(row),), fall, of),) if row else (),
                settles=False,
            )
        ends = (self.below([(of, least)]), self.below([(of, most)]))
        return Conjunction(choices=(Choice(ends, of),), settles=False)

    def _quotient(self, element: Element, form: Quotient, factor: float) -> Conjunction:
        low, high = self.elements.bounds(form.under)
        if low > 0 or high < 0:
            ends = (1 / low if low else 0.0, 1 / high if high else 0.0)
            return self._multiple(form.over, factor, min(ends), max(ends))
        return fault(element, self._why_product(form.over, form.under))

    def _why_product(self, a: Element, b: Element) -> str:
        missing = [
            node.option("path")
            for number in (a[0], b[0])
            for n in (*self.elements.facts.graph.ancestors(number), number)
            if (node := self.elements.nodes[n]).operator == "given"
            and self.elements.value(n) is None
        ]
        if missing:
            return f"it depends on the data `{missing[0]}`"
        return "it is a product of unknowns"

    def _extreme(self, element: Element, form: Extreme, factor: float) -> Conjunction:
        if (form.envelope is Envelope.MIN) == (factor > 0):
            return self._least(element, form.among, factor)
        return self._largest(element, form.among, factor)

    def _least(self, element: Element, among: tuple[Element, ...], factor: float) -> Conjunction:
        found = [self.below([(source, factor)]) for source in among]
        alternatives = tuple(alternative for alternative in found if not alternative.infinite)
        if not alternatives:
            return Conjunction(infinite=True)
        if len(alternatives) == 1:
            return alternatives[0]
        settles = all(is_settled(alternative) for alternative in alternatives)
        if all(_says_nothing(alternative) for alternative in alternatives):
            return Conjunction(settles=settles)
        return Conjunction(choices=(Choice(alternatives, element),), settles=settles)

    def _largest(self, element: Element, among: tuple[Element, ...], factor: float) -> Conjunction:
        affine = [self.forms.of(source) for source in among]
        known = [form for form in affine if form is not None]
        if known and len(known) == len(affine):
            rows = [scaled_row(self.forms.moving(form), factor) for form in known]
            return _largest_of(rows, element)
        # The largest is at least the mean of any of them.
        bounds = [self.below([(source, factor)]) for source in among]
        if any(bound.infinite for bound in bounds):
            return Conjunction(infinite=True)
        rising = [source for source, bound in zip(among, bounds, strict=True) if bound.rises]
        if not rising:
            rising = list(among)
        parts = [self.below([(source, factor / len(rising))]) for source in rising]
        settles = len(rising) == len(among)
        return join([*parts, Conjunction(settles=settles)])

    def _length(self, element: Element, form: Length, factor: float) -> Conjunction:
        rows: list[Row] = []
        exact = True
        for source in form.of:
            affine = self.forms.of(source)
            exact &= affine is not None
            row = {} if affine is None else self.forms.moving(affine)
            if row:
                rows += [row, opposite(row)]
        if factor < 0 and not exact:
            return fault(element)
        if not rows:
            return Conjunction(settles=exact)
        if factor > 0:
            return Conjunction(
                atoms=(Atom(tuple(rows), scaled(LINEAR, factor), element),), settles=exact
            )
        fall = scaled(LINEAR, factor)
        return Conjunction(atoms=tuple(Atom((row,), fall, element) for row in rows), settles=False)

    def _supported(self, element: Element, form: Supported, factor: float) -> Conjunction:
        affine = self.forms.of(form.of)
        exact = affine is not None and affine.low == affine.high
        parts = [self.below([(form.energy, factor)]), Conjunction(settles=exact)]
        if affine is not None and factor > 0:
            sides = ((1.0, form.upper), (-1.0, -form.lower))
            walls = [shifted(affine, way, -end) for way, end in sides if end < math.inf]
            parts += [self._wall(wall, element) for wall in walls]
        if factor < 0:
            return fault(element)
        return join(parts)


def _largest_of(rows: list[Row], source: Element) -> Conjunction:
    """Return the largest of linear functions: one of them, and what the others lie above it."""
    first, *others = rows
    steps = [combine([(row, 1.0), (first, -1.0)]) for row in others]
    gauge = tuple(step for step in steps if step)
    atoms = (Atom(gauge, LINEAR, source),) if gauge else ()
    return Conjunction(linear=first, atoms=atoms, settles=False)


def _says_nothing(part: Conjunction) -> bool:
    return part.rises and not (part.squares or part.atoms or part.choices)


def _nodes_over(forms: AffineForms, numbers: set[int]) -> frozenset[int]:
    """Return nodes, and all that depend on any of them."""
    over = set(numbers)
    for number, node in enumerate(forms.elements.facts.graph.nodes) if numbers else ():
        if not over.isdisjoint(node.inputs):
            over.add(number)
    return frozenset(over)
