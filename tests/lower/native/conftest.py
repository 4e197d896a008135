"""The compiler gets more time than in a run: tests share the cores."""

import pytest

from ebmlang.lower.native import build


@pytest.fixture(autouse=True)
def _patient_compiler(monkeypatch):
    monkeypatch.setattr(build, "PATIENCE", 900.0)
