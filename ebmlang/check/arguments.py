"""Arguments of a call, by place or by name, put in the order of the parameters."""

from collections.abc import Sequence

from ebmlang.check.constants import LARGEST_INT, find_number
from ebmlang.check.members import report_unknown_value
from ebmlang.check.scope import Scope, is_known_name
from ebmlang.check.value import Value, describe, snippet
from ebmlang.lang import Dim, Sort, Stage
from ebmlang.source import Label, Span
from ebmlang.source.limits import ARRAY_ELEMENTS
from ebmlang.syntax import tree


def infer_all(nodes: Sequence[tree.Expression], scope: Scope) -> list[Value] | None:
    """Return the values of expressions, or None once all their errors are reported."""
    values = [scope.infer(node) for node in nodes]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def match_arguments(
    call: tree.Call,
    parameters: Sequence[str],
    scope: Scope,
    *,
    optional: int = 0,
    declared: Span | None = None,
) -> list[tree.Expression | None] | None:
    """Return one argument for each parameter; None, and reported, where they do not fit.

    Args:
        call: The call.
        parameters: The names of the parameters.
        scope: Where the call stands.
        optional: How many of the last parameters may be left out.
        declared: Where the parameters are declared, if that is in a file.
    """
    session = scope.session
    name = call.function.span.text
    secondary = () if declared is None else (Label(declared, "declared here"),)
    found: dict[str, tree.Expression] = {}
    correct = True
    place = 0
    for argument in call.arguments:
        if argument.name is None:
            if place >= len(parameters):
                session.error(
                    "E0303",
                    f"`{name}` takes {_count(parameters, optional)}, not {len(call.arguments)}",
                    argument.span,
                    "one too many",
                    secondary=secondary,
                    helps=(f"`{name}({', '.join(parameters)})`",),
                )
                correct = False
                break
            key = parameters[place]
            place += 1
        else:
            key = argument.name.name
        if key not in parameters:
            meant = session.closest(key, parameters)
            session.error(
                "E0303",
                f"`{name}` has no parameter `{key}`",
                argument.span if argument.name is None else argument.name.span,
                f"did you mean `{meant}`?" if meant else "unknown here",
                secondary=secondary,
                helps=(f"`{name}({', '.join(parameters)})`",),
            )
            correct = False
        elif key in found:
            session.error(
                "E0303",
                f"`{name}` is given `{key}` twice",
                argument.span,
                "the second one",
                secondary=secondary,
            )
            correct = False
        else:
            found[key] = argument.value
    missing = [p for p in parameters[: len(parameters) - optional] if p not in found]
    if missing and correct:
        listed = " and ".join(f"`{p}`" for p in missing)
        session.error(
            "E0303",
            f"`{name}` takes {_count(parameters, optional)}, not {len(call.arguments)}",
            call.span,
            f"{listed} {'is' if len(missing) == 1 else 'are'} missing",
            secondary=secondary,
            helps=(f"`{name}({', '.join(parameters)})`",),
        )
        correct = False
    if not correct:
        infer_all([argument.value for argument in call.arguments], scope)
        return None
    return [found.get(p) for p in parameters]


def match_values(
    call: tree.Call, parameters: Sequence[str], scope: Scope, declared: Span | None = None
) -> list[Value] | None:
    """Return the values of a call's arguments in the order of the parameters."""
    matched = match_arguments(call, parameters, scope, declared=declared)
    if matched is None:
        return None
    return infer_all([node for node in matched if node is not None], scope)


def match_plain(call: tree.Call, least: int, scope: Scope) -> list[Value] | None:
    """Return the values of the arguments of a call that takes any number of them, unnamed."""
    session = scope.session
    name = call.function.span.text
    named = [argument for argument in call.arguments if argument.name is not None]
    for argument in named:
        session.error(
            "E0303", f"`{name}` takes its arguments without names", argument.span, "named here"
        )
    if len(call.arguments) < least:
        session.error(
            "E0303",
            f"`{name}` takes at least {least} argument{'s' if least > 1 else ''}",
            call.span,
            f"{len(call.arguments)} given",
        )
    values = infer_all([argument.value for argument in call.arguments], scope)
    return None if named or len(call.arguments) < least else values


def to_whole(value: Value, scope: Scope, what: str) -> Dim | None:
    """Return the whole number that a value is, known at compile time but for size names."""
    session = scope.session
    if value.dim is not None:
        return value.dim
    if value.shape or value.sort not in (Sort.INT, Sort.REAL):
        session.error(
            "E0301",
            f"{what} is a whole number, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
        )
        return None
    number = find_number(value, session)
    if number is None:
        late = "" if value.stage is Stage.CONSTANT else ", only when the spec runs"
        text = snippet(value.span, "it")
        session.error(
            "E0304",
            f"{what} is not known when the spec is compiled",
            value.span,
            f"not known here{late}",
            helps=(f"declare it by `const {text} = ...`",) if text.isidentifier() else (),
        )
        return None
    if number != number or number in (float("inf"), float("-inf")) or int(number) != number:
        session.error(
            "E0304", f"{what} is a whole number, not {number}", value.span, f"this is {number}"
        )
        return None
    if abs(number) > LARGEST_INT:
        session.error("E0316", f"{what} is too large", value.span, f"this is {number}")
        return None
    return int(number)


def infer_whole(node: tree.Expression, scope: Scope, what: str) -> Dim | None:
    """Return the whole number that an expression is, known at compile time but for size names."""
    value = scope.infer(node)
    return None if value is None else to_whole(value, scope, what)


def to_size(value: Value, scope: Scope) -> Dim | None:
    """Return the size that a value is: a whole number, not negative, not too large."""
    size = to_whole(value, scope, "a size")
    if isinstance(size, int) and size < 0:
        scope.session.error("E0311", "a size cannot be negative", value.span, f"this is {size}")
        return None
    if isinstance(size, int) and size > ARRAY_ELEMENTS:
        scope.session.error(
            "E0316",
            "an array is too large",
            value.span,
            f"{size:,} elements, and at most {ARRAY_ELEMENTS:,} are allowed",
        )
        return None
    return size


def infer_size(node: tree.Expression, scope: Scope) -> Dim | None:
    """Return the size that an expression is."""
    if isinstance(node, tree.Name) and not is_known_name(node.name, scope):
        report_unknown_value(node.name, node.span, scope, as_size=True)
        return None
    value = scope.infer(node)
    return None if value is None else to_size(value, scope)


def infer_positive(
    node: tree.Expression, scope: Scope, what: str, notes: tuple[str, ...] = ()
) -> float | None:
    """Return the positive constant number that an expression is; `notes` for one that is not."""
    value = scope.infer(node)
    if value is None:
        return None
    session = scope.session
    if value.shape or value.sort not in (Sort.INT, Sort.REAL):
        session.error(
            "E0301",
            f"{what} is a number, not {describe(value.type)}",
            node.span,
            f"this is {describe(value.type)}",
        )
        return None
    number = find_number(value, session)
    if number is None:
        session.error(
            "E0304",
            f"{what} is not known when the spec is compiled",
            node.span,
            "not constant",
            notes=notes,
        )
        return None
    if not 0 < number < float("inf"):
        session.error(
            "E0311", f"{what} must be positive and finite", node.span, f"this is {number}"
        )
        return None
    return float(number)


def infer_weight(node: tree.Expression, path: str, scope: Scope) -> float | None:
    """Return the weight of a term or a part."""
    note = f"weights can be changed at run time by their path: `--weight {path}=2`"
    return infer_positive(node, scope, "a weight", (note,))


def _count(parameters: Sequence[str], optional: int) -> str:
    most = len(parameters)
    if most == 0:
        return "no arguments"
    number = f"{most - optional} to {most}" if optional else f"{most}"
    return f"{number} argument{'s' if most > 1 else ''}"
