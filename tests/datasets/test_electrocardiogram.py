"""The embedded electrocardiogram, and what is noted in it."""

import hashlib
import sys

import numpy as np
import pytest

from scratchnet.datasets import electrocardiogram


def test_the_signal_is_the_same_everywhere():
    signal, _ = electrocardiogram.load_sample()
    assert signal.shape == (108000,) and signal.dtype == np.float32
    np.testing.assert_allclose(signal[:3], [-0.245, -0.215, -0.185], rtol=1e-6)
    np.testing.assert_allclose(signal[-3:], [-0.405, -0.395, -0.385], rtol=1e-6)
    counts = np.rint(signal * 200 + 1024).astype("<u2")
    assert (
        hashlib.sha256(counts.tobytes()).hexdigest()
        == "45cbec844577d9c7e2117b2011a5d524ab6dd49d93c29f5f5aea690772681b8f"
    )


def test_the_events_lie_where_the_signal_has_them():
    signal, events = electrocardiogram.load_sample()
    kinds = [event.kind for event in events]
    assert {kind: kinds.count(kind) for kind in kinds} == {"fusion": 56, "noise": 4, "ventricular": 93}
    assert all(0 <= event.begin < event.end <= len(signal) for event in events)
    assert [event.begin for event in events] == sorted(event.begin for event in events)
    # The place noted of a ventricular beat, where nothing disturbs it, is its peak.
    noise = [event for event in events if event.kind == "noise"]
    clear = [
        event
        for event in events
        if event.kind == "ventricular" and not any(n.begin <= event.begin < n.end for n in noise)
    ]
    late = [int(np.argmax(signal[event.begin : event.end])) - electrocardiogram.BEFORE for event in clear]
    assert len(clear) > 80 and abs(np.median(late)) <= 3


def test_without_lzma_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(ImportError, match="needs Python's module lzma"):
        electrocardiogram.load_sample()
