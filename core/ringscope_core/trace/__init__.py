"""The ground floor: clock, event log, call frames, and the fold of events into a machine's state."""
