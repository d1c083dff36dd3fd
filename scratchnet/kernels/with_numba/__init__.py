"""Compiled by Numba, at the first call of each function; `compile` tells how, and where the result is kept."""
