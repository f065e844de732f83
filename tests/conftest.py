"""Fixtures every test may use."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

HERE = Path(__file__).resolve().parent


# A busy machine must not turn a test red: examples have no time limit.
settings.register_profile("ipt-outcomes", deadline=None)
settings.load_profile("ipt-outcomes")


def shared_folder() -> Path | None:
    """Folder with the shared reference data, or None."""
    named = os.environ.get("IPT_SHARED")
    candidates = [Path(named)] if named else [HERE.parent.parent / "shared"]
    return next((path.resolve() for path in candidates if (path / "reference").is_dir()), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with a reason, the tests that read shared data where there is none."""
    if shared_folder() is None:
        skip = pytest.mark.skip(reason="shared data not found: set IPT_SHARED")
        for item in items:
            if "shared" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Path of the shared data; tests that use it carry ``@pytest.mark.shared``."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("shared data not found: set IPT_SHARED")
    return folder


def load_reference(name: str) -> dict[str, Any]:
    """Read a reference file that may live in the repository: ``load_reference("meta/rma_grid_k2")``."""
    return json.loads((HERE / "reference" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def reference() -> Any:
    """Return the loader of reference values: ``reference("meta/rma_grid_k2")``."""
    return load_reference


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder with the small inputs of reported trouble."""
    return HERE / "cases"
