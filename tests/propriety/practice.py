"""Improper models of practice: what is to be found in each, and a way out that shows it.

The models are the files of `models/`; each has a mended twin, `NAME_mended.ebm`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ebmlang.analysis.verdict import Direction, Question

MODELS = Path(__file__).resolve().parent / "models"

_NOTHING: Mapping[str, Any] = MappingProxyType({})
"""Any: whatever NumPy reads as an array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a verdict on a model of practice has to say.

    Attributes:
        question: What the model fails, besides that exp(-E) has no finite integral.
        named: Variables that the verdict has to name; of each tuple, one at least.
        innocent: Variables that it must not name.
        data: What the model is given.
        start, rates: A way out, by variable; E stays bounded along it but for
            `log_rate * log(t)`. A variable left out stands still at `start`, or at 0.
        towards_zero: Whether t goes to 0 along it.
        dimensions: Of the cone around the way out.
        curved: Whether no straight tube shows it: then no verdict need be `improper`.
        mended_is_proper: Whether the twin is required to be proved proper, not only unproved
            to be improper.
    """

    question: Question = Question.INTEGRABLE
    named: tuple[tuple[str, ...], ...]
    innocent: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    rates: Mapping[str, Any]
    start: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    log_rate: float = 0.0
    towards_zero: bool = False
    dimensions: int = 1
    curved: bool = False
    mended_is_proper: bool = True

    def way_out(self, shapes: Mapping[str, tuple[int, ...]]) -> Direction:
        def filled(values: Mapping[str, Any], path: str, otherwise: float) -> Any:
            value = np.asarray(values.get(path, otherwise), dtype=np.float64)
            return np.broadcast_to(value, shapes[path]).copy()

        return Direction(
            start={path: filled(self.start, path, 0.0) for path in shapes},
            rates={path: filled(self.rates, path, 0.0) for path in shapes},
            log_rate=self.log_rate,
            towards_zero=self.towards_zero,
            dimensions=self.dimensions,
        )


def naming(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


GROUPS = {"y": [28.0, 8.0, -3.0]}
LINE = {"t": [0.0, 1.0, 3.0], "y": [0.5, 1.0, 2.0]}

CORPUS: Mapping[str, Expectation] = {
    "box_in_one_coordinate": Expectation(named=naming("y"), innocent=("x",), rates={"y": 1}),
    "change_outside": Expectation(
        named=naming("change"), innocent=("height",), data=LINE, rates={"change": 1}
    ),
    "collinear": Expectation(
        named=naming("first", "second"),
        innocent=("level",),
        data=LINE,
        rates={"first": 2, "second": -1},
    ),
    "collinear_columns": Expectation(
        named=naming("slope"),
        innocent=("level",),
        data={"table": [[1.0, 2.0], [3.0, 6.0], [-1.0, -2.0]], "y": [1.0, 2.0, 0.0]},
        rates={"slope": [2, -1]},
    ),
    "differences_from_a_mean": Expectation(
        named=naming("mean_of", "effect"), innocent=("other",), rates={"mean_of": 1, "effect": 1}
    ),
    "empty_category": Expectation(
        named=naming("cut"),
        innocent=("ability",),
        rates={"cut": [0, 1]},
        start={"cut": [0, 1]},
    ),
    "ever_better": Expectation(
        question=Question.HAS_MINIMIZER, named=naming("dose"), innocent=("mood",), rates={"dose": 1}
    ),
    "factor_scale": Expectation(
        # Straight, but ever narrower: the area around it grows like a logarithm.
        named=(("loading", "factor"),),
        data={"y": 1.5},
        rates={"loading": 1},
        curved=True,
    ),
    "fast_decay": Expectation(named=naming("speed"), rates={"speed": 1}),
    "flat_degrees": Expectation(
        named=naming("df"), data={"y": 0.5}, rates={"df": 1}, mended_is_proper=False
    ),
    "flat_exponent": Expectation(named=naming("exponent"), rates={"exponent": 1}),
    "flat_frequency": Expectation(named=naming("frequency"), data=LINE, rates={"frequency": 1}),
    "flat_log_scale": Expectation(
        named=naming("log_tau"), innocent=("mu", "raw"), data=GROUPS, rates={"log_tau": -1}
    ),
    "flat_log_scale_centred": Expectation(
        question=Question.BOUNDED_BELOW,
        named=naming("log_tau"),
        data=GROUPS,
        # Slow: beyond exp(-700) floats end.
        rates={"log_tau": -5e-6},
        log_rate=-np.inf,
        mended_is_proper=False,
    ),
    "flat_precision": Expectation(
        question=Question.BOUNDED_BELOW,
        named=naming("precision"),
        innocent=("mu",),
        data={"y": 0.3},
        rates={"precision": 1},
        start={"mu": 0.3},
        log_rate=-0.5,
        mended_is_proper=False,
    ),
    "flat_scale": Expectation(
        named=naming("sigma"),
        data={"y": 0.3},
        rates={"sigma": 1},
        log_rate=1.0,
        mended_is_proper=False,
    ),
    "forgotten_variable": Expectation(named=naming("y"), innocent=("x",), rates={"y": 1}),
    "free_mixture_scales": Expectation(
        question=Question.BOUNDED_BELOW,
        named=(("width", "middle"),),
        rates={"width": [1, 0]},
        start={"middle": [0, 1], "width": [0, 1]},
        towards_zero=True,
        log_rate=1.0,
    ),
    "group_scale_at_zero": Expectation(
        named=naming("tau"),
        innocent=("mu", "raw"),
        data=GROUPS,
        rates={"tau": 1},
        towards_zero=True,
        log_rate=1.0,
        mended_is_proper=False,
    ),
    "half_open": Expectation(named=naming("finish"), innocent=("start",), rates={"finish": 1}),
    "no_data": Expectation(named=naming("mu"), data={"y": np.zeros(0)}, rates={"mu": 1}),
    "no_groups": Expectation(
        named=naming("tau"), innocent=("mu",), data={"y": np.zeros(0)}, rates={"tau": 1}
    ),
    "no_upper_pull": Expectation(named=naming("rate"), rates={"rate": 1}),
    "one_of_several": Expectation(
        named=(("first.at", "second.at"),), rates={"second.at": 1}, start={"second.at": 1}
    ),
    "one_sided": Expectation(named=naming("load"), rates={"load": -1}),
    "or_different_variables": Expectation(named=(("x", "y"),), rates={"y": 1}),
    "part_without_anchor": Expectation(
        named=naming("right.at"), innocent=("left.at",), rates={"right.at": 1}
    ),
    "power_law": Expectation(
        named=naming("size_of"), rates={"size_of": 1}, start={"size_of": 1}, log_rate=0.8
    ),
    "profit_without_limit": Expectation(
        question=Question.BOUNDED_BELOW,
        named=naming("units"),
        innocent=("price",),
        rates={"units": 1},
        log_rate=-np.inf,
    ),
    "random_walk": Expectation(named=naming("level"), rates={"level": 1}),
    "ranking": Expectation(named=naming("strength"), rates={"strength": 1}),
    "repel_too_strong": Expectation(
        question=Question.BOUNDED_BELOW,
        named=naming("x"),
        innocent=("y",),
        rates={"x": 1},
        log_rate=-np.inf,
    ),
    "saturated_unit": Expectation(named=naming("drive"), data={"y": 0.5}, rates={"drive": -1}),
    "saturation": Expectation(
        # The height may follow, or stay.
        named=naming("half"),
        rates={"top": 1, "half": 1},
        start={"top": 1, "half": 1},
    ),
    "separable_logistic": Expectation(named=naming("slope"), rates={"slope": 1}),
    "separable_plane": Expectation(
        question=Question.HAS_MINIMIZER, named=naming("slope"), rates={"slope": 1}
    ),
    "soft_minimum": Expectation(named=(("x", "y"),), rates={"y": 1}),
    "softmax_redundant": Expectation(named=naming("score"), rates={"score": 1}),
    "tempered_cauchy": Expectation(named=naming("x"), rates={"x": 1}, log_rate=1.0),
    "tempered_student": Expectation(
        named=naming("x"), innocent=("y",), rates={"x": 1}, log_rate=0.9
    ),
    "tie_without_level": Expectation(named=naming("height"), rates={"height": 1}),
    "translation_only": Expectation(
        named=naming("points"), rates={"points": [[1, 0], [1, 0], [1, 0]]}
    ),
    "two_intercepts": Expectation(
        named=naming("alpha", "beta"),
        innocent=("slope",),
        data=LINE,
        rates={"alpha": 1, "beta": -1},
    ),
}
