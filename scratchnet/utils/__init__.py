"""Small helpers under Keras's names. One idea a file."""

from scratchnet.callbacks.progbar import Progbar
from scratchnet.utils.arrays import normalize, to_categorical
from scratchnet.utils.sessions import clear_session, set_random_seed

__all__ = ["Progbar", "clear_session", "normalize", "set_random_seed", "to_categorical"]
