"""Write what Keras computes for the cases into expected/, for those without TensorFlow.

python tests/reference/make_expected.py [ROOM ...]          all rooms, or those that are named
"""

import os
import sys

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main():
    import keras
    import machinery
    import tensorflow

    versions = [f"keras {keras.__version__}", f"tensorflow {tensorflow.__version__}", f"numpy {np.__version__}"]
    for room in sys.argv[1:] or machinery.ROOMS:
        arrays, cases = {"versions": np.array(versions)}, machinery.cases_of(room)
        for case in cases:
            results = machinery.kerass(machinery.make(keras.layers, case), case)
            arrays.update((f"{machinery.name_of(case)}/{k}", array) for k, array in enumerate(results))
        path = machinery.HERE / "expected" / f"{room}.npz"
        np.savez_compressed(path, **arrays)
        print(f"wrote {path}: {len(cases)} cases, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
