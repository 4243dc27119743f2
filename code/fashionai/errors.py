"""The one exception that says: what the user gave is at fault, not the program."""
import reprlib


class InputError(ValueError):
    """Bad input. The message is one line: what was found, where (file, row, column), and what was wanted.

    An entry point prints it and ends with exit code 1. Any other exception is a fault of the program: its traceback is
    shown.
    """


def shown(value: object) -> str:
    """Return the repr of a value from a file, shortened: a message stays one line however large the value is."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 80
    short.maxlevel = 3
    return short.repr(value)
