"""What the domains of variables add to a bound from below: walls."""

import math

from ebmlang.analysis.affine import Affine, AffineForms
from ebmlang.analysis.growth import WALL
from ebmlang.analysis.propriety.lower_bound import Atom, Conjunction
from ebmlang.graph import Root, RootKind
from ebmlang.lang.types import DomainKind


def domain_walls(forms: AffineForms) -> Conjunction:
    """Return what keeps points inside the domains of the variables."""
    sources = {
        node.option("path"): number
        for number, node in enumerate(forms.elements.nodes)
        if node.operator == "variable"
    }
    total = forms.elements.facts.graph.roots[Root(RootKind.TOTAL)]
    found = []
    for j, at in enumerate(forms.coordinates):
        # A variable that nothing depends on is no node.
        source = (sources.get(at.path, total), 0)
        if at.unbounded and at.lower != -math.inf:
            found.append(Atom(({j: -1.0},), WALL, source, Affine({j: -1.0}, at.lower, at.lower)))
        if at.unbounded and at.upper != math.inf:
            found.append(Atom(({j: 1.0},), WALL, source, Affine({j: 1.0}, -at.upper, -at.upper)))
        following = forms.coordinates[j + 1] if j + 1 < len(forms.coordinates) else None
        if at.kind is DomainKind.ORDERED and following is not None:
            inside = following.path == at.path and following.place[:-1] == at.place[:-1]
            if inside:
                step = {j: 1.0, j + 1: -1.0}
                found.append(Atom((step,), WALL, source, Affine(step)))
    return Conjunction(atoms=tuple(found))
