"""``python -m workstation.synth FIXTURE OUT``: makes a fixture while developing."""

from __future__ import annotations

import sys

from workstation.synth.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
