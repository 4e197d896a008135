"""One operator of the table as one expression: operands made ready, kernel filled in."""

from collections.abc import Sequence

import numpy as np

from ebmlang.graph import Kind
from ebmlang.lang.operator import Family, Operator
from ebmlang.lower.kernels import EMPTY, KERNELS, Template
from ebmlang.lower.plain import PLAIN
from ebmlang.lower.site import Operand, Site, show_axes, show_number
from ebmlang.lower.structure import with_axes


def write_operator(operator: Operator, site: Site) -> str:
    """Return the expression of an operator of the table."""
    site = _prepared_operands(operator, site)
    kernel = KERNELS[operator.name]
    if operator.family is Family.REDUCTION:
        site = with_axes(site)
        (operand,) = site.operands
        axes = site.option("axes")
        if any(operand.shape[len(operand.shape) + axis] == 0 for axis in axes):
            return _empty(operator.name, site)
        plain = _plain(operator, site)
        if plain is not None:
            return plain
        if isinstance(kernel, Template):
            return kernel.text.format(operand.text, axes=show_axes(axes))
    plain = _plain(operator, site)
    if plain is not None:
        return plain
    if isinstance(kernel, Template):
        return _fill(kernel, operator, site)
    return kernel(site)


def _plain(operator: Operator, site: Site) -> str | None:
    rule = None if site.by_autograd else PLAIN.get(operator.name)
    return None if rule is None else rule(site)


def _prepared_operands(operator: Operator, site: Site) -> Site:
    match operator.family:
        case Family.ELEMENTWISE if operator.name not in ("to_real", "to_int"):
            return site.real().lined_up((0,) * len(site.operands))
        case Family.CORE:
            assert operator.core is not None
            return site.real().lined_up(len(names) for names in operator.core.operands)
        case Family.REDUCTION:
            return site.real()
        case Family.STRUCTURAL if operator.name in ("stack", "concat"):
            return site.real()
        case _:
            return site


def _empty(name: str, site: Site) -> str:
    """Return a reduction over no elements."""
    (operand,) = site.operands
    text, value = operand.text, EMPTY[name]
    if operand.kind is Kind.INT and value not in ("0", "1"):
        text = f"{text}.to(real)"
    return f"{text}.new_full({site.shape}, {value})"


def _fill(template: Template, operator: Operator, site: Site) -> str:
    """Return a template's expression, with Python numbers where they will do."""
    operands = site.operands
    # A call with a number of Python takes twice as long as one with a tensor of no axes.
    beforehand = site.varying and not site.by_autograd and site.node.kind is Kind.REAL
    if template.with_number and not beforehand:
        if operator.commutative and operands[-1].number is None:
            operands = operands[::-1]
        last = operands[-1].number
        if last is not None and _is_enough(site, operands[:-1]):
            texts = [operand.text for operand in operands[:-1]]
            return template.with_number.format(*texts, show_number(last))
    tensors = dict(enumerate(site.operands))
    numbers: dict[int, str] = {}
    for place in template.numbers:
        number = site.operands[place].number
        others = [operand for i, operand in tensors.items() if i != place]
        if number is not None and _is_enough(site, others):
            numbers[place] = (
                site.constant(np.asarray(number, dtype=float))
                if beforehand
                else show_number(number)
            )
            del tensors[place]
    texts = [numbers.get(i) or operand.text for i, operand in enumerate(site.operands)]
    return template.text.format(*texts)


def _is_enough(site: Site, tensors: Sequence[Operand]) -> bool:
    """Whether these operands alone give the value its shape and its dtype."""
    rank = max((len(operand.shape) for operand in tensors), default=-1)
    valued = any(operand.kind is not Kind.BOOL for operand in tensors)
    return valued and rank == len(site.node.shape)
