"""The printable form of a tree: `ebm graph --stage ast`.

A node is a heading and its branches, each with a label where its role is not plain. The
same outline serves whoever only needs to know what is below what.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from ebmlang.syntax.tree import (
    And,
    Arithmetic,
    Array,
    Binding,
    Builder,
    Call,
    Conditional,
    Const,
    DefaultTolerance,
    Distributed,
    Domain,
    Example,
    Expression,
    Field,
    File,
    Fn,
    Given,
    Identifier,
    Iff,
    Implies,
    Import,
    Index,
    Let,
    Logic,
    Mix,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Parameter,
    Part,
    Priority,
    Property,
    Quantifier,
    Range,
    Relation,
    ReportValue,
    Scan,
    Spec,
    Statement,
    Term,
    Text,
    Var,
)

Node: TypeAlias = Statement | Parameter | Domain | Range | Expression
Branch: TypeAlias = tuple[str, Node]


@dataclass(frozen=True, slots=True)
class Outline:
    """A node as a heading over its branches; an empty label says nothing."""

    heading: str
    branches: tuple[Branch, ...] = ()


def show_tree(file: File) -> str:
    """Return the tree of a file as indented text, without places and comments."""
    lines: list[str] = []
    waiting: list[tuple[int, Branch]] = [(0, ("", s)) for s in reversed(file.statements)]
    while waiting:
        level, (label, node) = waiting.pop()
        outlined = outline(node)
        prefix = f"{label}: " if label else ""
        lines.append("  " * level + prefix + outlined.heading)
        waiting.extend((level + 1, branch) for branch in reversed(outlined.branches))
    return "".join(f"{line}\n" for line in lines)


def outline(node: Node) -> Outline:
    """Return the heading and the branches of a node."""
    match node:
        case Domain():
            return Outline(_domain_heading(node), _domain_branches(node))
        case Parameter(name=name, domain=domain):
            return Outline(f"parameter {name.name}", _optional("", domain))
        case Range(first=first, last=last):
            return Outline("..", _plain((first, last)))
        case (
            Import()
            | Const()
            | Given()
            | Var()
            | Let()
            | Fn()
            | Spec()
            | Part()
            | Term()
            | ReportValue()
            | Property()
            | Example()
            | Priority()
            | Logic()
            | DefaultTolerance()
        ):
            return _outline_statement(node)
        case _:
            return _outline_expression(node)


def _outline_statement(node: Statement) -> Outline:
    match node:
        case Import(dots=dots, path=path, names=None):
            return Outline(f"import {'.' * dots}{_join(path, '.')}")
        case Import(dots=dots, path=path, names=names):
            return Outline(f"from {'.' * dots}{_join(path, '.')} import {_join(names or ())}")
        case Const(name=name, value=value):
            return Outline(f"const {name.name}", _plain((value,)))
        case Given(name=name, domain=domain, default=default):
            return Outline(f"given {name.name}", (("", domain), *_optional("default", default)))
        case Var(name=name, domain=domain, prior=prior):
            return Outline(f"var {name.name}", (("", domain), *_optional("prior", prior)))
        case Let(name=name, value=value):
            return Outline(f"let {name.name}", _plain((value,)))
        case Fn(name=name, parameters=parameters, body=body):
            return Outline(f"fn {name.name}", (*_plain(parameters), ("body", body)))
        case Spec(name=name, parameters=parameters, body=statements):
            return Outline(f"spec {name.name}", (*_plain(parameters), *_plain(statements)))
        case Part(name=name, instance=instance, weight=weight):
            return Outline(f"part {name.name}", (("", instance), *_optional("weight", weight)))
        case Term(word=word, name=name, value=value, weight=weight):
            return Outline(f"{word} {name.name}", (("", value), *_optional("weight", weight)))
        case ReportValue(name=name, value=value):
            return Outline(f"report {name.name}", _plain((value,)))
        case Property(name=name, unknowns=unknowns, body=body):
            return Outline(f"property {name.name}", (*_plain(unknowns), ("body", body)))
        case Example(name=name, settings=settings, satisfies=satisfies, violates=violates):
            set_to = (part for s in settings for part in (("set", s.path), ("to", s.value)))
            claims = (("satisfies", path) for path in satisfies)
            denials = (("violates", path) for path in violates)
            return Outline(f"example {name.name}", (*set_to, *claims, *denials))
        case Priority(tiers=tiers):
            ranked = (
                ("and" if place else "then" if rank else "", path)
                for rank, tier in enumerate(tiers)
                for place, path in enumerate(tier)
            )
            return Outline("priority", tuple(ranked))
        case Logic(name=name):
            return Outline(f"logic {name.name}")
        case DefaultTolerance(value=value):
            return Outline("default within", _plain((value,)))
        case _:
            assert_never(node)


def _outline_expression(node: Expression) -> Outline:
    match node:
        case Number(text=text):
            return Outline(text)
        case Text(value=value):
            return Outline(f'"{value}"')
        case Name(name=word):
            return Outline(word)
        case Negative(operand=operand):
            return Outline("-", _plain((operand,)))
        case Not(operand=operand):
            return Outline("not", _plain((operand,)))
        case Arithmetic(operator=operator, left=left, right=right):
            return Outline(operator, _plain((left, right)))
        case Relation(operands=operands, operators=operators, tolerance=tolerance):
            return Outline(
                " ".join(operators), (*_plain(operands), *_optional("within", tolerance))
            )
        case Distributed(left=left, distribution=distribution):
            return Outline("~", _plain((left, distribution)))
        case And(operands=operands):
            return Outline("and", _plain(operands))
        case Or(operands=operands):
            return Outline("or", _plain(operands))
        case Implies(left=left, right=right):
            return Outline("implies", _plain((left, right)))
        case Iff(left=left, right=right):
            return Outline("iff", _plain((left, right)))
        case Call(function=function, arguments=arguments):
            values = tuple((a.name.name if a.name else "", a.value) for a in arguments)
            if isinstance(function, Name):
                return Outline(f"call {function.name}", values)
            return Outline("call", (("function", function), *values))
        case Mix(components=components):
            pairs = (_plain((weight,)) + _plain((value,)) for weight, value in components)
            return Outline("mix", tuple(branch for pair in pairs for branch in pair))
        case Index(base=base, items=items):
            return Outline("index", _plain((base, *items)))
        case Field(base=base, name=name):
            return Outline(f".{name.name}", _plain((base,)))
        case Array(elements=elements):
            return Outline("array", _plain(elements))
        case Builder(element=element, binding=binding):
            names = _join(binding.names)
            return Outline(f"array for {names}", (*_binding_branches(binding), ("", element)))
        case Quantifier(word=word, binding=binding, body=body):
            names = _join(binding.names)
            return Outline(f"{word} {names}", (*_binding_branches(binding), ("", body)))
        case Conditional(condition=condition, yes=yes, no=no):
            return Outline("if", (("", condition), ("then", yes), ("else", no)))
        case Scan(state=state, start=start, binding=binding, body=body):
            return Outline(
                f"scan {state.name} over {_join(binding.names)}",
                (("start", start), *_binding_branches(binding), ("", body)),
            )
        case _:
            assert_never(node)


def _domain_heading(domain: Domain) -> str:
    labels = f" {{{_join(domain.labels)}}}" if domain.labels else ""
    return f"{domain.word}{labels}"


def _domain_branches(domain: Domain) -> tuple[Branch, ...]:
    return (
        *(("array", size) for size in domain.array),
        *(("size", size) for size in domain.shape),
        *_optional("from", domain.lower),
        *_optional("to", domain.upper),
    )


def _binding_branches(binding: Binding) -> tuple[Branch, ...]:
    return (("in", binding.domain), *_optional("where", binding.condition))


def _plain(nodes: Iterable[Node]) -> tuple[Branch, ...]:
    return tuple(("", node) for node in nodes)


def _optional(label: str, node: Node | None) -> tuple[Branch, ...]:
    return () if node is None else ((label, node),)


def _join(names: Iterable[Identifier], separator: str = ", ") -> str:
    return separator.join(name.name for name in names)
