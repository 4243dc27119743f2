"""SIGTERM ends a block in order, whatever happens on the way."""
import os
import signal

import pytest

from fashionai.signals import exit_on_sigterm


def test_sigterm_ends_with_its_code_also_if_a_library_stumbles_over_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        with exit_on_sigterm():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                raise AttributeError('of a library, which was not ready for an end at this place')
    assert end.value.code == 143 and signal.getsignal(signal.SIGTERM) is before


def test_errors_without_sigterm_stay_what_they_are() -> None:
    with pytest.raises(AttributeError):
        with exit_on_sigterm():
            raise AttributeError
    with pytest.raises(SystemExit) as end:
        with exit_on_sigterm():
            raise SystemExit(3)
    assert end.value.code == 3
