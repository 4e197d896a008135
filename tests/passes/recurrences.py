"""Recurrences drawn at random: bodies, what they are handed, and points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from ebmlang.graph import EnergyGraph, Kind
from tests.lower.sketch import Sketch, evaluate

CHAINS = 2
PLACES = 5
"""How long the array is that elements may be places in."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A graph whose total is a sum of squares of the states, and values of its leaves.

    Attributes:
        graph: The graph.
        total: The node.
        points: By path of a variable, its value in each chain.
        data: By path of a given, its value.
    """

    graph: EnergyGraph
    total: int
    points: dict[str, np.ndarray]
    data: dict[str, np.ndarray]


STEEPEST = 1e3
"""Slope up to which a recurrence is tame."""


def recurrences(*, nested: bool = True) -> st.SearchStrategy[Case]:
    """Return a recurrence with some of its operands unknown, and tame.

    A chaotic one multiplies roundings as it does differences: neither says anything of it.
    """
    return _recurrences(nested=nested).filter(is_tame)


def is_tame(case: Case) -> bool:
    """Whether the total changes little along some direction, over a long step and a short one."""
    rng = np.random.default_rng(0)
    direction = {path: rng.normal(size=value.shape[1:]) for path, value in case.points.items()}

    def total(chain: int, step: float) -> float:
        moved = {path: value[chain] + step * direction[path] for path, value in case.points.items()}
        with np.errstate(all="ignore"):
            return float(evaluate(case.graph, case.data | moved)[case.total])

    return all(
        abs(total(chain, step) - total(chain, -step)) <= 2 * step * STEEPEST
        for chain in range(CHAINS)
        for step in (1e-5, 1e-8)
    )


@st.composite
def _recurrences(draw, *, nested: bool) -> Case:
    steps = draw(st.integers(0, 4))
    lead = draw(st.sampled_from([(), (2,)]))
    own = draw(st.sampled_from([(), (3,), (2, 3)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    s, points, data = Sketch(), {}, {}

    def leaf(path: str, shape: tuple[int, ...]) -> int:
        if draw(st.booleans()):
            points[path] = rng.uniform(-1, 1, (CHAINS, *shape))
            return s.variable(path, shape)
        data[path] = rng.uniform(-1, 1, shape)
        return s.given(path, shape)

    def thinned(shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(1 if draw(st.booleans()) else size for size in shape)

    points["start"] = rng.uniform(-1, 1, (CHAINS, *lead, *own))
    start = s.variable("start", (*lead, *own))
    elements, shapes = [], []
    for number in range(draw(st.integers(0, 2))):
        before, behind = thinned(lead), thinned(own)
        elements.append(leaf(f"element{number}", (*before, steps, *behind)))
        shapes.append((*before, *behind))
    captures = []
    for number in range(draw(st.integers(0, 2))):
        shapes.append(thinned((*lead, *own)))
        captures.append(leaf(f"capture{number}", shapes[-1]))
    array = leaf("array", (PLACES,))
    matrix = leaf("matrix", (3, 3))
    places = s.constant(rng.integers(0, PLACES, steps))

    b = Sketch()
    pool = [b.parameter(0, (*lead, *own))]
    one = len(elements) + 1
    pool += [b.parameter(i + 1, shape) for i, shape in enumerate(shapes[: len(elements)])]
    place = b.parameter(one, (), Kind.INT)
    pool += [b.parameter(one + 1 + i, shape) for i, shape in enumerate(shapes[len(elements) :])]
    rest = one + 1 + len(captures)
    rank = len(lead) + len(own)
    taken = b("take", b.parameter(rest, (PLACES,)), place, axis=-1)
    pool.append(b("reshape", taken, rank=0, shape=(1,) * rank))
    writer = Body(b, b.parameter(rest + 1, (3, 3)), (*lead, *own))
    for name in draw(st.lists(st.sampled_from(writer.names(nested=nested)), max_size=5)):
        operands = [pool[draw(st.integers(0, len(pool) - 1))] for _ in range(2)]
        pool.append(writer.write(name, *operands))
    # The last step and the state itself, so that most of what is drawn counts.
    result = b("add", pool[-1], b("mul", pool[0], b.constant(np.full((1,) * rank, 0.5))))
    if draw(st.booleans()):
        result = pool[-1]
    body = b.body(writer.whole(result))
    out = s.node(
        "scan",
        (start, *elements, places, *captures, array, matrix),
        of=(*lead, steps + 1, *own),
        body=body,
        steps=steps,
        rank=len(own),
        element_ranks=(*(len(own) for _ in elements), 0),
    )
    shape = (*lead, steps + 1, *own)
    weights = s.constant(rng.uniform(0.5, 1.5, shape))
    product = s("mul", s("square", out), weights)
    total = s("sum", product, axes=tuple(range(-len(shape), 0)))
    return Case(graph=s.graph(total), total=total, points=points, data=data)


@dataclass(frozen=True)
class Body:
    """Writes steps of a body; all values have as many axes as the state."""

    b: Sketch
    matrix: int
    state: tuple[int, ...]

    def names(self, *, nested: bool) -> list[str]:
        """Return what can be written."""
        names = ["add", "sub", "mul", "minimum", "sin", "tanh", "root", "branch"]
        if self.state and self.state[-1] == 3:
            names += ["matvec", "sum", "cumsum", "sort", "stack", "turn"]
            names += ["inner"] if nested else []
        return names

    def write(self, name: str, x: int, y: int) -> int:
        """Return the node of one step; a unary one leaves y."""
        b, rank = self.b, len(self.state)
        wide = lambda: self.whole(x)  # noqa: E731
        forms: dict[str, Callable[[], int]] = {
            **{n: lambda n=n: b(n, x, y) for n in ("add", "sub", "mul", "minimum")},
            **{n: lambda n=n: b(n, x) for n in ("sin", "tanh")},
            "root": lambda: b("sqrt", b("add", b("square", x), self.number(1.0))),
            # The logarithm is not to be taken, nor differentiated, where x is negative.
            "branch": lambda: b(
                "where", b("less_equal", x, self.number(0.1)), b("mul", x, y), b("log", x)
            ),
            "matvec": lambda: b("matvec", self.matrix, wide()),
            "sum": lambda: b(
                "reshape",
                b("sum", wide(), axes=(-1,)),
                rank=rank - 1,
                shape=(*self.state[:-1], 1),
            ),
            "cumsum": lambda: b("cumsum", wide()),
            "sort": lambda: b("sort", wide()),
            "turn": lambda: b("take", wide(), b.constant(np.array([2, 0, 1])), axis=-1),
            "stack": lambda: b(
                "take",
                b("stack", wide(), self.whole(y), axis=-rank - 1),
                b.constant(np.array(1)),
                axis=-rank - 1,
            ),
            "inner": lambda: self.inner(wide(), self.whole(y)),
        }
        return forms[name]()

    def number(self, value: float) -> int:
        """Return a number that broadcasts with the state."""
        return self.b.constant(np.full((1,) * len(self.state), value))

    def whole(self, x: int) -> int:
        """Return a value in the shape of the state."""
        if self.b.builder.nodes[x].shape == self.state:
            return x
        return self.b("expand", x, shape=self.state)

    def inner(self, x: int, y: int) -> int:
        """Return the last state of a recurrence over the last axis of x that captures y."""
        i, b, lead = Sketch(), self.b, self.state[:-1]
        state, element = i.parameter(0, lead), i.parameter(1, lead)
        outer = i("sum", i.parameter(2, self.state), axes=(-1,))
        result = i("sub", i("sin", i("mul", state, outer)), element)
        start = b("sum", y, axes=(-1,))
        states = b.scan(i.body(result), start, [x], [y], steps=3)
        return b("slice", states, axis=-1, start=1, stop=4)
