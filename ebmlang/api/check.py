"""`check`: all that can be said of a model before it runs."""

from collections.abc import Iterable

from ebmlang.analysis import GraphFacts
from ebmlang.api.facts import find_facts
from ebmlang.api.model import Model
from ebmlang.source import Diagnostic, EbmError, Report, Severity
from ebmlang.syntax.allowances import drop_allowed

UNPROVEN = "W0422"
"""That a proof was not found is no fault of a spec: only those who ask for all advice hear it."""


def check_model(model: Model, *, pedantic: bool = False) -> tuple[Diagnostic, ...]:
    """Return all messages about a model with the data that it has so far, by place.

    Where data that is missing decides the size of an array, only what its text alone says.

    Args:
        model: The model.
        pedantic: Whether advice on tolerances and scales is wanted, and on what is unproven.

    Raises:
        EbmError: The data does not fit, or the graph cannot be built for it.
    """
    facts = find_facts(model)
    found = () if facts is None else _judge(model, facts, "check", pedantic=pedantic)
    kept = (d for d in found if pedantic or d.code != UNPROVEN)
    return _merge(model, kept)


def require_sound(model: Model, verb: str) -> tuple[Diagnostic, ...]:
    """Return the warnings about a model that is about to run, beside those of its text.

    Args:
        model: The model, with all its data.
        verb: What is about to be done with it: `solve` or `sample`.

    Raises:
        EbmError: It would be in vain: nothing can satisfy it (E0411), or there is no minimum or
            no integral (E0412-E0414).
    """
    facts = find_facts(model)
    if facts is None:
        return ()
    merged = _merge(model, _judge(model, facts, verb, pedantic=False))
    found = tuple(diagnostic for diagnostic in merged if diagnostic not in model.diagnostics)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in found):
        raise EbmError(*found)
    return found


def find_findings(model: Model, *, pedantic: bool = False) -> tuple[Diagnostic, ...]:
    """Return contradictions, what says nothing and what is said twice; () where sizes are missing.

    Args:
        model: The model.
        pedantic: Whether advice on tolerances and scales is wanted.
    """
    from ebmlang.analysis.findings import list_findings

    facts = find_facts(model)
    return () if facts is None else list_findings(facts, model.program, pedantic=pedantic)


def _judge(model: Model, facts: GraphFacts, verb: str, *, pedantic: bool) -> Iterable[Diagnostic]:
    """Yield the messages of all analyses."""
    from ebmlang.analysis.integrals import integral_diagnostics
    from ebmlang.analysis.propriety.message import propriety_diagnostics
    from ebmlang.analysis.repulsion import repel_diagnostics

    yield from find_findings(model, pedantic=pedantic)
    integrals = tuple(integral_diagnostics(facts))
    yield from integrals
    if any(diagnostic.severity is Severity.ERROR for diagnostic in integrals):
        # What is wrong with a part is not said of the whole again.
        return
    # What `repel` promises and breaks is one cause, and has its own message.
    yield from (
        repel_diagnostics(model.program, facts) or propriety_diagnostics(facts.propriety, verb)
    )


def _merge(model: Model, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return messages beside those of the text, where the text alone did not say it already."""
    report = Report()
    said = set()
    for diagnostic in model.diagnostics:
        report.add(diagnostic)
        said.add(_about(diagnostic))
    for diagnostic in found:
        if _about(diagnostic) not in said:
            report.add(diagnostic)
    return drop_allowed(report.diagnostics, model.file)


def _about(diagnostic: Diagnostic) -> object:
    return diagnostic.code, diagnostic.primary.span if diagnostic.primary else None
