"""All findings, as one table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.findings.constants import find_constant_terms
from ebmlang.analysis.findings.duplicates import find_duplicates
from ebmlang.analysis.findings.impossible import find_impossible, find_infinite
from ebmlang.analysis.findings.scales import find_far_scales
from ebmlang.analysis.findings.subject import Subject
from ebmlang.analysis.findings.tolerances import find_default_tolerances
from ebmlang.analysis.findings.truth import find_always_true, find_never_true
from ebmlang.analysis.findings.untouched import find_untouched
from ebmlang.analysis.findings.weights import find_lone_weights, find_useless_weights
from ebmlang.check.program import Program
from ebmlang.source import Diagnostic, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that can be found.

    Attributes:
        code: Of the messages that it gives.
        find: Yields them.
        pedantic: Whether it is advice, given only to those who ask for all of it.
    """

    code: str
    find: Callable[[Subject], Iterable[Diagnostic]]
    pedantic: bool = False


FINDINGS = (
    Finding(code="E0411", find=find_impossible),
    Finding(code="E0411", find=find_infinite),
    Finding(code="W0331", find=find_constant_terms),
    Finding(code="W0423", find=find_always_true),
    Finding(code="W0424", find=find_never_true),
    Finding(code="W0211", find=find_untouched),
    Finding(code="W0425", find=find_duplicates),
    Finding(code="W0426", find=find_useless_weights),
    Finding(code="W0426", find=find_lone_weights, pedantic=True),
    Finding(code="W0427", find=find_default_tolerances, pedantic=True),
    Finding(code="W0428", find=find_far_scales, pedantic=True),
)


def list_findings(
    facts: GraphFacts, program: Program, *, pedantic: bool = False
) -> tuple[Diagnostic, ...]:
    """Return what is found in a spec, by place in its file, each cause once.

    Args:
        facts: Of its graph.
        program: The typed program that the graph was built from.
        pedantic: Whether advice on tolerances and scales is wanted too.
    """
    subject = Subject(facts, program)
    report = Report()
    for finding in FINDINGS:
        if pedantic or not finding.pedantic:
            for diagnostic in finding.find(subject):
                report.add(diagnostic)
    return report.diagnostics
