"""What quantifiers, builders and scans run over: arrays, ranges, pairs, and so on."""

from collections.abc import Sequence

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_whole
from ebmlang.check.conversion import to_condition
from ebmlang.check.formulas import Iteration, IterationKind, Symbol, SymbolKind
from ebmlang.check.scope import Scope
from ebmlang.check.value import Binding, Bounds, Value, describe, snippet
from ebmlang.lang import VALUES, Dim, Sort, Stage, Type
from ebmlang.source import Label, Span
from ebmlang.source.limits import ARRAY_ELEMENTS
from ebmlang.syntax import tree

_KINDS = {
    "pairs": IterationKind.PAIRS,
    "adjacent": IterationKind.ADJACENT,
    "zip": IterationKind.ZIP,
    "enumerate": IterationKind.ENUMERATE,
    "product": IterationKind.PRODUCT,
}

DOMAIN_FORMS = frozenset(_KINDS)
"""Calls that stand only behind `in`."""

_OPERANDS = {IterationKind.PAIRS: 1, IterationKind.ADJACENT: 1, IterationKind.ENUMERATE: 1}


class _Element:
    """One name's worth of an iteration: the type of what it binds."""

    def __init__(self, type_: Type, bounds: Bounds | None = None) -> None:
        self.type = type_
        self.bounds = bounds


class _Plan:
    """An iteration before its names are bound."""

    def __init__(
        self,
        kind: IterationKind,
        count: Dim,
        elements: Sequence[_Element],
        *,
        sources: Sequence[Value] = (),
        bounds: Bounds | None = None,
        factors: "Sequence[_Plan]" = (),
        span: Span,
    ) -> None:
        self.kind = kind
        self.count = count
        self.elements = elements
        self.sources = sources
        self.bounds = bounds
        self.factors = factors
        self.span = span

    @property
    def stage(self) -> Stage:
        """When it is known how often this runs and over what."""
        stage = Stage.CONSTANT if isinstance(self.count, int) else Stage.GIVEN
        stages = [value.stage for value in self.sources] + [p.stage for p in self.factors]
        return max([stage, *stages])


class Bound:
    """An iteration with its names bound in `scope`."""

    def __init__(self, iteration: Iteration, scope: Scope, stage: Stage) -> None:
        self.iteration = iteration
        self.scope = scope
        self.stage = stage


def bind_iteration(binding: tree.Binding, scope: Scope) -> Bound | None:
    """Return the iteration of `a, b in pairs(x) where c`, and the scope of its body."""
    session = scope.session
    plan = _infer_domain(binding.domain, scope)
    seen: dict[str, tree.Identifier] = {}
    for name in binding.names:
        if name.name in seen:
            session.error(
                "E0202",
                f"`{name.name}` is bound twice",
                name.span,
                "the second one",
                secondary=[Label(seen[name.name].span, "the first one")],
            )
            return None
        seen[name.name] = name
    if plan is None:
        return None
    if len(binding.names) != len(plan.elements):
        _report_names(binding, plan, scope)
        return None
    if isinstance(plan.count, int) and plan.count > ARRAY_ELEMENTS:
        session.error(
            "E0316",
            "a quantifier runs over too many elements",
            binding.domain.span,
            f"{plan.count:,} elements, and at most {ARRAY_ELEMENTS:,} are allowed",
        )
        return None
    inside = scope.inner()
    symbols = []
    for name, element in zip(binding.names, plan.elements, strict=True):
        symbol = session.symbol(name.name, SymbolKind.BINDER, name.span)
        symbols.append(symbol)
        # A condition narrows what a name can be in a way that is not followed here.
        bounds = element.bounds if binding.condition is None else None
        inside.bind(name, "binder", Binding(symbol=symbol, type=element.type, bounds=bounds))
    condition = None
    stage = plan.stage
    if binding.condition is not None:
        value = inside.infer(binding.condition)
        if value is not None:
            text = snippet(binding.condition.span, "c")
            value = to_condition(
                value,
                session,
                "a `where` condition",
                f"move it into the body: `{text} implies ...`",
            )
        if value is None:
            return None
        if value.shape:
            session.error(
                "E0310",
                "a `where` condition is one truth value",
                binding.condition.span,
                f"this is {describe(value.type)}",
            )
            return None
        condition = value.expression
        stage = max(stage, value.stage)
    iteration = _finish(plan, symbols, condition)
    return Bound(iteration, inside, stage)


def _finish(
    plan: _Plan, symbols: Sequence[Symbol], condition: formulas.Expression | None
) -> Iteration:
    factors = tuple(
        _finish(factor, [symbol], None)
        for factor, symbol in zip(plan.factors, symbols, strict=False)
    )
    return Iteration(
        kind=plan.kind,
        binders=tuple(symbols),
        sources=tuple(source.expression for source in plan.sources),
        bounds=plan.bounds,
        factors=factors,
        condition=condition,
        count=plan.count,
        span=plan.span,
    )


def _infer_domain(domain: tree.Expression | tree.Range, scope: Scope) -> _Plan | None:
    match domain:
        case tree.Range():
            return _infer_range(domain, scope)
        case tree.Call(function=tree.Name(name=name)) if name in _KINDS:
            return _infer_form(_KINDS[name], domain, scope)
        case _:
            source = _infer_source(domain, scope)
            if source is None:
                return None
            return _Plan(
                IterationKind.EACH,
                source.shape[0],
                [_element_of(source)],
                sources=[source],
                span=domain.span,
            )


def _infer_range(node: tree.Range, scope: Scope) -> _Plan | None:
    first = infer_whole(node.first, scope, "an end of a range")
    last = infer_whole(node.last, scope, "an end of a range")
    if first is None or last is None:
        return None
    count = last - first + 1
    if isinstance(count, int):
        count = max(count, 0)
    known = isinstance(first, int) and isinstance(last, int)
    type_ = Type(Sort.INT, (), Stage.CONSTANT if known else Stage.GIVEN)
    element = _Element(type_, (first, last))
    bounds = (first, last)
    return _Plan(IterationKind.RANGE, count, [element], bounds=bounds, span=node.span)


def _infer_form(kind: IterationKind, call: tree.Call, scope: Scope) -> _Plan | None:
    session = scope.session
    nodes = [argument.value for argument in call.arguments]
    wanted = _OPERANDS.get(kind)
    named = [argument for argument in call.arguments if argument.name is not None]
    if named or not nodes or (wanted is not None and len(nodes) != wanted):
        number = "one array" if wanted else "arrays"
        session.error(
            "E0303",
            f"`{kind.value}` takes {number}, without names",
            call.span,
            f"{len(nodes)} given",
        )
        return None
    if kind is IterationKind.PRODUCT:
        return _infer_product(nodes, call, scope)
    sources = [_infer_source(node, scope) for node in nodes]
    known = [source for source in sources if source is not None]
    if len(known) < len(sources):
        return None
    first = known[0]
    size = first.shape[0]
    elements = [_element_of(source) for source in known]
    count = size
    match kind:
        case IterationKind.PAIRS:
            count = size * (size - 1) // 2 if isinstance(size, int) else _halve(size * (size - 1))
            elements = [elements[0], elements[0]]
        case IterationKind.ADJACENT:
            count = max(size - 1, 0) if isinstance(size, int) else size - 1
            elements = [elements[0], elements[0]]
        case IterationKind.ENUMERATE:
            stage = Stage.CONSTANT if isinstance(size, int) else Stage.GIVEN
            elements = [_Element(Type(Sort.INT, (), stage), (0, size - 1)), elements[0]]
        case _:
            for other in known[1:]:
                if other.shape[0] != size:
                    session.error(
                        "E0302",
                        "`zip` takes arrays of one size",
                        call.span,
                        f"sizes {size} and {other.shape[0]} differ",
                        secondary=[
                            Label(value.span, f"size {value.shape[0]}") for value in (first, other)
                        ],
                    )
                    return None
    return _Plan(kind, count, elements, sources=known, span=call.span)


def _halve(size: Dim) -> Dim:
    return size // 2 if isinstance(size, int) else size / 2


def _infer_product(nodes: Sequence[tree.Expression], call: tree.Call, scope: Scope) -> _Plan | None:
    plans = [_infer_domain(node, scope) for node in nodes]
    factors = [plan for plan in plans if plan is not None]
    if len(factors) < len(plans):
        return None
    count: Dim = 1
    for factor, node in zip(factors, nodes, strict=True):
        if factor.kind is not IterationKind.EACH:
            scope.session.error(
                "E0303",
                "`product` takes arrays",
                node.span,
                f"this is `{factor.kind.value}`",
            )
            return None
        count = count * factor.count
    elements = [element for factor in factors for element in factor.elements]
    return _Plan(IterationKind.PRODUCT, count, elements, factors=factors, span=call.span)


def _infer_source(node: tree.Expression, scope: Scope) -> Value | None:
    """Return an array to run over."""
    session = scope.session
    value = scope.infer(node)
    if value is None:
        return None
    if value.sort not in VALUES or not value.shape:
        text = snippet(node.span, "n")
        whole = value.sort is Sort.INT
        session.error(
            "E0310",
            f"cannot run over {describe(value.type)}",
            node.span,
            f"this is {describe(value.type)}, not an array",
            helps=(f"a range: `0..{text} - 1`",) if whole else (),
        )
        return None
    return value


def _element_of(source: Value) -> _Element:
    return _Element(Type(source.sort, source.shape[1:], source.stage))


def _report_names(binding: tree.Binding, plan: _Plan, scope: Scope) -> None:
    wanted, given = len(plan.elements), len(binding.names)
    over = "a range" if plan.kind is IterationKind.RANGE else f"`{plan.kind.value}`"
    if plan.kind is IterationKind.EACH:
        over = "an array"
    names = ", ".join(name.name for name in binding.names)
    text = snippet(binding.domain.span, "x")
    helps: tuple[str, ...] = ()
    if plan.kind is IterationKind.EACH and given == 2:
        helps = (f"all pairs: `{names} in pairs({text})`",)
    elif given == 1 and wanted == 2:
        other = "b" if names == "a" else "a"
        helps = (f"name both: `{names}, {other} in {text}`",)
    scope.session.error(
        "E0303",
        f"{over} binds {wanted} name{'s' if wanted > 1 else ''}, not {given}",
        binding.names[0].span.to(binding.names[-1].span),
        f"{given} name{'s' if given > 1 else ''} here",
        helps=helps,
    )
