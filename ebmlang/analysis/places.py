"""Which elements a quantifier's axes stand for, in the words of the spec."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph.iteration import Elements
from ebmlang.graph.values import Scope

Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Binder:
    """One name that a quantifier binds: its axis, and the place of each element in its source."""

    name: str
    axis: int
    places: Places


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The axes of a quantifier, or of the elements of an array, where `binders` is empty."""

    shape: tuple[int, ...]
    binders: tuple[Binder, ...] = ()

    @classmethod
    def plain(cls, shape: tuple[int, ...]) -> "Axes":
        """Return the axes of an array."""
        return cls(shape)

    def name(self, place: tuple[int, ...]) -> str:
        """Return the element at a place in words.

        >>> Axes.plain((2, 3)).name((1, 2))
        '[1, 2]'
        >>> Axes((3,), (Binder("a", 0, np.array([0, 0, 1])),)).name((2,))
        '[a = 1]'
        """
        named = [f"{b.name} = {b.places[place[b.axis]]}" for b in self.binders]
        return f"[{', '.join(named or map(str, place))}]"


def read_places(scope: Scope, elements: Elements) -> Axes:
    """Return the axes of what an iteration binds, with the place of each element."""
    binders = []
    for symbol, value in elements.binders.items():
        node = scope.node(value)
        axis = elements.axes.index(value.axes[-1])
        size = elements.axes[axis].size
        places = np.arange(size)
        if node.operator == "take":
            places = scope.builder.nodes[node.inputs[1]].option("value").array
        elif node.operator == "constant" and node.shape == (size,) and node.kind.value == "int":
            places = node.option("value").array
        binders.append(Binder(symbol.name, axis, places))
    return Axes(tuple(axis.size for axis in elements.axes), tuple(binders))
