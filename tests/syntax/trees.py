"""Random trees: everything the grammar can say, as hypothesis strategies."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ebmlang.lang.words import AGGREGATES, CONSTANTS, QUANTIFIERS
from ebmlang.source import SourceText, Span
from ebmlang.syntax import tree
from ebmlang.syntax.lexemes import read_number

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For laws over trees: how long one takes says nothing about the law."""

NOWHERE = Span(SourceText("nowhere", ""), 0, 0)

_words = st.sampled_from(("x", "y_1", "N", "godel", "product", "pairs", "python", "In", "Sum"))
identifiers = st.builds(tree.Identifier, name=_words, span=st.just(NOWHERE))
_place = st.just(NOWHERE)


def _tuples(items, least=1, most=3):
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def _number(text):
    return tree.Number(text=text, value=read_number(text), span=NOWHERE)


names = st.builds(tree.Name, name=_words | st.sampled_from(CONSTANTS), span=_place)
numbers = st.sampled_from(("0", "13", "2.50", "1e-3", "6.02E+23", "007")).map(_number)
texts = st.builds(tree.Text, value=st.sampled_from(("", "a b", "# no comment")), span=_place)


def _dotted():
    plain = st.builds(tree.Name, name=_words, span=_place)
    return plain | st.builds(tree.Field, base=plain, name=identifiers, span=_place)


def _functions():
    return _dotted() | st.builds(tree.Name, name=st.sampled_from(AGGREGATES), span=_place)


def _calls(inner, functions):
    arguments = st.builds(tree.Argument, name=st.none() | identifiers, value=inner, span=_place)
    return st.builds(tree.Call, function=functions, arguments=_tuples(arguments, 0), span=_place)


def _ranges(inner):
    return st.builds(tree.Range, first=inner, last=inner, span=_place)


def _bindings(inner, conditions):
    return st.builds(
        tree.Binding,
        names=_tuples(identifiers),
        domain=inner | _ranges(inner),
        condition=conditions,
        span=_place,
    )


@st.composite
def _relations(draw, inner):
    operands = draw(_tuples(inner, 2))
    signs = st.sampled_from(("<=", ">=", "==", "!=", "<", ">"))
    operators = draw(_tuples(signs, len(operands) - 1, len(operands) - 1))
    return tree.Relation(
        operands=operands, operators=operators, tolerance=draw(st.none() | inner), span=NOWHERE
    )


def _larger(inner):
    unconditional = _bindings(inner, st.none())
    return st.one_of(
        st.builds(
            tree.Arithmetic,
            operator=st.sampled_from(tuple("+-*/%@^")),
            left=inner,
            right=inner,
            span=_place,
        ),
        st.builds(tree.Negative, operand=inner, span=_place),
        _relations(inner),
        st.builds(
            tree.Distributed, left=inner, distribution=_calls(inner, _dotted()), span=_place
        ),
        st.builds(tree.Not, operand=inner, span=_place),
        st.builds(tree.And, operands=_tuples(inner, 2), span=_place),
        st.builds(tree.Or, operands=_tuples(inner, 2), span=_place),
        st.builds(tree.Implies, left=inner, right=inner, span=_place),
        st.builds(tree.Iff, left=inner, right=inner, span=_place),
        _calls(inner, _functions()),
        st.builds(tree.Mix, components=_tuples(st.tuples(inner, inner)), span=_place),
        st.builds(tree.Index, base=inner, items=_tuples(inner | _ranges(inner)), span=_place),
        st.builds(tree.Field, base=inner, name=identifiers, span=_place),
        st.builds(tree.Array, elements=_tuples(inner), span=_place),
        st.builds(tree.Builder, element=inner, binding=unconditional, span=_place),
        st.builds(
            tree.Quantifier,
            word=st.sampled_from(QUANTIFIERS + AGGREGATES),
            binding=_bindings(inner, st.none() | inner),
            body=inner,
            span=_place,
        ),
        st.builds(tree.Conditional, condition=inner, yes=inner, no=inner, span=_place),
        st.builds(
            tree.Scan, state=identifiers, start=inner, binding=unconditional, body=inner,
            span=_place,
        ),
    )  # fmt: skip


expressions = st.recursive(names | numbers | texts, _larger, max_leaves=12)
_small = st.recursive(names | numbers, _larger, max_leaves=3)


@st.composite
def _domains(draw):
    word = draw(
        st.sampled_from(("real", "int", "bool", "label", "positive", "simplex", "rotation"))
    )
    bounds = (None, None)
    if word in ("real", "int") and draw(st.booleans()):
        bounds = (draw(_small), draw(_small))
    return tree.Domain(
        word=word,
        shape=() if word == "label" else draw(_tuples(_small, 0, 2)),
        array=draw(_tuples(_small, 0, 2)),
        lower=bounds[0],
        upper=bounds[1],
        labels=draw(_tuples(identifiers)) if word == "label" else (),
        span=NOWHERE,
    )


domains = _domains()
_parameters = _tuples(
    st.builds(tree.Parameter, name=identifiers, domain=st.none() | domains, span=_place), 0
)
_unknowns = _tuples(st.builds(tree.Parameter, name=identifiers, domain=domains, span=_place), 0)
_named_calls = _calls(_small, _dotted())
_weights = st.none() | _small


@st.composite
def _examples(draw):
    settings = st.builds(tree.Setting, path=_dotted(), value=_small, span=_place)
    satisfies = draw(_tuples(_dotted(), 0))
    return tree.Example(
        name=draw(identifiers),
        settings=draw(_tuples(settings, 0)),
        satisfies=satisfies,
        violates=draw(_tuples(_dotted(), 0 if satisfies else 1)),
        span=NOWHERE,
    )


_flat_statements = st.one_of(
    st.builds(
        tree.Import,
        dots=st.integers(0, 5),
        path=_tuples(identifiers),
        names=st.none() | _tuples(identifiers),
        span=_place,
    ),
    st.builds(tree.Const, name=identifiers, value=expressions, span=_place),
    st.builds(
        tree.Given, name=identifiers, domain=domains, default=st.none() | _small, span=_place
    ),
    st.builds(
        tree.Var, name=identifiers, domain=domains, prior=st.none() | _named_calls, span=_place
    ),
    st.builds(tree.Let, name=identifiers, value=expressions, span=_place),
    st.builds(tree.Fn, name=identifiers, parameters=_parameters, body=expressions, span=_place),
    st.builds(tree.Part, name=identifiers, instance=_named_calls, weight=_weights, span=_place),
    st.builds(
        tree.Term,
        word=st.sampled_from(("require", "prefer", "minimize", "maximize")),
        name=identifiers,
        value=expressions,
        weight=_weights,
        span=_place,
    ),
    st.builds(tree.ReportValue, name=identifiers, value=expressions, span=_place),
    st.builds(tree.Property, name=identifiers, unknowns=_unknowns, body=expressions, span=_place),
    _examples(),
    st.builds(
        tree.Priority,
        tiers=_tuples(_tuples(_dotted()), 2),
        span=_place,
    ),
    st.builds(tree.Logic, name=identifiers, span=_place),
    st.builds(tree.DefaultTolerance, value=_small, span=_place),
)

statements = st.recursive(
    _flat_statements,
    lambda inner: st.builds(
        tree.Spec,
        name=identifiers,
        parameters=_parameters,
        body=_tuples(inner, 0),
        end=_place,
        span=_place,
    ),
    max_leaves=4,
)

files = st.builds(
    tree.File,
    source=st.just(NOWHERE.source),
    statements=_tuples(statements, 0, 4),
    comments=st.just(()),
)
