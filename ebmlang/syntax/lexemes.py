"""A text cut into lexemes and comments.

A lexeme is a word, number or sign with its place. Every character of any text ends up in
some lexeme, comment or blank, so cutting never stops; what cannot stand in a program is
found when the parser comes to it.
"""

import math
import re
from dataclasses import dataclass

from ebmlang.source import SourceText, Span
from ebmlang.syntax.tree import Comment

END = "$END"
"""The kind of the lexeme behind the last one."""


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
    source: SourceText, pattern: re.Pattern[str]
) -> tuple[tuple[Lexeme, ...], tuple[Comment, ...]]:
    """Cut a text; the last lexeme is `END`, right behind the last written one.

    Args:
        source: The text.
        pattern: The lexer of the grammar.

    Returns:
        The lexemes and, beside them, the comments, both in the order of the text.
    """
    lexemes: list[Lexeme] = []
    comments: list[Comment] = []
    line_has_code = False
    place = 0
    for match in pattern.finditer(source.text):
        assert match.start() == place  # the pattern matches any character
        place = match.end()
        kind = match.lastgroup
        assert kind is not None
        if kind == "BLANK":
            line_has_code = line_has_code and "\n" not in match[0]
            continue
        span = source.span(match.start(), place)
        if kind == "COMMENT":
            text = match[0].rstrip()
            comments.append(Comment(text=text, own_line=not line_has_code, span=span))
        else:
            lexemes.append(Lexeme(kind, span, not line_has_code))
            line_has_code = True
    end = lexemes[-1].span.end if lexemes else 0
    lexemes.append(Lexeme(END, source.span(end, end), True))
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
