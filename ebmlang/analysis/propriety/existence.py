"""Whether a minimizer exists, beyond what growth in every direction says.

- Quadratic, or convex and piecewise linear or quadratic: bounded below is enough.
- Constant along the directions in which nothing grows: what is left is enough.
- Falling along a direction from every point, without end: there is none.

Sources: Frank and Wolfe (1956), An algorithm for quadratic programming, and Rockafellar and Wets,
Variational Analysis, corollary 11.16 (piecewise linear-quadratic functions attain their infimum);
Auslender and Teboulle, Asymptotic Cones and Functions, section 3.3 (functions of hinges).
"""

import math
from collections.abc import Iterator

from ebmlang.analysis.affine import AffineForms, Row
from ebmlang.analysis.elements import Applied, Combination, Element, Extreme, Products, Supported
from ebmlang.analysis.propriety.cone import Vector
from ebmlang.analysis.propriety.lower_bound import Conjunction
from ebmlang.graph import Root, RootKind
from ebmlang.lang.facts import Envelope, Profile
from ebmlang.lang.types import DomainKind

_BENT = ("relu", "abs", "square")


def is_convex_quadratic(forms: AffineForms, element: Element) -> bool:
    """Return whether an element is convex and piecewise linear or quadratic, by how it is made."""
    affine = forms.of(element)
    if affine is not None and affine.low == affine.high:
        return True
    form = forms.elements.form(element)
    if isinstance(form, Combination):
        return all(
            is_convex_quadratic(forms, source) and (factor > 0 or _is_affine(forms, source))
            for source, factor in form.terms
        )
    if isinstance(form, Extreme):
        exact = form.name in ("max", "maximum") and form.envelope is Envelope.MAX
        return exact and all(_is_piecewise_linear(forms, source) for source in form.among)
    if isinstance(form, Supported):
        return _is_affine(forms, form.of) and is_convex_quadratic(forms, form.energy)
    if isinstance(form, Applied) and form.factor > 0:
        is_square = form.name == "square" or (form.name == "pow" and form.exponent == 2)
        if form.name in _BENT or is_square:
            return _is_affine(forms, form.of) or (is_square and _is_hinge(forms, form.of))
    return False


def is_quadratic(forms: AffineForms, element: Element) -> bool:
    """Return whether an element is a polynomial of degree two, by how it is made."""
    if _is_affine(forms, element):
        return True
    form = forms.elements.form(element)
    match form:
        case Combination():
            return all(is_quadratic(forms, source) for source, _ in form.terms)
        case Products():
            return all(_is_affine(forms, a) and _is_affine(forms, b) for a, b in form.pairs)
        case Applied():
            is_square = form.name == "square" or (form.name == "pow" and form.exponent == 2)
            return is_square and _is_affine(forms, form.of)
        case _:
            return False


def _is_affine(forms: AffineForms, element: Element) -> bool:
    affine = forms.of(element)
    return affine is not None and affine.low == affine.high


def _is_hinge(forms: AffineForms, element: Element) -> bool:
    """Return whether an element is a multiple of |v|, or of max(0, v) for a piecewise linear v."""
    form = forms.elements.form(element)
    if isinstance(form, Combination) and len(form.terms) == 1:
        return _is_hinge(forms, form.terms[0][0])
    if not isinstance(form, Applied) or form.name not in ("relu", "abs"):
        return False
    return _is_affine(forms, form.of) or (
        form.name == "relu" and _is_piecewise_linear(forms, form.of)
    )


def _is_piecewise_linear(forms: AffineForms, element: Element) -> bool:
    """Return whether an element is convex and piecewise linear."""
    if _is_affine(forms, element):
        return True
    form = forms.elements.form(element)
    if isinstance(form, Combination):
        return all(
            _is_affine(forms, source) or (factor > 0 and _is_piecewise_linear(forms, source))
            for source, factor in form.terms
        )
    if isinstance(form, Extreme):
        return form.name in ("max", "maximum") and all(
            _is_piecewise_linear(forms, source) for source in form.among
        )
    return isinstance(form, Applied) and form.factor > 0 and _is_hinge(forms, element)


def has_affine_requirements(forms: AffineForms) -> bool:
    """Return whether everything required is a polyhedron."""
    graph = forms.elements.facts.graph
    return all(
        _is_affine(forms, (number, i))
        for _, number in graph.roots_of(RootKind.HARD)
        for i in range(math.prod(graph.nodes[number].shape))
    )


# --- directions along which E is constant --------------------------------------------


def find_frontier(forms: AffineForms) -> list[Row]:
    """Return the rows through which alone E and all requirements depend on the unknowns.

    Along a direction on which all vanish, and with it the walls of the domains, everything is
    constant.
    """
    graph = forms.elements.facts.graph
    roots = [graph.roots[Root(RootKind.TOTAL)], *(n for _, n in graph.roots_of(RootKind.HARD))]
    needed: set[int] = set()
    stack = list(roots)
    rows: list[Row] = []
    for root in roots:
        rows += _affine_rows(forms, root)
    while stack:
        number = stack.pop()
        if number in needed or not forms.elements.varies(number):
            continue
        needed.add(number)
        if all(_is_affine(forms, (number, i)) for i in range(len(forms.forms[number]))):
            continue
        for source in graph.nodes[number].inputs:
            rows += _affine_rows(forms, source)
            stack.append(source)
    rows += [{j: 1.0} for j, at in enumerate(forms.coordinates) if _is_walled(forms, j)]
    seen = {tuple(sorted(row.items())): row for row in rows if row}
    return list(seen.values())


def _affine_rows(forms: AffineForms, number: int) -> Iterator[Row]:
    for i, affine in enumerate(forms.forms[number]):
        if affine is not None and _is_affine(forms, (number, i)):
            yield affine.row


def _is_walled(forms: AffineForms, j: int) -> bool:
    at = forms.coordinates[j]
    return at.kind is not DomainKind.REAL or at.lower != -math.inf or at.upper != math.inf


def is_constant_along(frontier: list[Row], direction: Vector) -> bool:
    """Return whether everything is constant along a direction."""
    for row in frontier:
        parts = [c * direction[j] for j, c in row.items() if j in direction]
        if abs(sum(parts)) > 1e-9 * max(map(abs, parts), default=0.0):
            return False
    return True


# --- falling forever -----------------------------------------------------------------


def falls_forever(forms: AffineForms, direction: Vector, walls: Conjunction) -> bool:
    """Return whether E falls along a direction from every point, and never leaves the domain."""
    total = forms.elements.facts.graph.roots[Root(RootKind.TOTAL)]
    for atom in walls.atoms:
        for row in atom.rows:
            if sum(c * direction.get(j, 0.0) for j, c in row.items()) > 0:
                return False
    if walls.choices or not has_affine_requirements(forms):
        return False
    return _slope(forms, (total, 0), direction) == -1


def _slope(forms: AffineForms, element: Element, direction: Vector) -> int | None:
    """Return 1 or -1 where an element strictly rises or falls along a direction, at every point.

    0 where it is constant; None where nothing is said.
    """
    affine = forms.of(element)
    if affine is not None and affine.low == affine.high:
        rate = sum(c * direction.get(j, 0.0) for j, c in affine.row.items())
        return (rate > 0) - (rate < 0)
    if not _depends(forms, element[0], direction):
        return 0
    form = forms.elements.form(element)
    if isinstance(form, Combination):
        slopes = {
            None
            if (slope := _slope(forms, source, direction)) is None
            else slope * (1 if factor > 0 else -1)
            for source, factor in form.terms
        }
        slopes.discard(0)
        return 0 if not slopes else (slopes.pop() if len(slopes) == 1 else None)
    if isinstance(form, Applied):
        inner = _slope(forms, form.of, direction)
        own = _strict_slope(form.profile, *forms.elements.bounds(form.of))
        if inner == 0:
            return 0
        if inner is None or own is None:
            return None
        return inner * own * (1 if form.factor > 0 else -1)
    return None


def _depends(forms: AffineForms, number: int, direction: Vector) -> bool:
    paths = forms.elements.facts.dependence[number].value
    return any(forms.coordinates[j].path in paths for j in direction)


def _strict_slope(profile: Profile, low: float, high: float) -> int | None:
    """Return the sign of the slope of a function that strictly rises, or falls, on an interval."""
    slopes = {p.slope for p in profile.pieces if p.start < high and p.end > low}
    bent = any(low < kink.place < high for kink in profile.kinks)
    if profile.period is not None or bent or len(slopes) != 1:
        return None
    return slopes.pop() or None
