"""Coordinates that integrate to one: densities over them, and nothing else that falls.

    exp(-E) = p(v | rest) exp(-F(v, rest)),  and  F(v, rest) >= G(rest)

gives the integral over v at most exp(-G(rest)). So densities of weight one may be left out, each
with a coordinate that it is a density of, as long as all the rest is bounded below in these. That
peels a hierarchical model from its leaves to its root, whatever its scales do; and it lets one
observation of a location stand for a prior on it.

What has to be: each density is integrated before those of coordinates that it depends on. Where
that goes round in a circle, the circle must be a linear map of full rank, with a constant
determinant: then it is one density of all its coordinates.

Source: Fubini's theorem; Gelman et al., Bayesian Data Analysis, section 5.3 (hierarchical models)
and 3.2 (a flat prior on location and scale).
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ebmlang.analysis.affine import Affine, AffineForms, Row
from ebmlang.analysis.elements import Combination, Element
from ebmlang.analysis.propriety.bounding import Bounding
from ebmlang.analysis.propriety.cone import FULL, Matrix
from ebmlang.analysis.propriety.lower_bound import Choice, Conjunction, join
from ebmlang.graph import Root, RootKind
from ebmlang.lang.types import DomainKind

DENSITIES = 4_000
"""Most densities that are looked at one by one; bounds the time."""

CIRCLE = 60
"""Most densities in one circle: their matrix is written out."""

INDEPENDENT = 1e-6
"""What is left of a column without the others, relative to it, for it to count as independent."""

TRIED = 8
"""Most coordinates that are tried as the one that a density is of."""


@dataclass(frozen=True, slots=True)
class Density:
    """A part of the energy that is a density of weight one.

    Attributes:
        elements: Its energy: one element, or that of a vector.
        rows: What it is a density of, as rows over all coordinates.
        own: The coordinates of its left side.
        given: The coordinates that it depends on besides its rows; variables count as a whole.
    """

    elements: tuple[Element, ...]
    rows: tuple[Row, ...]
    own: frozenset[int]
    given: frozenset[int]

    @property
    def moved_by(self) -> frozenset[int]:
        """The coordinates that its rows depend on."""
        return frozenset(j for row in self.rows for j in row)


@dataclass(frozen=True, slots=True)
class Reduced:
    """A bound of the energy after some coordinates have been integrated out.

    Attributes:
        bound: Of what is left.
        coordinates: Those that can go to infinity and are still there.
        gone: Those that were integrated out.
    """

    bound: Conjunction
    coordinates: frozenset[int]
    gone: frozenset[int]


class Peeling:
    """The densities of one energy, and in which coordinates its parts may fall.

    Args:
        forms: Of the graph.
        total: The node of the energy.
        energy: A bound of the energy with all its densities.
        walls: What the domains and the requirements add.
    """

    def __init__(
        self, forms: AffineForms, total: int, energy: Conjunction, walls: Conjunction
    ) -> None:
        self.forms = forms
        self._energies: dict[frozenset[Element], Conjunction] = {frozenset(): energy}
        self.total = total
        self.walls = walls
        self.densities = find_densities(forms, total)
        out = frozenset(e for density in self.densities for e in density.elements)
        base = self._without(out)
        bounding = Bounding(forms)
        parts = [
            bounding.below((element, 1.0) for element in density.elements)
            for density in self.densities
        ]
        self.base = _falls_in(forms, base)
        self.falling = [_falls_in(forms, part) for part in parts]
        rising = [part for part, falls in zip(parts, self.falling, strict=True) if not falls]
        self.held = _held_in(join([base, walls, *rising]))

    def integrate_out(self, wanted: frozenset[int] = frozenset()) -> Reduced:
        """Return the bound of the energy without all that integrates to one.

        Args:
            wanted: Coordinates that are to be integrated out rather than others.
        """
        count = Counter(j for falling in self.falling for j in falling)
        count.update(self.base)
        chosen = _Chosen(self.densities, self.forms, self.held - wanted)
        # Those that fall first: only they have to go.
        order = sorted(range(len(self.densities)), key=lambda n: not self.falling[n])
        while True:
            before = len(chosen.pivots)
            for number in order:
                if number in chosen.pivots:
                    continue
                density = self.densities[number]
                own = self.falling[number]
                free = {j for j in density.moved_by if count[j] <= (j in own)}
                if chosen.add(number, free):
                    count.subtract(own)
            if len(chosen.pivots) == before:
                break
        gone = frozenset(chosen.owner)
        out = frozenset(e for n in chosen.pivots for e in self.densities[n].elements)
        whole = join([self._without(out), self.walls])
        return Reduced(_projected(whole, gone), self.forms.unbounded - gone, gone)

    def _without(self, out: frozenset[Element]) -> Conjunction:
        """Return a bound of the energy without some of its elements."""
        if out not in self._energies:
            self._energies[out] = Bounding(self.forms, out).energy(self.total)
        return self._energies[out]


class _Chosen:
    """Densities that are integrated out, and the coordinates that each is integrated over.

    Args:
        densities: All there are.
        forms: Of the graph.
        held: Coordinates that others hold: rather not these.
    """

    def __init__(
        self, densities: Sequence[Density], forms: AffineForms, held: frozenset[int]
    ) -> None:
        self.densities = densities
        self.held = held
        self.forms = forms
        self.pivots: dict[int, tuple[int, ...]] = {}
        self.owner: dict[int, int] = {}

    def add(self, number: int, free: set[int]) -> bool:
        """Integrate a density over coordinates in which nothing else falls, if that can be."""
        for pivots in self._candidates(self.densities[number], free):
            self.pivots[number] = pivots
            self.owner.update(dict.fromkeys(pivots, number))
            if self._is_sound(number):
                return True
            del self.pivots[number]
            for j in pivots:
                del self.owner[j]
        return False

    def _candidates(self, density: Density, free: set[int]) -> Iterator[tuple[int, ...]]:
        """Yield sets of coordinates for which the rows of a density can be solved."""
        usable = [
            j
            for j in free
            if j not in density.given and j not in self.owner and self._is_flat(density, j)
        ]
        usable.sort(key=lambda j: (j in self.held, j not in density.own, j))
        if len(density.rows) == 1:
            yield from ((j,) for j in usable[:TRIED])
            return
        matrix = np.array([[row.get(j, 0.0) for j in usable] for row in density.rows])
        columns = independent_columns(matrix)
        if len(columns) == len(density.rows):
            yield tuple(usable[k] for k in columns)

    def _is_flat(self, density: Density, j: int) -> bool:
        """Return whether the measure of a coordinate is that of the density: Lebesgue's."""
        match self.forms.coordinates[j].kind:
            case DomainKind.UNIT | DomainKind.ROTATION:
                return False
            case DomainKind.SIMPLEX:
                # Of all densities of vectors only `dirichlet` is one on the simplex.
                node = self.forms.elements.nodes[density.elements[0][0]]
                return len(density.rows) > 1 and node.operator == "supported"
            case _:
                return True

    def _is_sound(self, number: int) -> bool:
        """Return whether the circle that a density is in, if any, is a map of full rank."""
        circle = self._circle(number)
        columns = [j for n in circle for j in self.pivots[n]]
        if len(circle) == 1:
            return True
        if len(columns) > CIRCLE or any(
            not self.densities[n].given.isdisjoint(columns) for n in circle
        ):
            return False
        rows = [row for n in circle for row in self.densities[n].rows]
        matrix = np.array([[row.get(j, 0.0) for j in columns] for row in rows])
        return len(independent_columns(matrix)) == len(columns)

    def _circle(self, number: int) -> set[int]:
        """Return the densities that depend on each other's coordinates, this one among them."""
        edges: dict[int, set[int]] = {}
        stack = [number]
        while stack:
            current = stack.pop()
            if current not in edges:
                density = self.densities[current]
                owners = {
                    self.owner[j] for j in density.moved_by | density.given if j in self.owner
                }
                edges[current] = owners - {current}
                stack.extend(edges[current])
        into: dict[int, set[int]] = {}
        for source, targets in edges.items():
            for target in targets:
                into.setdefault(target, set()).add(source)
        found: set[int] = set()
        stack = [number]
        while stack:
            current = stack.pop()
            if current not in found:
                found.add(current)
                stack.extend(into.get(current, ()))
        return found


def independent_columns(matrix: Matrix) -> list[int]:
    """Return columns that are linearly independent, as many as there are, the first ones first."""
    work = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), FULL)
    basis: list[Matrix] = []
    found = []
    for k in range(work.shape[1]):
        column = work[:, k]
        size = float(np.linalg.norm(column))
        for vector in basis:
            column = column - (vector @ column) * vector
        rest = float(np.linalg.norm(column))
        if size > FULL and rest > INDEPENDENT * size:
            basis.append(column / rest)
            found.append(k)
    return found


def find_densities(forms: AffineForms, total: int) -> list[Density]:
    """Return the densities of affine values that the energy is a plain sum of."""
    graph = forms.elements.facts.graph
    weights = _weights(forms, total)
    found: list[Density] = []
    for root, node in graph.roots_of(RootKind.DENSITY):
        left = graph.roots[Root(RootKind.LEFT, root.path)]
        size = math.prod(graph.nodes[node].shape)
        own = weights.get(node, {})
        if left not in forms.forms or len(own) != size or set(own.values()) != {1.0}:
            continue
        source = _difference(forms, node, left)
        affine = forms.forms[source]
        rows = tuple(form.row for form in affine if form is not None and _is_exact(form))
        if len(rows) < len(affine) or not all(rows) or len(rows) < size:
            continue
        given = _dependence(forms, node, source)
        known = [form.row for form in forms.forms[left] if form is not None]
        mine = frozenset(j for row in known for j in row)
        if len(rows) == size:
            found += [Density(((node, i),), (rows[i],), mine, given) for i in range(size)]
        else:
            elements = tuple((node, i) for i in range(size))
            found.append(Density(elements, rows, mine, given))
    return found if len(found) <= DENSITIES else []


def _is_exact(form: Affine) -> bool:
    """Return whether a form is affine, but for a constant; data that is missing is one."""
    return form.low == form.high or (math.isinf(form.low) and math.isinf(form.high))


def _difference(forms: AffineForms, node: int, left: int) -> int:
    """Return the node left - location, where a density depends on both only by it; else the left.

    The density of a location family is one of that difference, whichever of the two moves.
    """
    graph = forms.elements.facts.graph
    for number, between in enumerate(graph.nodes):
        if between.operator != "sub" or between.inputs[0] != left or number not in forms.forms:
            continue
        same_shape = between.shape == graph.nodes[left].shape
        if same_shape and not _nodes_without(forms, node, number) & set(between.inputs):
            return number
    return left


def _nodes_without(forms: AffineForms, node: int, without: int) -> set[int]:
    """Return the nodes that a node depends on other than by way of a given one."""
    seen: set[int] = {without}
    stack = [node]
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            stack.extend(forms.elements.nodes[number].inputs)
    return seen - {without}


def _dependence(forms: AffineForms, node: int, source: int) -> frozenset[int]:
    """Return the coordinates that a density depends on other than by what it is a density of."""
    nodes = [forms.elements.nodes[n] for n in _nodes_without(forms, node, source)]
    paths = {between.option("path") for between in nodes if between.operator == "variable"}
    return frozenset(j for j, at in enumerate(forms.coordinates) if at.path in paths)


def _weights(forms: AffineForms, total: int) -> dict[int, dict[int, float]]:
    """Return with what factors elements go into the energy by sums alone."""
    elements = forms.elements
    wanted: dict[int, dict[int, float]] = {total: {0: 1.0}}
    for number in range(total, -1, -1):
        if number not in wanted or not elements.varies(number):
            continue
        for place, weight in wanted[number].items():
            form = elements.form((number, place))
            if not isinstance(form, Combination):
                continue
            for (source, i), factor in form.terms:
                into = wanted.setdefault(source, {})
                into[i] = into.get(i, 0.0) + weight * factor
    return wanted


def _falls_in(forms: AffineForms, part: Conjunction) -> set[int]:
    """Return the coordinates in which a bound may fall."""
    found = set(part.linear) | {pole.coordinate for pole in part.poles if pole.growth.factor < 0}
    for square in part.squares:
        if square.factor < 0:
            found |= square.row.keys()
    for atom in part.atoms:
        if atom.growth.factor < 0:
            found.update(j for row in atom.rows for j in row)
    for choice in part.choices:
        for alternative in choice.alternatives:
            found |= _falls_in(forms, alternative)
    for fault in part.faults:
        paths = forms.elements.facts.dependence[fault.source[0]].value
        found.update(j for j, at in enumerate(forms.coordinates) if at.path in paths)
    return found


def _held_in(part: Conjunction) -> frozenset[int]:
    """Return the coordinates that a bound grows in by themselves."""
    rows = [square.row for square in part.squares if square.factor > 0]
    rows += [row for atom in part.atoms if atom.growth.factor > 0 for row in atom.rows]
    return frozenset(j for row in rows if len(row) == 1 for j in row)


def _projected(part: Conjunction, gone: frozenset[int]) -> Conjunction:
    """Return a bound for whatever values of some coordinates, in which it never falls."""
    atoms = []
    for atom in part.atoms:
        rows = tuple(row for row in atom.rows if gone.isdisjoint(row))
        if rows:
            atoms.append(replace(atom, rows=rows))
    return replace(
        part,
        squares=tuple(square for square in part.squares if gone.isdisjoint(square.row)),
        atoms=tuple(atoms),
        choices=tuple(
            Choice(_every(choice.alternatives, gone), choice.source) for choice in part.choices
        ),
        settles=False,
    )


def _every(alternatives: Sequence[Conjunction], gone: frozenset[int]) -> tuple[Conjunction, ...]:
    return tuple(_projected(alternative, gone) for alternative in alternatives)
