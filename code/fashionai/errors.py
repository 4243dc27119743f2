"""The one exception that says: what the user gave is at fault, not the program."""


class InputError(ValueError):
    """Bad input. The message is one line: what was found, where (file, row, column), and what was wanted.

    An entry point prints it and ends with exit code 1. Any other exception is a fault of the program: its traceback is
    shown.
    """
