"""Names and what they stand for: scopes inside scopes, with two namespaces each.

Values (`const given var let part`, sizes, parameters, binders, modules) and callables (`fn`,
`spec`) do not meet, so `var beta: real` is fine next to the distribution `beta`. Entries are
resolved when first needed; statements may stand in any order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ebmlang.check.externs import Extern
from ebmlang.check.program import Given, Let, Part, Variable
from ebmlang.check.session import Session
from ebmlang.check.value import Binding, Target, Value
from ebmlang.source import Span
from ebmlang.source.limits import NESTING
from ebmlang.syntax import tree

CONSTANT_NAMES = ("pi", "inf", "true", "false")
"""Names with a value from the start."""


class Entry:
    """A name of the value namespace.

    Attributes:
        word: What introduced it, in the language's own word.
        used: Whether anything speaks of it.
    """

    def __init__(
        self,
        name: str,
        span: Span,
        word: str,
        session: Session,
        resolve: Callable[[], Target | None],
    ) -> None:
        self.name = name
        self.span = span
        self.word = word
        self.used = False
        self._session = session
        self._frames = session.frames
        self._resolve: Callable[[], Target | None] | None = resolve
        self._running = False
        self._target: Target | None = None

    def poison(self) -> None:
        """Make everything that depends on it silent; what is wrong was said already."""
        self._resolve = None

    def target(self) -> Target | None:
        """Return what the name stands for; None, and reported, where that has an error."""
        session = self._session
        if self._running:
            session.error("E0205", f"`{self.name}` is defined by itself", self.span, calls=False)
            return None
        if self._resolve is None:
            return self._target
        if session.resolving >= NESTING:
            session.error("E0105", "definitions hang on each other in too long a chain", self.span)
            return None
        resolve, self._resolve, self._running = self._resolve, None, True
        frames, session.frames = session.frames, self._frames
        session.resolving += 1
        try:
            self._target = resolve()
        finally:
            session.resolving -= 1
            session.frames = frames
            self._running = False
        return self._target


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionDefinition:
    """A `fn` and the scope it closes over."""

    statement: tree.Fn
    scope: "Scope"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpecDefinition:
    """A `spec` and the scope it closes over."""

    statement: tree.Spec
    scope: "Scope"


Callee: TypeAlias = FunctionDefinition | SpecDefinition | Extern


@dataclass(slots=True, kw_only=True)
class CallableEntry:
    """A name of the callable namespace; its callee is None where its definition has an error."""

    name: str
    span: Span | None
    word: str
    callee: Callee | None


@dataclass(slots=True, kw_only=True)
class Context:
    """What holds for a whole body, and what has come out of it so far.

    Attributes:
        logic: The logic that its formulas are read in.
        tolerance: Yields the default tolerance, or None without one.
        definitions: Its `let`, `const` and `part` definitions, in order of dependence.
        givens, variables: Its inputs and unknowns, in the order they were resolved.
        owner: Path of specs it is in, which qualifies the size names it introduces.
        main: Whether it is the file that is checked, whose constants can be overridden.
        imported: Whether it is an imported file, whose variables and terms are not taken.
        standard: Whether it belongs to the standard library.
    """

    logic: str = "product"
    tolerance: Callable[[], Value | None] = lambda: None
    definitions: list[Let | Part] = field(default_factory=list)
    givens: list[Given] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    owner: str = ""
    main: bool = False
    imported: bool = False
    standard: bool = False


class Scope:
    """Names that are visible together, and the scope around them."""

    def __init__(self, session: Session, context: Context, parent: "Scope | None" = None) -> None:
        self.session = session
        self.context = context
        self.parent = parent
        self.values: dict[str, Entry] = {}
        self.callables: dict[str, CallableEntry] = {}

    def infer(self, node: tree.Expression) -> Value | None:
        """Return the typed form of an expression in this scope; None, and reported, if wrong."""
        return self.session.infer(node, self)

    def inner(self, context: Context | None = None) -> "Scope":
        """Return a new scope inside this one."""
        return Scope(self.session, context or self.context, self)

    def bind(self, name: tree.Identifier, word: str, target: Target) -> None:
        """Give a name a meaning that is known already."""
        self.values[name.name] = Entry(name.name, name.span, word, self.session, lambda: target)

    def find_value(self, name: str) -> Entry | None:
        """Return the entry of a value, looking outwards."""
        for scope in self.outwards():
            entry = scope.values.get(name)
            if entry is not None:
                return entry
        return None

    def find_callable(self, name: str) -> CallableEntry | None:
        """Return the entry of a callable, looking outwards."""
        for scope in self.outwards():
            entry = scope.callables.get(name)
            if entry is not None:
                return entry
        return None

    def outwards(self) -> "Iterator[Scope]":
        """Yield this scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def value_names(self) -> list[str]:
        """Return all names of values that are visible here."""
        return [name for scope in self.outwards() for name in scope.values]

    def callable_names(self) -> list[str]:
        """Return all names of callables of the user's that are visible here."""
        return [name for scope in self.outwards() for name in scope.callables]


def is_known_name(name: str, scope: Scope) -> bool:
    """Whether a name stands for a value here."""
    return name in CONSTANT_NAMES or scope.find_value(name) is not None


def find_binding(entry: Entry) -> Binding | None:
    """Return the binding behind an entry, if it has one and has no error."""
    target = entry.target()
    return target if isinstance(target, Binding) else None
