"""The exception for wrong input: files, flags and values that a user gave."""
import reprlib


class InputError(ValueError):
    """Wrong input. The message is one line: what was found, where (file, row, column), and what was wanted.

    An entry point prints the message and ends with exit code 1. Any other exception is a bug of the program: its
    traceback is shown.
    """


def shown(value: object) -> str:
    """Returns the repr of a value, shortened so that a message stays on one line."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 80
    short.maxlevel = 3
    return short.repr(value)
