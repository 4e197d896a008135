"""What a run is a run of: everything that its draws depend on, written down before the first.

It holds nothing of the machine, its folders or the time, so that two runs of the same have the
same manifest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.plain import show_json
from ebmlang.source import Diagnostic, EbmError

SCHEMA = 2
"""The number of the form that runs are written in; raised when an older reader would go wrong."""

NAME = "run.json"
"""What the file is called in the folder of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is sampled.

    Attributes:
        seed: Of all random numbers.
        chains: How many.
        warmup: Iterations of each that adapt and are not kept.
        draws: Points wanted of each; the one thing that may be changed later, to more.
        thin: Iterations per point.
        method: The sampler.
        precision: `float32`, `float64`, or `mixed`: chains move in float32, and energies are
            compared in float64.
        accept_unreliable: Whether estimates that cannot be relied on are used all the same.
    """

    seed: int
    chains: int
    warmup: int
    draws: int
    thin: int
    method: str
    precision: str
    accept_unreliable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A process that worked on a run.

    Attributes:
        iteration: After which it began.
        device: `cpu` or `cuda`; the last bits of draws differ between them.
        versions: The programs it worked with.
    """

    iteration: int
    device: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a run is a run of.

    Attributes:
        spec: The texts and constants of the spec, as plain data; Any, as JSON has it.
        spec_hash: Of these.
        data_hash: Of the data that was bound.
        weights: Weights that stand in for those written, by path.
        functions: The functions from Python that the spec calls; a run cannot keep them.
        settings: How it is sampled.
        sessions: The processes that worked on it.
    """

    spec: Mapping[str, Any]
    spec_hash: str
    data_hash: str
    weights: Mapping[str, float]
    functions: tuple[str, ...]
    settings: Settings
    sessions: tuple[Session, ...]

    @property
    def name(self) -> str:
        """The name of the spec's file."""
        return str(self.spec["name"])

    @property
    def versions(self) -> dict[str, str]:
        """The programs that the draws were made with; several where they have changed."""
        found: dict[str, list[str]] = {}
        for session in self.sessions:
            for program, version in session.versions.items():
                known = found.setdefault(program, [])
                if version not in known:
                    known.append(version)
        return {program: ", then ".join(versions) for program, versions in found.items()}

    def write(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            OSError: It cannot be written.
        """
        path.write_text(show_json({"schema": SCHEMA, **asdict(self)}) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the run in a folder.

    Raises:
        EbmError: E0806 where there is none that can be read.
    """
    try:
        content = json.loads((folder / NAME).read_bytes())
        schema = content.pop("schema")
        if not isinstance(schema, int) or schema > SCHEMA:
            raise refuse_run(
                folder,
                f"it is of form {schema}, and this version of ebmlang knows form {SCHEMA}",
                "use the version of ebmlang that it was written with, or a later one",
            )
        sessions = tuple(Session(**session) for session in content.pop("sessions"))
        settings = _read_settings(content.pop("settings"))
        functions = tuple(content.pop("functions"))
        return Manifest(settings=settings, sessions=sessions, functions=functions, **content)
    except (FileNotFoundError, NotADirectoryError):
        if folder.is_dir():
            reason = f"there is no `{NAME}` in it"
        else:
            reason = "it is no folder" if folder.exists() else "there is no such folder"
        raise refuse_run(folder, reason) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise refuse_run(folder, f"`{NAME}` cannot be read: {reason}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise refuse_run(folder, f"`{NAME}` is not what `ebm sample` has written") from None


def _read_settings(content: dict[str, Any]) -> Settings:
    """Return settings; form 1 called the precision `dtype`. Any: as JSON has them."""
    named = {"precision" if name == "dtype" else name: value for name, value in content.items()}
    return Settings(**named)


def hash_arrays(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return a fingerprint of arrays by name; Any: of any dtype.

    >>> hash_arrays({"x": np.zeros(2)}) == hash_arrays({"x": np.zeros((2, 1))})
    False
    """
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        found.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        found.update(array.tobytes())
    return found.hexdigest()


def refuse_run(folder: Path, reason: str, *helps: str) -> EbmError:
    """Return the error of a folder that cannot be used as a run."""
    return EbmError(
        Diagnostic(
            code="E0806",
            headline=f"`{folder}` is not a run that can be read: {reason}",
            helps=helps or ("`ebm sample SPEC --out NAME.run` writes one",),
        )
    )
