"""Layers that make numbers of categories and words."""

from scratchnet.layers.preprocessing.categories.category_encoding import CategoryEncoding
from scratchnet.layers.preprocessing.categories.discretization import Discretization
from scratchnet.layers.preprocessing.categories.hashed_crossing import HashedCrossing
from scratchnet.layers.preprocessing.categories.hashing import Hashing
from scratchnet.layers.preprocessing.categories.integer_lookup import IntegerLookup
from scratchnet.layers.preprocessing.categories.string_lookup import StringLookup

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "StringLookup",
]
