"""Text with a name, and places in it.

The first floor: every later form keeps the `Span` it came from, so that a message can
always show the line of the user's file that it speaks of.
"""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SourceText:
    r"""A file's text under the name that messages show.

    >>> source = SourceText("desk.ebm", "const a = 1\nvar x: real\n")
    >>> source.position(16)
    (2, 5)
    >>> source.line(2)
    'var x: real'
    """

    name: str
    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        starts = [0]
        starts.extend(i + 1 for i, char in enumerate(self.text) if char == "\n")
        object.__setattr__(self, "_starts", tuple(starts))

    def position(self, offset: int) -> tuple[int, int]:
        """Return the one-based line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a one-based line, without its line break."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")

    def span(self, start: int, end: int) -> "Span":
        """Return the span from `start` up to, and not including, `end`."""
        return Span(self, start, end)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a source text, from offset `start` up to, and not including, `end`.

    >>> span = SourceText("a.ebm", "var x: real").span(4, 5)
    >>> span.text, str(span)
    ('x', 'a.ebm:1:5')
    """

    source: SourceText = field(repr=False)
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text that the span covers."""
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, max(self.end, other.end))

    def covers(self, other: "Span") -> bool:
        """Whether another span lies in this one."""
        same = other.source is self.source
        return same and self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
