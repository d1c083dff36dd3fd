"""Packages that may be missing: what is said, and when."""

import sys

import pytest

from scratchnet.optional import expect


def test_a_package_that_is_missing_is_told_of_before_it_is_used():
    with pytest.raises(ImportError, match="this needs no_such_package: pip install no_such_package"):
        expect("no_such_package")


def test_a_package_that_is_there_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "a_large_package.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    expect("a_large_package")
    assert "a_large_package" not in sys.modules
