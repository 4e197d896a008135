"""Random specs of the exact fragment, one for each seed.

Coefficients are small whole numbers, so that directions without growth occur about as often as
not.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import count as naturals
from itertools import islice
from random import Random
from typing import Any

from tests.propriety.exact import MANY, Thin, Truth, find_truth
from tests.propriety.formulas import (
    Affine,
    All,
    Any_,
    Between,
    Compare,
    Formula,
    Implies,
    Not,
    Shape,
)
from tests.propriety.fragment import (
    Density,
    Energy,
    Mixture,
    Piece,
    Sketch,
    Softmin,
    Tempered,
    Term,
    Together,
    Unknown,
    term_text,
)

TOLERANCES = (Fraction(1, 2), Fraction(1), Fraction(2))

FOUND = (618, 790, 797, 863, 887, 894)
"""Seeds of specs on which a verdict was once wrong or silent."""


@cache
def draw_cases(count: int) -> tuple[tuple[int, Sketch, Truth], ...]:
    """Return specs with their seeds and truths, and those of `FOUND` after them.

    Specs without a clear truth are left out.
    """
    drawn = ((seed, *drawing) for seed in naturals() if (drawing := draw_case(seed)) is not None)
    found = ((seed, *drawing) for seed in FOUND if (drawing := draw_case(seed)) is not None)
    return (*islice(drawn, count), *found)


def draw_case(seed: int) -> tuple[Sketch, Truth] | None:
    """Return the spec of a seed with its truth; None where that is not clear."""
    sketch = draw_sketch(Random(seed))
    if len(sketch.branches()) > MANY:
        return None
    with suppress(Thin):
        truth = find_truth(sketch)
        return None if truth is None else (sketch, truth)
    return None


def draw_sketch(rng: Random) -> Sketch:
    size = rng.choice((1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4))
    leaves = rng.choice((0, 0, 0, 1, 2)) if size > 2 else rng.choice((0, 0, 0, size - 1))
    unknowns, lines = _draw_top(rng, size - leaves)
    head, inner = [], []
    if leaves:
        unknowns, more, inner = _draw_parts(rng, unknowns, leaves)
        head = more[:1]
        lines += more[1:]
    terms = max(1, size + rng.choice((-1, 0, 0, 0, 1, 1, 2)) - len(inner))
    return Sketch(
        logic=rng.choice(("product", "product", "godel")),
        unknowns=tuple(unknowns),
        head="\n".join(head + lines),
        terms=tuple(_draw_term(rng, size) for _ in range(terms)),
        inner=tuple(inner),
    )


def _draw_top(rng: Random, size: int) -> tuple[list[Unknown], list[str]]:
    if size > 1 and rng.random() < 0.25:
        names = [f"v[{i}]" for i in range(size)]
        return [Unknown(name) for name in names], [f"var v: real[{size}]"]
    unknowns = [_draw_unknown(rng, name) for name in "xyuw"[:size]]
    return unknowns, [f"var {unknown.name}: {unknown.domain}" for unknown in unknowns]


def _draw_unknown(rng: Random, name: str) -> Unknown:
    low = rng.randint(-3, 1)
    match rng.choice(("real",) * 6 + ("positive", "lower", "upper", "both")):
        case "positive":
            return Unknown(name, "positive", 0)
        case "lower":
            return Unknown(name, f"real in [{low}, inf]", low)
        case "upper":
            return Unknown(name, f"real in [-inf, {low + 2}]", None, low + 2)
        case "both":
            return Unknown(name, f"real in [{low}, {low + 4}]", low, low + 4)
        case _:
            return Unknown(name)


def _draw_parts(
    rng: Random, outer: list[Unknown], leaves: int
) -> tuple[list[Unknown], list[str], list[Term]]:
    """Return all variables, the text of a spec and its instances, and the terms these bring."""
    own = _draw_unknown(rng, "z")
    template = [
        _draw_term(rng, 2, weight=rng.choice(TOLERANCES)) for _ in range(rng.choice((1, 2)))
    ]
    body = [f"  var z: {own.domain}"]
    body += [f"  {term_text(f's{i}', term, ('a', 'z'))}" for i, term in enumerate(template)]
    text = ["spec leaf(a: real) {\n" + "\n".join(body) + "\n}"]
    size, names = len(outer) + leaves, [unknown.name for unknown in outer]
    unknowns, terms = list(outer), []
    for i, part in enumerate("pq"[:leaves]):
        argument = _draw_affine(rng, len(outer))
        weight = rng.choice((Fraction(1), *TOLERANCES))
        text.append(f"part {part} = leaf({argument.text(names)}) weight {float(weight)}")
        unknowns.append(replace(own, name=f"{part}.z"))
        place = len(outer) + i

        def moved(a: Affine, argument: Affine = argument, place: int = place) -> Affine:
            first, second = a.slopes
            slopes = [first * s for s in argument.slopes] + [0] * leaves
            slopes[place] += second
            return Affine(tuple(slopes), first * argument.offset + a.offset)

        terms += [
            Term(term.word, _with_arguments(term.value, moved), term.weight * weight)
            for term in template
        ]
    assert all(len(unknowns) == size for _ in terms)
    return unknowns, text, terms


def _with_arguments(value: Any, moved: Callable[[Affine], Affine]) -> Any:
    """Return a formula or energy with other affine arguments. Any: any node of it, or a number."""
    if isinstance(value, Affine):
        return moved(value)
    if isinstance(value, tuple):
        return tuple(_with_arguments(part, moved) for part in value)
    if is_dataclass(value):
        parts = {f.name: _with_arguments(getattr(value, f.name), moved) for f in fields(value)}
        return type(value)(**parts)
    return value


# --- terms ---------------------------------------------------------------------------


def _draw_affine(rng: Random, size: int) -> Affine:
    touched = rng.sample(range(size), min(size, rng.choice((1, 1, 1, 2, 2, 2, 3))))
    slopes = [0] * size
    for i in touched:
        slopes[i] = rng.choice((-2, -1, -1, 1, 1, 1, 2))
    return Affine(tuple(slopes), rng.randint(-3, 3))


def _draw_term(rng: Random, size: int, weight: Fraction | None = None) -> Term:
    if weight is None:
        weight = rng.choice((Fraction(1), Fraction(1), Fraction(2), Fraction(1, 2)))
    match rng.choice(("formula",) * 7 + ("energy",) * 6 + ("piece",) * 3 + ("require",) * 2):
        case "formula":
            return Term("prefer", _draw_formula(rng, size, 2), weight)
        case "energy":
            return Term("prefer", _draw_energy(rng, size, 2), weight)
        case "require":
            return Term("require", _draw_formula(rng, size, 1))
        case _:
            piece = _draw_piece(rng, size)
            upward = piece.shape is Shape.TILT and rng.random() < 0.4
            return Term("maximize" if upward else "minimize", piece, weight)


def _draw_piece(rng: Random, size: int) -> Piece:
    shape = rng.choice((Shape.AWAY, Shape.AWAY, Shape.SPREAD, Shape.SPREAD, Shape.RAMP, Shape.TILT))
    factor = rng.choice((Fraction(1), Fraction(1), Fraction(2), Fraction(1, 2)))
    return Piece(shape, _draw_affine(rng, size), factor)


def _draw_formula(rng: Random, size: int, depth: int) -> Formula:
    if depth == 0 or rng.random() < 0.4:
        a, s = _draw_affine(rng, size), rng.choice(TOLERANCES)
        relation = rng.choice(("<=", "<=", ">=", ">=", "==", "==", "between", "between"))
        if relation == "between":
            low = rng.randint(-3, 0)
            return Between(low, a, low + rng.randint(1, 4), s)
        return Compare(relation, a, s)
    parts = tuple(_draw_formula(rng, size, depth - 1) for _ in range(rng.choice((2, 2, 3))))
    match rng.choice(("all", "all", "any", "any", "not", "implies")):
        case "all":
            return All(parts)
        case "any":
            return Any_(parts)
        case "not":
            return Not(parts[0])
        case _:
            return Implies(parts[0], parts[1])


def _draw_density(rng: Random, left: Affine) -> Density:
    middle, scale = Fraction(rng.randint(-2, 2)), rng.choice(TOLERANCES)
    match rng.choice(("normal", "normal", "normal", "laplace", "exponential", "uniform")):
        case "exponential":
            return Density("exponential", left, (1 / scale,))
        case "uniform":
            return Density("uniform", left, (middle - 2, middle + 3))
        case name:
            return Density(name, left, (middle, scale))


def _draw_energy(rng: Random, size: int, depth: int) -> Energy:
    left = _draw_affine(rng, size)
    forms = ["density", "density", "mixture", "piece"]
    if depth:
        forms += ["softmin", "softmin", "together", "tempered", "formula"]
    match rng.choice(forms):
        case "density":
            return _draw_density(rng, left)
        case "mixture":
            parts = tuple(_draw_density(rng, left) for _ in range(rng.choice((2, 2, 3))))
            halves = (Fraction(1, 4), Fraction(3, 4)) if len(parts) == 2 else None
            return Mixture(parts, rng.choice((None, halves)))
        case "piece":
            return _draw_piece(rng, size)
        case "softmin":
            return Softmin(_draw_energy(rng, size, depth - 1), _draw_energy(rng, size, depth - 1))
        case "together":
            return Together(_draw_energy(rng, size, depth - 1), _draw_energy(rng, size, depth - 1))
        case "tempered":
            return Tempered(_draw_energy(rng, size, depth - 1), rng.choice(TOLERANCES))
        case _:
            return _draw_formula(rng, size, 1)
