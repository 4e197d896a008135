"""How each operator of the table is written in torch, as data.

One torch call, or one line, is a `Template`; what depends on shapes or options is a rule, a
function of the `Site` in `structure`; what takes several calls is a function in `torch_kernels`,
which the emitted text knows as `k`. Nothing here imports torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from ebmlang.lower.site import Site
from ebmlang.lower.structure import (
    write_concat,
    write_dot,
    write_expand,
    write_gather,
    write_matvec,
    write_moveaxis,
    write_power,
    write_product,
    write_reshape,
    write_scatter,
    write_slice,
    write_stack,
    write_take,
    write_vecmat,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One expression with places `{0}`, `{1}` for operands and `{axes}` for reduced axes.

    Attributes:
        text: The expression.
        numbers: Operands for which a Python number will do, as long as one tensor is left.
        with_number: The expression where the last operand is a Python number.
    """

    text: str
    numbers: tuple[int, ...] = ()
    with_number: str = ""


Rule: TypeAlias = Callable[[Site], str]
Kernel: TypeAlias = Template | Rule


def _plain(**texts: str) -> dict[str, Kernel]:
    return {name: Template(text=text) for name, text in texts.items()}


def _numbered(**texts: str) -> dict[str, Kernel]:
    return {name: Template(text=text, numbers=(0, 1)) for name, text in texts.items()}


_ELEMENTWISE: dict[str, Kernel] = {
    **_numbered(
        add="{0} + {1}",
        sub="{0} - {1}",
        mul="{0} * {1}",
        div="{0} / {1}",
        mod="torch.remainder({0}, {1})",
    ),
    "pow": write_power,
    "minimum": Template(text="torch.minimum({0}, {1})", with_number="{0}.clamp(max={1})"),
    "maximum": Template(text="torch.maximum({0}, {1})", with_number="{0}.clamp(min={1})"),
    **_plain(
        neg="-{0}",
        abs="torch.abs({0})",
        sqrt="k.sqrt({0})",
        square="torch.square({0})",
        exp="torch.exp({0})",
        log="torch.log({0})",
        log1p="torch.log1p({0})",
        expm1="torch.expm1({0})",
        sin="torch.sin({0})",
        cos="torch.cos({0})",
        tan="torch.tan({0})",
        asin="torch.asin({0})",
        acos="torch.acos({0})",
        atan="torch.atan({0})",
        atan2="torch.atan2({0}, {1})",
        sinh="torch.sinh({0})",
        cosh="torch.cosh({0})",
        tanh="torch.tanh({0})",
        sigmoid="torch.sigmoid({0})",
        # Past 40 softplus(x) is x to the last bit of float64; torch's own threshold of 20 is not.
        softplus="F.softplus({0}, 1.0, 40.0)",
        relu="torch.relu({0})",
        erf="torch.erf({0})",
        lgamma="torch.lgamma({0})",
        floor="torch.floor({0})",
        to_real="{0}.to(real)",
        to_int="{0}.to(torch.int64)",
        nonnegative="{0} >= 0",
        log1mexp="k.log1mexp({0})",
        logaddexp="k.logaddexp({0}, {1})",
        log_bessel_i0="torch.log(torch.special.i0e({0})) + torch.abs({0})",
    ),
    "supported": Template(
        text="torch.where(({0} >= {1}) & ({0} <= {2}), {3}, inf)", numbers=(1, 2)
    ),
    "where": Template(text="torch.where({0}, {1}, {2})", numbers=(1, 2)),
}

_ADJOINTS: dict[str, Kernel] = {
    "less_equal": Template(text="{0} <= {1}", numbers=(0, 1)),
    **_plain(
        sign="torch.sign({0})",
        digamma="torch.digamma({0})",
        trigamma="torch.special.zeta(2.0, {0})",
        bessel_ratio="torch.special.i1e({0}) / torch.special.i0e({0})",
        others="k.others({0})",
    ),
    "scatter": write_scatter,
}

_REDUCTIONS: dict[str, Kernel] = {
    **_plain(
        sum="{0}.sum({axes})",
        min="{0}.amin({axes})",
        max="{0}.amax({axes})",
        mean="{0}.mean({axes})",
        norm="torch.linalg.vector_norm({0}, dim={axes})",
        logsumexp="k.logsumexp({0}, {axes})",
        noisy_or="k.noisy_or({0}, {axes})",
    ),
    "prod": write_product,
}

_CORE: dict[str, Kernel] = {
    "dot": write_dot,
    "matvec": write_matvec,
    "vecmat": write_vecmat,
    **_plain(
        cross="torch.linalg.cross(*torch.broadcast_tensors({0}, {1}), dim=-1)",
        matmul="torch.matmul({0}, {1})",
        transpose="{0}.mT",
        trace="{0}.diagonal(dim1=-2, dim2=-1).sum(-1)",
        det="torch.linalg.det({0})",
        logdet="torch.linalg.slogdet({0})[1]",
        inv="k.inverse({0})",
        solve="k.solve({0}, {1}.unsqueeze(-1)).squeeze(-1)",
        solve_matrix="k.solve({0}, {1})",
        cholesky="k.cholesky({0})",
        cumsum="{0}.cumsum(-1)",
        sort="{0}.sort(-1).values",
        sort_by="k.sort_by({0}, {1})",
    ),
}

_STRUCTURAL: dict[str, Kernel] = {
    "reshape": write_reshape,
    "expand": write_expand,
    "stack": write_stack,
    "concat": write_concat,
    "take": write_take,
    "gather": write_gather,
    "moveaxis": write_moveaxis,
    "slice": write_slice,
}

KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {**_ELEMENTWISE, **_REDUCTIONS, **_CORE, **_STRUCTURAL, **_ADJOINTS}
)
"""Kernel by the name of the operator; `scan`, `extern` and leaves are `frame`'s."""

EMPTY: Mapping[str, str] = MappingProxyType(
    {
        "sum": "0",
        "prod": "1",
        "min": "inf",
        "max": "-inf",
        "mean": "nan",
        "norm": "0",
        "logsumexp": "-inf",
        "noisy_or": "inf",
    }
)
"""What a reduction over no elements is."""
