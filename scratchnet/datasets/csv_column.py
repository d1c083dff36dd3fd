"""A column of a CSV file as a series of numbers, or a sentence that says in which line it is not one."""

import csv
import math

import numpy as np

from scratchnet.missing import closest


def read_csv_column(path, column=None):
    """The numbers of a column, float64 (rows,).

    Args:
        path: of a text file (UTF-8), its first line the names of the columns; they are parted by commas, semicolons or
            tabs.
        column: its name; None for a file that has only one.

    Raises ValueError, naming the file and, where there is one, the line: for another encoding, a column that is not
    there or not the only one of its name, a line that ends before it, and what is no finite number (a missing value,
    too: fill it or cut the series there). OSError if the file cannot be read.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        try:
            first = file.readline()
            delimiter = max(",;\t", key=first.count)  # the comma, where there is but one column
            names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
            place = _place(path, names, column)
            lines = csv.reader(file, delimiter=delimiter)
            return np.array([_number(path, lines.line_num + 1, row, place, names[place]) for row in lines if row])
        except UnicodeDecodeError as problem:
            raise ValueError(f"{path} is no text in UTF-8: {problem.reason} at byte {problem.start}") from problem
        except csv.Error as problem:
            raise ValueError(f"{path} is no CSV file: {problem}") from problem


def _place(path, names, column):
    if not names:
        raise ValueError(f"{path} is empty; its first line must name the columns")
    if column is None:
        if len(names) > 1:
            raise ValueError(f"{path} has the columns {', '.join(names)}: say which one")
        return 0
    if column not in names:
        hint = closest(column, names) or f"; there are {', '.join(names)}"
        raise ValueError(f"{path} has no column {column!r}{hint}")
    if names.count(column) > 1:
        raise ValueError(f"{path} has {names.count(column)} columns of the name {column!r}")
    return names.index(column)


def _number(path, line, row, place, name):
    where = f"{path}, line {line}"
    if len(row) <= place:
        raise ValueError(f"{where} ends before the column {name!r}: it has {len(row)} of at least {place + 1} values")
    text = row[place].strip()
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        what = f"{text!r} is no finite number" if text else "the value is missing: fill it, or cut the series there"
        raise ValueError(f"{where}, column {name!r}: {what}")
    return number
