"""Numbers for expressions, the same for two that say the same thing.

Whether two densities are densities of the same left side is asked structurally: `x - y` and
`x - y` are one, also through a `let`. Rows are shared, so that no formula costs more than its text.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from ebmlang.check.formulas import (
    Apply,
    At,
    Between,
    Call,
    Convert,
    Expression,
    Index,
    Literal,
    Member,
    Normalized,
    Reference,
    SizeValue,
    Symbol,
)
from ebmlang.check.walk import children

Atom: TypeAlias = tuple[Symbol, ...]
"""A symbol, or a symbol in a part with the path to it."""

_Row: TypeAlias = tuple[tuple[object, ...], tuple[int, ...]]


class KeyTable:
    """Keys of expressions. A key is larger than the keys it is made of."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._numbers: dict[_Row, int] = {}
        self._seen: dict[int, tuple[Expression, int]] = {}
        self._defined: dict[Symbol, int] = {}

    def define(self, symbol: Symbol, value: Expression) -> None:
        """Make a symbol say the same as its value."""
        self._defined[symbol] = self.key(value)

    def key(self, expression: Expression) -> int:
        """Return the number of an expression."""
        seen = self._seen.get(id(expression))
        if seen is not None:
            return seen[1]
        number = self._find(expression)
        self._seen[id(expression)] = (expression, number)
        return number

    def atom_key(self, atom: Atom) -> int:
        """Return the number of a symbol, spoken of by the path that leads to it."""
        *path, symbol = atom
        return self._row(("member", *path, symbol)) if path else self._row(("symbol", symbol))

    def substitute(self, key: int, replacements: Mapping[Symbol, int]) -> int:
        """Return the key of an expression in which symbols have become other expressions."""
        result: dict[int, int] = {}
        for number in sorted(self._reach((key,))):
            head, parts = self._rows[number]
            match head:
                case ("symbol", Symbol() as symbol) if symbol in replacements:
                    result[number] = replacements[symbol]
                case _:
                    result[number] = self._row(head, tuple(result[part] for part in parts))
        return result[key]

    def atoms(self, keys: Iterable[int]) -> frozenset[Atom]:
        """Return the symbols that some expressions depend on."""
        found: set[Atom] = set()
        for number in self._reach(keys):
            match self._rows[number][0]:
                case ("symbol", Symbol() as symbol):
                    found.add((symbol,))
                case ("member", *path):
                    found.add(tuple(symbol for symbol in path if isinstance(symbol, Symbol)))
        return frozenset(found)

    def _reach(self, keys: Iterable[int]) -> set[int]:
        reached: set[int] = set()
        pending = list(keys)
        while pending:
            number = pending.pop()
            if number not in reached:
                reached.add(number)
                pending.extend(self._rows[number][1])
        return reached

    def _row(self, head: tuple[object, ...], parts: tuple[int, ...] = ()) -> int:
        row = (head, parts)
        number = self._numbers.get(row)
        if number is None:
            number = self._numbers[row] = len(self._rows)
            self._rows.append(row)
        return number

    def _find(self, expression: Expression) -> int:
        parts = tuple(self.key(child) for child in children(expression))
        match expression:
            case Literal(value=value, type=type_):
                return self._row(("literal", type_.sort, value))
            case SizeValue(size=size):
                return self._row(("size", size))
            case Reference(symbol=symbol):
                defined = self._defined.get(symbol)
                return self._row(("symbol", symbol)) if defined is None else defined
            case Member(path=path):
                return self._row(("member", *path))
            case Convert(type=type_):
                return self._row(("convert", type_.sort), parts)
            case Apply(operator=operator, options=options):
                return self._row(("apply", operator, options), parts)
            case Index(items=items):
                return self._row(("index", *map(_pattern, items)), parts)
            case Call(instance=instance):
                return self._row(("call", id(instance)), (*parts, self.key(instance.result)))
            case Normalized(name=name):
                return self._row(("normalized", name), parts)
            case _:
                return self._row(("other", id(expression)), parts)


def _pattern(item: At | Between) -> object:
    return None if isinstance(item, At) else (item.first, item.last)
