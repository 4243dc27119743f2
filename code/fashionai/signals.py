"""SIGTERM ends a program in order, as Ctrl-C does."""
import signal
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """During the block, SIGTERM raises SystemExit: open `with` blocks end, so files are completed. The exit code is
    143: 128 and the number of the signal, as in a shell.

    A second SIGTERM is ignored: some programs send it to the process and to its group. Outside the main thread, which
    alone can set signal handlers, nothing changes. A library that turns the SystemExit into one of its own does not
    change the exit code.
    """
    received = False

    def end(number: int, frame: Optional[FrameType]) -> None:
        nonlocal received
        received = True
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except SystemExit as ending:
        raise SystemExit(128 + signal.SIGTERM if received else ending.code) from None
    finally:
        signal.signal(signal.SIGTERM, before)
