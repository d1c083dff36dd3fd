"""How ranks meet and how they end; with ranks that are threads, and with stand-ins for MPI."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from scratchnet import console, streams
from scratchnet.distribution import get_device_count, initialize, launch, list_devices
from scratchnet.parallel.ranks import Alone, RankFailed, Ranks
from scratchnet.utils import set_random_seed
from tests.parallel.in_threads import ANY, fake_ranks, run_ranks


@pytest.fixture(autouse=True)
def as_at_the_start(monkeypatch):
    monkeypatch.setattr(launch, "_world", None)
    monkeypatch.setattr(launch, "_UNTIL_ENDED", 0.01)
    for sign in launch._SIGNS:
        monkeypatch.delenv(sign, raising=False)
    yield
    console.set_silent(False)


def fake_mpi(monkeypatch, size):
    shared = SimpleNamespace(allgather=lambda rank: [rank])
    comm = SimpleNamespace(Get_size=lambda: size, Get_rank=lambda: 0, Split_type=lambda kind: shared)
    mpi = SimpleNamespace(COMM_WORLD=SimpleNamespace(Dup=lambda: comm), COMM_TYPE_SHARED=0, ANY_SOURCE=ANY)
    package = ModuleType("mpi4py")
    package.rc, package.__path__, package.MPI = SimpleNamespace(), [], mpi
    monkeypatch.setitem(sys.modules, "mpi4py", package)
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", mpi)
    monkeypatch.setenv("PMI_SIZE", str(size))
    return comm


def test_a_program_by_itself_is_one_rank():
    initialize(num_processes=1, process_id=0)
    assert isinstance(launch.world(), Alone) and launch.world() is launch.world()
    assert list_devices() == list_devices("cpu") == ["cpu:0"] and get_device_count() == 1


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: initialize("10.0.0.1:1234"), "job_addresses is another engine's.*mpiexec"),
        (lambda: initialize(num_processes=2), "num_processes=2, but mpiexec has made it 1"),
        (lambda: initialize(process_id=1), "process_id=1, but mpiexec has made it 0"),
        (lambda: list_devices("gpu"), "there is no device_type 'gpu'"),
    ],
)
def test_what_belongs_to_other_engines_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_ranks_meet_where_a_launcher_of_mpi_has_started_them(monkeypatch):
    comm, introduced = fake_mpi(monkeypatch, 3), []
    monkeypatch.setattr(launch, "introduce", introduced.append)
    ranks = launch.world()
    assert isinstance(ranks, Ranks) and (ranks.comm, ranks.rank, ranks.size, ranks.here) == (comm, 0, 3, 1)
    assert introduced == [ranks] and list_devices() == ["cpu:0", "cpu:1", "cpu:2"]


def test_one_rank_of_mpi_is_alone(monkeypatch):
    fake_mpi(monkeypatch, 1)
    assert isinstance(launch.world(), Alone)


def test_without_an_mpi_library_the_error_says_what_to_install(monkeypatch):
    fake_mpi(monkeypatch, 2)
    del sys.modules["mpi4py"].MPI
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    with pytest.raises(ImportError, match="pip install mpich"):
        launch.world()
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match="mpi4py"):
        launch.world()


@pytest.fixture
def hooks(monkeypatch):
    """Takes the place of what ends a program."""
    found = SimpleNamespace(at_exit=[], shown=[])
    monkeypatch.setattr(launch, "atexit", SimpleNamespace(register=lambda *call: found.at_exit.append(call)))
    monkeypatch.setattr(sys, "excepthook", lambda *error: found.shown.append(error[1]))
    return found


def test_ranks_that_are_introduced_have_one_screen_and_one_seed(monkeypatch, hooks):
    monkeypatch.setattr(streams, "state_of_seeds", lambda: None)
    monkeypatch.setattr(streams, "new_seed", lambda: 77)
    given = []
    monkeypatch.setattr(streams, "set_seed", given.append)
    everybody = fake_ranks(2)
    run_ranks(2, lambda rank: launch.introduce(everybody[rank]))
    assert given == [77, 77] and len(hooks.at_exit) == 2


def test_seeds_that_are_the_same_stay(monkeypatch, hooks):
    set_random_seed(5)
    before = streams.state_of_seeds()
    everybody = fake_ranks(2)
    run_ranks(2, lambda rank: launch.introduce(everybody[rank]))
    assert streams.state_of_seeds() == before


def test_ranks_whose_versions_differ_are_refused(monkeypatch, hooks):
    everybody = fake_ranks(2)
    monkeypatch.setattr(launch, "environment", lambda: {"NumPy": f"1.{next(versions)}"})
    versions = iter((3, 4))
    for error in run_ranks(2, lambda rank: launch.introduce(everybody[rank]), expect=ValueError):
        assert "initialize: the ranks do not agree: NumPy: 1." in str(error)


def test_an_error_is_shown_with_its_rank_and_ends_all(monkeypatch, capsys, hooks):
    ranks, _ = fake_ranks(2)
    hook = launch._shown_once(ranks, sys.excepthook)
    error = KeyError("lost")
    hook(KeyError, error, None)
    assert hooks.shown == [error] and ranks.comm.aborted == 1
    assert capsys.readouterr().err == "Rank 0 of 2 has failed, which ends all:\n"
    hook(RankFailed, RankFailed("rank 1 has failed"), None)  # rank 1 shows it
    assert hooks.shown == [error]
    hook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert ranks.comm.aborted == 130


def test_alone_an_error_is_shown_and_nothing_else_ends():
    shown = []
    launch.end_all(Alone(), ValueError("here"), lambda: shown.append(1))
    assert shown == [1]


def test_a_program_that_ends_waits_for_the_others_and_tells_of_one_that_is_elsewhere(capsys):
    everybody = fake_ranks(2)
    run_ranks(2, lambda rank: launch._end(everybody[rank]))
    assert everybody[0].comm.aborted is None

    def program(rank):
        launch._end(everybody[0]) if rank == 0 else everybody[1].gather("fit", None)

    run_ranks(2, program, expect=RuntimeError)
    assert everybody[0].comm.aborted == 1
    assert "Rank 0 of 2 has ended: rank 0 is at 'the end of the program'" in capsys.readouterr().err
