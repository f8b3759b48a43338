"""Sphinx configuration of the Chinese documentation; `docs_conf` has the values that the English one shares."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "_ext"))

from docs_conf import values  # noqa: E402

globals().update(values("zh", HERE))
