"""Which values are functions of hinges max(0, affine) that rise with each of them.

Such a function has a minimizer: along a direction in which it does not grow, a step back never
makes it larger.

Source: Auslender and Teboulle, Asymptotic Cones and Functions, section 3.3 (functions that are
asymptotically level stable attain their infimum).
"""

from ebmlang.analysis.affine import AffineForms
from ebmlang.analysis.elements import Applied, Combination, Element, Extreme
from ebmlang.analysis.propriety.pieces import find_cases
from ebmlang.lang.facts import Slope
from ebmlang.lang.interval import Interval
from ebmlang.lang.restriction import slope_over


def settles(forms: AffineForms, element: Element, factor: float) -> bool:
    """Return whether a bounded multiple of an element rises with hinges of affine values only.

    What depends on nothing that can go to infinity may do as it likes.
    """
    affine, form = forms.of(element), forms.elements.form(element)
    if not _reaches(forms, element[0]):
        return True
    if affine is not None and affine.low == affine.high:
        return not forms.moving(affine)
    match form:
        case Combination():
            return all(settles(forms, source, factor * c) for source, c in form.terms)
        case Extreme():
            return all(settles(forms, source, factor) for source in form.among)
        case Applied():
            factor *= form.factor
            if is_bent(forms, form, factor):
                return True
            over = slope_over(form.profile, Interval.make(*forms.elements.bounds(form.of)))
            if over is Slope.FLAT:
                return True
            return over.value is not None and settles(forms, form.of, factor * over.value)
    return False


def is_bent(forms: AffineForms, form: Applied, factor: float) -> bool:
    """Return whether f(v) is made of hinges of the straight pieces of v.

    max(0, min(a, b)) is min(max(0, a), max(0, b)).
    """
    cases = find_cases(forms, form.of, 1.0) if is_hinge(form) and factor > 0 else None
    return cases is not None and all(
        affine.low == affine.high for pieces in cases for affine in pieces
    )


def is_hinge(form: Applied) -> bool:
    """Return whether f(v) is a function of the hinges of v and of -v that rises with each."""
    even = form.name == "pow" and form.exponent > 0 and form.exponent % 2 == 0
    return form.factor > 0 and (even or form.name in ("abs", "square", "relu"))


def _reaches(forms: AffineForms, number: int) -> bool:
    """Return whether a node depends on a variable that can go to infinity."""
    return not forms.open_paths.isdisjoint(forms.elements.facts.dependence[number].value)
