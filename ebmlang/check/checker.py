"""The entry to the check room: a tree becomes a typed program, or a report says why not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from types import MappingProxyType

from ebmlang.check.bodies import build_body
from ebmlang.check.claims import Claim, property_body
from ebmlang.check.examples import build_examples
from ebmlang.check.expressions import infer_expression
from ebmlang.check.externs import Extern
from ebmlang.check.modules import ModuleLoader
from ebmlang.check.priorities import build_priority
from ebmlang.check.program import Program
from ebmlang.check.properties import build_properties
from ebmlang.check.recursion import deep_recursion
from ebmlang.check.scope import CallableEntry, Context, Scope
from ebmlang.check.session import Session
from ebmlang.check.statements import declare
from ebmlang.check.uncalled import check_uncalled
from ebmlang.check.unread import find_unread_words
from ebmlang.check.usage import warn_unused
from ebmlang.source import Diagnostic, Report
from ebmlang.syntax import tree

_NOTHING: Mapping[str, int | float | bool] = MappingProxyType({})
_NO_EXTERNS: Mapping[str, Extern] = MappingProxyType({})


def check_file(
    file: tree.File,
    report: Report,
    *,
    constants: Mapping[str, int | float | bool] = _NOTHING,
    loader: ModuleLoader | None = None,
    externs: Mapping[str, Extern] = _NO_EXTERNS,
) -> Program | None:
    r"""Turn the tree of a file into a typed program.

    >>> from ebmlang.source import Report, SourceText
    >>> from ebmlang.syntax import parse_file
    >>> report = Report()
    >>> file = parse_file(SourceText("a.ebm", "var x: real\nminimize t: x^2"), report)
    >>> program = check_file(file, report)
    >>> [str(term.value.type) for term in program.body.terms]
    ['real']

    Args:
        file: The main file, as far as it could be read.
        report: Takes all messages; those of the parser may be there already.
        constants: Values of `const`s that stand in for those written.
        loader: Finds imported files; without one only the standard library can be imported.
        externs: Functions from outside that the file may call, by name.

    Returns:
        The program, or None if the report has any error.
    """
    session = Session(
        report,
        infer=infer_expression,
        declare=declare,
        build_body=build_body,
        loader=loader,
        constants=constants,
        externs=externs,
    )
    session.room += len(file.source.text)
    session.muted = find_unread_words(file, report)
    session.loading.append(file.source.name)
    _check_constants(file, session)
    prelude = Scope(session, Context())
    for name, extern in externs.items():
        prelude.callables[name] = CallableEntry(name=name, span=None, word="extern", callee=extern)
    context = Context(definitions=session.shared, main=True)
    scope = Scope(session, context, prelude)
    with deep_recursion():
        body = build_body(file.statements, scope)
        properties = build_properties(file.statements, body.terms, scope)
        # A property may be the first to need something that is imported.
        body = replace(body, definitions=tuple(context.definitions))
        check_uncalled(session)
        if report.has_errors:
            return None
        examples = build_examples(file.statements, body, properties, scope)
        priority = build_priority(file.statements, body, scope)
        if report.has_errors:
            return None
        tested = (term for claim in properties for term in property_body(body, claim).terms)
        warn_unused(replace(body, terms=(*body.terms, *tested)), scope, file.source)
    claims: list[Claim] = [*properties, *examples]
    return Program(
        name=PurePath(file.source.name).stem,
        body=body,
        sizes=tuple(session.sizes),
        claims=tuple(sorted(claims, key=lambda claim: claim.span.start)),
        priority=priority,
    )


def _check_constants(file: tree.File, session: Session) -> None:
    known = [s.name.name for s in file.statements if isinstance(s, tree.Const)]
    for name in session.constants:
        if name not in known:
            meant = session.closest(name, known)
            session.report.add(
                Diagnostic(
                    code="E0902",
                    headline=f"the spec has no `const` called `{name}`",
                    helps=(f"did you mean `{meant}`?",) if meant else (),
                    notes=(f"its constants are {', '.join(known)}",) if known else (),
                )
            )
