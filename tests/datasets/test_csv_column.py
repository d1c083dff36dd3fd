"""A series from a CSV file, and what is said of a file that holds none."""

import numpy as np
import pytest

from scratchnet.datasets.csv_column import read_csv_column


@pytest.fixture
def csv_file(tmp_path):
    def write(content):
        path = tmp_path / "series.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        "time,value\n0,1.5\n1,-2e3\n2,3\n",
        "\ufefftime;value\r\n0;1.5\r\n\r\n1;-2e3\r\n2; 3 \r\n",
        'time\t"value"\n"a,b"\t1.5\nc\t-2e3\nd\t3',
        "value,time\n1.5\n-2e3,1\n3,2\n",
    ],
)
def test_the_column_is_read_by_its_name(csv_file, content):
    values = read_csv_column(csv_file(content), "value")
    assert values.dtype == np.float64 and values.tolist() == [1.5, -2000, 3]


def test_a_single_column_needs_no_name(csv_file):
    path = csv_file("value\n1\n2\n")
    assert read_csv_column(path).tolist() == read_csv_column(path, "value").tolist() == [1, 2]


@pytest.mark.parametrize(
    "content, column, message",
    [
        ("", "value", "is empty; its first line must name the columns"),
        ("time,value\n0,1\n", None, "has the columns time, value: say which one"),
        ("time,value\n0,1\n", "valeu", "has no column 'valeu'; closest: value"),
        ("time,value\n0,1\n", "zzz", "has no column 'zzz'; there are time, value"),
        ("value,value\n0,1\n", "value", "has 2 columns of the name 'value'"),
        ("time,value\n0,1\n2\n", "value", "line 3 ends before the column 'value': it has 1 of at least 2 values"),
        ("time,value\n0,1\n1,two\n", "value", "line 3, column 'value': 'two' is no finite number"),
        ("time,value\n0,1\n1,nan\n", "value", "'nan' is no finite number"),
        ("time,value\n0,1\n\n1, \n", "value", "line 4, column 'value': the value is missing: fill it, or cut"),
        (b"value\n\xff\xfe\n", "value", "is no text in UTF-8: invalid start byte at byte"),
        ("value\n" + "9" * 200000 + "\n", "value", "is no CSV file: field larger than field limit"),
    ],
)
def test_what_is_no_series_is_told_with_its_line(csv_file, content, column, message):
    path = csv_file(content)
    with pytest.raises(ValueError, match=message) as told:
        read_csv_column(path, column)
    assert str(told.value).startswith(str(path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        read_csv_column(tmp_path / "none.csv", "value")
