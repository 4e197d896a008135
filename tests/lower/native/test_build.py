"""Machines without a compiler, with a broken one, without room, and with many processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ebmlang.lower.native import build
from ebmlang.lower.native.build import Absence, Library, build_library, find_compiler, is_kept

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

TEXT = "double twice(double x) { return 2 * x; }\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of the test's own, and nothing loaded yet."""
    monkeypatch.setattr(build, "_folder", lambda: tmp_path / "native")
    monkeypatch.setattr(build, "_loaded", {})
    return tmp_path / "native"


def fake_compiler(tmp_path, monkeypatch, script):
    """Put a `cc` in front that does what a shell script says."""
    tool = tmp_path / "bin" / "cc"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    build._version.cache_clear()
    return tool


@needs_compiler
def test_a_library_is_built_once_and_kept(folder):
    assert not is_kept(TEXT, "float64")

    first = build_library(TEXT, "float64")

    assert isinstance(first, Library)
    assert first.path.parent == folder
    assert is_kept(TEXT, "float64")
    assert build_library(TEXT, "float64") is first
    assert [path.suffix for path in folder.iterdir()] == [".so"]


def test_without_a_compiler_there_is_no_library(folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)

    found = build_library(TEXT, "float64")

    assert isinstance(found, Absence)
    assert "no C compiler" in found.reason
    assert not is_kept(TEXT, "float64")


def test_what_the_compiler_says_is_the_reason(folder, tmp_path, monkeypatch):
    fake_compiler(tmp_path, monkeypatch, 'echo "cc: broken pipe organ" >&2; exit 1')

    found = build_library(TEXT, "float64")

    assert isinstance(found, Absence)
    assert "broken pipe organ" in found.reason
    assert list(folder.iterdir()) == []


def test_a_compiler_that_does_not_end_is_given_up(folder, tmp_path, monkeypatch):
    fake_compiler(tmp_path, monkeypatch, '[ "$1" = --version ] || exec sleep 60')
    monkeypatch.setattr(build, "PATIENCE", 0.2)

    found = build_library(TEXT, "float64")

    assert isinstance(found, Absence)
    assert "took longer" in found.reason


def test_what_a_compiler_has_started_ends_with_it_and_it_is_not_tried_again(
    folder, tmp_path, monkeypatch
):
    """gcc works through processes of its own: one left over would run for hours."""
    pipe, calls = tmp_path / "pipe", tmp_path / "calls"
    os.mkfifo(pipe)
    # The child holds the pipe open for as long as it lives.
    script = f"echo call >> {calls}; sleep 60 > {pipe} & wait"
    fake_compiler(tmp_path, monkeypatch, f'[ "$1" = --version ] || {{ {script}; }}')
    monkeypatch.setattr(build, "PATIENCE", 0.5)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    build_library(TEXT, "float64")
    monkeypatch.setattr(build, "_loaded", {})
    again = build_library(TEXT, "float64")

    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b"", "the end of the file: nobody has it open"
    os.close(reader)
    assert isinstance(again, Absence)
    assert "took longer" in again.reason
    assert calls.read_text() == "call\n"


@needs_compiler
def test_where_the_cache_cannot_be_written_a_temporary_folder_serves(folder, tmp_path):
    # A file where the folder should be: not even root can write into it.
    folder.write_text("", encoding="utf-8")

    found = build_library(TEXT, "float64")

    assert isinstance(found, Library)
    assert found.path.parent != folder
    assert folder.is_file()


def test_on_a_full_disk_there_is_no_library_and_nothing_is_left(folder, tmp_path, monkeypatch):
    full = '[ "$1" = --version ] || { echo "cc: No space left on device" >&2; exit 1; }'
    fake_compiler(tmp_path, monkeypatch, full)

    found = build_library(TEXT, "float64")

    assert isinstance(found, Absence)
    assert "no space left" in found.reason
    assert list(folder.iterdir()) == []


@needs_compiler
def test_a_damaged_library_is_built_again(folder):
    built = build_library(TEXT, "float64")
    assert isinstance(built, Library)
    kept = folder / f"damaged-{built.path.name}"
    kept.write_bytes(b"no library")

    whole, flags = build.assemble(TEXT, "float64"), build.FLAGS
    again = build._load_or_build(whole, kept.name, flags, find_compiler())

    assert isinstance(again, Library)


@needs_compiler
@pytest.mark.slow
def test_processes_that_build_the_same_at_once_all_get_it(tmp_path):
    program = (
        "import sys; from pathlib import Path; from ebmlang.lower.native import build\n"
        f"build._folder = lambda: Path({str(tmp_path)!r})\n"
        f"found = build.build_library({TEXT!r}, 'float64')\n"
        "sys.exit(0 if isinstance(found, build.Library) else found.reason)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(build.__file__).parents[3])}

    running = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]

    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert [path.suffix for path in tmp_path.iterdir()] == [".so"]
