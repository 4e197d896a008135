"""Derivatives of operators that move elements: each moves the cotangent back."""

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ebmlang.passes.gradient.algebra import Algebra
from ebmlang.passes.gradient.rule import Gain, Rule, Segment, Step


def _reshape(f: Algebra, g: int, step: Step, _: int) -> int:
    before, after = f.shape(step.x[0]), f.shape(step.y)
    if [d for d in before if d != 1] != [d for d in after if d != 1]:
        return f.reshape(f.full(g, after), before)
    # Only axes of size 1 come and go: what is lazy may stay so.
    found = iter([d for d, whole in zip(f.shape(g), after, strict=True) if whole != 1])
    return f.reshape(g, tuple(1 if d == 1 else next(found) for d in before))


def _expand(f: Algebra, g: int, step: Step, _: int) -> int:
    return f.fit(g, f.shape(step.y), f.shape(step.x[0]))


def _stack(f: Algebra, g: int, step: Step, place: int) -> int:
    axis = step.options["axis"]
    if f.shape(g)[axis] == 1:
        return f.reshape(g, _without(f.shape(g), axis))
    return f.apply("take", g, f.array(np.asarray(place)), axis=axis)


def _without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    place = len(shape) + axis
    return (*shape[:place], *shape[place + 1 :])


def _concat(f: Algebra, g: int, step: Step, place: int) -> int:
    axis = step.options["axis"]
    if f.shape(g)[axis] == 1 != f.shape(step.y)[axis]:
        return g
    sizes = [f.shape(x)[axis] for x in step.x]
    start = sum(sizes[:place])
    return f.apply("slice", g, axis=axis, start=start, stop=start + sizes[place])


def _slice(_f: Algebra, g: int, step: Step, _: int) -> Gain:
    axis, start, stop = (step.options[name] for name in ("axis", "start", "stop"))
    return Segment(axis, start, stop, g)


def _moveaxis(f: Algebra, g: int, step: Step, _: int) -> int:
    source, target = step.options["source"], step.options["target"]
    return f.apply("moveaxis", g, source=target, target=source)


def _take(f: Algebra, g: int, step: Step, _: int) -> Gain:
    x, index = step.x
    axis = step.options["axis"]
    size = f.shape(x)[axis]
    node = f.node(index)
    if node.operator == "constant":
        places = np.asarray(node.option("value").array)
        if not node.shape:
            one = f.insert(g, axis)
            place = int(places) % size
            return Segment(axis, place, place + 1, one)
        if len(node.shape) == 1 and places.size and (places >= 0).all():
            start = int(places[0])
            row = places.size <= size
            if row and np.array_equal(places, np.arange(start, start + places.size)):
                return Segment(axis, start, start + places.size, g)
            if row and np.array_equal(np.sort(places), np.arange(size)):
                return f.apply(
                    "take", f.full(g, f.shape(step.y)), f.array(np.argsort(places)), axis=axis
                )
    return f.apply("scatter", f.full(g, f.shape(step.y)), index, axis=axis, size=size)


def _scatter(f: Algebra, g: int, step: Step, _: int) -> int:
    return f.apply("take", f.full(g, f.shape(step.y)), step.x[1], axis=step.options["axis"])


def _gather(f: Algebra, g: int, step: Step, _: int) -> int:
    """Each leading position took one element: the cotangent there, and 0 at the others."""
    x, index = step.x
    own = step.options["rank"]
    shape = f.shape(x)
    axis = -own - 1
    size = shape[axis]
    loops = f.shape(step.y)[: len(f.shape(step.y)) - own]
    whole = (*loops, size, *shape[len(shape) - own :])
    rank = len(whole)
    behind = (1,) * own
    places = f.array(np.arange(size).reshape((size, *behind)))
    places = f.lift(places, rank)
    wanted = f.lift(f.reshape(index, (*f.shape(index), 1, *behind)), rank)
    distance = f("abs", f("sub", places, wanted))
    nothing = f.array(np.zeros((1,) * rank, dtype=np.int64))
    found = f("less_equal", distance, nothing)
    return f.fit(f.gate(found, f.insert(g, axis)), whole, shape)


def _sort(f: Algebra, g: int, step: Step, _: int) -> int:
    return _unsorted(f, g, step.x[0])


def _sort_by(f: Algebra, g: int, step: Step, _: int) -> int:
    return _unsorted(f, g, step.x[1])


def _unsorted(f: Algebra, g: int, keys: int) -> int:
    """Return elements to where they stood before they were sorted by keys."""
    places = f.array(np.arange(f.shape(keys)[-1], dtype=np.float64))
    return f("sort_by", g, f("sort_by", places, keys))


STRUCTURE: Mapping[str, tuple[Rule | None, ...]] = MappingProxyType(
    {
        "reshape": (_reshape,),
        "expand": (_expand,),
        "stack": (_stack,),
        "concat": (_concat,),
        "slice": (_slice,),
        "moveaxis": (_moveaxis,),
        "take": (_take, None),
        "gather": (_gather, None),
        "scatter": (_scatter, None),
        "sort": (_sort,),
        "sort_by": (_sort_by, None),
    }
)
"""By operator, a rule for each operand; the last stands for all further ones."""


def assemble(f: Algebra, segments: Sequence[Segment], shape: Sequence[int]) -> int:
    """Return the sum of segments of one axis, as one array made of pieces end to end."""
    axis = segments[0].axis
    ends = {0, shape[axis]}.union(*((s.start, s.stop) for s in segments))
    places = sorted(ends)
    pieces = [_piece(f, segments, start, stop, shape) for start, stop in itertools.pairwise(places)]
    if len(pieces) == 1:
        return pieces[0]
    if all(f.shape(piece)[axis] == 1 for piece in pieces):
        thin = [f.reshape(piece, _without(f.shape(piece), axis)) for piece in pieces]
        return f.apply("stack", *thin, axis=axis)
    return f.apply("concat", *pieces, axis=axis)


def _piece(
    f: Algebra, segments: Sequence[Segment], start: int, stop: int, shape: Sequence[int]
) -> int:
    """Return the sum of what segments have between two places that none of them ends between."""
    axis = segments[0].axis
    place = len(shape) + axis
    whole = (*shape[:place], stop - start, *shape[place + 1 :])
    total: int | None = None
    for segment in segments:
        if not segment.start <= start < segment.stop:
            continue
        value = segment.value
        if f.shape(value)[axis] != 1 or segment.stop - segment.start == 1:
            first = start - segment.start
            if (start, stop) != (segment.start, segment.stop):
                value = f.apply("slice", value, axis=axis, start=first, stop=first + stop - start)
        total = value if total is None else f("add", total, value)
    return f.array(np.zeros(whole)) if total is None else f.full(total, whole)
