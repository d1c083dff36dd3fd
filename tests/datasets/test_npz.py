"""The reader of .npz files against whole, damaged and foreign ones."""

import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from scratchnet.datasets import npz

ARRAYS = {
    "x": np.arange(6.0).reshape(2, 3),
    "y": np.array([3, 4], np.int32),
    "texts": np.array([[1, 2], [3]], object),
}
WANTED = {"x": ((2, 3), np.float64), "y": ((None,), np.integer), "texts": ((None,), np.object_)}
MOST = 10_000


def write(path, compress=False, **arrays):
    (np.savez_compressed if compress else np.savez)(path, **arrays)
    return path


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize("compress", [False, True])
def test_reads_the_wanted_arrays(tmp_path, compress):
    found = npz.read_npz(write(tmp_path / "a.npz", compress, other=np.zeros(3), **ARRAYS), WANTED, MOST)
    assert list(found) == ["x", "y", "texts"] and found["texts"] == [[1, 2], [3]]
    for name in ("x", "y"):
        np.testing.assert_array_equal(found[name], ARRAYS[name])
        assert found[name].dtype == ARRAYS[name].dtype and found[name].flags.writeable


@pytest.mark.parametrize("array", [ARRAYS["x"].astype(">f8"), np.asfortranarray(ARRAYS["x"])], ids=["big", "fortran"])
def test_every_byte_order_and_order_of_axes_becomes_the_machines(tmp_path, array):
    found = npz.read_npz(write(tmp_path / "a.npz", x=array), {"x": WANTED["x"]}, MOST)["x"]
    np.testing.assert_array_equal(found, ARRAYS["x"])
    assert found.dtype.isnative


def test_a_header_of_version_2_is_read(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array(file, ARRAYS["x"], version=(2, 0))
    found = npz.read_npz(zipped(tmp_path / "a.npz", x=file.getvalue()), {"x": WANTED["x"]}, MOST)["x"]
    np.testing.assert_array_equal(found, ARRAYS["x"])


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"x": np.zeros((3, 2))},
            r"a.npz: x: an array of shape \(3, 2\) and type float64, expected \(2, 3\) and float64",
        ),
        ({"x": np.zeros((2, 3, 1))}, r"x: an array of shape \(2, 3, 1\)"),
        ({"x": np.zeros((2, 3), np.float32)}, "type float32, expected .* and float64"),
        ({"y": np.zeros(2)}, r"y: an array of shape \(2,\) and type float64, expected \(N,\) and integer"),
        ({"texts": np.zeros(2)}, r"texts: .* type float64, expected \(N,\) and object"),
        ({"x": np.array([[None] * 3] * 2)}, "type object, expected"),
        ({"y": None}, "a.npz: not an .npz file with the arrays x, y, texts: .*y.npy"),
    ],
)
def test_other_arrays_are_refused(tmp_path, changes, message):
    arrays = {name: array for name, array in (ARRAYS | changes).items() if array is not None}
    with pytest.raises(ValueError, match=message):
        npz.read_npz(write(tmp_path / "a.npz", **arrays), WANTED, MOST)


GOOD = npy(ARRAYS["x"])


@pytest.mark.parametrize(
    "content, message",
    [
        (GOOD[:-1], "a.npz: x: an array of shape .* in 47 bytes"),
        (GOOD + b"!", "x: an array of shape .* in 49 bytes"),
        (GOOD.replace(b"<f8", b"<f4"), "type float32"),
        (b"", "x: not an .npy file"),
        (b"\x93NUMPY", "x: not an .npy file"),
        (b"PK" + GOOD, "x: not an .npy file"),
        (GOOD.replace(b"\x93NUMPY\x01", b"\x93NUMPY\x09"), "x: not an .npy file"),
        (GOOD.replace(b"{'descr'", b"{{{descr'"), "x: not an .npy file"),
        (GOOD[:10] + b"(" * 118, "x: not an .npy file"),
        (GOOD.replace(b"(2, 3)", b"(2,-3)"), "x: (not|an array of)"),
        (GOOD.replace(b"(2, 3), }         ", b"(2000000, 3000000)}"), "x: (not|an array of)"),
    ],
    ids=range(11),
)
def test_a_damaged_array_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        npz.read_npz(zipped(tmp_path / "a.npz", x=content), {"x": WANTED["x"]}, MOST)


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-30], lambda c: b"PK\x03\x04", lambda c: b"", lambda c: c[:50] + c[60:]]
)
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = write(tmp_path / "a.npz", **ARRAYS)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="a.npz: not an .npz file"):
        npz.read_npz(path, WANTED, MOST)


def test_every_changed_byte_gives_the_same_arrays_or_a_value_error(tmp_path):
    path = write(tmp_path / "a.npz", **ARRAYS)
    content = path.read_bytes()
    draw = np.random.default_rng(7)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[draw.integers(len(damaged))] = draw.integers(256)
        path.write_bytes(damaged)
        try:
            assert npz.read_npz(path, WANTED, MOST)["texts"] == [[1, 2], [3]]
        except ValueError as error:
            assert "a.npz" in str(error)


def test_what_unfolds_to_too_much_is_refused_before_it_has_unfolded(tmp_path):
    path = zipped(tmp_path / "a.npz", x=GOOD + bytes(100 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="a.npz: .*x unfolds to more than 10000 bytes"):
            npz.read_npz(path, {"x": WANTED["x"]}, MOST)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


class Attack:
    def __reduce__(self):
        return eval, ("open('trace', 'w')",)


def test_a_pickle_that_is_a_program_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header = npy(np.empty(1, object), allow_pickle=True).split(b"\x80", 1)[0]
    path = zipped(tmp_path / "a.npz", texts=header + pickle.dumps([Attack()], 4))
    with pytest.raises(ValueError, match="a.npz: texts: refused or damaged pickle: it asks for .*eval"):
        npz.read_npz(path, {"texts": WANTED["texts"]}, MOST)
    assert not (tmp_path / "trace").exists()


def test_objects_and_header_have_to_agree(tmp_path):
    content = npy(ARRAYS["texts"], allow_pickle=True).replace(b"(2,)", b"(3,)", 1)
    with pytest.raises(ValueError, match="texts: an array of 3 objects that holds 2"):
        npz.read_npz(zipped(tmp_path / "a.npz", texts=content), {"texts": WANTED["texts"]}, MOST)


def test_a_table_has_a_y_for_every_row(tmp_path):
    x, y = npz.read_table(write(tmp_path / "a.npz", x=ARRAYS["x"], y=ARRAYS["y"]), 3, MOST)
    assert x.shape == (2, 3) and y.shape == (2,)
    with pytest.raises(ValueError, match="a.npz: 2 rows of x, 1 of y"):
        npz.read_table(write(tmp_path / "a.npz", x=ARRAYS["x"], y=ARRAYS["y"][:1]), 3, MOST)
    with pytest.raises(ValueError, match=r"expected \(N, 4\) and number"):
        npz.read_table(tmp_path / "a.npz", 4, MOST)
