"""Settings of these tests: whether there is machine code follows the work, as it does for users."""

import pytest


@pytest.fixture(autouse=True)
def _tier_by_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBM_TIER", raising=False)
