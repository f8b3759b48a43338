"""Set-up and build scripts.  Nothing here is installed."""
