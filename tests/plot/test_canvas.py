import warnings
from itertools import pairwise

import pytest

from ebmlang.plot import canvas
from ebmlang.plot.canvas import Panel, Row, compose_figure, shade, show_name, write_figure
from ebmlang.source import EbmError


def lightness(color):
    """Return the luma of a color, by the weights of ITU-R BT.601."""
    red, green, blue, _ = color
    return 0.299 * red + 0.587 * green + 0.114 * blue


def a_picture():
    return compose_figure("a run", [Row(panels=[Panel(draw=label("x"))])])


def label(name):
    return lambda axes: axes.set_title(show_name(name))


def test_shades_fall_in_order_also_in_grey():
    shades = [lightness(shade(place, 6)) for place in range(6)]

    assert all(after - before > 0.05 for before, after in pairwise(shades))
    assert shades[-1] < 0.75


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_the_same_bytes_each_time(tmp_path, suffix):
    for name in ("first", "second"):
        write_figure(a_picture(), tmp_path / f"{name}{suffix}")

    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("first", "second"))
    assert first == second


def test_a_name_is_neither_mathematics_nor_markup(tmp_path):
    r"""Matplotlib takes `$...$` for TeX, and `$\frac$` ends in an exception."""
    names = [r"$\frac$", "a_$b$^c", "<script>alert(1)</script>", "tab\tand\nbreak"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = compose_figure("", [Row(panels=[Panel(draw=label(name))]) for name in names])
        write_figure(figure, tmp_path / "names.svg")

    text = (tmp_path / "names.svg").read_text()
    assert "<script>" not in text
    assert "a_$b$^c" in text
    assert "tab and break" in text


def test_another_format_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(EbmError) as caught:
        write_figure(a_picture(), tmp_path / "picture.jpg")

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0804"
    assert "`.svg`" in diagnostic.helps[0]


def test_without_matplotlib_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(canvas, "find_spec", lambda name: None)

    with pytest.raises(EbmError) as caught:
        compose_figure("a run", [])

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0808"
    assert "ebmlang[plot]" in diagnostic.helps[0]


def test_settings_of_the_user_do_not_change_a_picture(tmp_path):
    import matplotlib as mpl

    write_figure(
        compose_figure("a run", [Row(panels=[Panel(draw=label("x"))])]), tmp_path / "a.png"
    )
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        write_figure(a_picture(), tmp_path / "b.png")

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
