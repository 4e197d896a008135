"""Documents that can be set on one line or on several, and their setting in a given width.

A document is text with places where a line may break. A group is set on one line if it
fits there, up to the next place where the line can break; else all its own places break.

>>> items = bracketed("[", ["first", "second"], "]")
>>> print(render(items, width=12))
[
  first,
  second
]

Source: Lindig, Strictly Pretty, 2000; the treatment of what follows a group is Prettier's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

INDENT = 2
"""Blanks per level."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the line may break; `flat` stands there where it does not."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class Join:
    """Documents one behind the other."""

    parts: "tuple[Document, ...]"


@dataclass(frozen=True, slots=True)
class Nest:
    """A document whose further lines stand one level deeper."""

    inner: "Document"


@dataclass(frozen=True, slots=True)
class Group:
    """A document whose places break together, or not at all."""

    inner: "Document"


Document: TypeAlias = str | Break | Join | Nest | Group

_Setting: TypeAlias = tuple[int, bool, Document]
"""Indentation [blanks], whether places stay flat, and what is to be set."""


def join(*parts: Document) -> Join:
    """Return documents one behind the other."""
    return Join(parts)


def bracketed(opening: str, items: Sequence[Document], closing: str) -> Document:
    """Return items between brackets: on one line, or each on its own."""
    if not items:
        return opening + closing
    inner: list[Document] = [Break("")]
    for item in items[:-1]:
        inner += (item, ",", Break())
    inner.append(items[-1])
    return Group(join(opening, Nest(Join(tuple(inner))), Break(""), closing))


def packed(items: Iterable[Document]) -> Document:
    """Return items with commas, as many on each line as fit."""
    first, *rest = items
    return join(first, *(join(",", Group(join(Break(), item))) for item in rest))


def render(document: Document, *, width: int) -> str:
    """Set a document in lines of at most `width` characters where that is possible."""
    written: list[str] = []
    column = 0
    waiting: list[_Setting] = [(0, False, document)]
    while waiting:
        indent, flat, current = waiting.pop()
        match current:
            case str():
                written.append(current)
                column += len(current)
            case Break(flat=blank) if flat:
                written.append(blank)
                column += len(blank)
            case Break():
                written.append("\n" + " " * indent)
                column = indent
            case Join(parts=parts):
                waiting.extend((indent, flat, part) for part in reversed(parts))
            case Nest(inner=inner):
                waiting.append((indent + INDENT, flat, inner))
            case Group(inner=inner):
                fits = flat or _fits((indent, True, inner), waiting, width - column)
                waiting.append((indent, fits, inner))
            case _:
                assert_never(current)
    return "".join(written)


def _fits(first: _Setting, following: Sequence[_Setting], room: int) -> bool:
    """Return whether all up to the next place that breaks has room on this line."""
    waiting = [first]
    behind = len(following)
    while room >= 0:
        if not waiting:
            if not behind:
                return True
            behind -= 1
            waiting.append(following[behind])
        indent, flat, current = waiting.pop()
        match current:
            case str():
                room -= len(current)
            case Break(flat=blank):
                if not flat:
                    return True
                room -= len(blank)
            case Join(parts=parts):
                waiting.extend((indent, flat, part) for part in reversed(parts))
            case Nest(inner=inner) | Group(inner=inner):
                waiting.append((indent, flat, inner))
            case _:
                assert_never(current)
    return False
