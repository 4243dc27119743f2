"""For every test: the package in code/ can be imported, and TensorFlow is quiet and modest with a GPU's memory."""
import logging
import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'code'))
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')  # tests start processes that need the same GPU


@pytest.fixture(autouse=True)
def _library_logging() -> Iterator[None]:
    """An entry point that a test calls takes the project's messages to standard error; the next test may want them."""
    yield
    logger = logging.getLogger('fashionai')
    logger.handlers, logger.propagate = [], True
