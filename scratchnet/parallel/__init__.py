"""How a step is shared out: threads, and what the parts of a batch tell one another."""

from scratchnet.parallel.batch import gather_over_batch, rows_of_batch, sum_over_batch
from scratchnet.parallel.threads import Workers, get_num_threads, set_num_threads

__all__ = ["Workers", "gather_over_batch", "get_num_threads", "rows_of_batch", "set_num_threads", "sum_over_batch"]


def __dir__():
    return __all__
