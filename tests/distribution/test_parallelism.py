"""Keras's face: what is distributed, and what is refused."""

import importlib

import pytest

import scratchnet
from scratchnet import distribution
from scratchnet.distribution import DataParallel, DeviceMesh, launch, parallelism, set_distribution
from scratchnet.parallel.ranks import Alone, current_ranks
from tests.parallel.in_threads import fake_ranks


@pytest.fixture(autouse=True)
def three_ranks(monkeypatch):
    ranks = fake_ranks(3)[1]
    monkeypatch.setattr(launch, "_world", ranks)
    yield ranks
    set_distribution(None)


def test_a_distribution_is_set_and_taken_back(three_ranks):
    assert distribution.distribution() is None and isinstance(current_ranks(), Alone)
    data_parallel = DataParallel()
    set_distribution(data_parallel)
    assert distribution.distribution() is data_parallel and current_ranks() is three_ranks
    set_distribution(None)
    assert distribution.distribution() is None and isinstance(current_ranks(), Alone)
    with data_parallel.scope():
        assert current_ranks() is three_ranks
    assert isinstance(current_ranks(), Alone)


def test_it_knows_how_many_ranks_there_are_and_which_this_is():
    found = DataParallel()
    assert (found.num_processes, found.num_model_replicas, found.data_shard_id) == (3, 3, 1)
    assert found.batch_dim_name == "batch" and list(found.device_mesh.devices) == ["cpu:0", "cpu:1", "cpu:2"]
    assert found.auto_shard_dataset and "shape=(3,)" in repr(found)
    assert DataParallel(devices=["cpu:0", "cpu:1", "cpu:2"]).num_processes == 3
    assert DataParallel(DeviceMesh((3,), ["data"])).batch_dim_name == "data"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: DataParallel(devices=["cpu:0"]), "one row of all devices"),
        (lambda: DataParallel(DeviceMesh((3, 1), ["a", "b"])), "one row of all devices"),
        (lambda: DataParallel(DeviceMesh((3,), ["a"]), ["cpu:0"]), "device_mesh or devices, not both"),
        (lambda: DataParallel(auto_shard_dataset=False), "auto_shard_dataset=False is not implemented"),
        (lambda: DeviceMesh((2,), ["a"]), "for 3 devices"),
        (lambda: DeviceMesh((3,), ["a", "b"]), "of one length"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_only_data_are_divided():
    with pytest.raises(TypeError, match="model parallelism, which divides layers, is not implemented"):
        set_distribution("model")
    for name in ("ModelParallel", "LayoutMap", "TensorLayout", "distribute_tensor"):
        with pytest.raises(AttributeError, match=f"no '{name}'.*model parallelism.*is not implemented"):
            getattr(distribution, name)
    with pytest.raises(ImportError, match="model parallelism"):
        from scratchnet.distribution import ModelParallel  # noqa: F401
    with pytest.raises(AttributeError, match="closest: DataParallel"):
        distribution.DataParalel  # noqa: B018
    assert dir(distribution) == distribution.__all__
    assert scratchnet.distribution is importlib.import_module("scratchnet.distribution")
    assert parallelism.distribution() is None
