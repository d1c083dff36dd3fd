"""Writing HDF5 files, by h5py."""

import io

from scratchnet.optional import require


def hdf5_bytes(arrays, attributes):
    """The bytes of an HDF5 file.

    Args:
        arrays: dict from path to array.
        attributes: dict from path of a group, "" for the root, to dict from name to text, number or array. The groups
            are made, also where they stay empty.

    Raises ImportError if h5py is missing.
    """
    h5py = require("h5py")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for path, values in attributes.items():
            group = file.require_group(path) if path else file
            for name, value in values.items():
                group.attrs[name] = value
        for path, array in arrays.items():
            file.create_dataset(path, data=array)
    return content.getvalue()
