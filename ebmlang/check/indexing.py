"""Indices and slices, and the proof that they stay inside where that is easy."""

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_whole
from ebmlang.check.constants import find_number
from ebmlang.check.formulas import At, Between
from ebmlang.check.scope import Scope
from ebmlang.check.value import Value, describe, latest, literal, snippet
from ebmlang.lang import VALUES, Dim, Sort, Stage, Type
from ebmlang.source import Span
from ebmlang.syntax import tree


def infer_index(node: tree.Index, scope: Scope) -> Value | None:
    """Return `base[i, 1..3]`."""
    session = scope.session
    base = scope.infer(node.base)
    if base is None:
        for item in node.items:
            if not isinstance(item, tree.Range):
                scope.infer(item)
        return None
    if base.sort not in VALUES or len(node.items) > len(base.shape):
        axes = f"{len(base.shape)} ax{'is' if len(base.shape) == 1 else 'es'}"
        session.error(
            "E0310",
            f"{describe(base.type)} cannot be indexed"
            if not base.shape
            else f"{describe(base.type)} is indexed as if it had {len(node.items)} axes",
            node.span,
            f"`{snippet(node.base.span, 'this')}` has {axes if base.shape else 'no axes'}",
        )
        return None
    items: list[At | Between] = []
    shape: list[Dim] = []
    indices: list[Value] = []
    for axis, (item, size) in enumerate(zip(node.items, base.shape, strict=False)):
        if isinstance(item, tree.Range):
            slice_ = _infer_slice(item, size, base, scope)
            if slice_ is None:
                return None
            items.append(slice_)
            shape.append(slice_.last - slice_.first + 1)
        else:
            index = _infer_at(item, size, base, axis, scope)
            if index is None:
                return None
            items.append(At(index=index.expression))
            indices.append(index)
    shape.extend(base.shape[len(node.items) :])
    type_ = Type(base.sort, tuple(shape), latest(base, *indices))
    return Value(
        expression=formulas.Index(
            base=base.expression, items=tuple(items), type=type_, span=node.span
        )
    )


def _infer_at(
    node: tree.Expression, size: Dim, base: Value, axis: int, scope: Scope
) -> Value | None:
    session = scope.session
    index = scope.infer(node)
    if index is None:
        return None
    if index.shape and index.sort is Sort.INT:
        text, array = snippet(node.span, "indices"), snippet(base.span, "x")
        session.error(
            "E0310",
            f"an index is a whole number, not {describe(index.type)}",
            node.span,
            f"this is {describe(index.type)}",
            helps=(f"one element for each: `[{array}[i] for i in {text}]`",),
        )
        return None
    if index.sort is not Sort.INT:
        number = find_number(index, session)
        if index.sort is not Sort.REAL or index.shape or number is None or number % 1 != 0:
            shown = "a real number" if index.sort is Sort.REAL else describe(index.type)
            session.error(
                "E0301",
                f"an index is a whole number, not {shown}",
                node.span,
                f"this is {shown}" if number is None else f"this is {number}",
            )
            return None
        index = literal(int(number), node.span)
    if index.stage is Stage.UNKNOWN:
        session.error(
            "E0313",
            "an index depends on unknowns",
            node.span,
            "this is known only during the search",
        )
        return None
    return index if _check_inside(index, size, base, axis, scope) else None


def _check_inside(index: Value, size: Dim, base: Value, axis: int, scope: Scope) -> bool:
    """Report an index that is certain to leave its axis; leave the rest to the data."""
    if index.interval is None:
        return True
    low, high = index.interval
    width = high - low
    if isinstance(width, int) and width < 0:
        return True
    beyond = high - size
    above = isinstance(beyond, int) and beyond >= 0
    if not above and not (isinstance(low, int) and low < 0):
        return True
    array = snippet(base.span, "x")
    fixed = index.dim is not None
    reaches = f"is {high if above else low}" if fixed else f"reaches {high if above else low}"
    helps: tuple[str, ...] = ()
    if isinstance(low, int) and low < 0 and fixed:
        helps = (f"count from the end by `{array}[size({array}) - {-low}]`",)
    elif not fixed:
        helps = ("shorten the range, or run over `adjacent(...)`",)
    elif isinstance(size, int) and size > 0:
        helps = (f"the last is `{array}[{'..., ' if axis else ''}{size - 1}]`",)
    scope.session.error(
        "E0309",
        f"index {high if above else low} is out of range for axis {axis} of {describe(base.type)}",
        index.span,
        f"this {reaches}; indices run from 0 to {size - 1}",
        helps=helps,
    )
    return False


def _infer_slice(node: tree.Range, size: Dim, base: Value, scope: Scope) -> Between | None:
    first = infer_whole(node.first, scope, "an end of a slice")
    last = infer_whole(node.last, scope, "an end of a slice")
    if first is None or last is None:
        return None
    beyond, count = last - size, last - first + 1
    guilty: tuple[Span, Dim] | None = None
    if isinstance(first, int) and first < 0:
        guilty = node.first.span, first
    elif isinstance(beyond, int) and beyond >= 0:
        guilty = node.last.span, last
    elif isinstance(count, int) and count < 0:
        guilty = node.span, last
    if guilty is not None:
        span, end = guilty
        scope.session.error(
            "E0309",
            f"slice end {end} is out of range for {describe(base.type)}",
            span,
            f"indices run from 0 to {size - 1}, both ends included",
        )
        return None
    return Between(first=first, last=last)
