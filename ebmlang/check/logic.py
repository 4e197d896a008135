"""Logic on constraints, densities and energies.

On constraints every connective is allowed. Densities and energies are added by `and`; only
densities of the same left sides are mixed by `or`, `mix` and `unlike`, since a plain energy is
known up to a constant only.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_all, match_plain, match_values
from ebmlang.check.constants import find_number
from ebmlang.check.conversion import (
    FORMULAS,
    convert,
    is_known,
    show_number_inside,
    to_constraint,
    to_energy,
    to_real,
)
from ebmlang.check.formulas import Connective
from ebmlang.check.normalizing import call_normalize
from ebmlang.check.scope import Scope
from ebmlang.check.session import Session
from ebmlang.check.value import DensityFacts, Value, describe, latest, snippet
from ebmlang.lang import NUMBERS, Sort, Type
from ebmlang.source import Label, Span
from ebmlang.syntax import tree


def infer_not(node: tree.Not, scope: Scope) -> Value | None:
    """Return `not a`."""
    session = scope.session
    operand = scope.infer(node.operand)
    if operand is None:
        return None
    if operand.sort in (Sort.DENSITY, Sort.ENERGY):
        text = snippet(node.operand.span, "a")
        density = operand.sort is Sort.DENSITY
        session.error(
            "E0307",
            f"{describe(operand.type)} has no `not`",
            node.span,
            f"`{text}` is {describe(operand.type)}",
            helps=(
                f"like one density and unlike this one: `unlike(b, {text})`"
                if density
                else "make it a constraint on its number: "
                f"`not ({show_number_inside(operand)} <= 1 within 0.1)`",
                f"push away, where something else grows faster: `repel({text}, 1)`",
            ),
        )
        return None
    constraint = to_constraint(operand, session, "the operand of `not`")
    return None if constraint is None else _join(Connective.NOT, [constraint], node.span, scope)


def infer_and(node: tree.And, scope: Scope) -> Value | None:
    """Return `a and b`: of constraints a constraint, else the sum of energies."""
    operands = infer_all(node.operands, scope)
    if operands is None:
        return None
    session = scope.session
    sorts = {operand.sort for operand in operands}
    if not sorts & {Sort.DENSITY, Sort.ENERGY}:
        return _join_constraints(Connective.AND, operands, "`and`", node.span, scope)
    if sorts == {Sort.DENSITY}:
        facts = _independent(operands, session)
        if facts is not None:
            joint = _join(Connective.AND, operands, node.span, scope, Sort.DENSITY)
            return Value(expression=joint.expression, density=facts)
    energies = [to_energy(operand, session, "`and` with an energy") for operand in operands]
    known = [energy for energy in energies if energy is not None]
    if len(known) < len(energies):
        return None
    return _join(Connective.AND, known, node.span, scope, Sort.ENERGY)


def infer_or(node: tree.Or, scope: Scope) -> Value | None:
    """Return `a or b`: of constraints a constraint, of densities their equal mixture."""
    operands = infer_all(node.operands, scope)
    if operands is None:
        return None
    if all(operand.sort not in (Sort.DENSITY, Sort.ENERGY) for operand in operands):
        return _join_constraints(Connective.OR, operands, "`or`", node.span, scope)
    if not check_mixable(operands, "`or`", scope.session):
        return None
    mixture = _join(Connective.OR, operands, node.span, scope, Sort.DENSITY)
    return Value(expression=mixture.expression, density=_pooled(operands))


def infer_implication(node: tree.Implies | tree.Iff, scope: Scope) -> Value | None:
    """Return `a implies b` or `a iff b`, which are for constraints only."""
    operands = infer_all((node.left, node.right), scope)
    if operands is None:
        return None
    connective = Connective.IMPLIES if isinstance(node, tree.Implies) else Connective.IFF
    for operand in operands:
        if operand.sort in (Sort.DENSITY, Sort.ENERGY):
            _report_implication(operand, connective, scope.session)
            return None
    word = f"`{connective.value}`"
    return _join_constraints(connective, operands, word, node.span, scope)


def _report_implication(value: Value, connective: Connective, session: Session) -> None:
    session.error(
        "E0306",
        f"`{connective.value}` takes constraints, not {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        helps=("make it a constraint on its number: `e <= c within s`",),
    )


def infer_mix(node: tree.Mix, scope: Scope) -> Value | None:
    """Return `mix(0.3: a, 0.7: b)`."""
    session = scope.session
    components = infer_all([component for _, component in node.components], scope)
    weights = [_infer_weight(weight, scope) for weight, _ in node.components]
    known = [weight for weight in weights if weight is not None]
    if components is None or len(known) < len(weights):
        return None
    if not check_mixable(components, "`mix`", session):
        return None
    expression = formulas.Mixture(
        weights=tuple(weight.expression for weight in known),
        components=tuple(component.expression for component in components),
        type=Type(Sort.DENSITY, (), latest(*components, *known)),
        span=node.span,
    )
    return Value(expression=expression, density=_pooled(components))


def _infer_weight(node: tree.Expression, scope: Scope) -> Value | None:
    value = scope.infer(node)
    if value is None or not _check_parameter(value, "a weight of `mix`", scope.session):
        return None
    return to_real(value)


def _check_parameter(value: Value, what: str, session: Session) -> bool:
    """Report a parameter that is not a positive number known before the search begins."""
    if value.sort not in NUMBERS or value.shape:
        session.error(
            "E0301",
            f"{what} is a number, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
        )
        return False
    if not is_known([value]):
        session.error(
            "E0304",
            f"{what} depends on unknowns",
            value.span,
            "this is known only during the search",
        )
        return False
    number = find_number(value, session)
    if number is not None and not 0 < number < float("inf"):
        session.error(
            "E0311", f"{what} must be positive and finite", value.span, f"this is {number}"
        )
        return False
    return True


def check_mixable(values: Sequence[Value], word: str, session: Session) -> bool:
    """Report what is not a density of the same left sides as the others."""
    for value in values:
        if value.sort is not Sort.DENSITY:
            _report_no_mixture(value, values, word, session)
            return False
    first = values[0]
    assert first.density is not None
    for value in values:
        assert value.density is not None
        if value.density.lefts != first.density.lefts:
            session.error(
                "E0308",
                f"the densities in {word} have different left sides",
                value.span,
                "this is a density of something else",
                secondary=[Label(first.span, "than this")],
                notes=_say_of_what(values),
                helps=("put the same expression before `~` on all sides",),
            )
            return False
    return True


def _say_of_what(values: Sequence[Value]) -> tuple[str, ...]:
    if not any(isinstance(value.expression, formulas.Normalized) for value in values):
        return ()
    return ("a `normalize` is a density of all the variables that it depends on, each as a whole",)


def _report_no_mixture(value: Value, values: Sequence[Value], word: str, session: Session) -> None:
    text = snippet(value.span, "e")
    a, b = (snippet(v.span, "") for v in values) if len(values) == 2 else ("", "")
    joined = f"softmin({a}, {b})" if a and b else "softmin(a, b)"
    if value.sort is Sort.ENERGY:
        session.error(
            "E0306",
            f"{word} has no meaning on a plain energy, which is known up to a constant only",
            value.span,
            "this is an energy",
            helps=(
                f"make it a density: `normalize({text})`",
                f"join energies at the levels they have: `{joined}`",
                "make it a constraint on its number: "
                f"`{show_number_inside(value)} <= 1 within 0.1`",
            ),
        )
    elif value.sort is Sort.DENSITY or value.sort in FORMULAS:
        session.error(
            "E0306",
            f"{word} takes constraints only, or densities only",
            value.span,
            f"`{text}` is {describe(value.type)}",
            helps=(f"join energies at the levels they have: `{joined}`",),
        )
    else:
        to_constraint(value, session, f"an operand of {word}")


def _independent(operands: Sequence[Value], session: Session) -> DensityFacts | None:
    """Return what a product of densities is a density of, if it is one.

    It is when no two have a left side in common and their parameters do not lead in a circle:
    p(x) p(y | x) is a density of both.
    """
    lefts: frozenset[int] = frozenset()
    parameters: frozenset[int] = frozenset()
    for operand in operands:
        facts = operand.density
        assert facts is not None
        new, old = session.keys.atoms(facts.lefts), session.keys.atoms(lefts)
        if new & old or (lefts and (not new or not old)):
            return None
        forth = session.keys.atoms(facts.parameters) & old
        back = session.keys.atoms(parameters) & new
        if forth and back:
            return None
        lefts |= facts.lefts
        parameters |= facts.parameters
    return DensityFacts(lefts, parameters)


def _pooled(values: Sequence[Value]) -> DensityFacts:
    facts = [value.density for value in values if value.density is not None]
    return DensityFacts(facts[0].lefts, frozenset().union(*(f.parameters for f in facts)))


def _join_constraints(
    connective: Connective, operands: Sequence[Value], word: str, span: Span, scope: Scope
) -> Value | None:
    constraints = [to_constraint(o, scope.session, f"an operand of {word}") for o in operands]
    known = [constraint for constraint in constraints if constraint is not None]
    return _join(connective, known, span, scope) if len(known) == len(constraints) else None


def _join(
    connective: Connective,
    operands: Sequence[Value],
    span: Span,
    scope: Scope,
    sort: Sort = Sort.CONSTRAINT,
) -> Value:
    expression = formulas.Logical(
        connective=connective,
        operands=tuple(operand.expression for operand in operands),
        logic=scope.context.logic,
        type=Type(sort, (), latest(*operands)),
        span=span,
    )
    return Value(expression=expression)


# --- calls ---------------------------------------------------------------------------


def _apply(operator: str, arguments: Sequence[Value], span: Span) -> Value:
    expression = formulas.Apply(
        operator=operator,
        arguments=tuple(argument.expression for argument in arguments),
        type=Type(Sort.ENERGY, (), latest(*arguments)),
        span=span,
    )
    return Value(expression=expression)


def _call_energy(call: tree.Call, scope: Scope) -> Value | None:
    values = match_values(call, ("value",), scope)
    if values is None:
        return None
    (value,) = values
    if value.sort in NUMBERS and value.shape:
        scope.session.error(
            "E0310",
            f"an energy is one number, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
            helps=(f"add the elements up: `energy(sum({snippet(value.span, 'x')}))`",),
        )
        return None
    if value.sort in NUMBERS:
        return convert(to_real(value), Sort.ENERGY, call.span)
    return to_energy(value, scope.session, "`energy`")


def _call_softmin(call: tree.Call, scope: Scope) -> Value | None:
    values = match_plain(call, 2, scope)
    if values is None:
        return None
    energies = [to_energy(value, scope.session, "`softmin`") for value in values]
    known = [energy for energy in energies if energy is not None]
    return _apply("softmin", known, call.span) if len(known) == len(energies) else None


def _call_unlike(call: tree.Call, scope: Scope) -> Value | None:
    values = match_values(call, ("like", "unlike"), scope)
    if values is None or not check_mixable(values, "`unlike`", scope.session):
        return None
    return _apply("unlike", [convert(value, Sort.ENERGY) for value in values], call.span)


def _call_tempered(call: tree.Call, scope: Scope) -> Value | None:
    values = match_values(call, ("energy", "temperature"), scope)
    if values is None:
        return None
    energy = to_energy(values[0], scope.session, "`tempered`")
    if energy is None or not _check_parameter(values[1], "a temperature", scope.session):
        return None
    return _apply("tempered", [energy, to_real(values[1])], call.span)


def _call_repel(call: tree.Call, scope: Scope) -> Value | None:
    values = match_values(call, ("energy", "strength"), scope)
    if values is None:
        return None
    energy = to_energy(values[0], scope.session, "`repel`")
    if energy is None or not _check_parameter(values[1], "a strength", scope.session):
        return None
    return _apply("repel", [energy, to_real(values[1])], call.span)


FORMS: Mapping[str, Callable[[tree.Call, Scope], Value | None]] = MappingProxyType(
    {
        "energy": _call_energy,
        "softmin": _call_softmin,
        "unlike": _call_unlike,
        "tempered": _call_tempered,
        "repel": _call_repel,
        "normalize": call_normalize,
    }
)
"""Calls that make energies of energies, by name."""


def settle_density(value: Value, session: Session) -> Value:
    """Return a density as it is if it is one of its left sides, else as a plain energy.

    `x ~ normal(x, 1)` has no known integral over `x`.
    """
    facts = value.density
    if facts is None or value.sort is not Sort.DENSITY:
        return value
    if session.keys.atoms(facts.lefts) & session.keys.atoms(facts.parameters):
        return convert(value, Sort.ENERGY)
    return value
