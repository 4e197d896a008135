"""The expressions inside an expression, for walks that treat most kinds alike."""

from collections.abc import Iterator
from typing import assert_never

from ebmlang.check.program import (
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
    Quantified,
    Reference,
    Relation,
    Scan,
    SizeValue,
    SpecCall,
)


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
