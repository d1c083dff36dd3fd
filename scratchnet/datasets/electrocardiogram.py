"""Five minutes of an electrocardiogram, and what the cardiologists found in it.

One lead (MLII) of record 208 of the MIT-BIH Arrhythmia Database, from 19:34.5 on: 360 numbers a second, of a patient
whose heart has ventricular beats among the normal ones, with stretches where the electrodes moved (G. B. Moody,
R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", 2001; A. L. Goldberger et al., "PhysioBank, PhysioToolkit,
and PhysioNet", 2000; terms: Open Data Commons Attribution License 1.0). The signal is the excerpt that
``scipy.datasets.electrocardiogram`` downloads; here it lies in the package.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

SAMPLES = Path(__file__).parent / "samples"
RATE = 360  # numbers a second
FIRST, ZERO, PER_MILLIVOLT = 975, 1024, 200  # the first number of the converter, its 0 mV, its steps
BEFORE, AFTER = 36, 108  # a beat lasts from 0.1 s before the place that is noted to 0.3 s behind it


class Event(NamedTuple):
    """Something that is not a normal beat, in the numbers ``begin`` to ``end - 1``."""

    kind: str  # "ventricular", "fusion" (of a normal and a ventricular beat), "noise"
    begin: int
    end: int


def load_sample():
    """``(signal, events)``: millivolts, float32 (108000,), and a list of `Event` in the order of time.

    Everything else in the record is a normal beat or the pause between two.
    """
    try:
        import lzma
    except ImportError as error:
        raise ImportError(
            "electrocardiogram.load_sample() needs Python's module lzma, which this Python was built without "
            "(it lacked liblzma)"
        ) from error
    differences = np.frombuffer(lzma.decompress((SAMPLES / "electrocardiogram.xz").read_bytes()), np.int8)
    signal = (FIRST + differences.cumsum(dtype=np.int64) - ZERO) / PER_MILLIVOLT
    with open(SAMPLES / "electrocardiogram-events.csv", newline="", encoding="ascii") as file:
        noted = [(row["kind"], int(row["begin"]), int(row["end"])) for row in csv.DictReader(file)]
    events = [
        Event(kind, begin, end) if kind == "noise" else Event(kind, begin - BEFORE, min(end + AFTER, len(signal)))
        for kind, begin, end in noted
    ]
    return np.float32(signal), events
