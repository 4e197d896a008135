"""The state of one check: what it reports to, what it has seen, and how far it may go."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ebmlang.check.formulas import Expression, Symbol, SymbolKind
from ebmlang.check.keys import KeyTable
from ebmlang.check.names import Key
from ebmlang.check.program import Body, Let, Part
from ebmlang.lang import Size
from ebmlang.source import Diagnostic, Label, Report, Span
from ebmlang.source.limits import GRAPH_NODES, NESTING
from ebmlang.syntax import tree

if TYPE_CHECKING:
    from ebmlang.check.externs import Extern
    from ebmlang.check.modules import ModuleLoader
    from ebmlang.check.scope import CallableEntry, Scope
    from ebmlang.check.value import Value

CALLS_SHOWN = 4
"""How many calls a message about the inside of a function shows: the innermost and the first."""

INSTANCES = 10_000
"""How many instances of functions and specs one program may have; each is checked once."""

SUGGESTIONS = 50
"""How many messages of one run look for a name that was meant; looking costs time."""


class Session:
    """What all parts of one check share.

    Attributes:
        frames: The calls that lead to the place being checked, outermost first.
        definitions: The value of every `const` and `let` so far.
        declared: Where each symbol gets its type.
        parts: Every part so far, by its symbol.
        statement: The name of the term or `let` that is being checked.
        sizes: The size names that only the data binds, in order of first use.
        instances: Every function and spec instance by definition and arguments.
        instantiated: Identities of the statements that have an instance.
        declared_callables: Every `fn` and `spec` declared, with its scope.
        modules: Every imported file by its source's name; None where it cannot be used.
        shared: Definitions of imported files, in order of dependence.
        loading: The sources whose imports are being read, outermost first.
        undeclared: Names that were reported to be declared nowhere, once for all places.
        room: How many expressions may be looked at; one more for each character of the text.
        muted: Words inside text that the parser could not read; they count as declared.
    """

    def __init__(
        self,
        report: Report,
        *,
        infer: "Callable[[tree.Expression, Scope], Value | None]",
        declare: "Callable[[Sequence[tree.Statement], Scope], list[Key]]",
        build_body: "Callable[[Sequence[tree.Statement], Scope], Body]",
        loader: "ModuleLoader | None",
        constants: Mapping[str, int | float | bool],
        externs: "Mapping[str, Extern]",
    ) -> None:
        self.report = report
        self.infer = infer
        self.declare = declare
        self.build_body = build_body
        self.loader = loader
        self.constants = constants
        self.externs = externs
        self.frames: tuple[Label, ...] = ()
        self.definitions: dict[Symbol, Expression] = {}
        self.declared: dict[Symbol, Span] = {}
        self.parts: dict[Symbol, Part] = {}
        self.statement = ""
        self.sizes: dict[str, Size] = {}
        # Any: calls keep their own records here, which know of sessions.
        self.instances: dict[object, Any] = {}
        self.instantiated: set[int] = set()
        self.declared_callables: list[tuple[CallableEntry, Scope]] = []
        self.modules: dict[str, Scope | None] = {}
        self.shared: list[Let | Part] = []
        self.loading: list[str] = []
        self.undeclared: set[str] = set()
        self.muted: set[str] = set()
        self.keys = KeyTable()
        # Any: arrays of NumPy, which is imported only when a constant is evaluated.
        self.constant_values: dict[Symbol, Any] = {}
        self.evaluation_steps = 0
        self.resolving = 0
        self.room = GRAPH_NODES
        self._depth = 0
        self._peak = 0
        self._steps = 0
        self._symbols = 0
        self._integrals: Counter[str] = Counter()
        self._stopped = False
        self._suggestions = SUGGESTIONS

    def error(
        self,
        code: str,
        headline: str,
        span: Span,
        label: str = "",
        *,
        secondary: Iterable[Label] = (),
        notes: tuple[str, ...] = (),
        helps: tuple[str, ...] = (),
        calls: bool = True,
    ) -> None:
        """Report one message; `calls` adds the calls that lead to its place."""
        frames = self.frames[::-1] if calls else ()
        if len(frames) > CALLS_SHOWN:
            frames = (*frames[: CALLS_SHOWN - 1], frames[-1])
        self.report.add(
            Diagnostic(
                code=code,
                headline=headline,
                primary=Label(span, label),
                secondary=(*secondary, *frames),
                notes=notes,
                helps=helps,
            )
        )

    def symbol(self, name: str, kind: SymbolKind, declared: Span) -> Symbol:
        """Return a new symbol."""
        self._symbols += 1
        symbol = Symbol(self._symbols, name, kind)
        self.declared[symbol] = declared
        return symbol

    def name_integral(self) -> str:
        """Return a name for the integral of a `normalize`: that of its statement, and a number."""
        self._integrals[self.statement] += 1
        count = self._integrals[self.statement]
        return self.statement if count == 1 else f"{self.statement}:{count}"

    def define(self, symbol: Symbol, value: Expression) -> None:
        """Remember what a `const` or `let` stands for."""
        self.definitions[symbol] = value
        self.keys.define(symbol, value)

    def enter(self, span: Span, levels: int = 1) -> bool:
        """Go down into an expression; False, and reported, where that is too deep or too much."""
        self._steps += 1
        self._depth += levels
        self._peak = max(self._peak, self._depth)
        if self._stopped:
            return False
        if self._depth > NESTING:
            self.stop(
                "E0105",
                "expressions are nested too deep",
                span,
                f"more than {NESTING} levels, calls included",
                "name inner parts by `let`, or use `sum`, `forall` or `scan`",
            )
        elif self._steps > self.room:
            self.stop(
                "E0316",
                "the spec is too large",
                span,
                f"more than {self.room:,} expressions when this is reached",
            )
        elif len(self.instances) > INSTANCES:
            self.stop(
                "E0316",
                "functions and specs multiply out",
                span,
                f"more than {INSTANCES} combinations of arguments when this is reached",
                "let them be called with fewer shapes, or with fewer constants",
            )
        return not self._stopped

    def stop(self, code: str, headline: str, span: Span, label: str, help_text: str = "") -> None:
        """Report that a limit is passed, and look at no further expression until `resume`."""
        if self._stopped:
            return
        helps = (help_text,) if help_text else ()
        self.error(code, headline, span, label, helps=helps)
        self._stopped = True

    def resume(self) -> None:
        """Go on with another statement, unless all that one check may do is done."""
        spent = self._steps > self.room or len(self.instances) > INSTANCES
        self._stopped = self._stopped and (spent or bool(self.frames))

    def leave(self, levels: int = 1) -> None:
        """Come back up from an expression."""
        self._depth -= levels

    def begin_measure(self) -> int:
        """Start to measure how deep an instance goes; give the result to `end_measure`."""
        before, self._peak = self._peak, self._depth
        return before

    def end_measure(self, before: int) -> int:
        """Return how many levels were gone down since `begin_measure`."""
        height = self._peak - self._depth
        self._peak = max(before, self._peak)
        return height

    def closest(self, name: str, candidates: Iterable[str]) -> str | None:
        """Return the known name that was probably meant."""
        self._suggestions -= 1
        if self._suggestions < 0:
            return None
        near = [c for c in candidates if abs(len(c) - len(name)) <= 3]
        found = difflib.get_close_matches(name, near, n=1, cutoff=0.65)
        return found[0] if found else None
