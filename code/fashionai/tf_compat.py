"""The two TensorFlow stacks behind one door: 1.15 as it is, 2.x with graph mode switched on."""
import contextlib
import os
import sys
import warnings
from typing import Iterator


def graph_mode() -> None:
    """Load TensorFlow quietly and choose graph mode. Every entry point that builds or loads a graph calls it first.

    TF_CPP_MIN_LOG_LEVEL=0 in the environment brings TensorFlow's own messages back.
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
    """TensorFlow 2 greets from C++ before it knows its log level; only the file descriptor can keep it quiet."""
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
