"""Experiments: a table of settings, each run by the entry points at one budget, and what came of it."""
