"""Starts TensorFlow in graph mode: 1.15 as it is, 2.x with its version 1 behaviour."""
import contextlib
import os
import sys
import warnings
from typing import Iterator


def graph_mode() -> None:
    """Loads TensorFlow without its messages and selects graph mode.

    Every entry point that builds or loads a graph calls it first. To see TensorFlow's own messages, set
    TF_CPP_MIN_LOG_LEVEL=0 in the environment.
    """
    quiet = os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3') != '0'
    warnings.filterwarnings('ignore', category=FutureWarning, module='tensor(flow|board)')
    with _standard_error_closed(quiet):
        import tensorflow.compat.v1 as tf  # after the settings, which TensorFlow reads as it is imported
    tf.disable_v2_behavior()
    if quiet:
        tf.logging.set_verbosity(tf.logging.ERROR)


@contextlib.contextmanager
def _standard_error_closed(closed: bool) -> Iterator[None]:
    """Discards standard error during the block: TensorFlow 2 writes to it from C++ before it reads its log level."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        if closed:
            os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
