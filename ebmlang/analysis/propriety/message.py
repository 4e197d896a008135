"""Verdicts as messages: what does not hold, why, step by step, and text to paste that mends it."""

from ebmlang.analysis.verdict import Answer, Propriety, Question, Reason, Verdict
from ebmlang.source import Diagnostic, Label

_HEADLINES = {
    "E0412": "`exp(-E)` of this spec has no finite integral",
    "E0413": "the energy of this spec has no lower bound",
    "W0421": "`exp(-E)` of this spec has no finite integral, so it cannot be sampled",
    "W0422": "nothing proves that `exp(-E)` of this spec has a finite integral",
}


def propriety_diagnostics(propriety: Propriety, verb: str) -> list[Diagnostic]:
    """Return what the verdicts mean for what is about to be done.

    Args:
        propriety: The verdicts.
        verb: `sample` needs a finite integral, `solve` a lower bound; `check` is content with
            either, and with an integral of which nothing is known.

    Returns:
        E0412 or E0413, W0421 where only `solve` makes sense, W0422 where nothing is proved of the
        integral; or nothing.
    """
    integrable, bounded = propriety.integrable, propriety.bounded_below
    match verb:
        case "sample":
            return _about_integral(integrable, "E0412")
        case "solve":
            return [_draw(bounded, "E0413")] if bounded.answer is Answer.IMPROPER else []
        case _ if integrable.answer is bounded.answer is Answer.IMPROPER:
            return [_draw(bounded, "E0413")]
        case _:
            return _about_integral(integrable, "W0421")


def _about_integral(verdict: Verdict, improper: str) -> list[Diagnostic]:
    match verdict.answer:
        case Answer.PROPER:
            return []
        case Answer.IMPROPER:
            return [_draw(verdict, improper)]
        case Answer.UNKNOWN:
            return [_draw(verdict, "W0422")]


def _draw(verdict: Verdict, code: str) -> Diagnostic:
    ways = {"E0412": ("ask only for `ebm solve`",), "E0413": ()}.get(code, ())
    if code == "E0412" and verdict.direction is not None:
        falls = verdict.direction.log_rate < 0
        ways = () if falls else ways
    return Diagnostic(
        code=code,
        headline=_HEADLINES[code],
        primary=_label(verdict),
        because=tuple(map(show_reason, verdict.because)),
        helps=(*verdict.helps, *ways),
    )


def _label(verdict: Verdict) -> Label | None:
    spans = [reason.span for reason in verdict.because if reason.span is not None]
    if not spans:
        return None
    if verdict.answer is Answer.UNKNOWN:
        return Label(spans[-1], "this stands in the way of a proof")
    if verdict.question is Question.BOUNDED_BELOW:
        return Label(spans[-1], "E falls without bound as this moves")
    return Label(spans[-1], "too little grows as this moves")


def show_reason(reason: Reason) -> str:
    """Return a line of a proof with the place that it is about: `... (12:5)`."""
    if reason.span is None:
        return reason.text
    line, column = reason.span.source.position(reason.span.start)
    return f"{reason.text} ({line}:{column})"
