"""Names in expressions: of values, of sizes, of members of parts and modules."""

import math
from dataclasses import replace

from ebmlang.check.conversion import convert
from ebmlang.check.scope import CONSTANT_NAMES, Entry, Scope
from ebmlang.check.value import (
    AbsentTarget,
    Binding,
    ModuleTarget,
    PartTarget,
    SizeTarget,
    Target,
    Value,
    literal,
    size_value,
    snippet,
)
from ebmlang.lang import Sort
from ebmlang.source import Span
from ebmlang.syntax import tree

_CONSTANTS = dict(zip(CONSTANT_NAMES, (math.pi, math.inf, True, False), strict=True))

LENT = ("const", "let", "size", "module")
"""What can be taken from an imported file, besides callables."""


def infer_name(node: tree.Name, scope: Scope) -> Value | None:
    """Return the value that a name stands for."""
    if node.name in _CONSTANTS and scope.find_value(node.name) is None:
        return literal(_CONSTANTS[node.name], node.span)
    target = find_target(node, scope)
    return None if target is None else _value_of(target, node.span, scope)


def infer_field(node: tree.Field, scope: Scope) -> Value | None:
    """Return the value that `base.name` stands for."""
    target = find_target(node, scope)
    if target is None:
        return None
    value = _value_of(target, node.span, scope)
    if value is not None and value.sort is Sort.DENSITY:
        # Inside another part the same names are other things, so left sides are not compared.
        return convert(value, Sort.ENERGY)
    return value


def _value_of(target: Target, span: Span, scope: Scope) -> Value | None:
    text = snippet(span, "this")
    match target:
        case Binding():
            return target.refer(span)
        case SizeTarget(dim=dim):
            return size_value(dim, span)
        case PartTarget(scope=inner):
            words = ("var", "let", "part", "given", "const")
            members = [name for name, entry in inner.values.items() if entry.word in words]
            scope.session.error(
                "E0301",
                f"`{text}` is a part, not a value",
                span,
                "a part has members",
                helps=(f"`{text}.{members[0]}`",) if members else (),
            )
        case ModuleTarget():
            scope.session.error(
                "E0301",
                f"`{text}` is a module, not a value",
                span,
                "a module lends its names",
                helps=(f"`{text}.name`",),
            )
        case AbsentTarget(word=word):
            scope.session.error(
                "E0201",
                f"`{text}` is a `{word}` of an imported file, which an import does not bring along",
                span,
                "not there when the file is imported",
                helps=("hand it over as a parameter of the `fn` or `spec`",),
            )
    return None


def find_target(node: tree.Expression, scope: Scope) -> Target | None:
    """Return what a name, or a chain of names, stands for; None, and reported, if nothing."""
    match node:
        case tree.Name():
            entry = scope.find_value(node.name)
            if entry is None:
                report_unknown_value(node.name, node.span, scope)
                return None
            entry.used = True
            return entry.target()
        case tree.Field():
            if not isinstance(node.base, tree.Name | tree.Field):
                base = scope.infer(node.base)
                if base is not None:
                    _report_no_member(node, scope)
                return None
            if isinstance(node.base, tree.Name) and node.base.name in CONSTANT_NAMES:
                _report_no_member(node, scope)
                return None
            target = find_target(node.base, scope)
            return None if target is None else _find_member(target, node, scope)
        case _:
            raise AssertionError(node)


def _find_member(target: Target, node: tree.Field, scope: Scope) -> Target | None:
    match target:
        case PartTarget(path=path, scope=inner):
            entry = inner.values.get(node.name.name)
            if entry is None or entry.word == "module":
                _report_unknown_member(node, f"spec `{target.spec}`", inner, scope)
                return None
            entry.used = True
            member = entry.target()
            match member:
                case Binding():
                    return replace(member, path=(*path, *member.path))
                case PartTarget():
                    return PartTarget((*path, *member.path), member.spec, member.scope)
                case _:
                    return member
        case ModuleTarget(scope=inner):
            entry = inner.values.get(node.name.name)
            if entry is None:
                name = node.base.span.text
                _report_unknown_member(node, f"module `{name}`", inner, scope)
                return None
            return find_lent(entry)
        case AbsentTarget(word=word):
            _value_of(AbsentTarget(word), node.base.span, scope)
            return None
        case _:
            _report_no_member(node, scope)
            return None


def find_lent(entry: Entry) -> Target | None:
    """Return what an imported file's name stands for, seen from outside."""
    entry.used = True
    return entry.target()


def _report_no_member(node: tree.Field, scope: Scope) -> None:
    text = snippet(node.base.span, "this")
    scope.session.error(
        "E0209",
        f"`{text}` has no members",
        node.name.span,
        "only parts and modules have members",
    )


def _report_unknown_member(node: tree.Field, owner: str, inner: Scope, scope: Scope) -> None:
    name = node.name.name
    if name in scope.session.muted:
        return
    is_callable = name in inner.callables
    meant = scope.session.closest(name, inner.values)
    label = f"did you mean `{meant}`?" if meant else "unknown there"
    if is_callable:
        label = "this is to be called, with its arguments in parentheses"
    scope.session.error("E0209", f"{owner} has no value `{name}`", node.name.span, label)


def report_unknown_value(name: str, span: Span, scope: Scope, *, as_size: bool = False) -> None:
    """Report a name that no value has, with the one that was probably meant."""
    session = scope.session
    if name in session.muted:
        return
    if scope.find_callable(name) is not None:
        session.error(
            "E0201",
            f"`{name}` is a function or spec, not a value",
            span,
            "called without arguments here",
            helps=(f"call it: `{name}(...)`",),
            calls=False,
        )
        return
    if name in session.undeclared:
        return
    meant = session.closest(name, [*scope.value_names(), *CONSTANT_NAMES])
    label = f"did you mean `{meant}`?" if meant else "not declared here"
    helps: tuple[str, ...] = ()
    if meant is None:
        # One declaration mends all places; a slip of the pen is mended place by place.
        session.undeclared.add(name)
        helps = (f"declare it: `var {name}: real`, or `given {name}: real`",)
    if as_size:
        helps = (f"declare it: `const {name} = 10`, or let data bind it: `given y: real[{name}]`",)
    session.error("E0201", f"no value is called `{name}`", span, label, helps=helps, calls=False)
