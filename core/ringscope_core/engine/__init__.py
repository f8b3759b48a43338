"""A run: machine, driver and traffic, with a recorder and a debugger; and the process that serves one over QMP."""
