"""Experiments: a table of settings, which the entry points run at one budget, and a table of the results."""
