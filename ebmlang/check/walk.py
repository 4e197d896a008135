"""The expressions inside an expression, and all that the terms of a body depend on."""

from collections.abc import Iterator
from typing import assert_never

from ebmlang.check.formulas import (
    Apply,
    At,
    Call,
    Convert,
    Density,
    Expression,
    Index,
    Iteration,
    Literal,
    Logical,
    Member,
    Mixture,
    Normalized,
    Quantified,
    Reference,
    Relation,
    Scan,
    SizeValue,
    SpecCall,
    Symbol,
)
from ebmlang.check.program import Body, FunctionInstance, Let, Part, SpecInstance


def children(expression: Expression) -> Iterator[Expression]:
    """Yield the expressions that one is made of; not those of the instances it calls."""
    match expression:
        case Literal() | SizeValue() | Reference() | Member():
            return
        case Convert():
            yield expression.operand
        case Apply() | Call() | SpecCall():
            yield from expression.arguments
        case Index():
            yield expression.base
            yield from (item.index for item in expression.items if isinstance(item, At))
        case Relation():
            yield expression.left
            yield expression.right
            if expression.tolerance is not None:
                yield expression.tolerance
        case Logical():
            yield from expression.operands
        case Mixture():
            yield from expression.weights
            yield from expression.components
        case Normalized():
            yield expression.energy
        case Density():
            yield expression.energy
        case Quantified():
            yield from iteration_parts(expression.iteration)
            yield expression.body
        case Scan():
            yield expression.start
            yield from iteration_parts(expression.iteration)
            yield expression.body
        case _:
            assert_never(expression)


def iteration_parts(iteration: Iteration) -> Iterator[Expression]:
    """Yield the expressions that an iteration is made of."""
    yield from iteration.sources
    for factor in iteration.factors:
        yield from iteration_parts(factor)
    if iteration.condition is not None:
        yield iteration.condition


def reach_expressions(body: Body) -> Iterator[Expression]:
    """Yield every expression that a term of a body, or of a part in it, depends on, each once.

    Goes through names, functions and specs; an argument of a part counts as used.
    """
    definitions: dict[Symbol, Expression] = {}
    seen: set[int] = set()
    pending: list[Expression] = []

    def visit_body(current: Body) -> None:
        pending.extend(term.value for term in current.terms)
        for definition in current.definitions:
            match definition:
                case Part(instance=instance, arguments=arguments):
                    pending.extend(arguments)
                    visit_instance(instance)
                case Let(symbol=symbol, value=value):
                    definitions[symbol] = value

    def visit_instance(instance: FunctionInstance | SpecInstance) -> None:
        if id(instance) in seen:
            return
        seen.add(id(instance))
        if isinstance(instance, SpecInstance):
            visit_body(instance.body)
        else:
            pending.append(instance.result)

    def visit_symbol(symbol: Symbol) -> None:
        if symbol in definitions:
            pending.append(definitions[symbol])

    visit_body(body)
    while pending:
        expression = pending.pop()
        if id(expression) in seen:
            continue
        seen.add(id(expression))
        yield expression
        match expression:
            case Reference(symbol=symbol):
                visit_symbol(symbol)
            case Member(path=path):
                visit_symbol(path[-1])
            case Call(instance=function):
                visit_instance(function)
            case SpecCall(instance=spec):
                visit_instance(spec)
            case _:
                pass
        pending.extend(children(expression))
