"""The one layout of a program: what `ebm fmt` writes.

One statement begins each line, blanks are single, parentheses stand only where they are
needed, and at most one blank line separates statements. Comments are kept: one on its own
line stays before what it preceded, one behind a statement stays behind it, and one inside
a statement moves before it.
"""

from collections import deque
from collections.abc import Iterable
from typing import assert_never

from ebmlang.source import Span
from ebmlang.syntax.expression_layout import Layout, Layouts, domain, expression, lay_out
from ebmlang.syntax.layout import (
    INDENT,
    Break,
    Document,
    Group,
    Nest,
    bracketed,
    join,
    packed,
    render,
)
from ebmlang.syntax.precedence import Demand, Level
from ebmlang.syntax.tree import (
    Comment,
    Const,
    DefaultTolerance,
    Example,
    Expression,
    File,
    Fn,
    Given,
    Import,
    Let,
    Logic,
    Parameter,
    Part,
    Priority,
    Property,
    ReportValue,
    Spec,
    Statement,
    Term,
    Var,
)

WIDTH = 100
"""Longest line that is not broken where it could be [characters]."""

_MEASURE = Demand(Level.SUM, True)


def format_file(file: File) -> str:
    """Return the text of a file in the one layout, with its comments."""
    page = _Page(0)
    comments = deque(file.comments)
    _write_statements(page, file.statements, comments, None)
    return "".join(f"{line}\n" for line in page.lines)


def format_statement(statement: Statement) -> str:
    """Return the text of a statement, without comments and without a line break at its end."""
    page = _Page(0)
    _write_statements(page, (statement,), deque(), None)
    return "\n".join(page.lines)


def format_expression(node: Expression) -> str:
    """Return the text of an expression."""
    return render(lay_out(expression(node)), width=WIDTH)


# --- lines and comments --------------------------------------------------------------


class _Page:
    """The lines of a statement list as they are written, with the blank ones between."""

    def __init__(self, indent: int) -> None:
        self.lines: list[str] = []
        self.indent = indent
        self._last: int | None = None

    def write(self, text: str, place: Span) -> None:
        """Write the text of what stands at `place`, behind a blank line if there was one."""
        first, _ = place.source.position(place.start)
        if self._last is not None and first > self._last + 1:
            self.lines.append("")
        margin = " " * self.indent
        self.lines += [margin + line for line in text.split("\n")]
        self._last, _ = place.source.position(max(place.start, place.end - 1))

    def write_below(self, lines: Iterable[str], place: Span) -> None:
        """Write lines that have their indentation, the last of them from `place`."""
        self.lines += lines
        self._last, _ = place.source.position(max(place.start, place.end - 1))

    def append(self, comment: Comment) -> None:
        """Write a comment behind the last line."""
        self.lines[-1] += f"  {comment.text}"


def _write_statements(
    page: _Page, statements: tuple[Statement, ...], comments: deque[Comment], end: int | None
) -> None:
    """Write a statement list and the comments up to its end; None is the end of the file."""
    ends = [*(statement.span.start for statement in statements), end][1:]
    for statement, following in zip(statements, ends, strict=True):
        for comment in _take_before(comments, statement.span.start):
            page.write(comment.text, comment.span)
        if isinstance(statement, Spec):
            _write_spec(page, statement, comments)
        else:
            for comment in _take_before(comments, statement.span.end):
                page.write(comment.text, _beginning(statement))
            page.write(_render(_statement(statement), page.indent), statement.span)
        if comments and not comments[0].own_line and _is_before(comments[0], following):
            page.append(comments.popleft())
    for comment in _take_before(comments, end):
        page.write(comment.text, comment.span)


def _write_spec(page: _Page, spec: Spec, comments: deque[Comment]) -> None:
    first = spec.body[0].span.start if spec.body else spec.end.start
    head = list(_take_before(comments, first))
    comments.extendleft(comment for comment in reversed(head) if comment.own_line)
    *moved, behind = [None, *(comment for comment in head if not comment.own_line)]
    for comment in moved:
        if comment:
            page.write(comment.text, _beginning(spec))
    body = _Page(page.indent + INDENT)
    _write_statements(body, spec.body, comments, spec.end.start)
    opening = _render(_spec_head(spec), page.indent)
    if not body.lines and behind is None:
        page.write(opening + "}", spec.span)
        return
    page.write(opening, spec.span)
    if behind:
        page.append(behind)
    page.write_below([*body.lines, " " * page.indent + "}"], spec.span)


def _take_before(comments: deque[Comment], end: int | None) -> Iterable[Comment]:
    while comments and _is_before(comments[0], end):
        yield comments.popleft()


def _is_before(comment: Comment, end: int | None) -> bool:
    return end is None or comment.span.start < end


def _beginning(statement: Statement) -> Span:
    span = statement.span
    return Span(span.source, span.start, span.start)


# --- statements ----------------------------------------------------------------------


def _render(layout: Layout, indent: int) -> str:
    return render(lay_out(layout), width=WIDTH - indent)


def _statement(node: Statement) -> Layout:
    match node:
        case Import():
            return _import(node)
        case Const(name=name, value=value):
            return join("const ", name.name, " = ", (yield expression(value)))
        case Let(name=name, value=value):
            return join("let ", name.name, " = ", (yield expression(value)))
        case ReportValue(name=name, value=value):
            return join("report ", name.name, " = ", (yield expression(value)))
        case Given(name=name, domain=lies_in, default=default):
            head = join("given ", name.name, ": ", (yield domain(lies_in)))
            return join(head, " = ", (yield expression(default))) if default else head
        case Var(name=name, domain=lies_in, prior=prior):
            head = join("var ", name.name, ": ", (yield domain(lies_in)))
            return join(head, " ~ ", (yield expression(prior))) if prior else head
        case Fn(name=name, parameters=parameters, body=body):
            taken = yield _parameters(parameters)
            return join("fn ", name.name, taken, " = ", (yield expression(body)))
        case Spec():
            return (yield _spec_head(node))
        case Part(name=name, instance=instance, weight=weight):
            head = join("part ", name.name, " = ", (yield expression(instance)))
            return (yield _weighted(head, weight))
        case Term(word=word, name=name, value=value, weight=weight):
            head = join(word, " ", name.name, ": ", (yield expression(value)))
            return (yield _weighted(head, weight))
        case Property(name=name, unknowns=unknowns, body=body):
            head = join("property ", name.name, ":")
            if unknowns:
                bound = Nest(join("forall ", packed((yield from _declarations(unknowns)))))
                head = join(head, " ", bound, ":")
            return Group(join(head, Nest(join(Break(), (yield expression(body))))))
        case Example():
            return (yield _example(node))
        case Priority(tiers=tiers):
            return (yield _priority(tiers))
        case Logic(name=name):
            return f"logic {name.name}"
        case DefaultTolerance(value=value):
            return join("default within ", (yield expression(value, _MEASURE)))
        case _:
            assert_never(node)


def _spec_head(node: Spec) -> Layout:
    return join("spec ", node.name.name, (yield _parameters(node.parameters)), " {")


def _parameters(parameters: tuple[Parameter, ...]) -> Layout:
    return bracketed("(", (yield from _declarations(parameters)), ")")


def _declarations(parameters: tuple[Parameter, ...]) -> Layouts:
    laid: list[Document] = []
    for parameter in parameters:
        name = parameter.name.name
        lies_in = parameter.domain
        laid.append(join(name, ": ", (yield domain(lies_in))) if lies_in else name)
    return laid


def _example(node: Example) -> Layout:
    """Lay an example out: settings with commas on one line, or each on its own without."""
    settings: list[Document] = []
    for setting in node.settings:
        path = yield expression(setting.path)
        settings += (Break(", "), join(path, " = ", (yield expression(setting.value))))
    point: Document = "{}"
    if settings:
        point = Group(join("{", Nest(join(Break(), *settings[1:])), Break(), "}"))
    parts: list[Document] = ["example ", node.name.name, " ", point]
    for word, paths in (("satisfies", node.satisfies), ("violates", node.violates)):
        if paths:
            named: list[Document] = []
            for path_ in paths:
                named.append((yield expression(path_)))
            parts += (" ", word, " ", Nest(packed(named)))
    return join(*parts)


def _priority(tiers: tuple[tuple[Expression, ...], ...]) -> Layout:
    laid: list[Document] = []
    for tier in tiers:
        named: list[Document] = []
        for path in tier:
            named.append((yield expression(path)))
        laid += (Break(), "> ", packed(named))
    return Group(join("priority ", Nest(join(*laid[2:]))))


def _weighted(head: Document, weight: Expression | None) -> Layout:
    if weight is None:
        return head
    return Group(join(head, Nest(join(Break(), "weight ", (yield expression(weight, _MEASURE))))))


def _import(node: Import) -> Document:
    path = "." * node.dots + ".".join(word.name for word in node.path)
    if node.names is None:
        return f"import {path}"
    return join(f"from {path} import ", Nest(packed(name.name for name in node.names)))
