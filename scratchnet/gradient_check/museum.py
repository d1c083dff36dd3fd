"""``python -m scratchnet.gradient_check.museum``: wrong gradients that were shipped, recreated and caught.

The exhibits stand in a checkout of scratchnet, in docs/museum/, beside the page that tells their stories.
"""

import importlib.util
import sys
from pathlib import Path

EXHIBITS = Path(__file__).parents[2] / "docs" / "museum" / "exhibits.py"


def main(arguments=None):
    """Show every exhibit and what the check says; the exit code is 1 if one survives, 2 without the exhibits."""
    if not EXHIBITS.exists():
        print(f"the museum is not installed with the library: run this in a checkout ({EXHIBITS} is not there)")
        return 2
    spec = importlib.util.spec_from_file_location("exhibits", EXHIBITS)
    exhibits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(exhibits)
    return exhibits.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
