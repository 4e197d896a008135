"""Random expressions as text, well-typed for the names at hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st

Option = TypeVar("Option")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What can be spoken of at a place: texts, by sort.

    Vectors have at least two elements and at most four; `reals` may be ints, which turn into
    reals wherever those are wanted.
    """

    reals: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """Numbers that depend on no unknown."""
    lefts: tuple[str, ...] = ()
    """Numbers and vectors that depend on nothing known: what is before `~`."""
    vectors: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """Arrays of three points in the plane."""
    open_vectors: tuple[str, ...] = ()
    """Of a size that only the data binds, perhaps 0."""
    ints: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    """Of two reals, with a real value."""
    predicates: tuple[str, ...] = ()
    """Of two reals: what can hold or not."""

    def adding(self, **more: tuple[str, ...]) -> "Names":
        """Return these names and more, by sort.

        >>> Names(reals=("u",)).adding(reals=("x[0]",)).reals
        ('u', 'x[0]')
        """
        return replace(self, **{sort: (*getattr(self, sort), *new) for sort, new in more.items()})


class FormulaWriter:
    """Draws expressions; every part that could be read otherwise is in brackets."""

    def __init__(self, draw: st.DrawFn, exact: bool) -> None:
        self.draw = draw
        self.exact = exact
        self._count = 0

    def pick(self, *options: Option) -> Option:
        """Draw one of some options."""
        return self.draw(st.sampled_from(options))

    def _fresh(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def _stops(self, depth: int) -> bool:
        return depth <= 0 or self.draw(st.integers(0, 4)) == 0

    # --- numbers ---------------------------------------------------------------------

    def _number(self) -> str:
        return self.pick("0", "0.5", "1", "(-0.25)", "2", "(-1.5)", "0.125")

    def real(self, names: Names, depth: int) -> str:
        """Draw a real, or an int in its place."""
        if self._stops(depth):
            return self.pick(*names.reals, *names.reals, self._number())
        a, b = self.real(names, depth - 1), self.real(names, depth - 1)
        forms: list[Callable[[], str]] = [
            lambda: f"({a} + {b})",
            lambda: f"({a} - {b})",
            lambda: f"(-{a})",
            lambda: f"0.5 * {a}",
            lambda: f"{a} / 2",
            lambda: f"abs({a})",
            lambda: f"relu({a})",
            lambda: f"min([{a}, {b}])",
            lambda: f"max([{a}, {b}, 0])",
            lambda: self._loop(names, depth),
            lambda: f"(if {self.condition(names)} then {a} else {b})",
            lambda: f"{self.pick('sum', 'max', 'min')}({self.vector(names, depth - 1)})",
        ]
        if names.functions:
            forms += [lambda: f"{self.pick(*names.functions)}({a}, {b})"] * 3
        if not self.exact:
            forms += [lambda: self._curve(names, a, b, depth)] * 8
        return self.pick(*forms)()

    def _curve(self, names: Names, a: str, b: str, depth: int) -> str:
        """Draw what rounds; bounded where it would grow fast."""
        bound = f"sin({a})"
        forms: list[Callable[[], str]] = [
            lambda: f"{a} * {bound}",
            lambda: f"{self.pick('sin', 'cos', 'tanh', 'sigmoid', 'softplus', 'atan', 'erf')}({a})",
            lambda: f"{self.pick('exp', 'sinh', 'cosh', 'expm1', 'tan')}({bound})",
            lambda: f"{self.pick('asin', 'acos', 'log1p')}(0.75 * {bound})",
            lambda: f"{self.pick('log', 'sqrt', 'lgamma')}(1.5 + {bound})",
            lambda: f"atan2({a}, 1.5 + {bound})",
            lambda: f"(1.5 + {bound})^{self.pick('2', '(-1)', '0.5', '(-12)', b)}",
            lambda: f"{a} / (2 + sin({b}))",
            lambda: f"norm({self.vector(names, depth - 1)})",
            lambda: f"mean({self.vector(names, depth - 1)})",
            lambda: f"prod([{bound}, 1 + {b}])",
        ]
        if names.tables:
            table = self.pick(*names.tables)
            forms += [
                lambda: f"sum({table} @ [{a}, {b}])",
                lambda: f"norm({table} - {bound})",
                lambda: f"det({table} @ transpose({table}) + eye(3))",
                lambda: f"logdet(transpose({table}) @ {table} + 2 * eye(2))",
                lambda: f"sum(solve(transpose({table}) @ {table} + eye(2), [{a}, 1]))",
                lambda: f"dot({table}[0], {table}[2])",
                lambda: f"sum({table}, axis = 0)[1] * {bound}",
            ]
        return self.pick(*forms)()

    def _loop(self, names: Names, depth: int) -> str:
        word = self.pick("sum", "sum", "min", "max")
        # An extreme over nothing is infinite: not here.
        binding, inner = self.binding(names, nothing=word == "sum")
        return f"({word} {binding}: {self.real(inner, depth - 1)})"

    def vector(self, names: Names, depth: int) -> str:
        """Draw an array of two to four reals."""
        a = self.real(names, depth - 1)
        forms: list[Callable[[], str]] = [lambda: f"[{a}, {self.real(names, 0)}]"]
        if names.vectors:
            base = self.pick(*names.vectors)
            forms += [lambda: base] * 2
            if depth > 0:
                loop, state = self._fresh("v"), self._fresh("s")
                inner = names.adding(reals=(loop,))
                forms += [
                    lambda: f"({base} + {a})",
                    lambda: f"(0.5 * {base} - {base})",
                    lambda: f"{base}[0..1]",
                    lambda: f"cumsum({base})",
                    lambda: f"sort({base})",
                    lambda: f"[{self.real(inner, depth - 1)} for {loop} in {base}]",
                    lambda: (
                        f"(scan {state} = {a} over {loop} in {base}[0..1]: 0.5 * {state} + {loop})"
                    ),
                    lambda: f"concat({base}[0..0], [{a}, 1])",
                ]
        return self.pick(*forms)()

    # --- iterations ------------------------------------------------------------------

    def binding(self, names: Names, *, nothing: bool = True) -> tuple[str, Names]:
        """Draw `v in x where c`, and the names inside; `nothing`: whether it may be empty."""
        a, b = self._fresh("a"), self._fresh("b")
        reals = names.adding(reals=(a, a))
        both = names.adding(reals=(a, b, a, b))
        whole = names.adding(reals=(a,), ints=(a, a))
        # Every vector has the elements 0 and 1.
        places = tuple(f"{base}[{a}]" for base in names.vectors)
        forms: list[tuple[str, Names]] = [
            (f"{a} in 0..{self.pick('1', '2')}", whole),
            (f"{a} in 0..1", whole.adding(reals=places)),
            (f"{a}, {b} in product([0, 1], [1, 2, 2])", both.adding(ints=(a, b))),
        ]
        if nothing:
            forms.append((f"{a} in 1..0", whole))
        if names.vectors:
            base = self.pick(*names.vectors)
            indexed = both.adding(ints=(a,))
            forms += [
                (f"{a} in {base}", reals),
                (f"{a}, {b} in pairs({base})", both),
                (f"{a}, {b} in adjacent({base})", both),
                (f"{a}, {b} in zip({base}, {base})", both),
                (f"{a}, {b} in enumerate({base})", indexed),
                (f"{a}, {b} in product({base}, [0, 1])", both.adding(ints=(b,))),
            ]
        if names.tables:
            table = self.pick(*names.tables)
            row = names.adding(vectors=(a, a))
            forms += [
                (f"{a} in {table}", row),
                (f"{a}, {b} in pairs({table})", names.adding(vectors=(a, b, f"({a} - {b})"))),
                (f"{a}, {b} in enumerate({table})", names.adding(vectors=(b,), ints=(a,))),
            ]
        if names.open_vectors and nothing:
            base = self.pick(*names.open_vectors)
            known = {"known": (a,)}
            forms += [
                (f"{a} in {base}", reals.adding(**known)),
                (f"{a}, {b} in pairs({base})", both.adding(**known)),
                (f"{a} in 0..N - 1", whole.adding(reals=(f"{base}[{a}]",))),
            ]
        text, inner = self.pick(*forms)
        if nothing and self.draw(st.integers(0, 2)) == 0:
            text += f" where {self.condition(inner)}"
        return text, inner

    def condition(self, names: Names) -> str:
        """Draw what can hold or not and depends on no unknown."""
        forms = ["true", "1 < 2"]
        if names.flags:
            flag = self.pick(*names.flags)
            forms += [flag, f"not {flag}", f"{flag} == {self.pick(*names.flags)}"]
        if names.ints:
            forms += [self.whole_relation(names)] * 2
            forms += [f"({self.whole_relation(names)}) or ({self.whole_relation(names)})"]
        if names.known:
            forms.append(f"{self.pick(*names.known)} <= {self._number()}")
        return f"({self.pick(*forms)})"

    # --- constraints -----------------------------------------------------------------

    def whole_relation(self, names: Names) -> str:
        """Draw a comparison of whole numbers."""
        relation = self.pick("<=", "<", ">=", ">", "==", "!=")
        return f"{self.pick(*names.ints)} {relation} {self.pick(*names.ints, '0', '2')}"

    def relation(self, names: Names, depth: int) -> str:
        """Draw a comparison; of reals with a tolerance that is a power of two."""
        a, b = self.real(names, depth), self.real(names, depth)
        within = f"within {self.pick('0.25', '0.5', '1', '2')}"
        relation = self.pick("<=", ">=", "<", ">", "==", "!=")
        forms = [f"{a} {relation} {b} {within}"] * 3
        forms.append(f"{a} <= {b} <= {self.real(names, 0)} {within}")
        forms.append(f"{self.vector(names, depth)} {relation} {b} {within}")
        if names.vectors:
            forms.append(f"{self.pick(*names.vectors)} {relation} {a} {within}")
        if names.tables:
            forms.append(f"{self.pick(*names.tables)} {relation} [{a}, {b}] {within}")
        if names.open_vectors:
            forms.append(f"{self.pick(*names.open_vectors)} {relation} {a} {within}")
        if names.ints:
            forms.append(self.whole_relation(names))
        if names.flags:
            forms.append(f"{self.pick(*names.flags)} != {self.pick(*names.flags)}")
        return f"({self.pick(*forms)})"

    def constraint(self, names: Names, depth: int) -> str:
        """Draw a formula."""
        if self._stops(depth):
            if names.flags and self.draw(st.integers(0, 5)) == 0:
                return self.pick(*names.flags)
            return self.relation(names, 1)
        a, b = self.constraint(names, depth - 1), self.constraint(names, depth - 1)
        forms: list[Callable[[], str]] = [
            lambda: f"({a} and {b})",
            lambda: f"({a} or {b})",
            lambda: f"(not {a})",
            lambda: f"({a} implies {b})",
            lambda: f"({a} iff {b})",
            lambda: f"({a} or {b} or {self.relation(names, 0)})",
            lambda: f"({a} and {self.relation(names, 0)} and {b})",
            lambda: self._quantified(names, depth),
            lambda: self._quantified(names, depth),
            lambda: self._quantified(names, depth),
        ]
        if names.predicates:
            forms += [
                lambda: (
                    f"{self.pick(*names.predicates)}({self.real(names, 1)}, {self.real(names, 1)})"
                )
            ] * 3
        return self.pick(*forms)()

    def _quantified(self, names: Names, depth: int) -> str:
        binding, inner = self.binding(names)
        word = self.pick("forall", "exists")
        return f"({word} {binding}: {self.constraint(inner, depth - 1)})"

    # --- densities and energies ------------------------------------------------------

    def density(self, names: Names, left: str, depth: int) -> str:
        """Draw a density of `left`, which is positive nowhere in particular."""
        if self._stops(depth):
            # What is before `~` is none of these: else it would be a plain energy.
            a = self.pick(*names.known, self._number())
            return self.pick(
                f"({left} ~ normal({a}, 0.5))",
                f"({left} ~ student_t(3, {a}, 2))",
                f"({left} ~ cauchy({a}, 0.5))",
                f"({left} ~ laplace({a}, 1.5))",
                f"({left} ~ logistic({a}, 0.5))",
            )
        a, b = self.density(names, left, depth - 1), self.density(names, left, depth - 1)
        return self.pick(
            f"({a} or {b})",
            f"({a} or {b} or {self.density(names, left, 0)})",
            f"mix(0.25: {a}, 0.5: {b})",
            f"(exists m in [0, 1.5, 2]: {left} ~ normal(m, 0.5))",
        )

    def energy(self, names: Names, depth: int) -> str:
        """Draw an energy of any kind."""
        left = self.pick(*names.lefts)
        a = self.density(names, left, depth)
        if self._stops(depth):
            return a
        b = self.energy(names, depth - 1)
        return self.pick(
            f"({a} and {b})",
            f"({self.constraint(names, 1)} and {b})",
            f"softmin({b}, {a})",
            f"tempered({b}, 2)",
            f"repel({b}, 0.5)",
            f"unlike({a}, {self.density(names, left, 1)})",
            f"energy({self.real(names, depth)})",
            f"(forall m in [0, 1.5]: {left} ~ normal(m, 0.5))",
        )
