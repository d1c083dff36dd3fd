import numpy as np
import pytest

from scratchnet.explain.__main__ import main


@pytest.fixture
def saved(zoo, tmp_path):
    model, x, _ = zoo.classifier()
    model.save(tmp_path / "model.npz")
    np.save(tmp_path / "x.npy", x[0])
    np.save(tmp_path / "y.npy", np.array([2]))
    return tmp_path


def run(folder, *options):
    out = folder / "page.html"
    out.unlink(missing_ok=True)
    code = main([str(folder / "model.npz"), str(folder / "x.npy"), *map(str, options), "--out", str(out)])
    return code, out.exists()


def test_a_saved_model_and_a_sample_give_a_page(saved, capsys):
    assert run(saved, "--label", 2) == (0, True)
    assert run(saved, saved / "y.npy", "--no-check") == (0, True)
    assert run(saved) == (0, True)  # forward only
    assert "wrote" in capsys.readouterr().out


def test_an_autoencoder_is_its_own_target(zoo, tmp_path):
    model, x, _ = zoo.autoencoder()
    model.save(tmp_path / "model.npz")
    np.save(tmp_path / "x.npy", x)
    assert run(tmp_path, "--no-check") == (0, True)
    assert "dL/dy" not in str(model.trace(x))


def test_targets_of_one_sample_get_the_axis_of_samples(zoo, tmp_path):
    model, x, y = zoo.autoencoder()
    model.save(tmp_path / "model.npz")
    np.save(tmp_path / "x.npy", x[0])
    np.save(tmp_path / "y.npy", y[0])
    assert run(tmp_path, tmp_path / "y.npy", "--no-check") == (0, True)


def test_what_cannot_be_done_is_told_in_one_line(saved, capsys):
    with pytest.raises(SystemExit) as problem:
        main([str(saved / "nothing.npz"), str(saved / "x.npy")])
    assert problem.value.code == 1 and "python -m scratchnet.explain: " in capsys.readouterr().err
