"""Densities: `x ~ normal(0, 1)`, whose energies the standard library writes out."""

from collections.abc import Sequence

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_all, match_values
from ebmlang.check.constants import Array, find_array
from ebmlang.check.conversion import check_numbers, convert, to_real
from ebmlang.check.instances import call_function
from ebmlang.check.logic import settle_density
from ebmlang.check.modules import load_standard
from ebmlang.check.scope import FunctionDefinition, Scope
from ebmlang.check.value import DensityFacts, Value, describe, latest, show_shape, snippet
from ebmlang.lang import Sort, Type
from ebmlang.lang.distributions import DISTRIBUTIONS, Distribution
from ebmlang.lang.operator import ShapeError, broadcast
from ebmlang.source import InternalError, Label, Span
from ebmlang.syntax import tree

_POSITIVE = frozenset({"sd", "scale", "rate", "shape", "df", "a", "b"})
"""Names of parameters that are positive in every distribution that has them."""

_POSITIVE_TOO = frozenset({("dirichlet", "concentration")})


def infer_distributed(node: tree.Distributed, scope: Scope) -> Value | None:
    """Return `left ~ distribution(arguments)`."""
    return build_density(scope.infer(node.left), node.distribution, node.span, scope)


def build_density(left: Value | None, call: tree.Call, span: Span, scope: Scope) -> Value | None:
    """Return the density of a left side under a distribution."""
    session = scope.session
    distribution = _find_distribution(call, scope)
    if distribution is None:
        infer_all([argument.value for argument in call.arguments], scope)
        return None
    values = match_values(call, distribution.parameters, scope)
    if left is None or values is None:
        return None
    refusal = f"the parameters of `{distribution.name}` are numbers, not {{what}}"
    if not check_numbers(values, session, span, refusal):
        return None
    arguments = [to_real(value) for value in values]
    taken = _take_left(left, distribution, scope)
    if taken is None or not _check_shapes(taken, arguments, distribution, scope):
        return None
    if not _check_ranges(arguments, distribution, scope):
        return None
    energy = _call_energy(taken, arguments, distribution, span, scope)
    if energy is None:
        return None
    expression = formulas.Density(
        distribution=distribution.name,
        left=taken.expression,
        arguments=tuple(argument.expression for argument in arguments),
        energy=energy,
        type=Type(Sort.DENSITY, (), latest(taken, *arguments)),
        span=span,
    )
    keys = session.keys
    facts = DensityFacts(
        frozenset({keys.key(taken.expression)}),
        frozenset(keys.key(argument.expression) for argument in arguments),
    )
    return settle_density(Value(expression=expression, density=facts), session)


def _find_distribution(call: tree.Call, scope: Scope) -> Distribution | None:
    name = call.function.span.text
    distribution = DISTRIBUTIONS.get(name)
    if distribution is None:
        session = scope.session
        meant = session.closest(name, DISTRIBUTIONS)
        label = f"did you mean `{meant}`?" if meant else "not a distribution"
        user = isinstance(call.function, tree.Name) and scope.find_callable(name) is not None
        session.error(
            "E0204",
            f"`{name}` is a function, not a distribution"
            if user
            else f"no distribution is called `{name}`",
            call.function.span,
            label,
            helps=("an energy of one's own is a term: `prefer side: energy(...)`",) if user else (),
            calls=False,
        )
    return distribution


def _take_left(left: Value, distribution: Distribution, scope: Scope) -> Value | None:
    """Return the left side in the sort that the distribution is over."""
    session = scope.session
    name = distribution.name
    counts = distribution.left_sort is Sort.INT
    if counts and left.sort is Sort.BOOL:
        left = convert(left, Sort.INT)
    if counts and left.sort is Sort.REAL:
        session.error(
            "E0301",
            f"`{name}` is over whole numbers, not real ones",
            left.span,
            f"this is {describe(left.type)} of sort `real`",
            helps=("declare the data as `int`",),
        )
        return None
    if not check_numbers([left], session, left.span, f"`{name}` is over numbers, not {{what}}"):
        return None
    if not distribution.elementwise and len(left.shape) != distribution.left_rank:
        wanted = "a vector" if distribution.left_rank else "a number"
        text = snippet(left.span, "xs")
        deeper = len(left.shape) > distribution.left_rank
        session.error(
            "E0310",
            f"`{name}` is over {wanted}, not {describe(left.type)}",
            left.span,
            f"this has shape {show_shape(left.shape)}",
            helps=(f"one for each: `forall x in {text}: x ~ {name}(...)`",) if deeper else (),
        )
        return None
    return left if counts else to_real(left)


def _check_shapes(
    left: Value, arguments: Sequence[Value], distribution: Distribution, scope: Scope
) -> bool:
    ranks = distribution.ranks or (0,) * len(arguments)
    named = list(zip(distribution.parameters, arguments, ranks, strict=True))
    for parameter, argument, rank in named:
        if distribution.elementwise:
            if not _spreads_to(argument.shape, left.shape):
                _report_argument(
                    f"the {parameter} of `{distribution.name}` does not fit its left side",
                    f"this is {describe(argument.type)}",
                    argument,
                    left,
                    scope,
                )
                return False
        elif len(argument.shape) != rank:
            wanted = ("a number", "a vector", "a matrix")[rank]
            scope.session.error(
                "E0310",
                f"the {parameter} of `{distribution.name}` is {wanted}, "
                f"not {describe(argument.type)}",
                argument.span,
                f"this has shape {show_shape(argument.shape)}",
            )
            return False
        elif left.shape and any(size != left.shape[0] for size in argument.shape):
            _report_argument(
                f"the {parameter} of `{distribution.name}` does not fit its left side",
                f"this is {describe(argument.type)}",
                argument,
                left,
                scope,
            )
            return False
    return True


def _spreads_to(shape: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
    try:
        return broadcast(shape, wanted) == wanted  # type: ignore[arg-type]  # shapes of values
    except ShapeError:
        return False


def _report_argument(headline: str, label: str, argument: Value, left: Value, scope: Scope) -> None:
    helps: tuple[str, ...] = ()
    if len(argument.shape) > len(left.shape):
        helps = (f"one for each: `forall m in {snippet(argument.span, 'ms')}: ...`",)
    scope.session.error(
        "E0302",
        headline,
        argument.span,
        label,
        secondary=[Label(left.span, f"the left side is {describe(left.type)}")],
        helps=helps,
    )


def _check_ranges(arguments: Sequence[Value], distribution: Distribution, scope: Scope) -> bool:
    session = scope.session
    known: dict[str, Array] = {}
    for parameter, argument in zip(distribution.parameters, arguments, strict=True):
        value = find_array(argument, session)
        if value is None:
            continue
        known[parameter] = value
        positive = parameter in _POSITIVE or (distribution.name, parameter) in _POSITIVE_TOO
        if positive and not bool((value > 0).all()):
            session.error(
                "E0311",
                f"the {parameter} of `{distribution.name}` must be positive",
                argument.span,
                f"this is {value}",
            )
            return False
    if distribution.name == "uniform" and len(known) == 2:
        lower, upper = known["lower"], known["upper"]
        if not bool((lower < upper).all()):
            session.error(
                "E0318",
                "the lower end of `uniform` is not below the upper",
                arguments[0].span.to(arguments[1].span),
                f"these are {lower} and {upper}",
            )
            return False
    return True


def _call_energy(
    left: Value,
    arguments: Sequence[Value],
    distribution: Distribution,
    span: Span,
    scope: Scope,
) -> formulas.Call | None:
    """Return the energy; None where its inside has an error, such as a category too large."""
    session = scope.session
    library = load_standard(("distributions",), session)
    entry = None if library is None else library.callables.get(distribution.name)
    if entry is None or not isinstance(entry.callee, FunctionDefinition):
        raise InternalError(f"the standard library does not define `{distribution.name}`")
    value = call_function(entry.callee, [left, *arguments], span, session)
    if value is None or not isinstance(value.expression, formulas.Call):
        return None
    return value.expression
