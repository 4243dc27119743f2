"""The HTML report of `evaluate.py --report`: tables, plots and the worst images of a submission."""
