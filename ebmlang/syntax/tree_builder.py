"""What each rule of the grammar builds: one function per rule, called as rules complete.

A function gets what its rule consists of, signs included, in the order of the text. It
has the name of the rule in `grammar/ebm.lark`, or of the alias behind `->`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from ebmlang.source import Span
from ebmlang.syntax import tree
from ebmlang.syntax.lexemes import Lexeme, read_number

Parts: TypeAlias = Sequence[Any]
"""The parts of a rule; the grammar, not the type checker, knows what each of them is."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Several things of one kind, with their brackets and commas."""

    items: tuple[Any, ...]
    span: Span


# --- statements ----------------------------------------------------------------------


def _file(parts: Parts) -> tuple[tree.Statement, ...]:
    return tuple(parts)


def _import(parts: Parts) -> tree.Import:
    return tree.Import(
        dots=_count_dots(parts), path=parts[-1].items, names=None, span=_cover(parts)
    )


def _from(parts: Parts) -> tree.Import:
    path, _, names = parts[-3:]
    return tree.Import(
        dots=_count_dots(parts), path=path.items, names=names.items, span=_cover(parts)
    )


def _names(parts: Parts) -> _Row:
    return _Row(tuple(_identifier(part) for part in _lexemes(parts, "NAME")), _cover(parts))


def _const(parts: Parts) -> tree.Const:
    _, name, _, value = parts
    return tree.Const(name=_identifier(name), value=value, span=_cover(parts))


def _given(parts: Parts) -> tree.Given:
    default = parts[5] if len(parts) > 4 else None
    return tree.Given(
        name=_identifier(parts[1]), domain=parts[3], default=default, span=_cover(parts)
    )


def _var(parts: Parts) -> tree.Var:
    prior = parts[5] if len(parts) > 4 else None
    return tree.Var(name=_identifier(parts[1]), domain=parts[3], prior=prior, span=_cover(parts))


def _let(parts: Parts) -> tree.Let:
    _, name, _, value = parts
    return tree.Let(name=_identifier(name), value=value, span=_cover(parts))


def _fn(parts: Parts) -> tree.Fn:
    _, name, parameters, _, body = parts
    return tree.Fn(
        name=_identifier(name), parameters=parameters.items, body=body, span=_cover(parts)
    )


def _spec(parts: Parts) -> tree.Spec:
    _, name, parameters, _, *body, brace = parts
    return tree.Spec(
        name=_identifier(name),
        parameters=parameters.items,
        body=tuple(body),
        end=brace.span,
        span=_cover(parts),
    )


def _part(parts: Parts) -> tree.Part:
    weight = parts[4].items[0] if len(parts) > 4 else None
    return tree.Part(
        name=_identifier(parts[1]), instance=parts[3], weight=weight, span=_cover(parts)
    )


def _term(parts: Parts) -> tree.Term:
    weight = parts[4].items[0] if len(parts) > 4 else None
    return tree.Term(
        word=parts[0].text,
        name=_identifier(parts[1]),
        value=parts[3],
        weight=weight,
        span=_cover(parts),
    )


def _weight(parts: Parts) -> _Row:
    return _Row((parts[1],), _cover(parts))


def _report(parts: Parts) -> tree.ReportValue:
    _, name, _, value = parts
    return tree.ReportValue(name=_identifier(name), value=value, span=_cover(parts))


def _property(parts: Parts) -> tree.Property:
    _, name, _, *unknowns, body = parts
    return tree.Property(
        name=_identifier(name),
        unknowns=unknowns[0].items if unknowns else (),
        body=body,
        span=_cover(parts),
    )


def _example(parts: Parts) -> tree.Example:
    claims = [part for part in parts if isinstance(part, _Row)]
    said = {
        kind: tuple(path for row in claims if row.items[0] == kind for path in row.items[1])
        for kind in ("SATISFIES", "VIOLATES")
    }
    return tree.Example(
        name=_identifier(parts[1]),
        settings=tuple(part for part in parts if isinstance(part, tree.Setting)),
        satisfies=said["SATISFIES"],
        violates=said["VIOLATES"],
        span=_cover(parts),
    )


def _setting(parts: Parts) -> tree.Setting:
    path, _, value = parts
    return tree.Setting(path=path, value=value, span=_cover(parts))


def _claims(parts: Parts) -> _Row:
    return _Row((parts[0].type, _nodes(parts)), _cover(parts))


def _priority(parts: Parts) -> tree.Priority:
    return tree.Priority(tiers=tuple(row.items for row in _nodes(parts)), span=_cover(parts))


def _logic(parts: Parts) -> tree.Logic:
    return tree.Logic(name=_identifier(parts[1]), span=_cover(parts))


def _default(parts: Parts) -> tree.DefaultTolerance:
    return tree.DefaultTolerance(value=parts[2], span=_cover(parts))


def _parameter(parts: Parts) -> tree.Parameter:
    domain = parts[2] if len(parts) > 1 else None
    return tree.Parameter(name=_identifier(parts[0]), domain=domain, span=_cover(parts))


def _row(parts: Parts) -> _Row:
    return _Row(_nodes(parts), _cover(parts))


# --- domains -------------------------------------------------------------------------


def _domain(parts: Parts) -> tree.Domain:
    element: tree.Domain = parts[-1]
    if len(parts) == 1:
        return element
    return replace(element, array=parts[1].items, span=_cover(parts))


def _element(parts: Parts) -> tree.Domain:
    word, *rest = parts
    rows = [part for part in rest if isinstance(part, _Row)]
    bounds = [part for part in rest if not isinstance(part, _Row | Lexeme)]
    labels = rows[0].items if word.type == "LABEL" else ()
    return tree.Domain(
        word=word.text,
        shape=rows[0].items if rows and not labels else (),
        lower=bounds[0] if bounds else None,
        upper=bounds[1] if bounds else None,
        labels=labels,
        span=_cover(parts),
    )


# --- logic and arithmetic ------------------------------------------------------------


def _equivalence(parts: Parts) -> tree.Iff:
    left, _, right = parts
    return tree.Iff(left=left, right=right, span=_cover(parts))


def _implication(parts: Parts) -> tree.Implies:
    left, _, right = parts
    return tree.Implies(left=left, right=right, span=_cover(parts))


def _disjunction(parts: Parts) -> tree.Or:
    return tree.Or(operands=_nodes(parts), span=_cover(parts))


def _conjunction(parts: Parts) -> tree.And:
    return tree.And(operands=_nodes(parts), span=_cover(parts))


def _negation(parts: Parts) -> tree.Not:
    return tree.Not(operand=parts[1], span=_cover(parts))


def _relation(parts: Parts) -> tree.Relation:
    return tree.Relation(
        operands=_nodes(parts), operators=_operators(parts), tolerance=None, span=_cover(parts)
    )


def _tolerant_relation(parts: Parts) -> tree.Relation:
    *operands, tolerance = _nodes(parts)
    return tree.Relation(
        operands=tuple(operands),
        operators=_operators(parts),
        tolerance=tolerance,
        span=_cover(parts),
    )


def _distributed(parts: Parts) -> tree.Distributed:
    left, _, distribution = parts
    return tree.Distributed(left=left, distribution=distribution, span=_cover(parts))


def _arithmetic(parts: Parts) -> tree.Arithmetic:
    left, operator, right = parts
    return tree.Arithmetic(operator=operator.text, left=left, right=right, span=_cover(parts))


def _negative(parts: Parts) -> tree.Negative:
    return tree.Negative(operand=parts[1], span=_cover(parts))


# --- open forms ----------------------------------------------------------------------


def _quantifier(parts: Parts) -> tree.Quantifier:
    word, binding, _, body = parts
    return tree.Quantifier(word=word.text, binding=binding, body=body, span=_cover(parts))


def _scan(parts: Parts) -> tree.Scan:
    _, state, _, start, _, binding, _, body = parts
    return tree.Scan(
        state=_identifier(state), start=start, binding=binding, body=body, span=_cover(parts)
    )


def _conditional(parts: Parts) -> tree.Conditional:
    _, condition, _, yes, _, no = parts
    return tree.Conditional(condition=condition, yes=yes, no=no, span=_cover(parts))


def _binding(parts: Parts) -> tree.Binding:
    condition = parts[4] if len(parts) > 3 else None
    return tree.Binding(
        names=parts[0].items, domain=parts[2], condition=condition, span=_cover(parts)
    )


def _range(parts: Parts) -> tree.Range:
    first, _, last = parts
    return tree.Range(first=first, last=last, span=_cover(parts))


# --- calls, indexing and atoms -------------------------------------------------------


def _name(parts: Parts) -> tree.Name:
    return tree.Name(name=parts[0].text, span=_cover(parts))


def _field(parts: Parts) -> tree.Field:
    base, _, name = parts
    return tree.Field(base=base, name=_identifier(name), span=_cover(parts))


def _call(parts: Parts) -> tree.Call:
    function, arguments = parts
    return tree.Call(function=function, arguments=arguments.items, span=_cover(parts))


def _aggregate_call(parts: Parts) -> tree.Call:
    return _call((_name(parts[:1]), parts[1]))


def _argument(parts: Parts) -> tree.Argument:
    return tree.Argument(name=None, value=parts[0], span=_cover(parts))


def _named_argument(parts: Parts) -> tree.Argument:
    name, _, value = parts
    return tree.Argument(name=_identifier(name), value=value, span=_cover(parts))


def _index(parts: Parts) -> tree.Index:
    base, *items = _nodes(parts)
    return tree.Index(base=base, items=tuple(items), span=_cover(parts))


def _number(parts: Parts) -> tree.Number:
    text = parts[0].text
    value = read_number(text)
    # What no float64 holds was reported when the parser came to it; zero stands in.
    return tree.Number(text=text, value=value if math.isfinite(value) else 0, span=_cover(parts))


def _text(parts: Parts) -> tree.Text:
    return tree.Text(value=parts[0].text[1:-1], span=_cover(parts))


def _group(parts: Parts) -> tree.Expression:
    inner: tree.Expression = parts[1]
    return replace(inner, span=_cover(parts))


def _array(parts: Parts) -> tree.Array:
    return tree.Array(elements=_nodes(parts), span=_cover(parts))


def _builder(parts: Parts) -> tree.Builder:
    _, element, _, binding, _ = parts
    return tree.Builder(element=element, binding=binding, span=_cover(parts))


def _mix(parts: Parts) -> tree.Mix:
    components = tuple(part.items for part in _nodes(parts))
    return tree.Mix(components=components, span=_cover(parts))


# --- parts of a rule -----------------------------------------------------------------


def _cover(parts: Parts) -> Span:
    first: Span = parts[0].span
    return first.to(parts[-1].span)


def _identifier(lexeme: Lexeme) -> tree.Identifier:
    return tree.Identifier(name=lexeme.text, span=lexeme.span)


def _nodes(parts: Parts) -> tuple[Any, ...]:
    return tuple(part for part in parts if not isinstance(part, Lexeme))


def _lexemes(parts: Parts, *kinds: str) -> Iterable[Lexeme]:
    return (part for part in parts if isinstance(part, Lexeme) and part.type in kinds)


def _operators(parts: Parts) -> tuple[Any, ...]:
    return tuple(lexeme.text for lexeme in _lexemes(parts, "RELATION", "MORE"))


def _count_dots(parts: Parts) -> int:
    return sum(len(part.text) for kind in ("DOT", "RANGE") for part in _lexemes(parts, kind))


BUILDERS: Mapping[str, Callable[[Parts], Any]] = MappingProxyType(
    {
        "file": _file,
        "import_statement": _import,
        "from_statement": _from,
        "path": _names,
        "names": _names,
        "const": _const,
        "given": _given,
        "var": _var,
        "let": _let,
        "fn": _fn,
        "spec": _spec,
        "part": _part,
        "term": _term,
        "weight": _weight,
        "report": _report,
        "property": _property,
        "example": _example,
        "unknowns": _row,
        "setting": _setting,
        "claims": _claims,
        "priority": _priority,
        "tier": _row,
        "logic": _logic,
        "default": _default,
        "parameters": _row,
        "parameter": _parameter,
        "domain": _domain,
        "element": _element,
        "shape": _row,
        "equivalence": _equivalence,
        "implication": _implication,
        "disjunction": _disjunction,
        "conjunction": _conjunction,
        "negation": _negation,
        "relation": _relation,
        "tolerant_relation": _tolerant_relation,
        "distributed": _distributed,
        "arithmetic": _arithmetic,
        "negative": _negative,
        "quantifier": _quantifier,
        "scan": _scan,
        "conditional": _conditional,
        "binding": _binding,
        "range": _range,
        "name": _name,
        "field": _field,
        "call": _call,
        "aggregate_call": _aggregate_call,
        "arguments": _row,
        "argument": _argument,
        "named_argument": _named_argument,
        "index": _index,
        "number": _number,
        "text": _text,
        "group": _group,
        "array": _array,
        "builder": _builder,
        "mix": _mix,
        "component": _row,
    }
)
"""The function of each rule."""
