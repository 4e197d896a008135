"""Examples: points with the terms and properties that are to hold there, or not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ebmlang.check.claims import Example, Property, Setting, Verdict, property_body
from ebmlang.check.constants import Array, NotFinite, NotKnown, TooCostly, evaluate
from ebmlang.check.conversion import to_real
from ebmlang.check.dependence import find_term_variables
from ebmlang.check.paths import find_terms, iterate_bodies
from ebmlang.check.program import Body, Program, Term
from ebmlang.check.scope import Scope
from ebmlang.check.session import Session
from ebmlang.check.value import Value, describe, snippet
from ebmlang.lang import Dim, Sort, Stage, Type
from ebmlang.lang.operator import ShapeError, broadcast
from ebmlang.source import Label, Span
from ebmlang.syntax import tree


@dataclass(frozen=True, slots=True, kw_only=True)
class _Surroundings:
    """What an example can speak of.

    Attributes:
        settable: Types of the file's variables and inputs, by path.
        terms: Its terms, by path.
        properties: Its properties, by name.
        needs: Variables that each term, and each property, depends on.
    """

    settable: Mapping[str, Type]
    terms: Mapping[str, Term]
    properties: Mapping[str, Property]
    needs: Mapping[str, frozenset[str]]


def build_examples(
    statements: Sequence[tree.Statement], body: Body, properties: Sequence[Property], scope: Scope
) -> tuple[Example, ...]:
    """Return the examples of the main file; what is wrong is reported and left out."""
    wanted = [statement for statement in statements if isinstance(statement, tree.Example)]
    if not wanted:
        return ()
    around = _look_around(body, properties)
    built = [_build(statement, around, scope) for statement in wanted]
    return tuple(example for example in built if example is not None)


def _look_around(body: Body, properties: Sequence[Property]) -> _Surroundings:
    needs = find_term_variables(body)
    for claim in properties:
        needs |= find_term_variables(property_body(body, claim))
    settable: dict[str, Type] = {}
    for prefix, inner in iterate_bodies(body):
        settable |= {f"{prefix}{one.symbol.name}": one.type for one in inner.variables}
        settable |= {f"{prefix}{one.symbol.name}": one.type for one in inner.givens}
    return _Surroundings(
        settable=settable,
        terms=find_terms(Program(name="", body=body, sizes=())),
        properties={claim.name: claim for claim in properties},
        needs=needs,
    )


def _build(statement: tree.Example, around: _Surroundings, scope: Scope) -> Example | None:
    session = scope.session
    session.resume()
    verdicts = list(_read_verdicts(statement, around, session))
    named = [around.properties[v.path] for v in verdicts if v.path in around.properties]
    settable = dict(around.settable)
    for claim in named:
        settable |= {one.symbol.name: one.type for one in claim.unknowns}
        settable |= {one.given.symbol.name: one.given.type for one in claim.counted}
    settings: dict[str, Setting | None] = {}
    for setting in statement.settings:
        path = show_path(setting.path)
        if path in settings:
            session.error("E0210", f"`{path}` is set twice", setting.span, "the second one")
            continue
        settings[path] = _read_setting(setting, path, settable, scope)
    # What is misspelled would be missing too.
    if settings.keys() <= settable.keys():
        for verdict in verdicts:
            _check_complete(statement, verdict, settings, settable, around, session)
    known = tuple(setting for setting in settings.values() if setting is not None)
    return Example(
        name=statement.name.name, settings=known, verdicts=tuple(verdicts), span=statement.span
    )


def show_path(node: tree.Name | tree.Field) -> str:
    """Return a chain of names as it is written.

    >>> from ebmlang.source import Report, SourceText
    >>> from ebmlang.syntax import parse_expression
    >>> show_path(parse_expression(SourceText("a", "left.knee"), Report()))
    'left.knee'
    """
    words = []
    current: tree.Expression = node
    while isinstance(current, tree.Field):
        words.append(current.name.name)
        current = current.base
    assert isinstance(current, tree.Name)
    return ".".join([current.name, *reversed(words)])


# --- what is to hold -----------------------------------------------------------------


def _read_verdicts(
    statement: tree.Example, around: _Surroundings, session: Session
) -> Iterator[Verdict]:
    seen: dict[str, Span] = {}
    for holds, paths in ((True, statement.satisfies), (False, statement.violates)):
        for node in paths:
            path = show_path(node)
            if path in seen:
                session.error(
                    "E0416",
                    f"`{statement.name.name}` speaks of `{path}` twice",
                    node.span,
                    "the second time",
                    secondary=[Label(seen[path], "the first time")],
                )
                continue
            seen[path] = node.span
            if path in around.properties or _is_constraint(node, path, around, session):
                yield Verdict(path=path, holds=holds, span=node.span)


def _is_constraint(
    node: tree.Name | tree.Field, path: str, around: _Surroundings, session: Session
) -> bool:
    term = around.terms.get(path)
    if term is None:
        _report_unknown(
            node, path, "no term and no property", [*around.terms, *around.properties], session
        )
        return False
    if term.value.type.sort is Sort.CONSTRAINT:
        return True
    session.error(
        "E0416",
        f"the term `{path}` can neither be satisfied nor violated",
        node.span,
        f"its value is {describe(term.value.type)}",
        secondary=[Label(term.span, "declared here")],
        helps=(f"compare its value in a property: `property low: {path} <= 1`",)
        if term.value.type.sort is Sort.REAL and "." not in path
        else (),
    )
    return False


def _check_complete(
    statement: tree.Example,
    verdict: Verdict,
    settings: Mapping[str, object],
    settable: Mapping[str, Type],
    around: _Surroundings,
    session: Session,
) -> None:
    """Report variables that are to be set and are not, those that a property binds included."""
    needed = set(around.needs[verdict.path])
    if verdict.path in around.properties:
        needed.update(around.properties[verdict.path].bound)
    for path in settable:
        if path in needed and path not in settings:
            session.error(
                "E0416",
                f"the example `{statement.name.name}` does not set `{path}`",
                verdict.span,
                f"`{verdict.path}` depends on `{path}`",
                helps=(f"add a setting: `{path} = {_show_zero(settable[path])}`",),
            )


def _show_zero(type_: Type) -> str:
    text = "false" if type_.sort is Sort.BOOL else "0"
    for size in reversed(type_.shape):
        text = f"[{', '.join([text] * size)}]" if isinstance(size, int) and size < 5 else "[...]"
    return text


# --- settings ------------------------------------------------------------------------


def _read_setting(
    setting: tree.Setting, path: str, settable: Mapping[str, Type], scope: Scope
) -> Setting | None:
    session = scope.session
    type_ = settable.get(path)
    value = scope.infer(setting.value)
    if type_ is None:
        _report_unknown(setting.path, path, "no variable and no input", list(settable), session)
        return None
    if value is None or not _check_sort(value, path, type_, session):
        return None
    found = _evaluate(value, path, type_.sort, session)
    if found is None:
        return None
    fitted = _fit(found, type_)
    if fitted is None:
        wanted = describe(Type(type_.sort, type_.shape))
        session.error(
            "E0302",
            f"`{path}` is {wanted}, and is set to {describe(value.type)}",
            setting.value.span,
            f"this is {describe(value.type)}",
        )
        return None
    return Setting(path=path, value=fitted, span=setting.span)


def _check_sort(value: Value, path: str, type_: Type, session: Session) -> bool:
    fits = value.sort is type_.sort or (value.sort, type_.sort) == (Sort.INT, Sort.REAL)
    if not fits:
        wanted = describe(Type(type_.sort))
        session.error(
            "E0301",
            f"`{path}` is set to {describe(value.type)}, and takes {wanted}",
            value.span,
            f"this is {describe(value.type)}",
        )
        return False
    if value.stage is not Stage.CONSTANT:
        session.error(
            "E0304",
            f"the value of `{path}` is not known when the spec is compiled",
            value.span,
            "an example is made of numbers and `const`s",
        )
        return False
    return True


def _evaluate(value: Value, path: str, sort: Sort, session: Session) -> Array | None:
    if sort is Sort.REAL:
        value = to_real(value)
    try:
        found = evaluate(value.expression, session)
    except NotFinite as error:
        what = f"the value of `{path}`"
        session.error("E0321", f"{what} is not a finite number", error.span, "not finite here")
        return None
    except (NotKnown, TooCostly):
        session.error(
            "E0316",
            f"the value of `{path}` takes too much work to find out",
            value.span,
            "too large for an example",
        )
        return None
    if found.dtype.kind == "f" and not bool(np.isfinite(found).all()):
        session.error("E0321", f"`{path}` is not a finite number", value.span, "not finite")
        return None
    return found


def _fit(found: Array, type_: Type) -> Array | None:
    """Return a value in the shape it is to have; sizes that data binds fit any number."""
    shape: tuple[Dim, ...] = type_.shape
    if any(not isinstance(size, int) for size in shape):
        pairs = zip(found.shape, shape, strict=False)
        fits = found.ndim == len(shape) and all(a == b for a, b in pairs if isinstance(b, int))
        return found if fits else None
    whole = tuple(size for size in shape if isinstance(size, int))
    try:
        fits = broadcast(found.shape, shape) == shape
    except ShapeError:
        fits = False
    return np.broadcast_to(found, whole) if fits else None


def _report_unknown(
    node: tree.Name | tree.Field,
    path: str,
    what: str,
    candidates: Sequence[str],
    session: Session,
) -> None:
    if path in session.muted:
        return
    meant = session.closest(path, candidates)
    session.error(
        "E0201",
        f"{what} is called `{snippet(node.span, path)}`",
        node.span,
        f"did you mean `{meant}`?" if meant else "not declared in this file",
    )
