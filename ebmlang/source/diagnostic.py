"""What the compiler has to say to a user, as data.

A `Diagnostic` is one message about one cause. Phases report into a `Report` and go on;
at the end of a phase the driver calls `Report.raise_if_errors`. How a diagnostic looks
is decided in `draw`; which codes exist, in `codes`.
"""

from dataclasses import dataclass
from enum import Enum

from ebmlang.source.codes import CODES
from ebmlang.source.text import Span


class Severity(Enum):
    """How bad it is: an error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the source and why it matters."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One message about one cause.

    Attributes:
        code: The number, `E0302` or `W0211`; its slug comes from the table of codes.
        headline: What is wrong, in the user's terms; lower case, no final stop.
        primary: The smallest guilty text, with the reason why here; None where a message
            is about no place in a file (a missing file, a flag).
        secondary: Where the other half came from.
        because: The steps of a proof of what is said, in order.
        notes: Further facts.
        helps: How to mend it, with code that would be accepted.
    """

    code: str
    headline: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    because: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The code in words, such as `shape-mismatch`; warnings are switched off by it."""
        return CODES[self.code].slug

    @property
    def severity(self) -> Severity:
        """Whether this stops the run."""
        return Severity.ERROR if self.code.startswith("E") else Severity.WARNING


class EbmError(Exception):
    """The user's input cannot be used; `diagnostics` says why.

    Attributes:
        diagnostics: At least one error, and the warnings found on the way.
        exit_code: What `ebm` ends with: 1 the spec is wrong, 2 wrong usage, 3 the run failed.
    """

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        errors = [d for d in diagnostics if d.severity is Severity.ERROR]
        self.exit_code = max((CODES[d.code].exit_code for d in errors), default=1)
        super().__init__("\n".join(_summary(d) for d in diagnostics))


class InternalError(Exception):
    """A bug of ebmlang; the message asks for a report. Exit code 70."""


class Report:
    """The messages of one run, in the order found, each cause once."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a message, unless the same one about the same place is there already."""
        place = diagnostic.primary.span if diagnostic.primary else None
        self._found.setdefault((diagnostic.code, diagnostic.headline, place), diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All messages so far, by place in the file."""
        return tuple(sorted(self._found.values(), key=_place))

    @property
    def has_errors(self) -> bool:
        """Whether any message is an error."""
        return any(d.severity is Severity.ERROR for d in self._found.values())

    def raise_if_errors(self) -> None:
        """Stop here if anything so far is an error.

        Raises:
            EbmError: With all messages so far.
        """
        if self.has_errors:
            raise EbmError(*self.diagnostics)


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    if diagnostic.primary is None:
        return ("", 0)
    return (diagnostic.primary.span.source.name, diagnostic.primary.span.start)


def _summary(diagnostic: Diagnostic) -> str:
    place = f"{diagnostic.primary.span}: " if diagnostic.primary else ""
    kind = f"{diagnostic.severity.value}[{diagnostic.code} {diagnostic.slug}]"
    return f"{place}{kind}: {diagnostic.headline}"
