"""The grid of matrix products: what it measures and says. (No test depends on a time.)"""

import pytest


def test_the_worst_shapes_come_first_and_all_are_counted(bench, monkeypatch, capsys):
    pytest.importorskip("numba")
    products = bench("products")
    monkeypatch.setattr(products, "restart_held_to", lambda isa: None)
    monkeypatch.setattr(products, "ROWS", (2,))
    monkeypatch.setattr(products, "FEATURES", (3, 4))
    monkeypatch.setattr(
        products, "ratio", lambda order, M, K, N, dtype, turns: (N / M if order == "A B" else 1.0, 9, 8)
    )
    products.main(["--every", "1", "--show", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert "2.00" in "".join(lines) and "1.50" not in "".join(lines)
    assert lines[-1].startswith("4 of 12 shapes")


def test_a_ratio_is_of_processor_time_of_both(bench, monkeypatch):
    pytest.importorskip("numba")
    products = bench("products")
    monkeypatch.setattr(products, "AT_LEAST", 1)
    for order in ("A B", "A Bt", "At B"):
        found, ours, theirs = products.ratio(order, 3, 4, 5, "float32", 2)
        assert found >= 0 and ours >= 0 and theirs >= 0
