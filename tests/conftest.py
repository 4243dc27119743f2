"""For every test: the package in code/ can be imported, and TensorFlow is quiet and modest with a GPU's memory."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'code'))
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')  # tests start processes that need the same GPU
