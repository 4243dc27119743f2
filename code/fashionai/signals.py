"""SIGTERM ends a program in order, as Ctrl-C does; both can wait for the end of a block."""
import signal
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Any, Dict, Iterator, List, Optional


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """During the block, SIGTERM raises SystemExit: open `with` blocks end, so files are completed. The exit code is
    143: 128 and the number of the signal, as in a shell.

    A second SIGTERM is ignored: some programs send it to the process and to its group. Outside the main thread, which
    alone can set signal handlers, nothing changes. A library that turns the SystemExit into another one, or that
    stumbles over it and raises an error of its own, does not change the exit code.
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
    except Exception as error:
        if not received:
            raise
        raise SystemExit(128 + signal.SIGTERM) from error
    finally:
        signal.signal(signal.SIGTERM, before)


class Held:
    """The signals that wait for the end of a block of `signals_held`, in `pending`."""

    def __init__(self) -> None:
        self.pending: List[int] = []
        self._before: Dict[int, Any] = {}

    def hold(self) -> None:
        """Makes SIGTERM and SIGINT wait."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, lambda number, frame: self.pending.append(number))

    def let_go(self) -> None:
        """Restores the handlers, and calls that of the first signal that waits."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if self.pending:
            signal.pthread_kill(threading.get_ident(), self.pending.pop(0))

    @contextmanager
    def released(self) -> Iterator[None]:
        """During the block, signals do not wait."""
        held = bool(self._before)
        self.let_go()
        try:
            yield
        finally:
            if held:
                self.hold()


@contextmanager
def signals_held() -> Iterator[Held]:
    """SIGTERM and Ctrl-C wait for the end of the block, then do what they did before. Outside the main thread nothing
    changes."""
    held = Held()
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    held.hold()
    try:
        yield held
    finally:
        held.let_go()
