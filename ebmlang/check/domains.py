"""Domains: where variables live and what shape inputs have."""

from collections.abc import Sequence

from ebmlang.check.arguments import infer_size, infer_whole
from ebmlang.check.constants import find_array
from ebmlang.check.conversion import check_numbers, is_known, to_real
from ebmlang.check.program import Domain
from ebmlang.check.scope import Scope
from ebmlang.check.value import Value, describe
from ebmlang.lang import ELEMENT_RANK, Dim, DomainKind, Shape, Sort, Stage, Type
from ebmlang.lang.operator import ShapeError, broadcast
from ebmlang.source import Label, Span
from ebmlang.source.limits import ARRAY_ELEMENTS
from ebmlang.syntax import tree

_LATER = frozenset({DomainKind.INT, DomainKind.BOOL, DomainKind.LABEL, DomainKind.PERMUTATION})
"""Domains of unknowns that only a later version searches."""

AXES = 16
"""Most axes of an array; NumPy and torch end at 64, which quantifiers add to."""

_GIVEN_SORTS = {"real": Sort.REAL, "int": Sort.INT, "bool": Sort.BOOL}


def build_variable_domain(domain: tree.Domain, scope: Scope) -> Domain | None:
    """Return where a variable lives; None, and reported, where that is not possible."""
    session = scope.session
    kind = DomainKind(domain.word)
    if kind in _LATER:
        session.error(
            "E0312",
            f"unknowns of domain `{domain.word}` are not yet supported",
            domain.span,
            "not yet supported",
            helps=("inputs may be whole numbers and truth values: `given k: int`",),
        )
        return None
    shape = _infer_shape(domain, kind, scope)
    sides = [
        None if side is None else _infer_bound(side, shape, scope)
        for side in (domain.lower, domain.upper)
    ]
    if shape is None:
        return None
    if domain.lower is None and domain.upper is None:
        return Domain(kind=kind, shape=shape)
    if kind is not DomainKind.REAL:
        session.error(
            "E0318",
            f"`{domain.word}` takes no bounds",
            domain.span,
            "only `real` does",
            helps=("`real in [lo, hi]`, or a `require`",),
        )
        return None
    lower, upper = sides
    if lower is None or upper is None:
        return None
    if not _check_order(lower, upper, domain, scope):
        return None
    return Domain(kind=kind, shape=shape, lower=lower.expression, upper=upper.expression)


def build_given_type(domain: tree.Domain, scope: Scope) -> tuple[Sort, Shape] | None:
    """Return the sort and shape of an input."""
    session = scope.session
    sort = _GIVEN_SORTS.get(domain.word)
    if sort is None:
        session.error(
            "E0312",
            f"inputs of domain `{domain.word}` are not supported",
            domain.span,
            "an input is `real`, `int` or `bool`",
            helps=("declare it as `real` with its shape",),
        )
        return None
    if domain.lower is not None or domain.upper is not None:
        session.error(
            "E0108",
            "bounds of inputs are not yet supported",
            domain.span,
            "an input has no `in`",
            helps=("check it by a `require`",),
        )
        return None
    shape = _infer_shape(domain, DomainKind(domain.word), scope)
    return None if shape is None else (sort, shape)


def build_counted_domain(
    domain: tree.Domain, scope: Scope
) -> tuple[Type, tuple[Dim, Dim] | None] | None:
    """Return the type of whole numbers or truth values to be drawn, and the range of the former."""
    shape = _infer_shape(domain, DomainKind(domain.word), scope)
    sides = [
        None if side is None else infer_whole(side, scope, "a bound")
        for side in (domain.lower, domain.upper)
    ]
    if shape is None:
        return None
    type_ = Type(_GIVEN_SORTS[domain.word], shape, Stage.GIVEN)
    if domain.lower is None or domain.upper is None:
        return type_, None
    lower, upper = sides
    if lower is None or upper is None:
        return None
    if isinstance(lower, int) and isinstance(upper, int) and lower > upper:
        scope.session.error(
            "E0318",
            "the lower bound is above the upper",
            domain.lower.span,
            f"this is {lower}",
            secondary=[Label(domain.upper.span, f"this is {upper}")],
        )
        return None
    return type_, (lower, upper)


def check_parameter_domain(parameter: tree.Parameter, scope: Scope) -> bool:
    """Report a parameter that is not a real, int or bool array without bounds."""
    domain = parameter.domain
    if domain is None:
        return True
    if domain.word not in _GIVEN_SORTS:
        scope.session.error(
            "E0312",
            f"a parameter of domain `{domain.word}` is not supported",
            domain.span,
            "a parameter is `real`, `int` or `bool`",
            helps=("leave the domain out, or write `real` with its shape",),
        )
        return False
    if domain.lower is not None or domain.array:
        what = "bounds" if domain.lower is not None else "`array ... of`"
        scope.session.error(
            "E0108", f"{what} of parameters are not yet supported", domain.span, "not yet supported"
        )
        return False
    return True


def check_elements(shape: Shape, span: Span, scope: Scope) -> bool:
    """Report an array with more elements, or more axes, than a spec may name."""
    if len(shape) > AXES:
        scope.session.stop(
            "E0316",
            "an array has too many axes",
            span,
            f"{len(shape)} axes, and at most {AXES} are allowed",
        )
        return False
    total = 1
    for size in shape:
        if isinstance(size, int):
            total *= size
    if total <= ARRAY_ELEMENTS:
        return True
    # Inside a function the next call would only make it larger.
    report = scope.session.stop if scope.session.frames else scope.session.error
    report(
        "E0316",
        "an array is too large",
        span,
        f"{total:,} elements, and at most {ARRAY_ELEMENTS:,} are allowed",
    )
    return False


def _infer_shape(domain: tree.Domain, kind: DomainKind, scope: Scope) -> Shape | None:
    session = scope.session
    sizes = [infer_size(node, scope) for node in (*domain.array, *domain.shape)]
    known = tuple(size for size in sizes if size is not None)
    if len(known) < len(sizes):
        return None
    if kind in ELEMENT_RANK:
        word = domain.word
        if len(domain.shape) != 1:
            more = len(domain.shape) > 1
            session.error(
                "E0310",
                f"`{word}` takes one size",
                domain.span,
                f"{len(domain.shape)} given",
                helps=(f"many of one: `array[12] of {word}[3]`" if more else f"`{word}[3]`",),
            )
            return None
        if known[-1] == 0:
            session.error("E0311", f"`{word}` needs an element", domain.span, "its size is 0")
            return None
        if kind in (DomainKind.SIMPLEX, DomainKind.UNIT) and known[-1] == 1:
            points = "a single point" if kind is DomainKind.SIMPLEX else "two single points"
            session.error(
                "E0312",
                f"`{word}[1]` has no room to move",
                domain.span,
                f"this is {points}",
            )
            return None
        if kind is DomainKind.ROTATION:
            if known[-1] != 3:
                session.error(
                    "E0312",
                    f"rotations of size {known[-1]} are not supported",
                    domain.shape[0].span,
                    "only `rotation[3]` is",
                    helps=("an angle is a `real in [-pi, pi]`",) if known[-1] == 2 else (),
                )
                return None
            known = (*known, 3)
    return known if check_elements(known, domain.span, scope) else None


def _infer_bound(node: tree.Expression, shape: Shape | None, scope: Scope) -> Value | None:
    session = scope.session
    value = scope.infer(node)
    if value is None:
        return None
    if not check_numbers([value], session, node.span, "a bound is a number, not {what}"):
        return None
    if not is_known([value]):
        session.error(
            "E0304",
            "a bound depends on unknowns",
            node.span,
            "this is known only during the search",
            helps=("state it as a term: `require inside: lo <= x <= hi`",),
        )
        return None
    if shape is None:
        return None
    try:
        fits = broadcast(value.shape, shape) == shape
    except ShapeError:
        fits = False
    if not fits:
        wanted = describe(Type(Sort.REAL, shape))
        session.error(
            "E0302",
            f"a bound does not fit its variable: {describe(value.type)} for {wanted}",
            node.span,
            f"this is {describe(value.type)}",
        )
        return None
    return to_real(value)


def _check_order(lower: Value, upper: Value, domain: tree.Domain, scope: Scope) -> bool:
    assert domain.lower is not None
    assert domain.upper is not None
    low, high = find_array(lower, scope.session), find_array(upper, scope.session)
    if low is None or high is None or bool((low < high).all()):
        return True
    scope.session.error(
        "E0318",
        "the lower bound is not below the upper",
        domain.lower.span,
        f"this is {_show(low.tolist())}",
        secondary=[Label(domain.upper.span, f"this is {_show(high.tolist())}")],
        helps=("a fixed number is a `const` or a `given`",),
    )
    return False


def _show(value: float | Sequence[float]) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
