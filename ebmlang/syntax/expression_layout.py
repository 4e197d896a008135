"""Expressions and domains as documents: where they may break, and which parentheses stay.

A layout is written as a generator that yields the layouts of its parts and gets their
documents back; `lay_out` runs them on a list of its own, so that the depth of a tree never
meets the depth of Python's stack.
"""

from collections.abc import Generator, Iterable
from typing import TypeAlias, assert_never

from ebmlang.syntax.layout import Break, Document, Group, Join, Nest, bracketed, join, packed
from ebmlang.syntax.precedence import ANY, ARITHMETIC, Demand, Level, needs_parentheses
from ebmlang.syntax.tree import (
    And,
    Argument,
    Arithmetic,
    Array,
    Binding,
    Builder,
    Call,
    Conditional,
    Distributed,
    Domain,
    Expression,
    Field,
    Iff,
    Implies,
    Index,
    Mix,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Quantifier,
    Range,
    Relation,
    Scan,
    Text,
)

Layout: TypeAlias = "Generator[Layout, Document, Document]"
Layouts: TypeAlias = "Generator[Layout, Document, list[Document]]"

_SUM = Demand(Level.SUM, False)


def lay_out(layout: Layout) -> Document:
    """Run a layout and, before it, those of its parts."""
    running = [layout]
    begun = 0
    document: Document = ""
    while running:
        current = running[-1]
        try:
            part = current.send(document) if begun == len(running) else next(current)
        except StopIteration as done:
            running.pop()
            begun = len(running)
            document = done.value
        else:
            begun = len(running)
            running.append(part)
    return document


def expression(node: Expression, demand: Demand = ANY) -> Layout:
    """Lay out an expression for a place with a demand."""
    if needs_parentheses(node, demand):
        return join("(", (yield _bare(node, ANY)), ")")
    return (yield _bare(node, demand))


def domain(node: Domain) -> Layout:
    """Lay out a domain."""
    parts: list[Document] = []
    if node.array:
        parts += ("array", bracketed("[", (yield from _each(node.array)), "]"), " of ")
    parts.append(node.word)
    if node.shape:
        parts.append(bracketed("[", (yield from _each(node.shape)), "]"))
    if node.labels:
        parts.append(join(" ", bracketed("{", [label.name for label in node.labels], "}")))
    if node.lower is not None and node.upper is not None:
        is_range = node.word == "int"
        bounds = yield from _each((node.lower, node.upper), _SUM if is_range else ANY)
        parts.append(" in ")
        parts += (bounds[0], "..", bounds[1]) if is_range else (bracketed("[", bounds, "]"),)
    return Join(tuple(parts))


def _bare(node: Expression, demand: Demand) -> Layout:
    """Lay out an expression without parentheses around it.

    Its last operand may be open where it may be itself: nothing follows either of them.
    """
    match node:
        case Number(text=text):
            return text
        case Text(value=value):
            return f'"{value}"'
        case Name(name=word):
            return word
        case Negative(operand=operand):
            return join("-", (yield expression(operand, _last(Level.UNARY, demand))))
        case Not(operand=operand):
            return join("not ", (yield expression(operand, _last(Level.NEGATION, demand))))
        case Arithmetic():
            return (yield _arithmetic(node, demand))
        case Relation():
            return (yield _relation(node, demand))
        case Distributed(left=left, distribution=distribution):
            return _chain(
                (yield expression(left, _SUM)), [join("~ ", (yield expression(distribution)))]
            )
        case And(operands=operands):
            return (yield _logic("and", operands, Level.NEGATION, demand))
        case Or(operands=operands):
            return (yield _logic("or", operands, Level.CONJUNCTION, demand))
        case Implies(left=left, right=right):
            first = yield expression(left, Demand(Level.DISJUNCTION, False))
            second = yield expression(right, _last(Level.IMPLICATION, demand))
            return _chain(first, [join("implies ", second)])
        case Iff(left=left, right=right):
            first = yield expression(left, Demand(Level.EQUIVALENCE, False))
            second = yield expression(right, _last(Level.IMPLICATION, demand))
            return _chain(first, [join("iff ", second)])
        case Quantifier() | Conditional() | Scan():
            return (yield _open(node))
        case Call() | Mix() | Index() | Field() | Array() | Builder():
            return (yield _atom(node))
        case _:
            assert_never(node)


def _atom(node: Call | Mix | Index | Field | Array | Builder) -> Layout:
    indexable = Demand(Level.INDEXABLE, False)
    match node:
        case Call(function=function, arguments=arguments):
            head = yield expression(function, indexable)
            laid = []
            for argument in arguments:
                laid.append((yield _argument(argument)))
            return join(head, bracketed("(", laid, ")"))
        case Mix(components=components):
            laid = []
            for weight, value in components:
                laid.append(join((yield expression(weight, _SUM)), ": ", (yield expression(value))))
            return join("mix", bracketed("(", laid, ")"))
        case Index(base=base, items=items):
            head = yield expression(base, indexable)
            laid = []
            for item in items:
                laid.append((yield _span(item, ANY)))
            return join(head, bracketed("[", laid, "]"))
        case Field(base=base, name=name):
            return join((yield expression(base, indexable)), ".", name.name)
        case Array(elements=elements):
            laid = yield from _each(elements)
            if len(laid) > 1 and all(isinstance(element, _SMALL) for element in elements):
                return Group(join("[", Nest(join(Break(""), packed(laid))), Break(""), "]"))
            return bracketed("[", laid, "]")
        case Builder(element=element, binding=binding):
            first = yield expression(element)
            second = join("for ", (yield _binding(binding)))
            return Group(join("[", Nest(join(Break(""), first, Break(), second)), Break(""), "]"))
        case _:
            assert_never(node)


_SMALL = (Number, Negative, Name)
"""Elements of which many go on one line."""


def _open(node: Quantifier | Conditional | Scan) -> Layout:
    match node:
        case Quantifier(word=word, binding=binding, body=body):
            head = yield _binding(binding)
            return _headed(join(word, " ", head, ":"), (yield expression(body)))
        case Scan(state=state, start=start, binding=binding, body=body):
            begin = yield expression(start)
            head = yield _binding(binding)
            return _headed(
                join("scan ", state.name, " = ", begin, " over ", head, ":"),
                (yield expression(body)),
            )
        case Conditional(condition=condition, yes=yes, no=no):
            laid = yield from _each((condition, yes, no))
            words = ("if ", "then ", "else ")
            first, *rest = (join(word, part) for word, part in zip(words, laid, strict=True))
            return _chain(first, rest)
        case _:
            assert_never(node)


def _arithmetic(node: Arithmetic, demand: Demand) -> Layout:
    """Lay out a chain of operators of one level as one, however long it is."""
    level, left_level, right_level = ARITHMETIC[node.operator]
    chain = [node]
    while (
        level is not Level.POWER
        and isinstance(left := chain[-1].left, Arithmetic)
        and ARITHMETIC[left.operator][0] is level
    ):
        chain.append(left)
    first = yield expression(chain[-1].left, Demand(left_level, False))
    rest = []
    for link in reversed(chain):
        asked = _last(right_level, demand) if link is node else Demand(right_level, False)
        rest.append((link.operator, (yield expression(link.right, asked))))
    if level is Level.POWER:
        return join(first, "^", rest[0][1])
    return _chain(first, [join(operator, " ", right) for operator, right in rest])


def _relation(node: Relation, demand: Demand) -> Layout:
    *firsts, last = node.operands
    asked = _SUM if node.tolerance is not None else _last(Level.SUM, demand)
    laid = yield from _each(firsts, _SUM)
    laid.append((yield expression(last, asked)))
    rest: list[Document] = [
        join(operator, " ", right) for operator, right in zip(node.operators, laid[1:], strict=True)
    ]
    if node.tolerance is not None:
        tolerance = yield expression(node.tolerance, _last(Level.SUM, demand))
        rest.append(join("within ", tolerance))
    return _chain(laid[0], rest)


def _logic(word: str, operands: tuple[Expression, ...], level: Level, demand: Demand) -> Layout:
    *firsts, last = operands
    laid = yield from _each(firsts, Demand(level, False))
    laid.append((yield expression(last, _last(level, demand))))
    return _chain(laid[0], [join(word, " ", operand) for operand in laid[1:]])


def _argument(node: Argument) -> Layout:
    value = yield expression(node.value)
    return join(node.name.name, "=", value) if node.name else value


def _binding(node: Binding) -> Layout:
    names = ", ".join(name.name for name in node.names)
    head = join(names, " in ", (yield _span(node.domain, _SUM)))
    if node.condition is None:
        return head
    condition = yield expression(node.condition, Demand(Level.DISJUNCTION, False))
    return join(head, " where ", condition)


def _span(node: Expression | Range, demand: Demand) -> Layout:
    if not isinstance(node, Range):
        return (yield expression(node, demand))
    first, last = yield from _each((node.first, node.last), _SUM)
    return join(first, "..", last)


def _each(nodes: Iterable[Expression], demand: Demand = ANY) -> Layouts:
    documents = []
    for node in nodes:
        documents.append((yield expression(node, demand)))
    return documents


def _last(level: Level, demand: Demand) -> Demand:
    return Demand(level, demand.may_be_open)


def _chain(first: Document, rest: Iterable[Document]) -> Document:
    """Return parts that stand on one line, or the first with the others below it."""
    further: list[Document] = []
    for part in rest:
        further += (Break(), part)
    return Group(join(first, Nest(Join(tuple(further)))))


def _headed(head: Document, body: Document) -> Document:
    return Group(join(head, Nest(join(Break(), body))))
