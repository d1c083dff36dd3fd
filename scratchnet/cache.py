"""Where files are kept that can be made or fetched again: downloads and compiled kernels."""

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "SCRATCHNET_CACHE"


def cache_folder():
    """``$SCRATCHNET_CACHE``, or the folder "scratchnet" where the user's system keeps caches.

    Raises RuntimeError where the user has no home.
    """
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "scratchnet"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "scratchnet" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "scratchnet"
    return Path.home() / ".cache" / "scratchnet"
