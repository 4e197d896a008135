"""A typed program as text: what `ebm graph --stage typed` prints.

It reads like the language, with every type, conversion and option spelled out:

    var lamp: real[2] in [[0.0, 0.0], [120.0, 60.0]]
    fn dist(a: real[2], b: real[2]) -> real = norm(a - b; axes=(-1))
    require apart: constraint = dist(lamp, cup) >= 30.0 within 1.0
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from ebmlang.check.claims import Claim, Counted, Example, Property
from ebmlang.check.formulas import (
    Apply,
    At,
    Call,
    Connective,
    Convert,
    Density,
    Expression,
    Index,
    Iteration,
    IterationKind,
    Literal,
    Logical,
    Member,
    Mixture,
    Normalized,
    Quantified,
    QuantifierKind,
    Reference,
    Relation,
    Scan,
    SizeValue,
    SpecCall,
    SymbolKind,
)
from ebmlang.check.program import (
    Body,
    FunctionInstance,
    Let,
    Part,
    Program,
    SpecInstance,
    Term,
    Variable,
)
from ebmlang.check.recursion import deep_recursion
from ebmlang.check.walk import children
from ebmlang.lang import Sort, Type

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "pow": "^"}

_DEFAULT_LOGIC = "product"


def show_program(program: Program) -> str:
    """Return a typed program as text, the same for the same program."""
    with deep_recursion():
        return _Printer(program).text()


class _Printer:
    """Names the instances of a program and writes each once, after those it calls."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._names: dict[int, str] = {}
        self._taken: dict[str, int] = {}
        self._instances: list[FunctionInstance | SpecInstance] = []

    def text(self) -> str:
        """Return the whole text."""
        program = self._program
        self._visit_body(program.body)
        self._visit(claim.value for claim in program.claims if isinstance(claim, Property))
        head = [f"program {program.name}"]
        if program.sizes:
            head.append(f"sizes {', '.join(program.sizes)}")
        blocks = ["\n".join(head)]
        blocks += self._declarations(program.body)
        blocks += [self._instance(instance) for instance in self._instances]
        blocks += self._conclusions(program.body)
        if program.priority:
            tiers = (", ".join(tier) for tier in program.priority)
            blocks.append(f"priority {' > '.join(tiers)}")
        blocks.append("\n".join(self._claim(claim) for claim in program.claims))
        return "\n\n".join(block for block in blocks if block) + "\n"

    # Instances, each after those it needs.

    def _visit_body(self, body: Body) -> None:
        for definition in body.definitions:
            match definition:
                case Let(value=value):
                    self._visit((value,))
                case Part(instance=instance, arguments=arguments):
                    self._visit(arguments)
                    self._visit_instance(instance)
        self._visit(term.value for term in body.terms)
        self._visit(report.value for report in body.reports)

    def _visit(self, expressions: Iterable[Expression]) -> None:
        pending = list(expressions)[::-1]
        while pending:
            expression = pending.pop()
            match expression:
                case Call(instance=instance):
                    self._visit_instance(instance)
                case SpecCall(instance=spec):
                    self._visit_instance(spec)
                case _:
                    pass
            pending.extend(list(children(expression))[::-1])

    def _visit_instance(self, instance: FunctionInstance | SpecInstance) -> None:
        if id(instance) in self._names:
            return
        count = self._taken[instance.name] = self._taken.get(instance.name, 0) + 1
        self._names[id(instance)] = instance.name if count == 1 else f"{instance.name}#{count}"
        if isinstance(instance, FunctionInstance):
            self._visit((instance.result,))
        else:
            self._visit_body(instance.body)
        self._instances.append(instance)

    def _instance(self, instance: FunctionInstance | SpecInstance) -> str:
        types = zip(instance.parameters, instance.parameter_types, strict=True)
        parameters = ", ".join(f"{symbol.name}: {type_}" for symbol, type_ in types)
        head = f"{self._names[id(instance)]}({parameters})"
        if isinstance(instance, FunctionInstance):
            result = instance.result
            return f"fn {head} -> {result.type} =\n  {self._show(result)}"
        body = [*self._declarations(instance.body), *self._conclusions(instance.body)]
        lines = "\n".join(block for block in body if block).splitlines()
        return "\n".join([f"spec {head} {{", *(f"  {line}" for line in lines), "}"])

    # Statements.

    def _declarations(self, body: Body) -> list[str]:
        givens = [
            f"given {given.symbol.name}: {given.type}"
            + (f" = {self._show(given.default)}" if given.default is not None else "")
            for given in body.givens
        ]
        variables = [self._variable(variable) for variable in body.variables]
        constants: list[str] = []
        others: list[str] = []
        for definition in body.definitions:
            constant = definition.symbol.kind is SymbolKind.CONST
            (constants if constant else others).append(self._definition(definition))
        return ["\n".join(block) for block in (constants, givens, variables, others)]

    def _variable(self, variable: Variable, word: str = "var ") -> str:
        domain = variable.domain
        shape = str(Type(variable.type.sort, domain.shape)).removeprefix("real")
        text = f"{word}{variable.symbol.name}: {domain.kind.value}{shape}"
        if domain.lower is not None and domain.upper is not None:
            text += f" in [{self._show(domain.lower)}, {self._show(domain.upper)}]"
        return text

    def _definition(self, definition: Let | Part) -> str:
        match definition:
            case Let(symbol=symbol, value=value):
                word = "const" if symbol.kind is SymbolKind.CONST else "let"
                return f"{word} {symbol.name}: {value.type} = {self._show(value)}"
            case Part(symbol=symbol, instance=instance, arguments=arguments):
                name = self._names[id(instance)]
                call = f"{name}({self._list(arguments)})"
                return f"part {symbol.name} = {call}{_weight(definition.weight)}"

    def _conclusions(self, body: Body) -> list[str]:
        terms = [self._term(term) for term in body.terms]
        reports = [
            f"report {report.name}: {report.value.type} = {self._show(report.value)}"
            for report in body.reports
        ]
        return ["\n".join(terms), "\n".join(reports)]

    def _term(self, term: Term) -> str:
        value = f"{term.value.type} = {self._show(term.value)}"
        return f"{term.role.value} {term.name}: {value}{_weight(term.weight)}"

    # Claims.

    def _claim(self, claim: Claim) -> str:
        match claim:
            case Property():
                bound = [self._variable(unknown, "") for unknown in claim.unknowns]
                bound += [_counted(counted) for counted in claim.counted]
                names = f"forall {', '.join(bound)}: " if bound else ""
                return f"property {claim.name}: {names}{self._show(claim.value)}"
            case Example():
                point = ", ".join(f"{s.path} = {_array(s.value.tolist())}" for s in claim.settings)
                said = (
                    f"{'satisfies' if v.holds else 'violates'} {v.path}" for v in claim.verdicts
                )
                return f"example {claim.name} {{ {point} }} {' '.join(said)}"

    # Expressions.

    def _list(self, expressions: Iterable[Expression]) -> str:
        return ", ".join(self._show(expression) for expression in expressions)

    def _inner(self, expression: Expression) -> str:
        """Return an operand, in parentheses where it is not one piece."""
        text = self._show(expression)
        match expression:
            case Relation() | Logical() | Density() | Quantified() | Scan():
                return f"({text})" if not text.startswith("[") else text
            case Apply(operator=operator) if operator in _INFIX or operator == "neg":
                return f"({text})"
            case Literal(value=value) if text.startswith("-") and value is not True:
                return f"({text})"
            case _:
                return text

    def _show(self, expression: Expression) -> str:
        match expression:
            case Literal(value=value):
                return str(value).lower()
            case SizeValue(size=size):
                return f"size({size})"
            case Reference(symbol=symbol):
                return symbol.name
            case Member(path=path):
                return ".".join(symbol.name for symbol in path)
            case Convert(operand=operand, type=type_):
                return f"{type_.sort.value}({self._show(operand)})"
            case Apply():
                return self._apply(expression)
            case Index(base=base):
                return f"{self._inner(base)}[{', '.join(self._items(expression))}]"
            case Relation():
                return self._relation(expression)
            case Logical():
                return self._logical(expression)
            case Mixture(weights=weights, components=components):
                pairs = zip(weights, components, strict=True)
                inner = ", ".join(f"{self._show(w)}: {self._show(c)}" for w, c in pairs)
                return f"mix({inner})"
            case Normalized(energy=energy):
                return f"normalize({self._show(energy)})"
            case Density(left=left, distribution=name, arguments=arguments):
                return f"{self._inner(left)} ~ {name}({self._list(arguments)})"
            case Quantified(kind=kind, iteration=iteration, body=body):
                if kind is QuantifierKind.ARRAY:
                    return f"[{self._show(body)} for {self._iteration(iteration)}]"
                head = f"{kind.value} {self._iteration(iteration)}"
                joins = expression.type.sort is Sort.CONSTRAINT
                logic = _logic(expression.logic) if joins else ""
                return f"{head}: {self._show(body)}{logic}"
            case Scan(state=state, start=start, iteration=iteration, body=body):
                head = f"scan {state.name} = {self._show(start)} over {self._iteration(iteration)}"
                return f"{head}: {self._show(body)}"
            case Call(instance=instance, arguments=arguments):
                return f"{self._names[id(instance)]}({self._list(arguments)})"
            case SpecCall(instance=spec, arguments=arguments):
                name = self._names[id(spec)]
                return f"{name}({self._list(arguments)}){_logic(expression.logic)}"
            case _:
                assert_never(expression)

    def _apply(self, expression: Apply) -> str:
        arguments = expression.arguments
        match expression.operator:
            case "neg":
                return f"-{self._inner(arguments[0])}"
            case "where":
                condition, yes, no = map(self._inner, arguments)
                return f"where({condition}, {yes}, {no})"
            case "stack" if expression.type.rank == 1 + arguments[0].type.rank:
                return f"[{self._list(arguments)}]"
            case operator if operator in _INFIX:
                left, right = map(self._inner, arguments)
                return f"{left} {_INFIX[operator]} {right}"
        inner = self._list(arguments)
        options = ", ".join(f"{name}={_option(value)}" for name, value in expression.options)
        between = "; " if inner and options else ""
        return f"{expression.operator}({inner}{between}{options})"

    def _items(self, expression: Index) -> Iterator[str]:
        for item in expression.items:
            if isinstance(item, At):
                yield self._show(item.index)
            else:
                yield f"{item.first}..{item.last}"

    def _relation(self, relation: Relation) -> str:
        sides = f"{self._inner(relation.left)} {relation.operator.value} "
        text = sides + self._inner(relation.right)
        if relation.tolerance is not None:
            text += f" within {self._inner(relation.tolerance)}"
        joins = relation.left.type.shape or relation.right.type.shape
        return text + (_logic(relation.logic) if joins else "")

    def _logical(self, logical: Logical) -> str:
        word = logical.connective.value
        if logical.connective is Connective.NOT:
            return f"not {self._inner(logical.operands[0])}"
        logic = _logic(logical.logic) if logical.type.sort is Sort.CONSTRAINT else ""
        return f" {word} ".join(map(self._inner, logical.operands)) + logic

    def _iteration(self, iteration: Iteration) -> str:
        names = ", ".join(symbol.name for symbol in iteration.binders)
        text = f"{names} in {self._domain(iteration)}"
        if iteration.condition is not None:
            text += f" where {self._inner(iteration.condition)}"
        return text

    def _domain(self, iteration: Iteration) -> str:
        match iteration.kind:
            case IterationKind.EACH:
                return self._show(iteration.sources[0])
            case IterationKind.RANGE:
                assert iteration.bounds is not None
                return f"{iteration.bounds[0]}..{iteration.bounds[1]}"
            case IterationKind.PRODUCT:
                return f"product({', '.join(map(self._domain, iteration.factors))})"
            case kind:
                return f"{kind.value}({self._list(iteration.sources)})"


def _counted(counted: Counted) -> str:
    text = f"{counted.given.symbol.name}: {counted.given.type}"
    return text if counted.bounds is None else f"{text} in {counted.bounds[0]}..{counted.bounds[1]}"


def _array(value: object) -> str:
    return str(value).lower()


def _option(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(str, value))})"
    return str(value)


def _weight(weight: float) -> str:
    return "" if weight == 1 else f" weight {weight:g}"


def _logic(logic: str) -> str:
    return "" if logic == _DEFAULT_LOGIC else f" [{logic}]"
