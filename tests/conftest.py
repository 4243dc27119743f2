"""For every test: the package in code/ can be imported, and TensorFlow is quiet and modest with what it shares.

`finish` calls an entry point as a user does, in this process: TensorFlow takes seconds to start.
"""
import builtins
import io
import logging
import os
import signal
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Callable, Iterator, List, Sequence, Union

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'code'))
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')  # tests start processes that need the same GPU

Main = Callable[[List[str]], int]


@pytest.fixture(autouse=True)
def _library_logging() -> Iterator[None]:
    """An entry point that a test calls takes the project's messages to standard error; the next test may want them."""
    yield
    _messages_to_all()


def _messages_to_all() -> None:
    logger = logging.getLogger('fashionai')
    logger.handlers, logger.propagate = [], True


@contextmanager
def _signals_kept() -> Iterator[None]:
    """An entry point may say what a signal does: in a process of its own, it alone would feel it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finish(main: Main, *arguments: object, code: Union[int, Sequence[int]] = 0) -> str:
    """Call the `main` of an entry point; standard output and error together, as a terminal shows them."""
    output = io.StringIO()
    with _signals_kept(), redirect_stdout(output), redirect_stderr(output):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse's
            status = end.code
        finally:
            _messages_to_all()
    assert status in ((code,) if isinstance(code, int) else code), output.getvalue()
    return output.getvalue()


@pytest.fixture(scope='session')
def finish() -> Callable[..., str]:
    """`finish(main, *arguments, code=0)` calls an entry point, asserts its exit code, or one of several,
    and returns all it printed."""
    return _finish


@pytest.fixture()
def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if matplotlib were not installed."""
    imported = builtins.__import__

    def refusing(name: str, *arguments: Any, **named: Any) -> Any:
        if name == 'matplotlib':
            raise ImportError(name)
        return imported(name, *arguments, **named)

    monkeypatch.setattr(builtins, '__import__', refusing)
