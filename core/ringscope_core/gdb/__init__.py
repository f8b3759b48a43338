"""A recording, and a run that makes one, in gdb's words: the console's commands, expressions and printed forms."""
