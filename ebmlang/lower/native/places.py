"""Where an element stands: positions along axes, numbers where known, else C expressions.

Emitted loops count `i0`, `i1`, ...; a loop that is written out has numbers in their place. The
arithmetic here keeps numbers numbers, so that an array of a few elements becomes one C variable
per element, whatever axes it is moved through.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

Place: TypeAlias = int | str
"""A position along one axis; a string is a C expression that may stand next to any operator."""

Index: TypeAlias = tuple[Place, ...]


def add(a: Place, b: Place) -> Place:
    """Return the sum.

    >>> add(2, 3), add("i0", 0), add("i0", 4)
    (5, 'i0', '(i0 + 4)')
    """
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0:
        return b
    if b == 0:
        return a
    return f"({a} + {b})"


def times(a: Place, factor: int) -> Place:
    """Return the product with a number."""
    if isinstance(a, int):
        return a * factor
    return 0 if factor == 0 else a if factor == 1 else f"({a} * {factor})"


def modulo(a: Place, size: int) -> Place:
    """Return the remainder of a division by a size."""
    return a % size if isinstance(a, int) else f"({a} % {size})"


def quotient(a: Place, size: int) -> Place:
    """Return the whole part of a division by a size."""
    return a // size if isinstance(a, int) else f"({a} / {size})"


def flat(index: Index, shape: Sequence[int]) -> Place:
    """Return the position in C order.

    >>> flat(("i0", 2), (4, 3))
    '((i0 * 3) + 2)'
    """
    position: Place = 0
    for place, size in zip(index, shape, strict=True):
        position = add(times(position, size), place)
    return position


def unflatten(position: Place, shape: Sequence[int]) -> Index:
    """Return the index of a position in C order."""
    index: list[Place] = []
    for i, size in enumerate(shape):
        rest = math.prod(shape[i + 1 :])
        place = quotient(position, rest) if rest > 1 else position
        index.append(0 if size == 1 else place if i == 0 else modulo(place, size))
    return tuple(index)


def regroup(index: Index, shape: Sequence[int], target: Sequence[int]) -> Index:
    """Return the index, in an array of shape `target`, of an element of the same one as `shape`.

    Axes that both have in common keep their places; only where axes are joined or split is there
    arithmetic.

    >>> regroup(("i0", 1), (4, 3), (4, 1, 3))
    ('i0', 0, 1)
    """
    found: list[Place] = []
    i = j = 0
    while i < len(shape) or j < len(target):
        sources, wanted = [i], [j]
        i, j = i + 1, j + 1
        if sources[0] >= len(shape):
            found.append(0)
            continue
        if wanted[0] >= len(target):
            break
        left, right = shape[sources[0]], target[wanted[0]]
        if left != right and 1 in (left, right):
            # An axis of one element comes or goes by itself.
            if right == 1:
                found.append(0)
                i -= 1
            else:
                j -= 1
            continue
        while left != right:
            if left < right:
                sources.append(i)
                left *= shape[i]
                i += 1
            else:
                wanted.append(j)
                right *= target[j]
                j += 1
        part = tuple(index[k] for k in sources)
        sizes = [shape[k] for k in sources]
        found.extend(
            part
            if len(part) == len(wanted) == 1
            else unflatten(flat(part, sizes), [target[k] for k in wanted])
        )
    return tuple(found)


def broadcast(index: Index, shape: Sequence[int]) -> Index:
    """Return where an operand that is repeated along axes is read."""
    kept = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else place for place, size in zip(kept, shape, strict=True))
