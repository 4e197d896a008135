"""Free names: which names a statement speaks of that it does not bind itself.

This is read off the tree alone. It gives the order in which definitions are checked, finds
those that go in a circle, and finds unknown names in functions that nothing calls.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, assert_never

from ebmlang.source import Span
from ebmlang.syntax import tree


class Namespace(Enum):
    """The two kinds of names."""

    VALUE = "value"
    CALLABLE = "callable"


Key: TypeAlias = tuple[Namespace, str]

Definition: TypeAlias = (
    tree.Const | tree.Given | tree.Var | tree.Let | tree.Part | tree.Fn | tree.Spec
)


@dataclass(frozen=True, slots=True)
class FreeName:
    """A name spoken of, and where."""

    namespace: Namespace
    name: str
    span: Span

    @property
    def key(self) -> Key:
        """What it is looked up by."""
        return (self.namespace, self.name)


def key_of(statement: Definition) -> Key:
    """Return the name that a definition introduces."""
    is_callable = isinstance(statement, tree.Fn | tree.Spec)
    return (Namespace.CALLABLE if is_callable else Namespace.VALUE, statement.name.name)


def find_free_names(statement: tree.Statement) -> list[FreeName]:
    """Return the names that the definition of a statement depends on, in order of place.

    A variable's prior is not part of its definition: it may speak of what depends on it.
    """
    found: list[FreeName] = []
    none: frozenset[str] = frozenset()
    match statement:
        case tree.Import() | tree.Logic() | tree.Property() | tree.Example() | tree.Priority():
            # No definition depends on what properties, examples and priorities speak of.
            pass
        case tree.Const() | tree.Let() | tree.ReportValue() | tree.DefaultTolerance():
            _collect(statement.value, none, found)
        case tree.Given():
            _collect_domain(statement.domain, found)
            if statement.default is not None:
                _collect(statement.default, none, found)
        case tree.Var():
            _collect_domain(statement.domain, found)
        case tree.Part():
            _collect(statement.instance, none, found)
            if statement.weight is not None:
                _collect(statement.weight, none, found)
        case tree.Term():
            _collect(statement.value, none, found)
            if statement.weight is not None:
                _collect(statement.weight, none, found)
        case tree.Fn():
            bound = _collect_parameters(statement.parameters, found)
            _collect(statement.body, bound, found)
        case tree.Spec():
            bound = _collect_parameters(statement.parameters, found)
            found.extend(_free_in_body(statement.body, bound))
        case _:
            assert_never(statement)
    return found


def find_order(statements: Iterable[Definition]) -> tuple[list[Key], list[list[Key]]]:
    """Return the names of definitions, each after those it depends on, and the circles.

    Args:
        statements: Definitions with distinct names.

    Returns:
        All names in an order of dependence, which is the order written wherever that is one;
        and each circle once, as the names along it.
    """
    known = {key_of(statement): statement for statement in statements}
    needs = {
        key: list(dict.fromkeys(n.key for n in find_free_names(statement) if n.key in known))
        for key, statement in known.items()
    }
    order: list[Key] = []
    circles: list[list[Key]] = []
    done: set[Key] = set()
    for root in known:
        if root in done:
            continue
        path: list[Key] = [root]
        places = {root: 0}
        pending = [iter(needs[root])]
        while path:
            for need in pending[-1]:
                if need in places:
                    circles.append(path[places[need] :])
                elif need not in done:
                    places[need] = len(path)
                    path.append(need)
                    pending.append(iter(needs[need]))
                    break
            else:
                pending.pop()
                key = path.pop()
                del places[key]
                done.add(key)
                order.append(key)
    return order, circles


def declared_names(statements: Iterable[tree.Statement]) -> set[Key]:
    """Return the names that the statements of a body introduce, imports and sizes included."""
    names: set[Key] = set()
    for statement in statements:
        match statement:
            case tree.Import(names=None):
                names.update((Namespace.VALUE, word.name) for word in statement.path[-1:])
            case tree.Import():
                for word in statement.names or ():
                    names |= {(Namespace.VALUE, word.name), (Namespace.CALLABLE, word.name)}
            case tree.Given():
                names.add(key_of(statement))
                names.update((Namespace.VALUE, name.name) for name in bare_sizes(statement.domain))
            case tree.Const() | tree.Var() | tree.Let() | tree.Part() | tree.Fn() | tree.Spec():
                names.add(key_of(statement))
            case _:
                pass
    return names


def bare_sizes(domain: tree.Domain) -> list[tree.Name]:
    """Return the sizes of a domain that are nothing but a name, which may introduce it."""
    return [size for size in (*domain.array, *domain.shape) if isinstance(size, tree.Name)]


def _free_in_body(statements: tuple[tree.Statement, ...], bound: frozenset[str]) -> list[FreeName]:
    own = declared_names(statements) | {(Namespace.VALUE, name) for name in bound}
    found: list[FreeName] = []
    for statement in statements:
        found.extend(find_free_names(statement))
        if isinstance(statement, tree.Var) and statement.prior is not None:
            for argument in statement.prior.arguments:
                _collect(argument.value, frozenset(), found)
    return [name for name in found if name.key not in own]


def _collect_parameters(
    parameters: tuple[tree.Parameter, ...], found: list[FreeName]
) -> frozenset[str]:
    bound = frozenset(parameter.name.name for parameter in parameters)
    sizes: list[FreeName] = []
    for parameter in parameters:
        if parameter.domain is not None:
            _collect_domain(parameter.domain, sizes)
    found.extend(name for name in sizes if name.name not in bound)
    return bound


def _collect_domain(domain: tree.Domain, found: list[FreeName]) -> None:
    for part in (*domain.array, *domain.shape, domain.lower, domain.upper):
        if part is not None:
            _collect(part, frozenset(), found)


def _collect_binding(
    binding: tree.Binding, bound: frozenset[str], found: list[FreeName]
) -> frozenset[str]:
    _collect(binding.domain, bound, found)
    inside = bound | {name.name for name in binding.names}
    if binding.condition is not None:
        _collect(binding.condition, inside, found)
    return inside


def _collect(
    node: tree.Expression | tree.Range, bound: frozenset[str], found: list[FreeName]
) -> None:
    match node:
        case tree.Number() | tree.Text():
            pass
        case tree.Name():
            if node.name not in bound:
                found.append(FreeName(Namespace.VALUE, node.name, node.span))
        case tree.Negative() | tree.Not():
            _collect(node.operand, bound, found)
        case tree.Arithmetic() | tree.Implies() | tree.Iff():
            _collect(node.left, bound, found)
            _collect(node.right, bound, found)
        case tree.Relation():
            for operand in node.operands:
                _collect(operand, bound, found)
            if node.tolerance is not None:
                _collect(node.tolerance, bound, found)
        case tree.Distributed():
            _collect(node.left, bound, found)
            for argument in node.distribution.arguments:
                _collect(argument.value, bound, found)
        case tree.And() | tree.Or():
            for operand in node.operands:
                _collect(operand, bound, found)
        case tree.Call():
            if isinstance(node.function, tree.Name):
                name = node.function
                found.append(FreeName(Namespace.CALLABLE, name.name, name.span))
            else:
                _collect(node.function.base, bound, found)
            for argument in node.arguments:
                _collect(argument.value, bound, found)
        case tree.Mix():
            for weight, component in node.components:
                _collect(weight, bound, found)
                _collect(component, bound, found)
        case tree.Range():
            _collect(node.first, bound, found)
            _collect(node.last, bound, found)
        case tree.Index():
            _collect(node.base, bound, found)
            for item in node.items:
                _collect(item, bound, found)
        case tree.Field():
            _collect(node.base, bound, found)
        case tree.Array():
            for element in node.elements:
                _collect(element, bound, found)
        case tree.Builder():
            _collect(node.element, _collect_binding(node.binding, bound, found), found)
        case tree.Quantifier():
            _collect(node.body, _collect_binding(node.binding, bound, found), found)
        case tree.Conditional():
            for part in (node.condition, node.yes, node.no):
                _collect(part, bound, found)
        case tree.Scan():
            _collect(node.start, bound, found)
            inside = _collect_binding(node.binding, bound, found)
            _collect(node.body, inside | {node.state.name}, found)
        case _:
            assert_never(node)
