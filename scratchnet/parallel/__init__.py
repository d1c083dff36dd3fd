"""How a step is shared out: threads, and what the parts of a batch tell one another."""

from scratchnet.parallel.threads import Workers, get_num_threads, set_num_threads

__all__ = ["Workers", "get_num_threads", "set_num_threads"]
