"""Guest memory: one memoryview over each region of RAM."""
