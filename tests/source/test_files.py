"""Source files are read as text, or refused with the reason."""

import pytest

from ebmlang.source import EbmError
from ebmlang.source.files import read_source


def refusal(path) -> tuple[str, str]:
    with pytest.raises(EbmError) as raised:
        read_source(path)
    (diagnostic,) = raised.value.diagnostics
    return diagnostic.code, diagnostic.headline


def test_a_byte_order_mark_and_foreign_line_breaks_are_not_part_of_the_text(tmp_path):
    file = tmp_path / "a.ebm"
    file.write_bytes(b"\xef\xbb\xbfvar x: real\r\nvar y: real\rvar z: real\n")

    assert read_source(file).text == "var x: real\nvar y: real\nvar z: real\n"


def test_a_missing_file_is_reported_with_the_name_that_was_meant(tmp_path):
    (tmp_path / "desk.ebm").touch()

    with pytest.raises(EbmError) as raised:
        read_source(tmp_path / "dek.ebm")

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0801"
    assert diagnostic.helps == (f"did you mean `{tmp_path / 'desk.ebm'}`?",)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(EbmError) as raised:
        read_source(tmp_path / "nowhere" / "a.ebm")

    assert raised.value.diagnostics[0].notes == (f"there is no folder `{tmp_path / 'nowhere'}`",)


def test_a_folder_is_no_file(tmp_path):
    assert refusal(tmp_path)[0] == "E0802"


def test_a_name_that_no_file_can_have_is_refused():
    assert refusal("a\0b.ebm")[0] == "E0802"


def test_bytes_that_are_not_text_are_reported_with_their_line(tmp_path):
    file = tmp_path / "a.ebm"
    file.write_bytes(b"var x: real\n# caf\xe9\n")

    with pytest.raises(EbmError) as raised:
        read_source(file)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0109"
    assert diagnostic.notes == ("line 2 has the byte 0xe9",)


def test_a_zero_byte_is_pointed_at(tmp_path):
    file = tmp_path / "a.ebm"
    file.write_bytes(b"var x: real\n\0")

    with pytest.raises(EbmError) as raised:
        read_source(file)

    assert str(raised.value.diagnostics[0].primary.span).endswith("a.ebm:2:1")


def test_a_file_longer_than_any_spec_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ebmlang.source.files.FILE_BYTES", 10)
    file = tmp_path / "a.ebm"
    file.write_text("# " + "x" * 20)

    assert refusal(file)[0] == "E0802"
