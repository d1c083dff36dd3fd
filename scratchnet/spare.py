"""What takes long to make is kept when it is no longer needed, for the next who wants one."""

import os
import threading


class Spare:
    """Room for one thing. Threads may come at the same time; a forked child, which has no threads, finds nothing."""

    def __init__(self):
        self.forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self):
        """Nothing is here, and nobody is about to change that."""
        self._lock, self._kept = threading.Lock(), None

    def exchange(self, thing=None):
        """Leave `thing`, and take what was here, or None."""
        with self._lock:
            kept, self._kept = self._kept, thing
        return kept
