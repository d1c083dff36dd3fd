"""How the work of a step is divided: threads, and the sums that the parts of a batch share."""

from scratchnet.parallel.batch import gather_over_batch, rows_of_batch, sum_over_batch
from scratchnet.parallel.threads import Workers, get_num_threads, set_num_threads

__all__ = ["Workers", "gather_over_batch", "get_num_threads", "rows_of_batch", "set_num_threads", "sum_over_batch"]


def __dir__():
    return __all__
