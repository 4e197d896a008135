"""What to say where a lexeme does not fit.

`explain` looks at one place and decides on one message: the first of a list of causes that
explains it, from the plainest to the general "unexpected", with the hints that fit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from ebmlang.lang.words import (
    CLAUSE_WORDS,
    DOMAIN_WORDS,
    LATER_STATEMENTS,
    LATER_WORDS,
    SPELLINGS,
    STATEMENT_WORDS,
)
from ebmlang.source import Diagnostic, Label
from ebmlang.syntax.expectations import STATEMENT_KINDS, describe_expected
from ebmlang.syntax.lexemes import END, Lexeme, read_number

CLOSERS: Mapping[str, str] = MappingProxyType({"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"})
"""The kind that closes each kind of bracket."""

_SIGNS: Mapping[str, str] = MappingProxyType(
    {"LPAR": "(", "LSQB": "[", "LBRACE": "{", "RPAR": ")", "RSQB": "]", "RBRACE": "}"}
)

_SPELLED: Mapping[str, str] = MappingProxyType(
    {
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "−": "-",
        "–": "-",
        "×": "*",
        "·": "*",
        "÷": "/",
        "∧": "and",
        "∨": "or",
        "¬": "not",
        "&": "and",
        "&&": "and",
        "|": "or",
        "||": "or",
        "!": "not",
        "∀": "forall",
        "∃": "exists",
        "∈": "in",
        "∑": "sum",
        "∞": "inf",
        "π": "pi",
        "“": '"',
        "”": '"',
        "'": '"',
    }
)
"""Signs of other notations, and how they are written here."""

_FOREIGN: Mapping[str, str] = MappingProxyType(
    {
        "constraint": "require",
        "constrain": "require",
        "assert": "require",
        "ensure": "require",
        "encourage": "prefer",
        "minimise": "minimize",
        "maximise": "maximize",
        "objective": "minimize",
        "data": "given",
        "param": "given",
        "parameter": "given",
        "variable": "var",
        "def": "fn",
        "function": "fn",
    }
)
"""Statement words of other languages, and their counterpart here."""

_FOREIGN_DOMAINS: Mapping[str, str] = MappingProxyType(
    {"float": "real", "double": "real", "integer": "int", "boolean": "bool"}
)

_COMMENT_HINT = "a comment begins with `#`"

_NEVER_IN_EXPRESSIONS = frozenset(
    {*STATEMENT_WORDS, *LATER_STATEMENTS, *DOMAIN_WORDS, *CLAUSE_WORDS, *LATER_WORDS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The surroundings of a lexeme that does not fit.

    Attributes:
        found: The lexeme.
        before: The one before it, if any.
        after: The one behind it; `found` itself at the end.
        opener: The innermost bracket that is open.
        is_inside_bracket: Whether it is one inside a statement, not around a spec's body.
        begins: The first lexeme of the unfinished statement; None between statements.
        kinds: The kinds of lexeme that would have fitted.
    """

    found: Lexeme
    before: Lexeme | None
    after: Lexeme
    opener: Lexeme | None
    is_inside_bracket: bool
    begins: Lexeme | None
    kinds: frozenset[str]

    @property
    def can_end(self) -> bool:
        """Whether the statement is complete as far as it goes."""
        return "VAR" in self.kinds


def explain(at: Situation) -> Diagnostic:
    """Return the message for a lexeme that does not fit."""
    found = at.found
    if found.type == "STRAY":
        return _say_stray(found)
    if found.type == "OPEN_STRING":
        return _say_open_string(found)
    if found.type == "LATER_STATEMENT" and at.can_end:
        return _say_later(found)
    if _is_reserved_name(at):
        return _say_reserved(found)
    if at.opener and _misses_closer(at, at.opener):
        return _say_unclosed(at, at.opener)
    if found.type in CLOSERS.values() and not _closes(at.opener, found):
        return _say_unopened(found)
    if at.can_end and found.type != END and (at.begins is None or found.first_on_line):
        return _say_no_statement(at)
    if _cuts_statement(at) and at.before:
        return _say_unfinished(at, at.before)
    return _say_unexpected(at)


def check_number(lexeme: Lexeme) -> Diagnostic | None:
    """Return what there is to say about a number that no float64 holds."""
    value = read_number(lexeme.text)
    if abs(value) < float("inf"):
        return None
    what = "too small" if value != value else "too large"
    return Diagnostic(
        code="E0110",
        headline=f"`{_shorten(lexeme.text)}` is {what} for a number",
        primary=Label(lexeme.span, "beyond the range of float64"),
        helps=("numbers reach from `1e-307` to `1e308`; infinity is written `inf`",),
    )


# --- causes --------------------------------------------------------------------------


def _is_reserved_name(at: Situation) -> bool:
    word = at.found.text
    if "NAME" not in at.kinds or word not in SPELLINGS or _begins_line_with_statement(at.found):
        return False
    an_expression_fits = "NUMBER" in at.kinds
    return word in _NEVER_IN_EXPRESSIONS if an_expression_fits else True


def _misses_closer(at: Situation, opener: Lexeme) -> bool:
    if not at.is_inside_bracket:
        return at.found.type == END and at.can_end
    if at.found.type in CLOSERS.values():
        return not _closes(opener, at.found)
    return at.found.type == END or _begins_line_with_statement(at.found)


def _cuts_statement(at: Situation) -> bool:
    return at.found.type in (END, "RBRACE") or _begins_line_with_statement(at.found)


def _closes(opener: Lexeme | None, found: Lexeme) -> bool:
    return opener is not None and CLOSERS[opener.type] == found.type


def _begins_line_with_statement(found: Lexeme) -> bool:
    return found.first_on_line and found.type in STATEMENT_KINDS | {"LATER_STATEMENT"}


# --- messages ------------------------------------------------------------------------


def _say_stray(found: Lexeme) -> Diagnostic:
    text = found.text
    shown = _shorten("".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text))
    helps: tuple[str, ...] = ()
    if text in _SPELLED:
        helps = (f"write `{_SPELLED[text]}`",)
    elif text.strip(";") == "":
        helps = ("a statement ends where the next one begins: leave out `;`",)
    elif text.isalpha():
        helps = ("names are made of the letters A to Z, digits and `_`",)
    return Diagnostic(
        code="E0101",
        headline=f"unexpected character `{shown}`"
        if len(text) == 1
        else f"unexpected characters `{shown}`",
        primary=Label(found.span, "has no meaning here"),
        helps=helps,
    )


def _say_open_string(found: Lexeme) -> Diagnostic:
    return Diagnostic(
        code="E0104",
        headline="text in quotes has no end on its line",
        primary=Label(found.span, 'no `"` before the end of the line'),
    )


def _say_later(found: Lexeme) -> Diagnostic:
    return Diagnostic(
        code="E0108",
        headline=f"`{found.text}` is not yet supported",
        primary=Label(found.span, f"will declare {LATER_STATEMENTS[found.text]}"),
    )


def _say_reserved(found: Lexeme) -> Diagnostic:
    word = found.text
    return Diagnostic(
        code="E0106",
        headline=f"`{word}` is a reserved word",
        primary=Label(found.span, "cannot be a name"),
        helps=(f"another name, such as `{word.lower()}_1`",),
    )


def _say_no_statement(at: Situation) -> Diagnostic:
    found = at.found
    word = found.text
    helps: tuple[str, ...] = ()
    if found.type == "NAME":
        small = word[:40].lower()
        near = get_close_matches(small, STATEMENT_WORDS, n=1, cutoff=0.7)
        meant = _FOREIGN.get(small) or (near[0] if near else None)
        if meant:
            helps = (f"did you mean `{meant}`?",)
        elif at.after.type == "EQUAL":
            helps = (f"a name for a value: `let {_shorten(_rest_of_line(found))}`",)
        elif at.after.type in ("TILDE", "RELATION", "MORE"):
            helps = (f"name it as a term: `prefer close: {_shorten(_rest_of_line(found))}`",)
    elif word == at.after.text == "/":
        helps = (_COMMENT_HINT,)
    return Diagnostic(
        code="E0107",
        headline=f"{_show(found)} does not begin a statement",
        primary=Label(found.span, "expected a word such as `var`, `let` or `require`"),
        helps=helps,
    )


def _say_unclosed(at: Situation, opener: Lexeme) -> Diagnostic:
    sign = _SIGNS[opener.type]
    closer = _SIGNS[CLOSERS[opener.type]]
    opened = Label(opener.span, f"`{sign}` is opened here")
    if at.found.type in CLOSERS.values():
        return Diagnostic(
            code="E0103",
            headline=f"`{at.found.text}` does not close `{sign}`",
            primary=Label(at.found.span, f"expected `{closer}` before this"),
            secondary=(opened,),
        )
    place = at.before or at.found
    return Diagnostic(
        code="E0103",
        headline=f"`{sign}` is never closed",
        primary=Label(place.span, f"expected `{closer}` after this"),
        secondary=(opened,) if place != opener else (),
    )


def _say_unopened(found: Lexeme) -> Diagnostic:
    (sign,) = (_SIGNS[opener] for opener, closer in CLOSERS.items() if closer == found.type)
    return Diagnostic(
        code="E0102",
        headline=f"unexpected `{found.text}`",
        primary=Label(found.span, f"no `{sign}` is open here"),
    )


def _say_unfinished(at: Situation, before: Lexeme) -> Diagnostic:
    what = f"`{at.begins.text}` statement" if at.begins else "expression"
    return Diagnostic(
        code="E0102",
        headline=f"unfinished {what}",
        primary=Label(before.span, f"expected {_describe_expected(at)} after this"),
        helps=tuple(_hints(at)),
    )


def _say_unexpected(at: Situation) -> Diagnostic:
    headline = f"unexpected {_show(at.found)}"
    if at.found.type == "RSQB" and at.before and at.before.type == "LSQB":
        headline = "nothing between `[` and `]`"
    return Diagnostic(
        code="E0102",
        headline=headline,
        primary=Label(at.found.span, f"expected {_describe_expected(at)}"),
        helps=tuple(_hints(at)),
    )


def _describe_expected(at: Situation) -> str:
    is_density = at.before is not None and at.before.type == "TILDE"
    return "a distribution" if is_density else describe_expected(at.kinds)


def _show(lexeme: Lexeme) -> str:
    return "end of the text" if lexeme.type == END else f"`{_shorten(lexeme.text)}`"


def _shorten(text: str) -> str:
    most = 30
    return text if len(text) <= most else text[: most - 3] + "..."


# --- hints ---------------------------------------------------------------------------


def _hints(at: Situation) -> Iterator[str]:
    """Yield the ways out that fit: habits from other notations, and words left out."""
    found, before = at.found, at.before
    an_operator_fits = "TIMES" in at.kinds
    between = (before.text if before else "", found.text)
    touches = before is not None and before.span.end == found.span.start
    if found.type == "EQUAL" and an_operator_fits:
        yield "equality is written `==`: `a == b within 0.1`"
    if between == ("*", "*") and touches:
        yield "a power is written `^`: `x^2`"
    if between == ("/", "/") and touches:
        yield _COMMENT_HINT
    if before and before.type == "NUMBER" and found.type in ("NAME", "LPAR") and an_operator_fits:
        yield f"multiplication is written out: `{before.text} * {found.text}`"
    if found.type == "DOT" and "NUMBER" in (before.type if before else "", at.after.type):
        yield "a number has digits on both sides of its point: `0.5`, `1.0`"
    if found.type == "WITHIN" and an_operator_fits:
        yield "a tolerance belongs to a relation: `a <= b within 0.1`"
        yield "a quantifier reaches as far as it can: `a <= (sum i in 0..3: x[i]) within 0.1`"
    if found.type == "RANGE" and an_operator_fits:
        yield "a range stands in a quantifier or an index: `sum i in 0..3: x[i]`, `x[0..3]`"
    if found.type == "LPAR" and an_operator_fits and before and before.type == "RSQB":
        yield "only a name can be called: `f(x)`"
    if at.begins and at.begins.type == "TERM" and before and _misses_name(at, before):
        value = "a <= b" if at.begins.text in ("require", "prefer") else "a - b"
        yield f"a term has a name: `{at.begins.text} close: {value}`"
    if at.begins and at.begins.type in ("VAR", "GIVEN") and before and at.kinds == {"COLON"}:
        yield f"a domain says where it lives: `{at.begins.text} {before.text}: real`"
    if before and before.type == "TILDE":
        yield "a distribution has parameters in brackets: `x ~ normal(0, 1)`"
    if found.type == "COLON" and {"IN", "COMMA"} <= at.kinds:
        yield "domains stand in the one `forall` of a `property`: `forall a: real, b: real: ...`"
    if at.begins and at.begins.type == "SPEC" and found.type == "LBRACE" and "LPAR" in at.kinds:
        yield f"a spec without parameters has brackets too: `spec {between[0]}() {{ }}`"
    if found.type == "NAME" and "REAL" in at.kinds:
        near = get_close_matches(found.text[:40], DOMAIN_WORDS, n=1, cutoff=0.7)
        meant = _FOREIGN_DOMAINS.get(found.text) or (near[0] if near else None)
        if meant:
            yield f"did you mean `{meant}`?"
    if at.begins and before and before.type == "IN" and "LSQB" in at.kinds and len(at.kinds) == 1:
        yield "bounds of a `real` are written `in [lo, hi]`"
    if at.begins and before and before.type == "RSQB" and {"RANGE", "TIMES"} <= at.kinds:
        yield "bounds of an `int` are written `in 0..9`"


def _rest_of_line(found: Lexeme) -> str:
    source = found.span.source
    line, column = source.position(found.span.start)
    return source.line(line)[column - 1 :].partition("#")[0].rstrip()


def _misses_name(at: Situation, before: Lexeme) -> bool:
    return before == at.begins or (at.kinds == {"COLON"} and before.type == "NAME")
