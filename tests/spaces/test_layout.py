import math

import numpy as np
import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.source import EbmError
from ebmlang.spaces import ConcreteDomain, PieceKind, build_layout, build_pieces
from tests.runtime.function_target import layout_of

CPU = torch.device("cpu")


def mixed_layout():
    return build_layout(
        {
            "a": ConcreteDomain(kind=DomainKind.UNIT, shape=(2, 3)),
            "b": ConcreteDomain(
                kind=DomainKind.REAL,
                shape=(4,),
                lower=np.array([0.0, -math.inf, 1.0, -math.inf]),
                upper=np.array([1.0, 5.0, math.inf, math.inf]),
            ),
            "c": ConcreteDomain(kind=DomainKind.SIMPLEX, shape=(3,)),
            "d": ConcreteDomain(kind=DomainKind.POSITIVE, shape=()),
            "e": ConcreteDomain(kind=DomainKind.UNIT, shape=(3,)),
        }
    )


def test_packing_lays_variables_side_by_side_in_c_order() -> None:
    layout = build_layout(
        {
            "a": ConcreteDomain(kind=DomainKind.REAL, shape=(2, 2)),
            "b": ConcreteDomain(kind=DomainKind.REAL, shape=()),
        }
    )
    values = {"a": torch.arange(8.0).reshape(2, 2, 2), "b": torch.tensor([10.0, 20.0])}

    packed = layout.pack(values)

    assert packed.tolist() == [[0, 1, 2, 3, 10], [4, 5, 6, 7, 20]]


def test_unpacking_undoes_packing() -> None:
    layout = mixed_layout()
    x = torch.arange(2.0 * layout.dim).reshape(2, layout.dim)

    assert torch.equal(layout.pack(layout.unpack(x)), x)


def test_a_scalar_has_only_the_chain_axis() -> None:
    layout = mixed_layout()

    assert layout.unpack(torch.zeros(7, layout.dim))["d"].shape == (7,)


def test_elements_of_one_kind_and_size_are_one_piece_whatever_their_variable() -> None:
    pieces = build_pieces(mixed_layout(), dtype=torch.float64, device=CPU)

    units = [piece for piece in pieces if piece.kind is PieceKind.UNIT]

    assert len(units) == 1
    assert units[0].columns.tolist() == [[0, 1, 2], [3, 4, 5], [14, 15, 16]]


def test_bounds_are_sorted_elementwise() -> None:
    pieces = build_pieces(mixed_layout(), dtype=torch.float64, device=CPU)
    columns = {piece.kind: piece.columns.flatten().tolist() for piece in pieces}

    assert columns[PieceKind.BETWEEN] == [6]
    assert columns[PieceKind.BELOW] == [7]
    assert columns[PieceKind.ABOVE] == [8, 13]
    assert columns[PieceKind.FREE] == [9]


def test_bounds_that_fall_together_leave_one_value() -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=[1.0, 0.0], upper=[1.0, 1.0])

    pieces = build_pieces(layout, dtype=torch.float64, device=CPU)

    assert [piece.kind for piece in pieces] == [PieceKind.FIXED, PieceKind.BETWEEN]


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(2.0, 1.0), (math.nan, 1.0), (0.0, math.nan), (math.inf, math.inf), (-math.inf, -math.inf)],
)
def test_bounds_that_hold_no_number_are_a_diagnostic_with_the_place(
    lower: float, upper: float
) -> None:
    with pytest.raises(EbmError, match=r"`x\[1\]`") as caught:
        layout_of(DomainKind.REAL, 2, lower=[0.0, lower], upper=[1.0, upper])

    assert caught.value.diagnostics[0].code == "E0318"


def test_discrete_domains_are_a_diagnostic() -> None:
    with pytest.raises(EbmError) as caught:
        ConcreteDomain(kind=DomainKind.INT, shape=(2,))

    assert caught.value.diagnostics[0].code == "E0312"


def test_rotations_in_four_dimensions_are_a_diagnostic() -> None:
    with pytest.raises(EbmError, match=r"rotation\[4\]"):
        ConcreteDomain(kind=DomainKind.ROTATION, shape=(4, 4))
