"""Reading HDF5 files as h5py writes them, without h5py.

An HDF5 file is a tree of groups with datasets (arrays) as its leaves; both may have attributes. Reading one with the
HDF5 library itself is no way to treat a file from somebody else: some damaged files keep it busy for ever. The parts of
the format that h5py uses fit on these pages, from the bytes up to the tree:

- `content`: the *superblock* at the beginning of the file says where the root group is. Everything has an address, and
  what has a name has an *object header*, a list of *messages*: an array's type, shape and place; a group's links;
  attributes.
- `messages`: what these messages say.
- `heaps`: lists too long for a header. Before 2008 a group's links stood in a *B-tree* whose leaves are blocks of
  entries; since then (``libver="latest"``) links and attributes stand in a *fractal heap*, found by another tree.
- `chunks`: arrays in pieces, each of which may be shuffled and compressed.
- `tree`: `Group` and `Dataset`.

A damaged file may point anywhere, also back at itself. Every piece is read within the file, each about once; arrays
together are no larger than the file, or than what can honestly be unpacked from it.

The format is documented in "HDF5 File Format Specification Version 3.0", The HDF Group.
"""

from scratchnet.files.hdf5.content import SIGNATURE as SIGNATURE
from scratchnet.files.hdf5.tree import Dataset as Dataset
from scratchnet.files.hdf5.tree import Group as Group
from scratchnet.files.hdf5.tree import open_hdf5 as open_hdf5
