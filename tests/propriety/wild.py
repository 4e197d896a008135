"""Random specs outside the exact fragment, one for each seed.

Each line is written twice: as a statement, and as the energy that it means, which Python reads
over NumPy arrays. So the meaning here owes nothing to the compiler.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.propriety.formulas import Array
from tests.propriety.fragment import Unknown

# --- what Python reads ---------------------------------------------------------------


def _hinge(margin: Array) -> Array:
    return np.maximum(-margin, 0) ** 2 / 2


def _student_t(z: Array, df: float, location: float, scale: float) -> Array:
    constant = 0.5 * math.log(df * math.pi) + gammaln(df / 2) - gammaln((df + 1) / 2)
    return (df + 1) / 2 * np.log1p(((z - location) / scale) ** 2 / df) + np.log(scale) + constant


def _where_positive(z: Array, energy: Array) -> Array:
    return np.where(z > 0, energy, np.inf)


def _gamma(z: Array, shape: float, rate: float) -> Array:
    # 0 belongs to the support.
    inside = rate * z - (shape - 1) * np.log(z) - shape * math.log(rate) + gammaln(shape)
    return np.where(z >= 0, inside, np.inf)


_WORDS: Mapping[str, Any] = MappingProxyType(
    {
        "exp": np.exp,
        "log": np.log,
        "log1p": np.log1p,
        "sqrt": np.sqrt,
        "abs": np.abs,
        "sin": np.sin,
        "cosh": np.cosh,
        "tanh": np.tanh,
        "atan": np.arctan,
        "softplus": lambda z: np.logaddexp(0, z),
        "norm": lambda parts: np.sqrt(sum(part**2 for part in parts)),
        "max": lambda parts: np.maximum.reduce(np.broadcast_arrays(*parts)),
        "min": lambda parts: np.minimum.reduce(np.broadcast_arrays(*parts)),
        "hinge": _hinge,
        "either": lambda a, b: -np.logaddexp(math.log(0.5) - a, math.log(0.5) - b),
        "normal": lambda z, m, s: ((z - m) / s) ** 2 / 2 + np.log(s) + math.log(2 * math.pi) / 2,
        "student_t": _student_t,
        "cauchy": lambda z, m, s: np.log1p(((z - m) / s) ** 2) + np.log(math.pi * s),
        "logistic": lambda z, m, s: (z - m) / s + 2 * np.logaddexp(0, -(z - m) / s) + np.log(s),
        "half_cauchy": lambda z, s: np.where(
            z >= 0, np.log1p((z / s) ** 2) + np.log(math.pi * s / 2), np.inf
        ),
        "exponential": lambda z, rate: np.where(z >= 0, rate * z - np.log(rate), np.inf),
        "gamma": _gamma,
        "inv_gamma": lambda z, a, b: _where_positive(
            z, b / z + (a + 1) * np.log(z) - a * math.log(b) + gammaln(a)
        ),
        "lognormal": lambda z, m, s: _where_positive(
            z, ((np.log(z) - m) / s) ** 2 / 2 + np.log(s * z) + math.log(2 * math.pi) / 2
        ),
    }
)  # fmt: skip
"""Any: functions of arrays and numbers."""

# --- what is drawn -------------------------------------------------------------------

REALS = (
    "{u} * {v}", "({u} * {v})^2", "({u} * {v} - 1)^2", "{k} * {u}^2 * {v}^2",
    "exp({u})", "exp({u}) - {u}", "exp({u}) + exp(-{u})", "{k} * cosh({u})", "exp({u}) - {v}",
    "{k} * log1p({u}^2)", "{k} * log1p({u}^2) + {k} * log1p({v}^2)", "log1p({u}^2 + {v}^2)",
    "log1p(abs({u}))", "log1p(exp(-abs({u})))",
    "norm([{u}, {v}])", "norm([{u}, {v}])^3", "sqrt(norm([{u}, {v}]))", "1 / norm([{u}, {v}])",
    "norm([{u}, {v}]) - {k} * {v}", "(norm([{u}, {v}]) - 2)^2",
    "abs({u})^1.5", "{k} * abs({u})^0.5", "{u}^4", "{u}^3", "{u}^4 - 3 * {u}^2", "({u}^2 - 4)^2",
    "sin({u})", "{u}^2 / 4 + 3 * sin(2 * {v})", "abs({u}) * (2 + sin({v}))", "{u} * sin({u})",
    "softplus({u})", "softplus({u}) - {u} / 2", "softplus({u}) + softplus(-{v})",
    "softplus({u})^2 - {k} * {u}",
    "max([{u}, {v}])", "min([{u}, {v}])", "max([{u}, -{u}, {v}])", "max([{u}, {v}, 0])^2",
    "tanh({u})", "atan({u})", "sqrt(1 + {u}^2)", "{k} * sqrt(1 + {u}^2) - {u}",
    "{u}^2 / (1 + {u}^2)", "exp(-{u}^2)", "{u}^2 - {k} * {v}^2",
)  # fmt: skip
"""Of two affine arguments, `u` and `v`, and a number."""

OF_POSITIVE = (
    "{k} * log({p})", "1 / {p}", "{p}^-0.5", "{p} * log({p})", "{u}^2 / {p}",
    "{u}^2 / {p} + log({p})", "{u} / {p}", "{k} * log({p}) + 1 / {p}",
    "{p} - {k} * log({p})", "log({p})^2",
)  # fmt: skip
"""Of a positive variable `p` too."""

DENSITIES = (
    ("{u} ~ student_t({df}, 0, 1)", "student_t({u}, {df}, 0, 1)"),
    ("{u} ~ cauchy(0, 2)", "cauchy({u}, 0, 2)"),
    ("{u} ~ logistic(0, 0.5)", "logistic({u}, 0, 0.5)"),
    ("{u} ~ normal(1, 2)", "normal({u}, 1, 2)"),
    ("{u} ~ normal(0, exp({v}))", "normal({u}, 0, exp({v}))"),
    (
        "({u} ~ normal(0, 1)) or ({u} ~ cauchy(1, 1))",
        "either(normal({u}, 0, 1), cauchy({u}, 1, 1))",
    ),
    ("tempered({u} ~ student_t({df}, 0, 1), {T})", "student_t({u}, {df}, 0, 1) / {T}"),
    ("repel({u} ~ normal(0, 2), {T})", "-{T} * normal({u}, 0, 2)"),
    (
        "unlike({u} ~ normal(0, 1), {u} ~ cauchy(0, 1))",
        "normal({u}, 0, 1) + softplus(normal({u}, 0, 1) - cauchy({u}, 0, 1))",
    ),
    ("tempered({u} ~ cauchy(1, 1), {T})", "cauchy({u}, 1, 1) / {T}"),
)  # fmt: skip

SCALES = (
    ("{u} ~ normal(0, {p})", "normal({u}, 0, {p})"),
    ("{u} ~ student_t(3, 0, {p})", "student_t({u}, 3, 0, {p})"),
    ("{p} ~ gamma({df}, 0.5)", "gamma({p}, {df}, 0.5)"),
    ("{p} ~ inv_gamma(1, 1)", "inv_gamma({p}, 1, 1)"),
    ("{p} ~ half_cauchy(2)", "half_cauchy({p}, 2)"),
)

FORMULAS = (
    ("norm([{u}, {v}]) <= 2 within 1", "2 - norm([{u}, {v}])"),
    ("norm([{u}, {v}]) >= 2 within 1", "norm([{u}, {v}]) - 2"),
    ("{u} * {v} >= 1 within 0.5", "({u} * {v} - 1) / 0.5"),
    ("{u}^2 <= {v} within 1", "{v} - {u}^2"),
    ("exp({u}) <= 3 within 1", "3 - exp({u})"),
    ("sin({u}) >= 0 within 0.5", "sin({u}) / 0.5"),
    ("abs({u}) <= 3 within 1", "3 - abs({u})"),
)  # fmt: skip
"""With their margins."""

PRIORS = ("normal(0, 2)", "student_t(3, 0, 1)", "cauchy(0, 1)", "logistic(0, 1)")
POSITIVE_PRIORS = (
    "half_cauchy(1)", "exponential(1)", "gamma(2, 1)", "lognormal(0, 1)", "inv_gamma(1, 1)",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wild:
    """A spec; its unknowns in the order of coordinates; and its energy at columns of points."""

    text: str
    unknowns: tuple[Unknown, ...]
    energy: Callable[[Array], Array]


def draw_wild(seed: int) -> Wild:
    rng = Random(seed)
    size = rng.choice((1, 1, 1, 2, 2, 2, 2, 3))
    unknowns = tuple(_draw_unknown(rng, name) for name in "xyw"[:size])
    lines, readings, margins = [], [], []
    for unknown in unknowns:
        positive = unknown.lower == 0
        prior = ""
        if rng.random() < 0.25:
            prior = rng.choice(POSITIVE_PRIORS if positive else PRIORS)
            readings.append(prior.replace("(", f"({unknown.name}, ", 1))
        lines.append(f"var {unknown.name}: {unknown.domain}{f' ~ {prior}' if prior else ''}")
    for i in range(max(1, size + rng.choice((-1, 0, 0, 0, 1, 1)))):
        word, body, reading = _draw_line(rng, unknowns)
        weight = rng.choice((1, 1, 1, 2, 0.5)) if word != "require" else 1
        lines.append(f"{word} t{i}: ({body}){f' weight {weight}' if weight != 1 else ''}")
        if word == "require":
            margins.append(reading)
        else:
            readings.append(f"{-weight if word == 'maximize' else weight} * ({reading})")
    return Wild(
        text="\n".join(lines), unknowns=unknowns, energy=read_wild(unknowns, readings, margins)
    )


def _draw_unknown(rng: Random, name: str) -> Unknown:
    match rng.choice(("real",) * 6 + ("positive",) * 3 + ("lower", "both")):
        case "positive":
            return Unknown(name, "positive", 0)
        case "lower":
            return Unknown(name, "real in [-1, inf]", -1)
        case "both":
            return Unknown(name, "real in [-2, 3]", -2, 3)
        case _:
            return Unknown(name)


def _draw_line(rng: Random, unknowns: tuple[Unknown, ...]) -> tuple[str, str, str]:
    """Return a keyword, what stands behind it, and what Python reads."""
    positive = [unknown.name for unknown in unknowns if unknown.lower == 0]
    names = [unknown.name for unknown in unknowns]
    fill = {
        "u": _draw_affine(rng, names),
        "v": _draw_affine(rng, names),
        "k": rng.choice(("0.25", "0.5", "1", "2", "3")),
        "df": rng.choice(("0.5", "1", "2", "4")),
        "T": rng.choice(("0.5", "2", "4")),
        "p": rng.choice(positive) if positive else "",
    }
    scaled = bool(positive) and rng.random() < 0.4
    kind = rng.choice(("real",) * 5 + ("density",) * 3 + ("soft", "soft", "hard", "square"))
    if kind == "square":
        # What keeps the rest together: else nearly all that is drawn would be improper.
        body = f"({names[0]} - 1)^2" + "".join(f" + {name}^2" for name in names[1:])
        return "minimize", body, _python(body)
    if kind == "real":
        body = rng.choice(OF_POSITIVE if scaled else REALS).format(**fill)
        return rng.choice(("minimize",) * 8 + ("maximize",)), body, _python(body)
    if kind == "density":
        body, reading = rng.choice(SCALES if scaled else DENSITIES)
        return "prefer", body.format(**fill), _python(reading.format(**fill))
    body, margin = (text.format(**fill) for text in rng.choice(FORMULAS))
    if kind == "hard":
        return "require", body, _python(margin)
    return "prefer", body, f"hinge({_python(margin)})"


def _python(text: str) -> str:
    return text.replace("^", "**")


def _draw_affine(rng: Random, names: list[str]) -> str:
    """Return one variable, more or less scaled and shifted, or a sum of two, in brackets."""
    first = rng.choice(names)
    text = rng.choice(("{}", "{}", "{}", "-{}", "2 * {}")).format(first)
    if len(names) > 1 and rng.random() < 0.35:
        second = rng.choice([name for name in names if name != first])
        text += rng.choice((" + {}", " - {}", " - 2 * {}")).format(second)
    text += rng.choice(("", "", "", " - 1", " + 2"))
    return text if text == first else f"({text})"


def read_wild(
    unknowns: tuple[Unknown, ...], readings: list[str], margins: list[str]
) -> Callable[[Array], Array]:
    parts = [compile(text, "<energy>", "eval") for text in readings]
    required = [compile(text, "<margin>", "eval") for text in margins]

    def energy(x: Array) -> Array:
        names = dict(_WORDS)
        for unknown, values in zip(unknowns, x, strict=True):
            names[unknown.name] = values
        total = np.zeros(x.shape[1])
        with np.errstate(all="ignore"):
            for part in parts:
                total = total + eval(part, names)
            for margin in required:
                total = np.where(eval(margin, names) >= 0, total, np.inf)
        for unknown, values in zip(unknowns, x, strict=True):
            if unknown.lower is not None:
                total = np.where(values >= unknown.lower, total, np.inf)
            if unknown.upper is not None:
                total = np.where(values <= unknown.upper, total, np.inf)
        return total

    return energy
