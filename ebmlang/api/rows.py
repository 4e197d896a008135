"""Data for many problems of one spec: which givens have a value per row, and whether they may.

A value with one axis more than its given has the rows in front; any other is shared by all rows.
In tables, columns `y[0]`, `y[1]`, ... are the elements of an array given `y`.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ebmlang.api.data_files import Array
from ebmlang.api.graphs import find_analyzed_graph, find_graph
from ebmlang.api.model import Model
from ebmlang.api.sizes import iterate_givens
from ebmlang.check.program import Given
from ebmlang.lower.row_data import check_columns, convert_columns, find_unreadable, require_variable
from ebmlang.source import Diagnostic, EbmError, Label

_ELEMENT = re.compile(r"(?P<path>.+)\[(?P<index>\d+(?:\s*,\s*\d+)*)\]")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A model whose data has rows.

    Attributes:
        model: With its `rows` told apart from what all share.
        count: How many rows there are.
        unreadable: Rows with a number that is not finite, or not of the declared kind.
    """

    model: Model
    count: int
    unreadable: NDArray[np.bool_]

    def columns(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.generic], ...]:
        """Return the values of some readable rows, in the order of the graph's givens."""
        graph, _ = find_graph(self.model)
        return convert_columns(graph, self.model.data, rows)

    def alone(self, row: int) -> Model:
        """Return the model with the data of one row, as if there were no others."""
        data = {p: v[row] if p in self.model.rows else v for p, v in self.model.data.items()}
        return replace(self.model, data=data, rows=frozenset())


def has_rows(model: Model, apart_from: Collection[str] = ()) -> bool:
    """Return whether any of the data, apart from some, has one axis more than its given."""
    data = {path: value for path, value in model.data.items() if path not in apart_from}
    return bool(_list_rows(_givens(model), _gather(data, _givens(model))))


def bind_rows(model: Model) -> Table:
    """Tell data by row from what all rows share.

    Raises:
        EbmError: There are no rows, columns of different lengths, or data of another shape (E0702);
            a column is of another kind (E0803), or of a given that cannot vary (E0721); E0701 and
            E0705 for what is missing or unknown.
    """
    givens = _givens(model)
    data = _gather(model.data, givens)
    rows = _list_rows(givens, data)
    count = _count_rows(givens, data, rows)
    bound = replace(model, data=data, rows=frozenset(rows), proofs={})
    graph, _ = find_graph(bound)
    columns = {path: data[path] for path in rows}
    check_columns(graph, columns)
    analyzed, _ = find_analyzed_graph(bound)
    marked = tuple(replace(given, by_row=given.path in rows) for given in analyzed.givens)
    require_variable(replace(analyzed, givens=marked))
    return Table(model=bound, count=count, unreadable=find_unreadable(graph, columns, count))


def _givens(model: Model) -> dict[str, Given]:
    return dict(iterate_givens(model.program.body))


def _list_rows(givens: Mapping[str, Given], data: Mapping[str, Array]) -> list[str]:
    return [p for p, given in givens.items() if p in data and data[p].ndim == given.type.rank + 1]


def _gather(data: Mapping[str, Array], givens: Mapping[str, Given]) -> dict[str, Array]:
    """Return the data with columns `y[0]`, `y[1]`, ... as one array `y`."""
    gathered: dict[str, Array] = {}
    elements: dict[str, dict[tuple[int, ...], Array]] = {}
    for name, value in data.items():
        match = _ELEMENT.fullmatch(name)
        if match is None or match["path"] not in givens:
            gathered[name] = value
        else:
            index = tuple(int(number) for number in match["index"].split(","))
            elements.setdefault(match["path"], {})[index] = value
    for path, pieces in elements.items():
        gathered[path] = _stack(path, givens[path], pieces)
    return gathered


def _stack(path: str, given: Given, pieces: Mapping[tuple[int, ...], Array]) -> Array:
    rank = given.type.rank
    for index in pieces:
        if len(index) != rank:
            raise _wrong_shape(f"the data has `{_name(path, index)}`, and `{path}` has rank {rank}")
    shape = tuple(1 + max(index[axis] for index in pieces) for axis in range(rank))
    missing = [index for index in np.ndindex(shape) if index not in pieces]
    if missing:
        raise _wrong_shape(f"the data has no `{_name(path, missing[0])}`, and elements after it")
    values = [pieces[index] for index in np.ndindex(shape)]
    if len({value.shape for value in values}) > 1:
        raise _wrong_shape(f"the data for elements of `{path}` differs in length")
    return np.stack(values, axis=-1).reshape(*values[0].shape, *shape)


def _name(path: str, index: tuple[int, ...]) -> str:
    return f"{path}[{','.join(map(str, index))}]"


def _count_rows(givens: Mapping[str, Given], data: Mapping[str, Array], rows: list[str]) -> int:
    if not rows:
        raise _wrong_shape(
            "no data has a value per row",
            "give some `given` one axis more in front: a column for a number, "
            "columns `y[0]`, `y[1]`, ... for an array",
        )
    first = rows[0]
    count = len(data[first])
    for path in rows:
        if len(data[path]) != count:
            label = Label(givens[path].span, "declared here")
            headline = f"`{first}` has {count} rows, and `{path}` has {len(data[path])}"
            raise EbmError(Diagnostic(code="E0702", headline=headline, primary=label))
    if not count:
        raise _wrong_shape("the data has no rows")
    return count


def _wrong_shape(headline: str, *helps: str) -> EbmError:
    return EbmError(Diagnostic(code="E0702", headline=headline, helps=helps))
