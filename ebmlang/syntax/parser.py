"""Text to tree.

The parser never gives up on a file: where a lexeme does not fit it says so once, drops the
unfinished statement, and goes on with the next one, inside the same `spec` body if it was
in one. Nothing here recurses, so no text can exhaust the stack; whole trees are measured
before anyone walks them.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ebmlang.source import Diagnostic, Report, SourceText
from ebmlang.source.limits import NESTING
from ebmlang.syntax.expectations import STATEMENT_KINDS
from ebmlang.syntax.grammar import load_grammar
from ebmlang.syntax.lexemes import END, Lexeme, cut_text
from ebmlang.syntax.machine import Machine
from ebmlang.syntax.nesting import check_nesting, say_too_deep
from ebmlang.syntax.syntax_errors import CLOSERS, Situation, check_number, explain
from ebmlang.syntax.tree import Domain, Expression, File, Statement

MOST_ERRORS = 50
"""After so many errors in one file the rest is not read: more would help nobody."""

_BLAMES_WORD = ("E0106", "E0107", "E0108")
"""Codes of the messages about a word that looks like the beginning of a statement, but is none."""

_WAITING_PIECES = 10 * NESTING
"""Most pieces that wait to be joined; no level of a tree needs ten of them."""


def parse_file(source: SourceText, report: Report) -> File:
    """Parse a whole file.

    Args:
        source: The text; any text will do.
        report: Gets one message for each error.

    Returns:
        The tree of all statements that could be parsed.
    """
    grammar = load_grammar()
    lexemes, comments = cut_text(source, grammar.pattern)
    reading = _Reading(lexemes, Machine(grammar, "file"), report)
    statements: tuple[Statement, ...] = reading.read_all() or ()
    kept = tuple(statement for statement in statements if _is_shallow(statement, report))
    return File(source=source, statements=kept, comments=comments)


def parse_expression(source: SourceText, report: Report) -> Expression | None:
    """Parse a text that is one expression; return None, and report why, if it is none."""
    expression: Expression | None = _parse_one(source, "expression", report)
    return expression


def parse_domain(source: SourceText, report: Report) -> Domain | None:
    """Parse a text that is one domain; return None, and report why, if it is none."""
    domain: Domain | None = _parse_one(source, "domain", report)
    return domain


def _parse_one(source: SourceText, start: str, report: Report) -> Any:  # what `start` builds
    found = Report()
    grammar = load_grammar()
    lexemes, _ = cut_text(source, grammar.pattern)
    node = _Reading(lexemes, Machine(grammar, start), found).read_one()
    is_good = node is not None and _is_shallow(node, found) and not found.has_errors
    for problem in found.diagnostics:
        report.add(problem)
    return node if is_good else None


def _is_shallow(node: Statement | Expression | Domain, report: Report) -> bool:
    problem = check_nesting(node)
    if problem:
        report.add(problem)
    return problem is None


class _Opening(Enum):
    """What an open bracket is to the parser."""

    BRACKET = auto()
    """Inside a statement."""
    BODY = auto()
    """Around the statements of a spec."""
    ORPHAN = auto()
    """Around the statements of a spec whose head could not be read."""


@dataclass(frozen=True, slots=True)
class _Open:
    lexeme: Lexeme
    what: _Opening


class _Reading:
    """One way through the lexemes of a text."""

    def __init__(self, lexemes: tuple[Lexeme, ...], machine: Machine, report: Report) -> None:
        self._lexemes = lexemes
        self._machine = machine
        self._report = report
        self._errors = 0
        self._reserved: set[str] = set()
        self._place = 0
        self._begins: Lexeme | None = None
        self._opened: list[_Open] = []

    def read_one(self) -> Any:  # what the start rule builds
        """Read up to the first error; return None if there is one."""
        while self._place < len(self._lexemes):
            if problem := self._step():
                self._say(problem)
                return None
        return self._machine.result

    def read_all(self) -> Any:  # what the start rule builds
        """Read to the end, over all errors."""
        while self._place < len(self._lexemes):
            if problem := self._step():
                self._say(problem)
                self._recover(problem)
                if self._errors == MOST_ERRORS or self._lexeme.type == END:
                    self._finish()
                    break
        return self._machine.result

    @property
    def _lexeme(self) -> Lexeme:
        return self._lexemes[self._place]

    @property
    def _innermost(self) -> _Opening | None:
        return self._opened[-1].what if self._opened else None

    def _step(self) -> Diagnostic | None:
        """Take the next lexeme, or return what is wrong with it."""
        lexeme = self._lexeme
        if lexeme.type == "RBRACE" and self._innermost is _Opening.ORPHAN and self._can_end:
            self._opened.pop()
        elif self._is_too_deep(lexeme):
            return say_too_deep(lexeme.span)
        elif self._machine.feed(lexeme):
            self._follow(lexeme)
            if lexeme.type == "NUMBER" and (problem := check_number(lexeme)):
                self._say(problem)
        else:
            return explain(self._look())
        self._place += 1
        return None

    def _say(self, problem: Diagnostic) -> None:
        # A number out of range does not stop the reading, so the limit is held here.
        if problem.code == "E0106":
            # Whoever names something by a reserved word uses the name too.
            if problem.headline in self._reserved:
                return
            self._reserved.add(problem.headline)
        if self._errors < MOST_ERRORS:
            self._report.add(problem)
            self._errors += 1

    @property
    def _can_end(self) -> bool:
        return self._machine.takes("VAR")

    @property
    def _is_cut_short(self) -> bool:
        """Whether what was read is likely the beginning of a statement that meant more."""
        return not self._lexeme.first_on_line and self._lexeme.text not in (";", ")", "]", "}")

    def _is_too_deep(self, lexeme: Lexeme) -> bool:
        too_many_open = lexeme.type in CLOSERS and len(self._opened) >= NESTING
        return too_many_open or self._machine.depth > _WAITING_PIECES

    def _follow(self, lexeme: Lexeme) -> None:
        """Keep track of brackets and statements after a lexeme was taken."""
        is_between = self._machine.is_between_statements
        if lexeme.type in CLOSERS:
            self._opened.append(_Open(lexeme, _Opening.BODY if is_between else _Opening.BRACKET))
        elif lexeme.type in CLOSERS.values():
            closed = self._opened.pop()
            is_between = closed.what is _Opening.BODY
        if is_between:
            self._begins = None
        elif lexeme.type in STATEMENT_KINDS:
            self._begins = lexeme

    def _look(self) -> Situation:
        found = self._lexeme
        following = self._place + 1
        while found.type == self._lexemes[following - 1].type == "STRAY" and (
            self._lexemes[following].type == "STRAY"
            and self._lexemes[following].span.start == found.span.end
        ):
            found = Lexeme("STRAY", found.span.to(self._lexemes[following].span), True)
            following += 1
        return Situation(
            found=found,
            before=self._lexemes[self._place - 1] if self._place else None,
            after=self._lexemes[min(following, len(self._lexemes) - 1)],
            opener=self._opened[-1].lexeme if self._opened else None,
            is_inside_bracket=self._innermost is _Opening.BRACKET,
            begins=self._begins,
            kinds=self._machine.kinds,
        )

    # --- after an error ---------------------------------------------------------------

    def _recover(self, problem: Diagnostic) -> None:
        """Give up the statement, unless it is complete, and go to where the next begins."""
        open_braces = 0
        # Behind the brace of a spec nothing is begun, and a step back would lead into its body.
        is_begun = self._begins is not None
        if is_begun and (problem.code == "E0105" or not self._can_end or self._is_cut_short):
            self._machine.drop_statement()
        while self._innermost is _Opening.BRACKET:
            open_braces += self._opened.pop().lexeme.type == "LBRACE"
        self._begins = None
        if problem.code in _BLAMES_WORD and self._lexeme.type not in CLOSERS:
            self._place += 1
        self._skip_statement(open_braces, with_body=problem.code in ("E0105", "E0108"))

    def _skip_statement(self, open_braces: int, *, with_body: bool) -> None:
        """Go to the next statement, to the brace that ends this body, or to the end.

        Args:
            open_braces: How many braces inside the statement are open already.
            with_body: Whether to skip the statements in its braces too.
        """
        while (lexeme := self._lexeme).type != END:
            if lexeme.type == "LBRACE":
                following = self._lexemes[self._place + 1].type
                if following in STATEMENT_KINDS | {"RBRACE"} and not with_body:
                    self._opened.append(_Open(lexeme, _Opening.ORPHAN))
                else:
                    open_braces += 1
            elif lexeme.type == "RBRACE":
                if open_braces:
                    open_braces -= 1
                elif self._innermost is _Opening.ORPHAN:
                    self._opened.pop()
                elif self._innermost is _Opening.BODY:
                    return
            elif self._begins_statement(lexeme) and not (with_body and open_braces):
                return
            self._place += 1

    def _begins_statement(self, lexeme: Lexeme) -> bool:
        before = self._lexemes[self._place - 1].type if self._place else "LBRACE"
        # In the middle of a line the word is more likely part of what could not be read.
        if not lexeme.first_on_line and before not in ("LBRACE", "RBRACE"):
            return False
        if lexeme.type == "NAME":
            # Two names in a row stand in no expression: a misspelled statement word.
            return self._lexemes[self._place + 1].type == "NAME"
        return lexeme.type in STATEMENT_KINDS | {"LATER_STATEMENT"}

    def _finish(self) -> None:
        """End the text here, without the specs that are open: where they end is not known."""
        for opened in self._opened:
            if opened.what is _Opening.BODY:
                self._machine.drop_body()
        self._machine.feed(self._lexemes[-1])
