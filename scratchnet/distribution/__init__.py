"""Training on several machines, under Keras's names: data parallelism by MPI.

    from scratchnet.distribution import DataParallel, set_distribution

    set_distribution(DataParallel())    # in a program that `mpiexec -n 4 python program.py` starts

Nothing else in the program changes. See docs/cluster.md.
"""

from scratchnet.distribution.launch import get_device_count, initialize, list_devices
from scratchnet.distribution.parallelism import DataParallel, DeviceMesh, distribution, set_distribution
from scratchnet.missing import refusal

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]
_LAYOUTS = ("LayoutMap", "ModelParallel", "TensorLayout", "distribute_tensor")
_refuse = refusal(__name__)


def __getattr__(name):
    if name in _LAYOUTS:
        raise ImportError(
            f"scratchnet.distribution has no {name}: a layer is computed on one machine as a whole (model parallelism, "
            "which divides it, is not implemented); DataParallel divides the batch",
            name=__name__,
        )
    return _refuse(name, depth=2)


def __dir__():
    return __all__
