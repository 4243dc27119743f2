"""Calibration: what a network answers becomes probabilities, by models that are fitted on labelled pictures."""
