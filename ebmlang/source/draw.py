r"""How a diagnostic looks: as text for people, as plain data for programs.

The text has the form that rustc made familiar. The headline stands alone; below it come the
source lines, each label under the text that it speaks of; proof, notes and help close it:

    >>> from ebmlang.source import Diagnostic, Label, SourceText
    >>> source = SourceText("arm.ebm", "var q: real[7]\nlet gap = q - goal\n")
    >>> message = Diagnostic(
    ...     code="E0302",
    ...     headline="cannot subtract a vector of size 6 from a vector of size 7",
    ...     primary=Label(source.span(25, 33), "sizes 7 and 6 differ"),
    ...     secondary=(Label(source.span(7, 14), "`q` gets its size here"),),
    ...     helps=("take a slice: `q[0..5] - goal`",),
    ... )
    >>> print(draw_diagnostic(message))
    error[E0302 shape-mismatch]: cannot subtract a vector of size 6 from a vector of size 7
     --> arm.ebm:2:11
      |
    1 | var q: real[7]
      |        ------- `q` gets its size here
    2 | let gap = q - goal
      |           ^^^^^^^^ sizes 7 and 6 differ
      |
      = help: take a slice: `q[0..5] - goal`
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ebmlang.source.diagnostic import Diagnostic, Label, Severity
from ebmlang.source.text import SourceText

TAB_WIDTH = 4
"""Columns that a tab is drawn as."""

LONGEST_LINE = 160
"""Characters of a source line that are shown; a longer one is cut around its labels."""

CONTEXT_BEFORE = 40
"""Characters kept in front of the first label of a line that is cut."""

WHOLE_SPAN = 6
"""Longest span of several lines that is shown whole; of others, the ends [lines]."""

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"
_BLUE = "\x1b[1;34m"
_LOUD = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def draw_diagnostics(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """Draw several messages, a blank line between them."""
    return "\n\n".join(draw_diagnostic(diagnostic, color=color) for diagnostic in diagnostics)


def draw_diagnostic(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """Draw one message.

    Args:
        diagnostic: The message.
        color: Whether to use the color codes of terminals.

    Returns:
        Lines without a line break at the end.
    """
    labels = _labels(diagnostic)
    width = max((len(str(label.last)) for label in labels), default=1)
    pen = _Pen(color=color, width=width, loud=_LOUD[diagnostic.severity])
    kind = f"{diagnostic.severity.value}[{diagnostic.code} {diagnostic.slug}]"
    rows = [pen.paint(kind, pen.loud) + pen.paint(f": {diagnostic.headline}", _BOLD)]
    for arrow, group in _by_file(labels):
        rows.append(" " * width + pen.paint(arrow, _BLUE) + f" {group[0].place}")
        rows.append(pen.margin())
        rows.extend(_draw_file(sorted(group, key=lambda label: label.first), pen))
    steps = "\n".join(f"{number}. {text}" for number, text in enumerate(diagnostic.because, 1))
    remarks = [
        *(("because", text) for text in ([steps] if steps else [])),
        *(("note:", text) for text in diagnostic.notes),
        *(("help:", text) for text in diagnostic.helps),
    ]
    if labels and remarks:
        rows.append(pen.margin())
    rows.extend(pen.remark(word, text) for word, text in remarks)
    return "\n".join(rows)


def describe_diagnostic(diagnostic: Diagnostic) -> dict[str, object]:
    """Return a message as plain data, for `--json` and for editors.

    Lines and columns count from one; an end column is that of the first character behind.
    """
    labels = [] if diagnostic.primary is None else [diagnostic.primary]
    return {
        "code": diagnostic.code,
        "slug": diagnostic.slug,
        "severity": diagnostic.severity.value,
        "headline": diagnostic.headline,
        "spans": [
            _describe_label(label, primary=label is diagnostic.primary)
            for label in (*labels, *diagnostic.secondary)
        ],
        "because": list(diagnostic.because),
        "notes": list(diagnostic.notes),
        "helps": list(diagnostic.helps),
    }


def _describe_label(label: Label, *, primary: bool) -> dict[str, object]:
    span = label.span
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
        "label": label.text,
        "primary": primary,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A label and the lines it covers; offsets of characters count from zero in their line."""

    source: SourceText
    first: int
    last: int
    start: int
    stop: int
    text: str
    primary: bool

    @property
    def place(self) -> str:
        return f"{self.source.name}:{self.first}:{self.start + 1}"

    @property
    def mark(self) -> str:
        return "^" if self.primary else "-"


def _labels(diagnostic: Diagnostic) -> list[_Placed]:
    labels = [(label, False) for label in diagnostic.secondary]
    if diagnostic.primary is not None:
        labels.insert(0, (diagnostic.primary, True))
    placed = []
    for label, primary in labels:
        span = label.span
        first, start = span.source.position(span.start)
        # The last character covered, so that a span up to a line break stays on its line.
        last, stop = span.source.position(max(span.start, span.end - 1))
        placed.append(
            _Placed(
                source=span.source,
                first=first,
                last=last,
                start=start - 1,
                stop=stop,
                text=label.text,
                primary=primary,
            )
        )
    return placed


def _by_file(labels: list[_Placed]) -> list[tuple[str, list[_Placed]]]:
    groups: list[tuple[str, list[_Placed]]] = []
    for label in labels:
        for _, group in groups:
            if group[0].source is label.source or group[0].source == label.source:
                group.append(label)
                break
        else:
            groups.append((":::" if groups else "-->", [label]))
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """Colors, and the width of the column of line numbers."""

    color: bool
    width: int
    loud: str

    def paint(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self.color and style and text.strip() else text

    def margin(self, text: str = "") -> str:
        bar = self.paint("|", _BLUE)
        return f"{' ' * self.width} {bar} {text}" if text else f"{' ' * self.width} {bar}"

    def numbered(self, number: int, text: str) -> str:
        label = self.paint(f"{number:>{self.width}} |", _BLUE)
        return f"{label} {text}".rstrip()

    def remark(self, word: str, text: str) -> str:
        lead = f"{' ' * self.width} = {word} "
        head = f"{' ' * self.width} {self.paint('=', _BLUE)} {self.paint(word, _BOLD)} "
        return head + f"\n{' ' * len(lead)}".join(text.splitlines())

    def style(self, label: _Placed) -> str:
        return self.loud if label.primary else _BLUE


def _draw_file(labels: Sequence[_Placed], pen: _Pen) -> list[str]:
    source = labels[0].source
    slots = _slots(labels)
    numbers = sorted({number for label in labels for number in _shown(label)})
    rows: list[str] = []
    for before, number in pairwise([numbers[0] - 1, *numbers]):
        if number > before + 1:
            rows.append(pen.paint("...", _BLUE))
        line = _Line.of(source.line(number), [x for x in labels if number in (x.first, x.last)])
        rail = _Rail(number, line, slots)
        rows.append(pen.numbered(number, rail.beside(pen) + line.shown))
        ends = [x for x in labels if x.first == x.last == number]
        rows.extend(pen.margin(rail.below(pen) + row) for row in _hang(ends, line, pen))
        rows.extend(pen.margin(row) for row in rail.turns(pen))
    return rows


def _shown(label: _Placed) -> Iterable[int]:
    if label.last - label.first < WHOLE_SPAN:
        return range(label.first, label.last + 1)
    return (label.first, label.first + 1, label.last - 1, label.last)


@dataclass(frozen=True, slots=True)
class _Line:
    """A source line as drawn: its text, and the screen column of each of its characters."""

    shown: str
    columns: tuple[int, ...]
    blank: int

    @classmethod
    def of(cls, text: str, labels: Sequence[_Placed]) -> "_Line":
        cut = 0
        blank = len(text) - len(text.lstrip())
        tail = ""
        if len(text) > LONGEST_LINE:
            cut = max(0, min((x.start for x in labels), default=0) - CONTEXT_BEFORE)
            tail = "…" if cut + LONGEST_LINE < len(text) else ""
        shown = "…" if cut else ""
        columns = [0] * cut
        for char in text[cut : cut + LONGEST_LINE]:
            columns.append(_screen_width(shown))
            shown += _visible(char, columns[-1])
        return cls(shown + tail, (*columns, _screen_width(shown)), blank)

    def column(self, offset: int) -> int:
        """Return where the character at an offset is drawn, or the end where it is cut off."""
        return self.columns[min(offset, len(self.columns) - 1)]


def _visible(char: str, column: int) -> str:
    if char == "\t":
        return " " * (TAB_WIDTH - column % TAB_WIDTH)
    # Escape codes and marks of direction in a stranger's file must not reach the terminal.
    return "�" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char


def _screen_width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _hang(labels: Sequence[_Placed], line: _Line, pen: _Pen) -> list[str]:
    """Draw the marks under a line, and the labels' texts beside or below them."""
    if not labels:
        return []
    # Primary marks are drawn last, over the others.
    order = sorted(labels, key=lambda x: (line.column(x.start), -x.stop))
    marks: dict[int, tuple[str, str]] = {}
    for label in sorted(order, key=lambda x: x.primary):
        left = line.column(label.start)
        right = max(left + 1, line.column(label.stop))
        marks.update({column: (label.mark, pen.style(label)) for column in range(left, right)})
    last = order[-1]
    inline = all(x.stop <= last.start for x in order[:-1])
    rows = [_paint_cells(marks, pen)]
    if inline and last.text:
        rows[0] += " " + pen.paint(last.text, pen.style(last))
    hanging = [x for x in order if x.text and not (inline and x is last)]
    if hanging:
        rows.append(_paint_cells(_bars(hanging, line, pen), pen))
    while hanging:
        label = hanging.pop()
        column = line.column(label.start)
        bars = {c: cell for c, cell in _bars(hanging, line, pen).items() if c < column}
        indent = column - max(bars, default=-1) - 1
        text = pen.paint(label.text, pen.style(label))
        rows.append(_paint_cells(bars, pen) + " " * indent + text)
    return rows


def _bars(labels: Sequence[_Placed], line: _Line, pen: _Pen) -> dict[int, tuple[str, str]]:
    return {line.column(label.start): ("|", pen.style(label)) for label in labels}


def _paint_cells(cells: dict[int, tuple[str, str]], pen: _Pen) -> str:
    """Draw characters at their columns; neighbors in one style share their color codes."""
    runs: list[tuple[str, str]] = []
    for column in range(max(cells, default=-1) + 1):
        char, style = cells.get(column, (" ", ""))
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + char, style)
        else:
            runs.append((char, style))
    return "".join(pen.paint(text, style) for text, style in runs)


def _slots(labels: Sequence[_Placed]) -> list[list[_Placed]]:
    """Give each label of several lines a column at the left, shared where they are apart."""
    slots: list[list[_Placed]] = []
    for label in sorted((x for x in labels if x.first < x.last), key=lambda x: x.first):
        for slot in slots:
            if slot[-1].last < label.first:
                slot.append(label)
                break
        else:
            slots.append([label])
    return slots


@dataclass(frozen=True, slots=True)
class _Rail:
    """The bars at the left that lead from the first to the last line of a long span."""

    number: int
    line: _Line
    slots: list[list[_Placed]]

    def _opens_beside(self, label: _Placed) -> bool:
        """Whether a span begins its line, so that its bar may begin there too."""
        return label.start <= self.line.blank

    def beside(self, pen: _Pen) -> str:
        """Draw the bars in front of the line itself."""
        cells = self._through(pen)
        for column, label in self._at(first=True):
            if self._opens_beside(label):
                cells[column] = ("/", pen.style(label))
        return self._padded(cells, pen)

    def below(self, pen: _Pen) -> str:
        """Draw the bars in front of the rows directly under the line."""
        cells = self._through(pen)
        for column, label in self._at(first=True):
            if self._opens_beside(label):
                cells[column] = ("|", pen.style(label))
        return self._padded(cells, pen)

    def turns(self, pen: _Pen) -> list[str]:
        """Draw where spans begin in the middle of this line, and where they end on it."""
        rows: list[str] = []
        bars = self._through(pen)
        for column, label in self._at(first=True):
            if not self._opens_beside(label):
                rows.append(self._arm(column, self.line.column(label.start), label, bars, pen))
            bars[column] = ("|", pen.style(label))
        for column, label in self._at(first=False):
            row = self._arm(column, self.line.column(label.stop - 1), label, bars, pen)
            text = pen.paint(label.text, pen.style(label))
            rows.append(f"{row} {text}" if label.text else row)
            bars.pop(column, None)
        return rows

    def _arm(
        self,
        column: int,
        target: int,
        label: _Placed,
        bars: dict[int, tuple[str, str]],
        pen: _Pen,
    ) -> str:
        reach = len(self.slots) + 1 + target
        cells = {c: ("_", pen.style(label)) for c in range(column + 1, reach)}
        cells[reach] = (label.mark, pen.style(label))
        return _paint_cells(cells | bars, pen)

    def _at(self, *, first: bool) -> list[tuple[int, _Placed]]:
        return [
            (column, label)
            for column, slot in enumerate(self.slots)
            for label in slot
            if self.number == (label.first if first else label.last)
        ]

    def _through(self, pen: _Pen) -> dict[int, tuple[str, str]]:
        return {
            column: ("|", pen.style(label))
            for column, slot in enumerate(self.slots)
            for label in slot
            if label.first < self.number <= label.last
        }

    def _padded(self, cells: dict[int, tuple[str, str]], pen: _Pen) -> str:
        if not self.slots:
            return ""
        width = max(cells, default=-1) + 1
        return _paint_cells(cells, pen) + " " * (len(self.slots) + 1 - width)
