"""Long functions in portions: a compiler's time grows faster than the length of a function.

A portion is a C function of its own, of statements that stand outside of all loops together with
whole loops. What one portion computes and a later one reads goes through memory.
"""

import re
from collections.abc import Sequence

PORTION = 600
"""Statements of a portion, about: past some thousand, gcc takes more than in proportion."""

_DEFINED = re.compile(r"^(?:const )?(vec|lvec|ivec) (\w+) = ")
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def split_lines(lines: Sequence[str]) -> list[list[str]]:
    """Return the portions of a sequence of statements."""
    portions: list[list[str]] = [[]]
    depth = 0
    for line in lines:
        portions[-1].append(line)
        depth += line.count("{") - line.count("}")
        # Not between the start of an accumulator and the end of its steps.
        settled = line.startswith("const ") or line == "}"
        if settled and depth == 0 and len(portions[-1]) >= PORTION:
            portions.append([])
    return [portion for portion in portions if portion]


def link_portions(portions: Sequence[Sequence[str]], spill: str) -> tuple[list[list[str]], int]:
    """Return the portions with what they hand on written and read, and how many vectors that is.

    Args:
        portions: Statements, each portion in braces of its own.
        spill: A C expression of the memory that what is handed on goes through.
    """
    born: dict[str, tuple[int, str]] = {}
    read: list[set[str]] = []
    for place, portion in enumerate(portions):
        words: set[str] = set()
        depth = 0
        for line in portion:
            found = _DEFINED.match(line)
            if found and depth == 0:
                born[found[2]] = (place, found[1])
            words.update(_WORD.findall(line))
            depth += line.count("{") - line.count("}")
        read.append({word for word in words if word in born and born[word][0] < place})
    slots: dict[str, int] = {}
    size = 0
    for name in sorted(set().union(*read)):
        slots[name] = size
        size += 2 if born[name][1] == "lvec" else 1
    linked = []
    for place, portion in enumerate(portions):
        before = [_place(born[name][1], name, spill, slots[name]) for name in sorted(read[place])]
        after = [
            f"*({kind} *)({spill} + {slots[name]}) = {name};"
            for name, (since, kind) in born.items()
            if since == place and name in slots
        ]
        linked.append([*before, *portion, *after])
    return linked, size


def _place(kind: str, name: str, spill: str, slot: int) -> str:
    return f"const {kind} {name} = *(const {kind} *)({spill} + {slot});"
