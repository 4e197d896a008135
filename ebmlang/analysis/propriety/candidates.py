"""Where to look for a way out: directions, starting points, and places where a scale vanishes.

Nothing here has to be right: each candidate is proved, or thrown away, by following it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ebmlang.analysis.affine import Affine, AffineForms, Row
from ebmlang.analysis.elements import Applied, Combination, Element, Products, Quotient
from ebmlang.analysis.propriety.cone import Vector
from ebmlang.analysis.propriety.curve import Curve
from ebmlang.analysis.propriety.tail import ONE, TIME, Monomial
from ebmlang.graph import RootKind
from ebmlang.lang.types import DomainKind

RADIUS = 1 / 64
"""Of the neighborhood of a curve; small against the steps of the starting points."""

MOST = 24
"""Most coordinates that are tried one by one, and most points where a scale may vanish."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """An affine element that the energy divides by, or multiplies with, what varies.

    Attributes:
        over: Its affine form.
        scale: The coordinates that the other factor depends on.
    """

    over: Affine
    scale: frozenset[int]


def find_starts(
    forms: AffineForms, requirements: Iterable[Sequence[tuple[Row, float]]] = ()
) -> Iterator[list[float]]:
    """Yield points inside the domains: even ones, uneven ones, and ones deep inside requirements.

    Args:
        forms: Of the graph.
        requirements: Sets of inequalities row . x + offset <= 0; each is enough.
    """
    deep = (point for walls in requirements if (point := _deep_inside(forms, walls)) is not None)
    if any(True for _ in forms.elements.facts.graph.roots_of(RootKind.HARD)):
        yield from deep
    for shift in (0.0, 0.37):
        yield [_inside(forms, j, shift * (1 + j % 7)) for j in range(len(forms.coordinates))]
    yield from deep


def _inside(forms: AffineForms, j: int, shift: float) -> float:
    at = forms.coordinates[j]
    low, high = at.lower, at.upper
    match at.kind:
        case DomainKind.ORDERED:
            return float(at.place[-1]) + shift / 8
        case DomainKind.UNIT | DomainKind.ROTATION:
            return _corner(forms, j)
        case DomainKind.SIMPLEX:
            size = sum(
                other.path == at.path and other.place[:-1] == at.place[:-1]
                for other in forms.coordinates
            )
            return 1.0 / size
    if math.isfinite(low) and math.isfinite(high):
        return low + (high - low) * (0.5 + 0.1 * shift)
    if math.isfinite(low):
        return low + 1.0 + shift
    if math.isfinite(high):
        return high - 1.0 - shift
    return shift


def _corner(forms: AffineForms, j: int) -> float:
    """Return the coordinate of the first unit vector, or of the identity."""
    at = forms.coordinates[j]
    if at.kind is DomainKind.ROTATION:
        return float(at.place[-1] == at.place[-2])
    return float(at.place[-1] == 0)


def _deep_inside(forms: AffineForms, walls: Sequence[tuple[Row, float]]) -> list[float] | None:
    """Return a point that holds requirements with as much room as possible, at most 1."""
    from scipy.optimize import linprog

    size = len(forms.coordinates)
    matrix = np.zeros((len(walls), size + 1))
    for number, (row, _) in enumerate(walls):
        for j, c in row.items():
            matrix[number, j] = c
        matrix[number, size] = math.sqrt(sum(c * c for c in row.values()))
    bounds: list[tuple[float | None, float | None]] = [
        (
            at.lower + 2 * _radius(forms, j) if math.isfinite(at.lower) else None,
            at.upper - 2 * _radius(forms, j) if math.isfinite(at.upper) else None,
        )
        for j, at in enumerate(forms.coordinates)
    ]
    result = linprog(
        np.array([0.0] * size + [-1.0]),
        A_ub=matrix,
        b_ub=np.array([-offset for _, offset in walls]),
        bounds=[*bounds, (0.0, 1.0)],
        method="highs",
    )
    if result.status != 0:
        return None
    return [float(v) for v in result.x[:size]]


# --- curves --------------------------------------------------------------------------


def ray(start: Sequence[float], direction: Vector, motion: Monomial = TIME) -> Curve:
    """Return a curve without room around it: enough to show that E falls."""
    return Curve(start=start, rates=direction, motion=motion, widths={})


def tube(forms: AffineForms, start: Sequence[float], direction: Vector) -> Curve:
    """Return a ray with the same room around it everywhere."""
    return spread_curve(forms, start, direction, TIME, frozenset())


def spread_curve(
    forms: AffineForms,
    start: Sequence[float],
    direction: Vector,
    motion: Monomial,
    spread: frozenset[int],
) -> Curve:
    """Return a curve around which some coordinates have room in proportion to the motion.

    With t that is a cone, with 1 / t a funnel to a point. The others have the same room everywhere.
    """
    # t is read off the coordinate that moves most: it has no room of its own.
    driver = max(direction, key=lambda j: (abs(direction[j]), -j))
    widths = {
        j: (_radius(forms, j), motion if j in spread else ONE)
        for j in range(len(start))
        if j != driver
    }
    return Curve(start=start, rates=direction, motion=motion, widths=widths)


def _radius(forms: AffineForms, j: int) -> float:
    at = forms.coordinates[j]
    width = at.upper - at.lower
    return min(RADIUS, width / 8) if math.isfinite(width) else RADIUS


# --- directions ----------------------------------------------------------------------


def single_directions(forms: AffineForms, coordinates: Sequence[int]) -> Iterator[Vector]:
    """Yield each coordinate alone, to every side on which it is unbounded."""
    for j in list(coordinates)[:MOST]:
        at = forms.coordinates[j]
        if at.upper == math.inf:
            yield {j: 1.0}
        if at.lower == -math.inf:
            yield {j: -1.0}


def find_ratios(forms: AffineForms, needed: Sequence[int]) -> list[Ratio]:
    """Return the affine elements that meet a varying factor."""
    found = []
    dependence = forms.elements.facts.dependence
    by_path: dict[str, set[int]] = {}
    for j, at in enumerate(forms.coordinates):
        by_path.setdefault(at.path, set()).add(j)
    for number in needed:
        if forms.elements.nodes[number].operator not in ("div", "mul"):
            continue
        for i, known in enumerate(forms.forms[number]):
            form = forms.elements.form((number, i)) if known is None else None
            pairs: list[tuple[Element, Element]] = []
            if isinstance(form, Quotient):
                pairs = [(form.over, form.under)]
            elif isinstance(form, Products):
                pairs = [pair for a, b in form.pairs for pair in ((a, b), (b, a))]
            for over, under in pairs:
                affine = forms.of(over)
                exact = affine is not None and affine.low == affine.high
                if affine is None or not exact or not affine.row:
                    continue
                scale = _moved_by(forms, under)
                if scale is None:
                    paths = dependence[under[0]].value
                    scale = frozenset(j for path in paths for j in by_path.get(path, ()))
                found.append(Ratio(affine, scale))
    return found


def _moved_by(forms: AffineForms, element: Element) -> frozenset[int] | None:
    """Return the coordinates that an element depends on, where that is plain to see."""
    seen: set[int] = set()
    stack = [element]
    while stack:
        current = stack.pop()
        affine = forms.of(current)
        if affine is not None and (affine.row or affine.low == affine.high):
            seen.update(affine.row)
            continue
        form = forms.elements.form(current)
        if isinstance(form, Applied):
            stack.append(form.of)
        elif isinstance(form, Combination):
            stack.extend(source for source, _ in form.terms)
        elif isinstance(form, Quotient):
            stack += [form.over, form.under]
        else:
            return None
    return frozenset(seen)


def vanishing_points(
    forms: AffineForms, ratios: Sequence[Ratio], start: Sequence[float]
) -> Iterator[tuple[list[float], frozenset[int], frozenset[int]]]:
    """Yield points where numerators vanish: the point, their coordinates, those of the scales.

    First all numerators of each scale at once, if that can be; then each alone.
    """
    scales = list(dict.fromkeys(ratio.scale for ratio in ratios if ratio.scale))
    for scale in scales[:MOST]:
        own = [ratio for ratio in ratios if ratio.scale == scale]
        for chosen in [own, *([one] for one in own[: MOST // 3])][: 1 if len(own) == 1 else None]:
            fixed = [j for j in range(len(start)) if j in scale]
            point = _solve(forms, [ratio.over for ratio in chosen], start, set(fixed))
            if point is not None:
                around = frozenset(j for ratio in chosen for j in ratio.over.row) - scale
                yield point, around, scale


def _solve(
    forms: AffineForms, numerators: Sequence[Affine], start: Sequence[float], fixed: set[int]
) -> list[float] | None:
    """Return the point nearest to a start where affine forms are 0; None if there is none."""
    members = sorted({j for affine in numerators for j in affine.row if j not in fixed})
    place = {j: k for k, j in enumerate(members)}
    matrix = np.zeros((len(numerators), len(members)))
    values = np.zeros(len(numerators))
    for number, affine in enumerate(numerators):
        values[number] = -affine.low
        for j, c in affine.row.items():
            values[number] -= c * start[j]
            if j in place:
                matrix[number, place[j]] = c
    step = np.linalg.lstsq(matrix, values, rcond=None)[0] if members else np.zeros(0)
    if np.max(np.abs(matrix @ step - values), initial=0.0) > 1e-12 * (
        1 + np.max(np.abs(values), initial=0.0)
    ):
        return None
    point = list(start)
    for j, k in place.items():
        point[j] += float(step[k])
        at = forms.coordinates[j]
        if not at.lower <= point[j] <= at.upper:
            return None
    return point
