"""Inferred shapes are those of NumPy, for known sizes and for sizes that only the data binds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from ebmlang.lang import Size
from ebmlang.lang.operator import Core, ShapeError, broadcast, infer_shape
from ebmlang.lang.table import OPERATORS

SHAPES = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


@given(SHAPES, SHAPES)
def test_broadcasting_is_that_of_numpy(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast(a, b)
    else:
        assert broadcast(a, b) == expected


@given(mutually_broadcastable_shapes(num_shapes=3, min_side=0))
def test_three_shapes_broadcast_as_in_numpy(shapes):
    assert broadcast(*shapes.input_shapes) == shapes.result_shape


def test_a_named_size_broadcasts_with_itself_and_with_one_only():
    n = Size.named("N")

    assert broadcast((n,), (1,), (2, n)) == (2, n)
    with pytest.raises(ShapeError) as caught:
        broadcast((n,), (3,))
    assert caught.value.dims == (n, 3)


@pytest.mark.parametrize(
    ("text", "operands", "outcome"),
    [
        ("(m,n),(n,p)->(m,p)", (("m", "n"), ("n", "p")), ("m", "p")),
        ("(n),(n)->()", (("n",), ("n",)), ()),
        ("(3),(3)->(3)", (("3",), ("3",)), ("3",)),
        ("(n,n)->(n,n)", (("n", "n"),), ("n", "n")),
    ],
)
def test_a_pattern_is_read_as_in_numpy(text, operands, outcome):
    assert Core.parse(text) == Core(operands, outcome)


@given(SHAPES, st.data())
def test_reductions_drop_their_axes(shape, data):
    axes = data.draw(st.lists(st.integers(-len(shape), -1), unique=True) if shape else st.just([]))

    found = infer_shape(OPERATORS["sum"], (shape,), {"axes": tuple(axes)})

    assert found == np.sum(np.zeros(shape), axis=tuple(axes)).shape


MATRICES = ["dot", "matmul", "matvec", "vecmat", "transpose", "trace", "cumsum", "sort", "solve"]


@pytest.mark.parametrize("name", MATRICES)
@given(data=st.data())
def test_core_operators_loop_over_leading_axes(name, data):
    record = OPERATORS[name]
    sizes = {axis: data.draw(st.integers(1, 3)) for axis in "mnpk"}
    count = len(record.core.operands)
    loops = data.draw(mutually_broadcastable_shapes(num_shapes=count, max_dims=2, max_side=3))
    shapes = tuple(
        (*loop, *(sizes[axis] for axis in own))
        for loop, own in zip(loops.input_shapes, record.core.operands, strict=True)
    )
    arrays = [np.ones(shape) for shape in shapes]
    if name == "solve":
        arrays[0] = arrays[0] * 0 + np.eye(sizes["n"])

    assert infer_shape(record, shapes, {}) == np.shape(record.evaluate(*arrays))


def test_core_operators_refuse_sizes_that_differ():
    with pytest.raises(ShapeError) as caught:
        infer_shape(OPERATORS["dot"], ((3,), (4,)), {})
    assert caught.value.dims == (3, 4)


def test_core_operators_refuse_too_few_axes():
    with pytest.raises(ShapeError):
        infer_shape(OPERATORS["trace"], ((3,),), {})


def test_a_fixed_size_is_asked_for():
    with pytest.raises(ShapeError) as caught:
        infer_shape(OPERATORS["cross"], ((2,), (2,)), {})
    assert caught.value.dims == (3, 2)


def agree(name, arrays, options):
    record = OPERATORS[name]
    expected = np.shape(record.evaluate(*arrays, **options))
    assert infer_shape(record, tuple(np.shape(a) for a in arrays), options) == expected


FULL = array_shapes(min_dims=1, max_dims=4, max_side=3)


@given(FULL, st.data())
def test_stack_and_concat_and_slice_and_take_have_the_shapes_they_say(shape, data):
    x = np.arange(np.prod(shape)).reshape(shape)
    axis = data.draw(st.integers(-len(shape), -1))
    size = shape[axis]
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    index = data.draw(array_shapes(min_dims=0, max_dims=2, max_side=3))

    agree("stack", [x, x, x], {"axis": data.draw(st.integers(-len(shape) - 1, -1))})
    agree("concat", [x, x], {"axis": axis})
    agree("slice", [x], {"axis": axis, "start": start, "stop": stop})
    agree("take", [x, np.zeros(index, dtype=np.int64)], {"axis": axis})
    agree("reshape", [x], {"rank": len(shape), "shape": (1, x.size)})
    agree("reshape", [x], {"rank": 1, "shape": (1, shape[-1], 1)})
    agree("expand", [x], {"shape": (2, *shape)})
    agree("moveaxis", [x], {"source": axis, "target": -1})


@given(FULL, st.data())
def test_gather_takes_for_each_place_its_own_element(shape, data):
    rank = data.draw(st.integers(0, len(shape) - 1))
    rng = np.random.default_rng(0)
    x = rng.random(shape)
    split = len(shape) - rank - 1
    index = rng.integers(0, shape[split], shape[:split])

    found = OPERATORS["gather"].evaluate(x, index, rank=rank)

    agree("gather", [x, index], {"rank": rank})
    for place in np.ndindex(index.shape):
        np.testing.assert_array_equal(found[place], x[place][index[place]])


def test_joining_refuses_what_does_not_fit():
    with pytest.raises(ShapeError):
        infer_shape(OPERATORS["stack"], ((2,), (3,)), {"axis": -1})
    with pytest.raises(ShapeError):
        infer_shape(OPERATORS["concat"], ((2, 2), (2, 3)), {"axis": -2})


def test_joined_sizes_that_only_the_data_binds_add_up():
    n = Size.named("N")

    assert infer_shape(OPERATORS["concat"], ((n,), (2,)), {"axis": -1}) == (n + 2,)
