"""How work is distributed: the batch among all ranks."""

import contextlib
import math

import numpy as np

from scratchnet.distribution.launch import list_devices, world
from scratchnet.parallel.ranks import Alone, set_ranks

_distribution = None


class DeviceMesh:
    """Devices in a grid; `DataParallel` takes all of them in one row.

    Args:
        shape: how many, such as ``(4,)``.
        axis_names: a name for each axis, such as ``["batch"]``.
        devices: by default `list_devices`.

    Raises ValueError where these do not fit one another.
    """

    def __init__(self, shape, axis_names, devices=None):
        if not shape or len(shape) != len(axis_names):
            raise ValueError(f"DeviceMesh: shape {shape!r} and axis_names {axis_names!r} must be of one length")
        devices = list_devices() if devices is None else devices
        if math.prod(shape) != np.size(devices):
            raise ValueError(f"DeviceMesh: shape {tuple(shape)} for {np.size(devices)} devices")
        self.shape, self.axis_names = shape, axis_names
        self.devices = np.reshape(devices, shape)

    def __repr__(self):
        return f"DeviceMesh(shape={self.shape}, axis_names={self.axis_names})"


class DataParallel:
    """Every batch is divided among all ranks; parameters are the same on all.

    A rank is a process that `mpiexec` has started; without it there is one. Each computes its rows in as many threads
    as it may use, and the bits of a result depend on the product of ranks and threads alone.

    Args:
        device_mesh, devices: all of `list_devices`, as is the default.
        auto_shard_dataset: Keras's False, for data that are different on each rank, is refused: all ranks name the same
            data, and each reads its own rows.

    Raises ValueError for some of the devices, or several axes of them.
    """

    def __init__(self, device_mesh=None, devices=None, auto_shard_dataset=True):
        if device_mesh is not None and devices is not None:
            raise ValueError("DataParallel: give device_mesh or devices, not both")
        if not auto_shard_dataset:
            raise ValueError(
                "DataParallel: auto_shard_dataset=False is not implemented: give every rank the same data (a memory "
                "map where they are large); it reads its own rows alone"
            )
        if device_mesh is None:
            devices = list_devices() if devices is None else list(devices)
            device_mesh = DeviceMesh((len(devices),), ["batch"], devices)
        if device_mesh.devices.ndim != 1 or list(device_mesh.devices) != list_devices():
            raise ValueError(
                f"DataParallel: expected one row of all devices, {', '.join(list_devices())}; got {device_mesh.devices}"
            )
        self.device_mesh = device_mesh
        self.batch_dim_name = device_mesh.axis_names[0]
        self.auto_shard_dataset = True
        self.num_processes = self.num_model_replicas = world().size
        self.data_shard_id = world().rank

    @contextlib.contextmanager
    def scope(self):
        """A ``with`` block in which this is the distribution."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def __repr__(self):
        return f"DataParallel(device_mesh={self.device_mesh})"


def distribution():
    """What `set_distribution` was given, or None."""
    return _distribution


def set_distribution(value):
    """From now on fit, evaluate and predict divide their batches as `value` says; None: each process works for itself.

    Call it on all ranks, and before the first model is made: then its weights are the same on all ranks, with or
    without a seed.
    Raises TypeError for anything but a `DataParallel` or None.
    """
    global _distribution
    if value is not None and not isinstance(value, DataParallel):
        raise TypeError(
            f"set_distribution: expected DataParallel() or None, got {value!r}; there is no other distribution "
            "(model parallelism, which divides layers, is not implemented)"
        )
    _distribution = value
    set_ranks(Alone() if value is None else world())
