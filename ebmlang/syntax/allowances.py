"""Warnings switched off in the file itself: `# allow: duplicate-term, W0331`.

Such a comment speaks of the statement that it stands in, or behind, or above. Above the first
statement, with a blank line between, it speaks of the whole file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ebmlang.source import CODES, Diagnostic, Label, Report, SourceText, Span
from ebmlang.syntax.parser import parse_file
from ebmlang.syntax.tree import Comment, File, Spec, Statement

_ALLOW = re.compile(r"#[ \t]*allow:[ \t]*(.*)")
_NAME = re.compile(r"[^,]*[^,\s]")

WARNINGS = {kind.slug: code for code, kind in CODES.items() if code.startswith("W")}
"""The code of each warning, by its name."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One warning that is not wanted inside a stretch of text."""

    code: str
    span: Span


def check_allowances(file: File, report: Report) -> None:
    """Report each name in a comment `# allow:` that is no warning's (E0415)."""
    for comment, names in _iterate_comments(file):
        for name in names:
            if _find_code(name.text) is None:
                report.add(_describe_unknown(name, comment))


def find_allowances(file: File) -> tuple[Allowance, ...]:
    """Return what the comments of a file switch off."""
    found = []
    for comment, names in _iterate_comments(file):
        span = _find_stretch(file, comment)
        codes = (_find_code(name.text) for name in names)
        found += [Allowance(code, span) for code in codes if code is not None and span is not None]
    return tuple(found)


def drop_allowed(diagnostics: Iterable[Diagnostic], file: File) -> tuple[Diagnostic, ...]:
    """Return the messages without the warnings that the files they are about switch off.

    Args:
        diagnostics: About a file, or about what it imports.
        file: The file; an imported one is parsed again where there is a warning in it.
    """
    by_source: dict[int, tuple[Allowance, ...]] = {id(file.source): find_allowances(file)}
    kept = []
    for diagnostic in diagnostics:
        place = diagnostic.primary.span if diagnostic.primary else None
        if place is None or diagnostic.code not in WARNINGS.values():
            kept.append(diagnostic)
            continue
        source = place.source
        if id(source) not in by_source:
            by_source[id(source)] = _read_allowances(source)
        allowed = by_source[id(source)]
        if not any(a.code == diagnostic.code and a.span.covers(place) for a in allowed):
            kept.append(diagnostic)
    return tuple(kept)


def _read_allowances(source: SourceText) -> tuple[Allowance, ...]:
    if _ALLOW.search(source.text) is None:
        return ()
    return find_allowances(parse_file(source, Report()))


def _iterate_comments(file: File) -> Iterator[tuple[Comment, tuple[Span, ...]]]:
    """Yield each comment that switches warnings off, with the places of their names."""
    for comment in file.comments:
        match = _ALLOW.fullmatch(comment.text)
        if match is not None:
            start = comment.span.start
            names = _NAME.finditer(comment.text, match.start(1))
            spans = (
                file.source.span(start + name.end() - len(name[0].lstrip()), start + name.end())
                for name in names
            )
            yield comment, tuple(spans)


def _find_code(name: str) -> str | None:
    return WARNINGS.get(name, name if name in WARNINGS.values() else None)


# --- what a comment speaks of --------------------------------------------------------


def _find_stretch(file: File, comment: Comment) -> Span | None:
    """Return the text that a comment speaks of; None where no statement follows it."""
    source = file.source
    following = [s for s in file.statements if s.span.start > comment.span.start]
    heads = len(following) == len(file.statements)
    if comment.own_line and heads and not _touches(file, comment, following[:1]):
        return source.span(0, len(source.text) + 1)
    return _find_statement(file.statements, comment)


def _find_statement(statements: tuple[Statement, ...], comment: Comment) -> Span | None:
    """Return the statement that a comment is in, behind or above; the innermost."""
    place = comment.span.start
    before = None
    for statement in statements:
        span = statement.span
        if span.start > place:
            return span if comment.own_line else before
        if place < span.end:
            inside = (
                _find_statement(statement.body, comment) if isinstance(statement, Spec) else None
            )
            return inside or span
        before = span
    return None if comment.own_line else before


def _touches(file: File, comment: Comment, following: list[Statement]) -> bool:
    """Whether a comment is in the block of lines right above the statement that follows."""
    if not following:
        return False
    line, _ = file.source.position(comment.span.start)
    first, _ = file.source.position(following[0].span.start)
    return all(file.source.line(number).strip() for number in range(line, first))


def _describe_unknown(name: Span, comment: Comment) -> Diagnostic:
    if name.text in CODES or name.text in {kind.slug for kind in CODES.values()}:
        close = []
        label = "this is an error, and errors are not switched off"
    else:
        close = get_close_matches(name.text, [*WARNINGS, *WARNINGS.values()], n=1)
        label = "no warning has this name"
    helps = (f"`{comment.text.replace(name.text, close[0])}`",) if close else ()
    listed = ", ".join(f"`{slug}`" for slug in WARNINGS)
    return Diagnostic(
        code="E0415",
        headline=f"there is no warning `{name.text}`",
        primary=Label(name, label),
        notes=() if close else (f"there are {listed}",),
        helps=helps,
    )
