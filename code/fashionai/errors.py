"""The exception for wrong input, of files, flags and values that a user gave, and parts of its messages."""
import reprlib
from textwrap import shorten


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


def in_a_line(error: Exception) -> str:
    """Returns the message of an error of another library, in one short line."""
    return shorten(str(error), 300) or type(error).__name__
