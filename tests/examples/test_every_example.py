"""What every example keeps, whatever it is about."""

import pytest

import ebmlang
from tests.examples.folder import FILES, POSTERIORS

by_name = pytest.mark.parametrize("path", [*FILES, *POSTERIORS], ids=lambda path: path.stem)


@by_name
def test_it_checks_without_a_warning(path):
    assert ebmlang.load(path).diagnostics == ()


@by_name
def test_it_is_laid_out_as_the_formatter_would(path):
    assert ebmlang.load(path).format() == path.read_text()


@by_name
def test_it_opens_with_a_comment_that_says_what_it_is(path):
    assert path.read_text().startswith("## ")
