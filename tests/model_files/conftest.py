"""For all tests of the files of networks: graph mode, and a new default graph."""
from typing import Iterator

import pytest
import tensorflow.compat.v1 as tf

from fashionai.tf_compat import graph_mode


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    graph_mode()
    with tf.Graph().as_default() as fresh:
        tf.set_random_seed(1)
        yield fresh
