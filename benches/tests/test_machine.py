"""What holds the sides of a bench to the same instructions, and which turns count. (No test depends on a time.)"""

import sys

import pytest


def with_features(monkeypatch, **features):
    binding = pytest.importorskip("llvmlite.binding")
    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: features)


def test_held_to_avx2_nobody_uses_the_longer_vectors(bench, monkeypatch):
    with_features(monkeypatch, avx2=True, avx512f=True, avx512bw=True, fma=True, sse4a=False)
    found = bench("machine").instruction_set("avx2")
    assert found["NUMBA_CPU_FEATURES"] == "+avx2,-avx512bw,-avx512f,+fma,-sse4a"
    assert found["OPENBLAS_CORETYPE"] == "Haswell" and found["ATEN_CPU_CAPABILITY"] == "avx2"
    assert found["ONEDNN_MAX_CPU_ISA"] == "AVX2" and found["XLA_FLAGS"].endswith("--xla_cpu_max_isa=AVX2")


def test_without_avx_nothing_is_left_that_needs_it(bench, monkeypatch):
    with_features(monkeypatch, **{"sse4.2": True, "avx": True, "avx2": True, "fma": True, "vaes": True, "popcnt": True})
    found = bench("machine").instruction_set("sse42")
    assert found["NUMBA_CPU_FEATURES"] == "-avx,-avx2,-fma,+popcnt,+sse4.2,-vaes"
    assert found["OPENBLAS_CORETYPE"] == "Nehalem" and found["XLA_FLAGS"].endswith("--xla_cpu_max_isa=SSE4_2")
    assert bench("_shared").instructions({"isa": "sse42", "widest": "avx512"}) == "SSE4.2"


def test_what_the_processor_does_not_have_is_refused(bench, monkeypatch):
    with_features(monkeypatch, avx2=True, avx512f=False)
    with pytest.raises(ValueError, match="--isa avx512: this processor does not have it"):
        bench("machine").instruction_set("avx512")
    assert bench("machine").instruction_set("native") == {}


def test_a_reading_says_which_vectors_it_was_taken_with(bench, monkeypatch):
    shared, machine = bench("_shared"), bench("machine")
    for features, isa in (({"avx2": True}, "avx2"), ({"avx2": True, "avx512f": True}, "avx512"), ({}, "neither")):
        with_features(monkeypatch, **features)
        assert machine.widest() == isa
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    assert machine.widest() is None
    assert shared.instructions({"isa": "native", "widest": "avx512"}) == "AVX-512"
    assert shared.instructions({"isa": "avx2", "widest": "avx512"}) == "AVX2"
    assert shared.instructions({"isa": "native", "widest": "neither"}) == "no AVX2"
    assert shared.instructions({}) == "native instructions"


def test_workers_are_held_to_what_the_bench_is_held_to(bench, monkeypatch):
    with_features(monkeypatch, avx2=True, fma=True)
    shared = bench("_shared")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    assert "OPENBLAS_CORETYPE" not in shared.without_coretype()
    monkeypatch.setenv("SCRATCHNET_BENCH_ISA", "avx2")
    environment = shared.without_coretype(TF_NUM_INTRAOP_THREADS=2)
    assert environment["OPENBLAS_CORETYPE"] == "Haswell" and environment["TF_NUM_INTRAOP_THREADS"] == "2"


def test_a_turn_in_which_two_threads_are_one_is_taken_again(bench, monkeypatch):
    shared = bench("_shared")
    gains = iter([1.9, 1.8, 1.9, 1.1, 1.2, 1.9, 1.75, 1.95])
    monkeypatch.setattr(shared, "thread_gain", lambda threads: next(gains))
    count = iter(range(10))
    readings, kept, repeated = shared.in_sound_turns({"ours": lambda: next(count)}, turns=2, threads=2)
    assert (readings, kept, repeated) == ({"ours": [0, 3]}, [1.8, 1.75], 2)


def test_a_machine_on_which_no_turn_is_sound_is_measured_all_the_same(bench, monkeypatch):
    shared = bench("_shared")
    monkeypatch.setattr(shared, "thread_gain", lambda threads: 1.0)
    count = iter(range(10))
    readings, kept, repeated = shared.in_sound_turns({"ours": lambda: next(count)}, turns=2, threads=2)
    assert (readings, kept, repeated) == ({"ours": [2, 3]}, [1.0, 1.0], 2)


def test_the_gain_of_threads_is_a_quotient_of_times(bench):
    machine = bench("machine")
    assert machine.thread_gain(1) == 1.0
    assert machine.thread_gain(2, milliseconds=2) > 0
