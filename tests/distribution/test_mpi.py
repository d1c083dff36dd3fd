"""What only real processes show: the same bits, and that nobody hangs whatever happens to one of them.

They need mpi4py and an MPI library with its `mpiexec`; the leg `ranks` of .ci/run has them.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import scratchnet
from scratchnet.models import load_model

pytestmark = pytest.mark.ranks
PROGRAMS = Path(__file__).parent / "programs"
MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", ""))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(scratchnet.__file__).parents[1]), "MPLBACKEND": "Agg"}


def start(ranks, program, *arguments):
    launcher = [MPIEXEC, "-n", str(ranks)] if ranks else []
    command = [*launcher, sys.executable, str(PROGRAMS / f"{program}.py"), *map(str, arguments)]
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def run(ranks, program, *arguments, timeout=400):
    """``(exit code, output, errors)`` of a program on so many ranks; 0: without MPI."""
    process = start(ranks, program, *arguments)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, output, errors


def has_ended(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def all_have_ended(folder, ranks, seconds=30):
    """Whether the processes that wrote down their numbers end in time."""
    numbers = [int((folder / f"pid{rank}").read_text()) for rank in range(ranks)]
    until = time.monotonic() + seconds
    while time.monotonic() < until and not all(map(has_ended, numbers)):
        time.sleep(0.05)
    return all(map(has_ended, numbers))


def test_as_many_parts_give_the_same_bits_however_ranks_and_threads_share_them():
    _, expected, errors = run(0, "same_bits", 4)
    assert len(expected.splitlines()) >= 3, errors
    for ranks, threads in ((4, 1), (2, 2)):
        code, output, errors = run(ranks, "same_bits", threads, "--distributed")
        assert code == 0, errors
        assert checksums(output) == checksums(expected)
    assert checksums(run(3, "same_bits", 1, "--distributed")[1]) == checksums(run(0, "same_bits", 3)[1])


def checksums(output):
    return [line for line in output.splitlines() if line.startswith(("classifier", "contrastive", "sequence"))]


def test_every_example_comes_to_the_same_bits(tmp_path):
    for ranks, threads, options in ((0, 2, []), (2, 1, ["--distributed"])):
        code, _, errors = run(ranks, "examples", tmp_path, threads, *options)
        assert code == 0, errors
    expected = (tmp_path / "checksums-1x2.txt").read_text()
    assert len(expected.splitlines()) > 15 and "ended with 1" not in expected
    assert (tmp_path / "checksums-2x1.txt").read_text() == expected


def test_files_and_the_screen_belong_to_the_first_rank(tmp_path):
    code, output, errors = run(3, "faults", "nothing", tmp_path)
    assert code == 0, errors
    assert output.count("Epoch 6/6") == 1 and output.count("trained to") == 1
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 7
    assert load_model(tmp_path / "model.npz").optimizer.steps == 30
    assert len(errors.splitlines()) <= 1  # which kernels compute, where they are not NumPy's


@pytest.mark.parametrize(
    "what, rank, message",
    [
        ("error", 1, "KeyError: 'lost on rank 1'"),
        ("outside", 1, "OSError: rank 1 finds no file"),
        ("data", None, "fit: the ranks do not agree: the training data: "),
        ("other rows", None, "(200, 6)"),
        ("alone", None, "is at 'evaluate'"),
    ],
)
def test_what_goes_wrong_is_shown_once_and_ends_all(tmp_path, what, rank, message):
    began = time.monotonic()
    code, _, errors = run(3, "faults", what, tmp_path)
    assert code != 0 and errors.count("has failed, which ends all") == 1 and message in errors
    assert rank is None or f"Rank {rank} of 3 has failed" in errors
    assert time.monotonic() - began < 120
    assert what == "outside" or all_have_ended(tmp_path, 3)


def test_a_rank_that_is_killed_ends_the_others(tmp_path):
    code, *_ = run(3, "faults", "killed", tmp_path)
    assert code != 0 and all_have_ended(tmp_path, 3)


def test_control_c_ends_all_ranks(tmp_path):
    process = start(2, "faults", "interrupt", tmp_path)
    until = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < until:
        time.sleep(0.1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and errors.count("KeyboardInterrupt") == 1
    assert time.monotonic() - began < 30 and all_have_ended(tmp_path, 2)


MOMENTS = int(os.environ.get("SCRATCHNET_TEST_KILLS", "3"))


def has_begun(folder, epochs):
    """Whether both ranks are there, and so many epochs have ended."""
    log = folder / "log.csv"
    return (folder / "pid1").exists() and (epochs == 0 or (log.exists() and log.read_text().count("\n") > epochs))


def test_a_fit_that_was_killed_at_any_moment_goes_on_bit_for_bit(tmp_path):
    (tmp_path / "whole").mkdir()
    _, expected, errors = run(2, "faults", "slow", tmp_path / "whole")
    assert "trained to" in expected, errors
    moments = random.Random(5)
    for kill in range(MOMENTS):
        folder = tmp_path / str(kill)
        folder.mkdir()
        process = start(2, "faults", "slow", folder)
        epochs, until = moments.randrange(11), time.monotonic() + 60  # of twelve
        while not has_begun(folder, epochs) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.1 * moments.random())
        victim = moments.randrange(2)
        os.kill(int((folder / f"pid{victim}").read_text()), signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode != 0 and all_have_ended(folder, 2)
        code, output, errors = run(2, "faults", "slow", folder)
        assert code == 0, errors
        assert output.splitlines()[-1] == expected.splitlines()[-1]
        assert (folder / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()
