"""Sphinx configuration of the English documentation; `docs_conf` has the values that the Chinese one shares."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

from docs_conf import values  # noqa: E402

globals().update(values("en", HERE))
