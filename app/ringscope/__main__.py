"""``python -m ringscope``."""

from __future__ import annotations

from ringscope.cli.main import main

if __name__ == "__main__":
    main()
