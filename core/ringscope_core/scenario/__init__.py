"""Scenario files: what machine, which devices, what traffic; parsed, validated, overridden."""
