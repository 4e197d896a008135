"""A text cut into lexemes and comments.

A lexeme is a word, number or sign with its place. Every character of any text ends up in
some lexeme, comment or blank, so cutting never stops; what cannot stand in a program is
found when the parser comes to it.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ebmlang.source import SourceText, Span
from ebmlang.syntax.tree import Comment

END = "$END"
"""The kind of the lexeme behind the last one."""


class RawToken(Protocol):
    """What the lexer of the grammar gives for one piece of text."""

    type: str
    start_pos: int | None
    end_pos: int | None


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word, number or sign.

    Attributes:
        type: The name of its terminal in `grammar/tokens.lark`.
        span: Its place.
        first_on_line: Whether only blanks stand before it on its line.
    """

    type: str
    span: Span
    first_on_line: bool

    @property
    def text(self) -> str:
        """How it is written."""
        return self.span.text


def cut_text(
    source: SourceText, lex: Callable[[str], Iterable[RawToken]]
) -> tuple[tuple[Lexeme, ...], tuple[Comment, ...]]:
    """Cut a text; the last lexeme is `END`, right behind the last written one.

    Args:
        source: The text.
        lex: The lexer of the grammar.

    Returns:
        The lexemes and, beside them, the comments, both in the order of the text.
    """
    text = source.text
    lexemes: list[Lexeme] = []
    comments: list[Comment] = []
    line_has_code = False
    last = 0
    code_end = 0
    for token in lex(text):
        assert token.start_pos is not None
        assert token.end_pos is not None
        if text.find("\n", last, token.start_pos) >= 0:
            line_has_code = False
        last = token.end_pos
        span = source.span(token.start_pos, last)
        if token.type == "COMMENT":
            comments.append(Comment(text=span.text.rstrip(), own_line=not line_has_code, span=span))
        else:
            lexemes.append(Lexeme(token.type, span, not line_has_code))
            line_has_code = True
            code_end = last
    lexemes.append(Lexeme(END, source.span(code_end, code_end), True))
    return tuple(lexemes), tuple(comments)


def read_number(text: str) -> int | float:
    """Return the value of a number as it is written.

    Returns:
        An int for digits alone, else a float; `inf` for what is beyond float64 and `nan`
        for what is not zero and yet too small for it.
    """
    value = float(text)
    if math.isinf(value):
        return value
    if text.isdigit():
        return int(text.lstrip("0") or "0")
    mantissa = text.lower().partition("e")[0]
    if value == 0 and mantissa.strip("0.") != "":
        return math.nan
    return value
