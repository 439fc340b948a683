"""``python -m workstation`` and the console script.

The only module that may know both the command line and the window, and hands one to the other.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from workstation.cli.main import main as run_command_line

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
