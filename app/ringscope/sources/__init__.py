"""How a window gets its recording and its controls: an engine process, or a session file."""
