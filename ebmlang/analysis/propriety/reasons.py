"""The lines of a verdict: what proves it, or what stands in its way, in the words of the spec."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ebmlang.analysis.affine import AffineForms
from ebmlang.analysis.elements import Combination, Either, Element, Extreme
from ebmlang.analysis.propriety.branches import Branch
from ebmlang.analysis.propriety.curve import SHRINKING
from ebmlang.analysis.propriety.densities import Reduced
from ebmlang.analysis.propriety.lower_bound import Atom, Conjunction, opposite
from ebmlang.analysis.propriety.strata import Finding, Standing
from ebmlang.analysis.propriety.tail import LOG, ONE, Sum, is_infinite, limit
from ebmlang.analysis.propriety.witness import Witness
from ebmlang.analysis.verdict import Question, Reason
from ebmlang.graph import EnergyGraph, RootKind, TermInfo, VariableInfo
from ebmlang.lang.facts import Rate
from ebmlang.source import Span

SHOWN = 4
"""Most names, or terms, that one line or one proof lists."""


# --- proofs --------------------------------------------------------------------------


def explain_bounded_domain(graph: EnergyGraph) -> Reason:
    """Return that no variable can go to infinity."""
    names = [info.path for info in graph.variables]
    if not names:
        return Reason("there are no variables")
    return Reason(f"the domain is bounded: that of {_list(names)}")


def explain_bounded(forms: AffineForms, bound: Conjunction) -> Reason:
    """Return why E has a lower bound."""
    falling = _named(forms, _falling(bound))
    if not falling:
        return Reason("no term falls without bound")
    rising = _named(forms, _rising(bound))
    if not rising:
        return Reason(f"{_list(falling)} cannot fall without bound in this domain")
    return Reason(f"what falls in {_list(falling)} is outgrown by {_list(rising)}")


def explain_growth(forms: AffineForms, bound: Conjunction, reduced: Reduced | None) -> list[Reason]:
    """Return what holds each variable that could go to infinity."""
    reasons: list[Reason] = []
    left = forms.unbounded if reduced is None else reduced.coordinates
    gone = [] if reduced is None else _paths(forms, reduced.gone)
    for path in gone[:SHOWN]:
        text = f"`{path}` integrates to one: it has a density, and nothing else falls in it"
        reasons.append(Reason(text, _span_of_variable(forms, path)))
    together: list[str] = []
    holders = _holders(forms, bound)
    for path, own in _coordinates_of(forms, left).items():
        term = _holder(forms, holders, own)
        if term is None:
            together.append(path)
        elif len(reasons) < 2 * SHOWN:
            by = "its prior" if term.path == path else f"`{term.path}`"
            reasons.append(Reason(f"`{path}` is held by {by}, which grows in it", term.span))
    if together:
        about = [term.path for term in _terms_about(forms, together)]
        terms = _named(forms, _rising(bound)) or about
        if terms:
            by = f"one of {_list(terms)} grows" if len(terms) > 1 else f"{_list(terms)} grows"
            rest = ", and outgrows what falls" if _falling(bound) else ""
            reasons.append(Reason(f"in every direction of {_list(together)}, {by}{rest}"))
    if bound.choices:
        reasons.append(Reason("that is so for every combination of alternatives"))
    return reasons or [explain_bounded_domain(forms.elements.facts.graph)]


def _holders(forms: AffineForms, bound: Conjunction) -> dict[tuple[int, bool], set[str]]:
    """Return the terms that alone grow along a coordinate, upwards or downwards."""
    held: dict[tuple[int, bool], set[str]] = {}
    rows = [(row, atom.source) for atom in bound.atoms if _rises(atom) for row in atom.rows]
    for square in bound.squares:
        if square.factor > 0:
            rows += [(square.row, square.source), (opposite(square.row), square.source)]
    for row, source in rows:
        if len(row) == 1:
            ((j, c),) = row.items()
            held.setdefault((j, c > 0), set()).update(t.path for t in _terms_of(forms, source))
    return held


def _holder(
    forms: AffineForms, held: Mapping[tuple[int, bool], set[str]], own: Iterable[int]
) -> TermInfo | None:
    """Return a term that alone grows along every coordinate of a variable, either way."""
    wanted = [
        held.get((j, up), set())
        for j in own
        for up in (True, False)
        if math.isinf(forms.coordinates[j].upper if up else forms.coordinates[j].lower)
    ]
    paths = set.intersection(*wanted) if wanted else set()
    return next((term for term in _terms(forms) if term.path in paths), None)


def _rises(atom: Atom) -> bool:
    return atom.growth.factor > 0 and atom.growth.rate is not Rate.BOUNDED


def _named(forms: AffineForms, sources: Iterable[Element]) -> list[str]:
    paths = {term.path for source in set(sources) for term in _terms_of(forms, source)}
    return [term.path for term in _terms(forms) if term.path in paths]


def _falling(bound: Conjunction) -> list[Element]:
    """Return the elements that fall in some direction; of a linear part no element is known."""
    found = [atom.source for atom in bound.atoms if atom.growth.factor < 0]
    found += [square.source for square in bound.squares if square.factor < 0]
    found += [pole.source for pole in bound.poles if pole.growth.factor < 0]
    parts = [part for choice in bound.choices for part in choice.alternatives]
    return [*found, *(source for part in parts for source in _falling(part))]


def _rising(bound: Conjunction) -> list[Element]:
    """Return the elements that grow in some direction."""
    found = [atom.source for atom in bound.atoms if _rises(atom)]
    found += [square.source for square in bound.squares if square.factor > 0]
    parts = [part for choice in bound.choices for part in choice.alternatives]
    return [*found, *(source for part in parts for source in _rising(part))]


# --- ways out ------------------------------------------------------------------------


def explain_witness(
    forms: AffineForms, witness: Witness, question: Question, branch: Branch
) -> list[Reason]:
    """Return what a way out shows, and which terms leave it open."""
    paths = moving_variables(forms, witness.curve.rates)
    opened = list(_alternatives(forms, branch, paths))
    reasons = [reason for _, reason in opened]
    said = {term.path for source, _ in opened for term in _terms_of(forms, source)}
    touching = _terms_about(forms, paths)
    if not touching:
        reasons.append(Reason(f"no term depends on {_list(paths)}"))
    for term in [term for term in touching if term.path not in said][:SHOWN]:
        behavior = _behavior(witness.terms[term.path]) if term.path in witness.terms else None
        if behavior is not None:
            reasons.append(Reason(f"`{term.path}` {behavior}", term.span))
        elif term.role == "require":
            reasons.append(Reason(f"`{term.path}` holds all the way", term.span))
    text = f"{_result(witness, question)} {show_direction(forms, witness)}"
    return [*reasons, Reason(text, _span_of(forms, paths))]


def _behavior(energy: Sum) -> str | None:
    """Return how a term goes on, from a bound from above."""
    if is_infinite(energy):
        return None
    monomial = energy[0][0] if energy else ONE
    if limit(energy) == -math.inf:
        return "falls without bound"
    if monomial > ONE:
        return "grows, but too slowly" if monomial <= LOG else "grows, and is outweighed"
    return "stays bounded"


def _result(witness: Witness, question: Question) -> str:
    rate = witness.log_rate
    if question is Question.BOUNDED_BELOW or rate == -math.inf:
        return "so E falls without bound"
    if question is Question.HAS_MINIMIZER:
        return "so E falls forever and reaches no least value"
    if witness.curve.motion == SHRINKING:
        return f"so exp(-E) grows like t^{-rate:g}, too fast for a finite integral,"
    if rate == 0:
        return "so E stays bounded"
    room = "a finite integral" if witness.dimensions == 1 else f"{witness.dimensions} dimensions"
    growth = "log t" if rate == 1 else f"{rate:g} log t"
    return f"so E grows only like {growth}, too slowly for {room},"


def show_direction(forms: AffineForms, witness: Witness) -> str:
    """Return a way out in words: `along y = +1`, or `towards sigma = 0`."""
    curve = witness.curve
    if curve.motion == SHRINKING:
        ends = [f"{forms.coordinates[j].name} = {curve.start[j]:g}" for j in curve.rates]
        return f"towards {', '.join(ends[:SHOWN])}"
    whole = _whole_variables(forms, curve.rates)
    named = whole or {forms.coordinates[j].name: rate for j, rate in curve.rates.items()}
    parts = [f"{name} = {_signed(rate)}" for name, rate in list(named.items())[:SHOWN]]
    more = ", ..." if len(named) > SHOWN else ""
    return f"along {', '.join(parts)}{more}"


def _whole_variables(forms: AffineForms, rates: Mapping[int, float]) -> dict[str, float]:
    """Return one rate per variable where all its elements move alike, else nothing."""
    found: dict[str, float] = {}
    for path in moving_variables(forms, rates):
        own = {rates.get(j, 0.0) for j, at in enumerate(forms.coordinates) if at.path == path}
        if len(own) != 1:
            return {}
        found[path] = own.pop()
    return found


def _signed(rate: float) -> str:
    return f"{rate:+.4g}"


def moving_variables(forms: AffineForms, rates: Mapping[int, float]) -> tuple[str, ...]:
    """Return the paths of the variables that move, in order of declaration."""
    return tuple(dict.fromkeys(forms.coordinates[j].path for j in sorted(rates) if rates[j]))


def _alternatives(
    forms: AffineForms, branch: Branch, paths: Sequence[str]
) -> Iterator[tuple[Element, Reason]]:
    """Yield what the alternatives that were taken have to do with the way out."""
    for source, number in branch.taken[:SHOWN]:
        form = forms.elements.form(source)
        among: tuple[Element, ...] = ()
        if isinstance(form, Extreme):
            among = form.among
        elif isinstance(form, Either):
            among = (form.yes, form.no)
        if number >= len(among):
            continue
        chosen = _traced(forms, among[number])
        known = forms.elements.facts.dependence[chosen[0]].value
        others = [info.path for info in _variables(forms) if info.path in known]
        if not others or known & set(paths):
            continue
        span = user_span(forms, chosen[0])
        name = "one alternative" if span is None else f"the alternative `{_brief(span)}`"
        yield source, Reason(f"{name} grows only in {_list(others)}", span)


def _traced(forms: AffineForms, element: Element) -> Element:
    """Return the element that one is only another name for, or a multiple of."""
    form = forms.elements.form(element)
    while isinstance(form, Combination) and len(form.terms) == 1:
        ((element, _),) = form.terms
        form = forms.elements.form(element)
    return element


def user_span(forms: AffineForms, number: int) -> Span | None:
    """Return where a node comes from, unless that is in the standard library."""
    span = forms.elements.nodes[number].origin.span
    sources = {id(term.span.source) for term in forms.elements.facts.graph.terms if term.span}
    return span if span is not None and id(span.source) in sources else None


def _brief(span: Span) -> str:
    text = " ".join(span.text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."


# --- what is not known ---------------------------------------------------------------


def explain_unknown(forms: AffineForms, finding: Finding) -> tuple[list[Reason], tuple[str, ...]]:
    """Return what stands in the way of a proof, and the terms to blame."""
    if finding.standing is Standing.UNCLEAR or (
        finding.source is None and finding.direction is None
    ):
        return [Reason(finding.why)], ()
    if finding.source is None:
        assert finding.direction is not None
        paths = moving_variables(forms, finding.direction)
        text = f"no term is proved to hold {_list(paths)}, and no way out was found"
        terms = tuple(term.path for term in _terms_about(forms, paths))
        return [Reason(text, _span_of(forms, paths))], terms
    terms_of = _terms_of(forms, finding.source)
    why = finding.why or "it falls, and nothing is proved to outgrow it"
    span = user_span(forms, finding.source[0])
    part = "" if span is None else f"`{_brief(span)}` in "
    reasons = [Reason(f"{part}`{term.path}`: {why}", span or term.span) for term in terms_of]
    return reasons or [Reason(why)], tuple(term.path for term in terms_of)


def _terms_about(forms: AffineForms, variables: Sequence[str]) -> list[TermInfo]:
    """Return the terms that depend on any of these variables, in their order."""
    graph, dependence = forms.elements.facts.graph, forms.elements.facts.dependence
    wanted = set(variables)
    paths = {
        root.path
        for root, number in graph.roots.items()
        if root.kind in (RootKind.ENERGY, RootKind.HARD) and dependence[number].value & wanted
    }
    return [term for term in graph.terms if term.path in paths]


# --- names ---------------------------------------------------------------------------


def _terms_of(forms: AffineForms, source: Element) -> list[TermInfo]:
    """Return the terms that an element is part of, or that alone which it was built for."""
    graph = forms.elements.facts.graph
    if graph.nodes[source[0]].operator == "variable":
        return []
    path = graph.nodes[source[0]].origin.path
    own = [term for term in graph.terms if term.path == path]
    if own:
        return own
    paths = set(graph.terms_of(source[0]))
    return [term for term in graph.terms if term.path in paths]


def _paths(forms: AffineForms, coordinates: Iterable[int]) -> list[str]:
    return list(dict.fromkeys(forms.coordinates[j].path for j in sorted(coordinates)))


def _coordinates_of(forms: AffineForms, coordinates: Iterable[int]) -> dict[str, list[int]]:
    """Return coordinates by the path of their variable."""
    found: dict[str, list[int]] = {}
    for j in sorted(coordinates):
        found.setdefault(forms.coordinates[j].path, []).append(j)
    return found


def _variables(forms: AffineForms) -> tuple[VariableInfo, ...]:
    return forms.elements.facts.graph.variables


def _terms(forms: AffineForms) -> tuple[TermInfo, ...]:
    return forms.elements.facts.graph.terms


def _span_of_variable(forms: AffineForms, path: str) -> Span | None:
    for info in _variables(forms):
        if info.path == path:
            return info.span
    return None


def _span_of(forms: AffineForms, paths: Sequence[str]) -> Span | None:
    return _span_of_variable(forms, paths[0]) if paths else None


def _list(names: Iterable[str]) -> str:
    every = [f"`{name}`" for name in names]
    assert every, "a list of nothing"
    shown = every[:SHOWN] + (["..."] if len(every) > SHOWN else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
