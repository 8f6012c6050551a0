"""Fixtures of several files."""

from __future__ import annotations

from pathlib import Path

import pytest
from vendored import ADD, Folder


@pytest.fixture
def empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, capsys)


@pytest.fixture
def project(empty: Folder) -> Folder:
    """Vendor one kernel in an empty folder."""
    empty.done(*ADD)
    return empty
