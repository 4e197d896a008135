"""Operators that work on whole vectors and matrices in memory, one for each lane."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ebmlang.graph import Kind, Node
from ebmlang.lower.native.cells import Block, Read
from ebmlang.lower.native.movement import Rule
from ebmlang.lower.native.workshop import Workshop, line_up

_CTYPE = {Kind.REAL: "vec", Kind.INT: "lvec", Kind.BOOL: "ivec"}


def _on_matrices(call: str, own: tuple[int, ...], result: int) -> Rule:
    """Return the rule of a function of `matrices.h`.

    Args:
        call: The call, with `{x}` for the result, `{0}`, `{1}` for operands, `{m}` for scratch, and
            the sizes `{n}`, `{k}`.
        own: How many own axes each operand has.
        result: How many the result has.
    """

    def rule(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
        lead, wide = line_up([shop.real(read) for read in reads], own)
        count = math.prod(lead)
        n = wide[0].shape[-1]
        k = wide[1].shape[-1] if own[-1] == 2 and len(own) == 2 else 1
        sizes = [math.prod(read.shape[len(lead) :]) for read in wide]
        each = math.prod(node.shape[len(lead) :]) if result else 1

        def write(out: str, sources: tuple[str, ...], room: str) -> str:
            operands = [f"{name} + b * {size}" for name, size in zip(sources, sizes, strict=True)]
            line = call.format(*operands, x=f"{out} + b * {each}", m=room, n=n, k=k)
            return f"for (int64_t b = 0; b < {count}; b++) {line}"

        return shop.add(
            Block(
                kind=Kind.REAL,
                shape=node.shape,
                sources=tuple(shop.in_memory(read) for read in wide),
                write=write,
                room=2 * n * max(n, k),
            )
        )

    return rule


def in_blocks(shop: Workshop, node: Node, x: Read, call: str) -> Read:
    """Return what a function of `matrices.h` makes of each vector."""
    return _on_matrices(call, (1,), 1)(shop, node, [x])


def _cumsum(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    (x,) = reads
    n = node.shape[-1]
    count = math.prod(node.shape[:-1])
    kind = _CTYPE[x.kind]

    def write(out: str, sources: tuple[str, ...], _room: str) -> str:
        return (
            f"for (int64_t b = 0; b < {count}; b++) {{ {kind} total = ({kind}){{}}; "
            f"for (int64_t i = b * {n}; i < (b + 1) * {n}; i++) "
            f"{{ total += {sources[0]}[i]; {out}[i] = total; }} }}"
        )

    memory = shop.in_memory(x)
    return shop.add(Block(kind=node.kind, shape=node.shape, sources=(memory,), write=write))


BLOCKS: Mapping[str, Rule] = MappingProxyType(
    {
        "cumsum": _cumsum,
        "sort": _on_matrices("sort_lanes({0}, {x}, {n});", (1,), 1),
        "sort_by": _on_matrices("sort_by_lanes({0}, {1}, {x}, {m}, {n});", (1, 1), 1),
        "det": _on_matrices("determinant_lanes({0}, {x}, {m}, {n}, 0);", (2,), 0),
        "logdet": _on_matrices("determinant_lanes({0}, {x}, {m}, {n}, 1);", (2,), 0),
        "inv": _on_matrices("solve_lanes({0}, 0, {x}, {m}, {n}, {n});", (2,), 2),
        "solve": _on_matrices("solve_lanes({0}, {1}, {x}, {m}, {n}, 1);", (2, 1), 1),
        "solve_matrix": _on_matrices("solve_lanes({0}, {1}, {x}, {m}, {n}, {k});", (2, 2), 2),
        "cholesky": _on_matrices("cholesky_lanes({0}, {x}, {n});", (2,), 2),
    }
)
"""Rule by the name of the operator."""
