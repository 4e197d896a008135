"""W0425: terms, or operands of one AND or OR, that say the same."""

from collections import Counter
from collections.abc import Iterator

from ebmlang.analysis.findings.joins import find_operands
from ebmlang.analysis.findings.subject import Subject, show_number
from ebmlang.analysis.findings.weighing import strip_weight
from ebmlang.check.formulas import (
    Call,
    Connective,
    Convert,
    Expression,
    Logical,
    Quantified,
    Relation,
)
from ebmlang.check.program import Role, Term
from ebmlang.check.walk import children
from ebmlang.graph import RootKind
from ebmlang.lang import Sort
from ebmlang.lang.logics import LOGICS
from ebmlang.source import Diagnostic, Label, Span


def find_duplicates(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each term that repeats another, and for each repeated operand."""
    yield from _find_terms(subject)
    for path, term in subject.terms.items():
        if term.value.type.sort is Sort.CONSTRAINT:
            yield from _find_constraints(subject, path, term)
        elif term.role is Role.PREFER:
            yield from _find_energies(subject, path, term)


def _find_terms(subject: Subject) -> Iterator[Diagnostic]:
    """Terms that are one node up to their weights; what is required comes first."""
    required: dict[int, str] = {}
    preferred: dict[int, str] = {}
    variables = {variable.path for variable in subject.graph.variables}
    for path, term in subject.terms.items():
        margin = subject.root(RootKind.MARGIN, path)
        if term.role is Role.REQUIRE and margin is not None and _says_something(subject, path):
            first = required.setdefault(margin, path)
            if first != path:
                yield _repeated(subject, path, first, "what is required once is required")
    for path, term in subject.terms.items():
        energy = subject.root(RootKind.ENERGY, path)
        if term.role is Role.REQUIRE or energy is None or not _says_something(subject, path):
            continue
        margin = subject.root(RootKind.MARGIN, path)
        if margin is not None and margin in required:
            reason = f"`{required[margin]}` is required, so this costs nothing at any solution"
            yield _repeated(subject, path, required[margin], reason)
            continue
        first = preferred.setdefault(strip_weight(subject.graph, energy), path)
        if first != path:
            total = subject.terms[first].weight + term.weight
            together = _home(subject, path) == _home(subject, first)
            reason = "terms are summed, so this counts twice"
            if not together:
                reason = f"up to their weights: {reason}"
            # The prior of a variable takes no weight.
            takes_weight = together and first not in variables
            weighted = f"`{first}` with `weight {show_number(total)}`"
            more = f"; if it is to count twice, say so: {weighted}" if takes_weight else ""
            yield _repeated(subject, path, first, reason, more)


def _says_something(subject: Subject, path: str) -> bool:
    """Whether a term is worth comparing: of two that are constant, each is reported alone."""
    return not (subject.is_constant(path) or subject.is_always_true(path))


def _home(subject: Subject, path: str) -> str:
    """Return the path of the part that a term is in; empty for one of the spec itself."""
    return path.removesuffix(subject.terms[path].name)


def _repeated(subject: Subject, path: str, first: str, reason: str, more: str = "") -> Diagnostic:
    home = _home(subject, path)
    # A term that only one of two parts repeats cannot be left out of the text of both.
    removable = home in ("", _home(subject, first))
    span, other = subject.terms[path].value.span, subject.terms[first].value.span
    elsewhere = () if other == span else (Label(other, f"`{first}`"),)
    return Diagnostic(
        code="W0425",
        headline=f"`{path}` is the same as `{first}`",
        primary=Label(span, reason),
        secondary=elsewhere,
        helps=(f"leave `{path}` out{more}",) if removable else (),
    )


# --- operands ------------------------------------------------------------------------


def _find_constraints(subject: Subject, path: str, term: Term) -> Iterator[Diagnostic]:
    """Operands of one AND or OR in a constraint that have the same margin."""
    margin = subject.root(RootKind.MARGIN, path)
    if margin is None or not subject.graph.varying[margin]:
        return
    pending = [margin]
    seen: set[int] = set()
    while pending:
        number = pending.pop()
        if number in seen:
            continue
        seen.add(number)
        for word, reduction in (("and", "min"), ("or", "max")):
            operands = find_operands(subject.graph, number, reduction)
            if len(operands) == 1:
                continue
            pending.extend(operands)
            repeated = [i for i, count in Counter(operands).items() if count > 1]
            if repeated:
                span = subject.place(min(repeated), path)
                yield _twice(path, span, term.value.span, _effect(word, term))


def _find_energies(subject: Subject, path: str, term: Term) -> Iterator[Diagnostic]:
    """Operands of one AND of energies or densities that are the same node."""
    value = _unconverted(term.value)
    energy = subject.root(RootKind.ENERGY, path)
    if not isinstance(value, Logical) or value.connective is not Connective.AND or energy is None:
        return
    addends: list[int] = []
    pending = [strip_weight(subject.graph, energy)]
    while pending:
        node = subject.graph.nodes[pending.pop()]
        for i in node.inputs if node.operator == "add" else ():
            inside = subject.graph.nodes[i]
            joins = inside.operator == "add" and inside.origin.span == value.span
            (pending if joins else addends).append(i)
    counts = Counter(addends)
    if any(count > 1 and subject.graph.varying[i] for i, count in counts.items()):
        yield _twice(path, value.span, value.span, "their energies are summed, so it counts twice")


def _twice(path: str, span: Span, around: Span, effect: str) -> Diagnostic:
    text = " ".join(span.text.split())
    said = f"`{text}` stands" if span != around else "two operands are the same: one stands"
    return Diagnostic(
        code="W0425",
        headline=f"a part of `{path}` is said twice",
        primary=Label(around, f"{said} here twice"),
        notes=(effect,),
        helps=("leave one of the two out",),
    )


def _effect(word: str, term: Term) -> str:
    """Return what repeating an operand does to a term."""
    if term.role is Role.REQUIRE:
        return "what is required does not change by it"
    logic = _logic(term.value)
    rule = LOGICS[logic]
    if (rule.conjunction if word == "and" else rule.disjunction) in ("min", "max"):
        return f"in `{logic}` logic `{word}` is idempotent: the second changes nothing"
    if word == "and":
        return f"in `{logic}` logic `and` sums: the second doubles its weight"
    return f"in `{logic}` logic `or` is no maximum: twice the same costs less than once"


def _logic(value: Expression) -> str:
    """Return the logic that a constraint is read in: that of its outermost form."""
    pending = [value]
    while pending:
        expression = pending.pop(0)
        if isinstance(expression, Logical | Quantified | Relation):
            return expression.logic
        if isinstance(expression, Call):
            pending.append(expression.instance.result)
        pending.extend(children(expression))
    return "product"


def _unconverted(value: Expression) -> Expression:
    while isinstance(value, Convert):
        value = value.operand
    return value
