"""Write what Keras computes for the cases of `cases.py` into expected.npz, for those without TensorFlow.

python tests/reference/make_expected.py
"""

import os
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main():
    import cases
    import keras
    import tensorflow

    arrays = {
        "versions": np.array(
            [f"keras {keras.__version__}", f"tensorflow {tensorflow.__version__}", f"numpy {np.__version__}"]
        )
    }
    for case, (name, options, shape) in zip(cases.names(), cases.CASES):
        results = cases.kerass(getattr(keras.layers, name)(**options), *cases.inputs(shape))
        arrays.update((f"{case}/{k}", array) for k, array in enumerate(results))
    path = Path(__file__).with_name("expected.npz")
    np.savez_compressed(path, **arrays)
    print(f"wrote {path}: {len(cases.CASES)} cases, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
