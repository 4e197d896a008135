"""From a text to its typed program, or to what is said against it."""

from collections.abc import Mapping

from ebmlang.check import Extern, ModuleLoader, Program, check_file
from ebmlang.check.formulas import Expression
from ebmlang.check.program import Let, Term
from ebmlang.lang import Type
from ebmlang.source import Diagnostic, Report, SourceText
from ebmlang.syntax import parse_file


def read(
    text: str,
    *,
    constants: Mapping[str, int | float | bool] | None = None,
    loader: ModuleLoader | None = None,
    externs: Mapping[str, Extern] | None = None,
    name: str = "test.ebm",
) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    report = Report()
    file = parse_file(SourceText(name, text), report)
    program = check_file(
        file, report, constants=constants or {}, loader=loader, externs=externs or {}
    )
    return program, report.diagnostics


def accept(text: str, **options) -> Program:
    program, diagnostics = read(text, **options)
    assert program is not None, [(d.code, d.headline) for d in diagnostics]
    return program


def refuse(text: str, **options) -> tuple[Diagnostic, ...]:
    program, diagnostics = read(text, **options)
    assert program is None
    return diagnostics


def refusals(text: str, **options) -> list[tuple[str, str]]:
    """Return code and guilty text of each message about a wrong program."""
    return [_brief(diagnostic) for diagnostic in refuse(text, **options)]


def warnings(text: str) -> list[tuple[str, str]]:
    program, diagnostics = read(text)
    assert program is not None
    return [_brief(diagnostic) for diagnostic in diagnostics]


def _brief(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.code, diagnostic.primary.span.text if diagnostic.primary else ""


def term(program: Program, name: str) -> Term:
    return next(term for term in program.body.terms if term.name == name)


def value(text: str, declarations: str = "") -> Expression:
    """Return an expression of unknowns `x: real`, `v: real[3]`, `m: real[2, 3]` and inputs."""
    program = accept(
        f"""
        var x: real  var v: real[3]  var m: real[2, 3]
        given k: int  given flag: bool  given ints: int[4]  given reals: real[4]
        {declarations}
        let answer = {text}
        """
    )
    for definition in program.body.definitions:
        if isinstance(definition, Let) and definition.symbol.name == "answer":
            return definition.value
    raise AssertionError("no answer")


def type_of(text: str, declarations: str = "") -> Type:
    return value(text, declarations).type


def sort_and_shape(text: str, declarations: str = "") -> str:
    return str(type_of(text, declarations))
