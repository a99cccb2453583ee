"""Fixtures for all tests."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of datasets and tables that lies beside the checkout, where there is one."""
    folder = Path(__file__).parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the folder of shared test data {folder.name!r} beside the checkout")
    return folder
