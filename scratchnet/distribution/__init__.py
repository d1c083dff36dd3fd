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
_WHOLE = "a layer is computed on one machine as a whole, and DataParallel divides the batch; model parallelism, which "
_WHOLE += "divides layers, is not implemented"

__getattr__ = refusal(
    __name__, dict.fromkeys(("LayoutMap", "ModelParallel", "TensorLayout", "distribute_tensor"), _WHOLE)
)


def __dir__():
    return __all__
