"""The ``.ringscope`` file: a run's events, keyframes, packets, counters and marks in one SQLite database."""
