"""C text to a loaded library, by the compiler of this machine.

A library is named after the hash of all that decides what is in it: the text, the flags, the
compiler's version and the processor. It is kept in the folder of the user's caches, appears there
under its name only when whole, and is built once however many processes want it at the same time.
Where that folder cannot be written, it is built in a temporary one. Where there is no
compiler, or it fails, there is no library: whoever asked goes on without, and can say why.
"""

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from ebmlang.syntax.grammar import cache_folder

Precision: TypeAlias = Literal["float32", "float64"]

PRELUDE = Path(__file__).with_name("prelude.h")
DEVICE = Path(__file__).with_name("device.h")

FLAGS = (
    *("-std=gnu11", "-march=native", "-shared", "-fPIC", "-w"),
    # What these give up is errno and the floating-point exceptions, which nothing here reads; nan,
    # inf and the order of additions stay.
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
)

LEVEL = "-O3"
"""How far the compiler goes where nothing else is asked for."""

LIBRARIES = ("-lmvec", "-lm")
"""What is linked: the vector forms of functions come from glibc's libmvec."""

PATIENCE = 60.0
"""Longest time that the compiler gets [s]."""


@dataclass(frozen=True, slots=True)
class Library:
    """Loaded machine code.

    Attributes:
        handle: By which its functions are called; they release the interpreter's lock.
        path: Where it was loaded from.
    """

    handle: ctypes.CDLL
    path: Path


@dataclass(frozen=True, slots=True)
class Absence:
    """Why there is no library, in words for people."""

    reason: str


_lock = threading.Lock()
_loaded: dict[str, Library | Absence] = {}
_being_built: dict[str, threading.Lock] = {}


def build_library(text: str, precision: Precision, level: str = LEVEL) -> Library | Absence:
    """Return the library of C text, built if it is not kept, or why there is none.

    The same text gives the same library for the whole process; threads that ask for one at the same
    time wait for the first.

    Args:
        text: Without the prelude.
        precision: What `real` is in it.
        level: Which optimizations the compiler is asked for.
    """
    compiler = find_compiler()
    if compiler is None:
        return Absence("there is no C compiler (`cc`) on this machine")
    flags = (level, *FLAGS)
    name = _name(text, precision, flags, compiler)
    with _lock:
        building = _being_built.setdefault(name, threading.Lock())
    with building:
        if name not in _loaded:
            whole = assemble(text, precision)
            _loaded[name] = _load_or_build(whole, name, flags, compiler)
        return _loaded[name]


def is_kept(text: str, precision: Precision) -> bool:
    """Whether the library of C text can be had without running the compiler."""
    compiler = find_compiler()
    if compiler is None:
        return False
    name = _name(text, precision, (LEVEL, *FLAGS), compiler)
    return name in _loaded or (_folder() / name).is_file()


def assemble(text: str, precision: Precision, *, on_device: bool = False) -> str:
    """Return a whole translation unit: in C for this processor, or in C++ for a CUDA device."""
    head = f"#define REAL_IS_FLOAT {int(precision == 'float32')}\n"
    if on_device:
        head += f"#define ON_DEVICE 1\n{_read(DEVICE)}\n"
    return f"{head}{_read(PRELUDE)}\n{text}"


@lru_cache(maxsize=2)
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def find_compiler() -> str | None:
    """Return the C compiler: what the environment's `CC` names, else `cc`."""
    return _find_command(os.environ.get("CC") or "cc", os.environ.get("PATH"))


@lru_cache(maxsize=8)
def _find_command(name: str, folders: str | None) -> str | None:
    """Return where a command is: to look through the folders takes longer than a short solve."""
    return shutil.which(name, path=folders)


def _folder() -> Path:
    return cache_folder() / "native"


def _load_or_build(whole: str, name: str, flags: Sequence[str], compiler: str) -> Library | Absence:
    kept = _folder() / name
    with suppress(OSError):
        return _load(kept)
    with suppress(OSError):
        return Absence(_note_of(kept).read_text(encoding="utf-8"))
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        return _build(whole, kept, flags, compiler)
    # The folder cannot be written, or its disk is full.
    try:
        return _build(whole, _scratch() / name, flags, compiler)
    except OSError as error:
        return Absence(f"machine code could not be written: {error.strerror or error}")


def _build(whole: str, target: Path, flags: Sequence[str], compiler: str) -> Library | Absence:
    """Compile next to the target, and move what comes out to it.

    Raises:
        OSError: The folder does not take it.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        source, built = Path(folder) / "energy.c", Path(folder) / target.name
        source.write_text(whole, encoding="utf-8")
        command = [compiler, *flags, str(source), "-o", str(built), *LIBRARIES]
        said = _run(command)
        if said is None:
            # Nobody should wait for it again.
            note = Absence(f"the C compiler took longer than {PATIENCE:g} s")
            _note_of(target).write_text(note.reason, encoding="utf-8")
            return note
        if not built.is_file():
            if "No space left" in said:
                raise OSError(28, "no space left on the disk")
            first = (said.strip() or "it said nothing").splitlines()[0]
            return Absence(f"the C compiler `{compiler}` failed: {first}")
        built.replace(target)
    return _load(target)


def _run(command: Sequence[str]) -> str | None:
    """Run a compiler and return what it complained about; None where it took too long.

    It is a group of processes: what it starts ends with it, whatever ends this.

    Raises:
        OSError: It cannot be started.
    """
    compiler = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        return compiler.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        return None
    finally:
        if compiler.poll() is None:
            os.killpg(compiler.pid, signal.SIGKILL)
            compiler.communicate()


def _note_of(target: Path) -> Path:
    """Return the file that says why a library was given up."""
    return target.with_suffix(".txt")


def _load(path: Path) -> Library:
    """Load machine code.

    Raises:
        OSError: There is none, or it is no library.
    """
    return Library(ctypes.CDLL(str(path)), path)


@lru_cache(maxsize=64)
def _name(text: str, precision: Precision, flags: tuple[str, ...], compiler: str) -> str:
    whole = assemble(text, precision)
    parts = (whole, " ".join((*flags, *LIBRARIES)), _version(compiler), _processor())
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{digest[:24]}.so"


@lru_cache(maxsize=8)
def _version(compiler: str) -> str:
    """Return what tells this compiler from others."""
    try:
        asked = subprocess.run(
            [compiler, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return compiler
    return asked.stdout


@lru_cache(maxsize=1)
def _processor() -> str:
    """Return what tells this kind of processor from others: machine code is for one kind."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return f"{platform.machine()} {platform.processor()}"


@lru_cache(maxsize=1)
def _scratch() -> Path:
    """Return a folder that lasts as long as the process."""
    folder = Path(tempfile.mkdtemp(prefix="ebmlang-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
