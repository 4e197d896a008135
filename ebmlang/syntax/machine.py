"""The parsing machine: takes one lexeme at a time, and can step back to a statement.

It is an LALR automaton with two additions: it can tell which kinds of lexeme it would take
next, and drop an unfinished statement.
"""

from typing import Any

from ebmlang.syntax.grammar import Grammar
from ebmlang.syntax.lexemes import END, Lexeme

_A_STATEMENT = "VAR"
"""A kind that begins a statement and stands nowhere else."""


class Machine:
    """An automaton on its way through a text.

    Attributes:
        result: What was built, once `END` was taken.
    """

    def __init__(self, grammar: Grammar, start: str) -> None:
        self._shifts = grammar.shifts
        self._reductions = grammar.reductions
        self._states = [grammar.first[start]]
        self._values: list[Any] = []  # lexemes, nodes, and what else the rules build
        self._last = grammar.last[start]
        self.result: Any = None  # what the start rule builds

    @property
    def depth(self) -> int:
        """How many pieces wait to be joined."""
        return len(self._values)

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds of lexeme that it would take now."""
        state = self._states[-1]
        possible = {*self._shifts[state], *self._reductions[state]}
        return frozenset(kind for kind in possible if kind.isupper() and self.takes(kind))

    @property
    def is_between_statements(self) -> bool:
        """Whether a statement list goes on right here, with nothing begun."""
        return _A_STATEMENT in self._shifts[self._states[-1]]

    def feed(self, lexeme: Lexeme) -> bool:
        """Take a lexeme; where it does not fit, return False with nothing changed."""
        states, values, kind = self._states, self._values, lexeme.type
        undo: list[tuple[list[int], list[Any]]] = []
        while True:
            state = states[-1]
            target = self._shifts[state].get(kind)
            if target is not None:
                states.append(target)
                values.append(lexeme)
                return True
            rule = self._reductions[state].get(kind)
            if rule is None:
                self._restore(undo)
                return False
            kept = len(values) - rule.size
            parts = values[kept:]
            undo.append((states[kept + 1 :], parts))
            del states[kept + 1 :]
            del values[kept:]
            values.append(rule.build(parts))
            states.append(self._shifts[states[-1]][rule.name])
            if kind == END and states[-1] == self._last:
                self.result = values[-1]
                return True

    def takes(self, kind: str) -> bool:
        """Return whether a lexeme of this kind would fit, without taking it."""
        untouched = len(self._states)
        pushed: list[int] = []
        while True:
            state = pushed[-1] if pushed else self._states[untouched - 1]
            if kind in self._shifts[state]:
                return True
            rule = self._reductions[state].get(kind)
            if rule is None:
                return False
            untouched -= max(0, rule.size - len(pushed))
            del pushed[max(0, len(pushed) - rule.size) :]
            state = pushed[-1] if pushed else self._states[untouched - 1]
            pushed.append(self._shifts[state][rule.name])
            if kind == END and pushed[-1] == self._last:
                return True

    def drop_statement(self) -> None:
        """Step back to the innermost statement list that can go on."""
        while not self.is_between_statements:
            self._states.pop()
            self._values.pop()

    def drop_body(self) -> None:
        """Step back over the innermost body that is open, and over the spec that it is of."""
        self.drop_statement()
        while not _is_brace(self._values.pop()):
            self._states.pop()
        self._states.pop()
        self.drop_statement()

    def _restore(self, undo: list[tuple[list[int], list[Any]]]) -> None:
        for states, values in reversed(undo):
            self._states.pop()
            self._values.pop()
            self._states += states
            self._values += values


def _is_brace(value: object) -> bool:
    return isinstance(value, Lexeme) and value.type == "LBRACE"
