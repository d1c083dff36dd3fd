"""From `mpiexec -n 4 python program.py` to four ranks that know of one another.

MPI (Message Passing Interface, 1994) starts the processes and carries their messages; mpi4py speaks it in Python. A
program that was started without it is one rank.
"""

import atexit
import os
import sys
import time

from scratchnet import console, streams
from scratchnet.distribution.environment import environment
from scratchnet.optional import require
from scratchnet.parallel.agreement import check_agreement
from scratchnet.parallel.mailboxes import Mailboxes
from scratchnet.parallel.ranks import Alone, Ranks

# What the launchers of MPI tell the processes that they start.
_SIGNS = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS")
_UNTIL_ENDED = 10  # seconds in which a rank expects to be ended by the one that has failed

_world = None  # the ranks of this program, once they have met


def initialize(job_addresses=None, num_processes=None, process_id=None):
    """Connect to the other ranks; `set_distribution` does it if the program has not.

    Args:
        job_addresses: Keras's; refused, since `mpiexec` knows the machines.
        num_processes, process_id: may repeat what `mpiexec` was told.

    Raises:
        ImportError: if mpi4py is missing, or no MPI library is found.
        ValueError: for arguments that differ from what `mpiexec` was told, and where the ranks' versions or processors
            differ, so that their bits would.
    """
    if job_addresses is not None:
        raise ValueError(
            "initialize: job_addresses is another engine's; here MPI starts the processes: mpiexec -n 4 -hosts a,b ..."
        )
    ranks = world()
    for name, given, found in (("num_processes", num_processes, ranks.size), ("process_id", process_id, ranks.rank)):
        if given is not None and given != found:
            raise ValueError(f"initialize: {name}={given!r}, but mpiexec has made it {found}")


def world():
    """All ranks of this program: `Ranks`, or `Alone`."""
    global _world
    if _world is None:
        ranks = _met() if any(sign in os.environ for sign in _SIGNS) else Alone()
        if ranks.size > 1:
            introduce(ranks)
        _world = ranks
    return _world


def _met():
    require("mpi4py")
    import mpi4py

    mpi4py.rc.thread_level = "serialized"
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError, OSError) as problem:
        raise ImportError(
            f"mpi4py finds no MPI library ({problem}): pip install mpich, or load your cluster's"
        ) from None
    comm = MPI.COMM_WORLD.Dup()
    if comm.Get_size() == 1:
        return Alone()
    rank, here = comm.Get_rank(), comm.Split_type(MPI.COMM_TYPE_SHARED)

    mailboxes = Mailboxes(rank, here.allgather(rank), lambda size: MPI.Win.Allocate_shared(size, 1, comm=here))
    return Ranks(comm, rank, comm.Get_size(), MPI.ANY_SOURCE, mailboxes)


def introduce(ranks):
    """Prepare the ranks to work together: check that they agree, share a seed, and make them end together."""
    sys.excepthook = _shown_once(ranks, sys.excepthook)
    atexit.register(_end, ranks)
    console.set_silent(ranks.rank > 0)
    with ranks.operation("initialize"):
        check_agreement("initialize", environment(), ranks)
        states = ranks.gather("seeds", streams.state_of_seeds())
        if any(state is None or state != states[0] for state in states):
            streams.set_seed(ranks.gather("a seed", streams.new_seed())[0])


def _shown_once(ranks, show):
    def hook(kind, error, traceback):
        def with_rank():
            sys.stderr.write(f"Rank {ranks.rank} of {ranks.size} has failed, which ends all:\n")
            show(kind, error, traceback)

        end_all(ranks, error, with_rank)

    return hook


def end_all(ranks, error, show):
    """End all ranks after an error on this one; ``show()`` it, but only once if several ranks have failed alike."""
    if ranks.size == 1:
        show()
        return
    if ranks.is_first_to_fail(error):
        show()
        sys.stderr.flush()
    else:
        time.sleep(_UNTIL_ENDED)
    ranks.comm.Abort(130 if isinstance(error, KeyboardInterrupt) else 1)


def _end(ranks):
    """Wait, at the end of the program, until all ranks have ended: none of them may wait for this one."""
    try:
        ranks.gather("the end of the program", None)
    except RuntimeError as problem:
        text = f"Rank {ranks.rank} of {ranks.size} has ended: {problem}\n"
        end_all(ranks, problem, lambda: sys.stderr.write(text))


def list_devices(device_type=None):
    """The ranks, as Keras names devices: "cpu:0", "cpu:1", ...

    Raises ValueError for another `device_type` than "cpu".
    """
    if device_type not in (None, "cpu", "CPU"):
        raise ValueError(f"list_devices: everything is computed on processors; there is no device_type {device_type!r}")
    return [f"cpu:{rank}" for rank in range(world().size)]


def get_device_count(device_type=None):
    """How many `list_devices` there are."""
    return len(list_devices(device_type))
