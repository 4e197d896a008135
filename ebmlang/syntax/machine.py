"""The parsing machine: takes one lexeme at a time, and can step back to a statement.

It is lark's LALR automaton with two additions: it can tell which kinds of lexeme it would
take next, and drop an unfinished statement.
"""

from collections.abc import Iterable
from typing import Any

from lark.lexer import LexerThread
from lark.parsers.lalr_analysis import Shift

from ebmlang.syntax.grammar import load_grammar
from ebmlang.syntax.lexemes import END, Lexeme, RawToken

_A_STATEMENT = "VAR"
"""A kind that begins a statement and stands nowhere else."""


def lex(text: str) -> Iterable[RawToken]:
    """Cut a text with the terminals of the grammar."""
    frontend = load_grammar().parser
    return LexerThread.from_text(frontend.lexer, text).lex(None)


class Machine:
    """An automaton on its way through a text.

    Attributes:
        result: What was built, once `END` was taken.
    """

    def __init__(self, start: str) -> None:
        state = load_grammar().parse_interactive("", start=start).parser_state
        self._feed = state.feed_token
        self._states = state.state_stack
        self._values = state.value_stack
        self._table = state.parse_conf.states
        self._end_state = state.parse_conf.end_state
        self.result: Any = None  # the tree of a file, an expression or a domain

    @property
    def depth(self) -> int:
        """How many pieces wait to be joined."""
        return len(self._states)

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds of lexeme that it would take now."""
        return frozenset(
            kind for kind in self._table[self._states[-1]] if kind.isupper() and self.takes(kind)
        )

    @property
    def is_between_statements(self) -> bool:
        """Whether a statement list goes on right here, with nothing begun."""
        return self._begins_statement(self._states[-1])

    def feed(self, lexeme: Lexeme) -> bool:
        """Take a lexeme; where it does not fit, return False with nothing changed."""
        # Asked first, because lark joins pieces before it finds that the lexeme does not fit.
        if not self.takes(lexeme.type):
            return False
        # Of a token, lark reads the type only; the builders want our lexemes.
        result = self._feed(lexeme, lexeme.type == END)  # type: ignore[arg-type]
        if lexeme.type == END:
            self.result = result
        return True

    def takes(self, kind: str) -> bool:
        """Return whether a lexeme of this kind would fit, without taking it."""
        untouched = len(self._states)
        pushed: list[Any] = []  # states of lark
        while True:
            row = self._table[pushed[-1] if pushed else self._states[untouched - 1]]
            if kind not in row:
                return False
            action, argument = row[kind]
            if action is Shift:
                return True
            size = len(argument.expansion)
            untouched -= max(0, size - len(pushed))
            del pushed[max(0, len(pushed) - size) :]
            row = self._table[pushed[-1] if pushed else self._states[untouched - 1]]
            pushed.append(row[argument.origin.name][1])
            if kind == END and pushed[-1] == self._end_state:
                return True

    def drop_statement(self) -> None:
        """Step back to the innermost statement list that can go on."""
        while not self._begins_statement(self._states[-1]):
            self._states.pop()
            self._values.pop()

    def _begins_statement(self, state: Any) -> bool:  # a state of lark
        action = self._table[state].get(_A_STATEMENT)
        return action is not None and action[0] is Shift
