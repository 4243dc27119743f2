"""How good predictions are: the normalised error in both conventions, files of errors, and the report."""
