"""Tools of the benchmarks: interleaved repetitions, medians, memory, and one form of table.

Importing it adds code/ to the module path, so that every program here runs without further settings.
"""
import os
import platform
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'code'))

Task = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds of each repetition, in order."""

    seconds: Tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return float(np.median(self.seconds))


class ProcessorTime:
    """A task that keeps the seconds of all processors that each round takes. They depend little on other work of the
    machine."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._seconds: List[float] = []

    def __call__(self) -> None:
        start = time.process_time()
        self._task()
        self._seconds.append(time.process_time() - start)

    def milliseconds(self, repetitions: int) -> float:
        """Returns the median of the last rounds in milliseconds."""
        return 1000 * float(np.median(self._seconds[-repetitions:]))


@dataclass(frozen=True)
class Line:
    """A line of a table: what was timed, and the amount and unit of work of one repetition."""

    name: str
    timing: Timing
    amount: float
    unit: str

    def speed_beside(self, other: 'Line') -> float:
        """Returns how many times as fast this is as another: the median over repetitions, in pairs if possible."""
        one, two = np.array(self.timing.seconds), np.array(other.timing.seconds)
        times = np.median(two / one) if len(one) == len(two) else other.timing.median / self.timing.median
        return float(times) * self.amount / other.amount


def interleaved(tasks: Mapping[str, Task], repetitions: int, warm_up: int = 1) -> Dict[str, Timing]:
    """Times tasks in turn, each once in a round, so that a slow minute of the machine affects all alike.

    The first `warm_up` rounds do not count.
    """
    seconds: Dict[str, List[float]] = {name: [] for name in tasks}
    for _ in range(warm_up + repetitions):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(each[warm_up:])) for name, each in seconds.items()}


def format_table(lines: Sequence[Line]) -> str:
    """Returns a table; its last column says how many times as fast a line is as the first line of the same unit."""
    width = max(len(line.name) for line in lines)
    rows = [f'{"":{width}} {"rate":>20} {"ms":>10} {"quartiles":>17} {"ratio":>7}']
    for line in lines:
        first = next(other for other in lines if other.unit == line.unit)
        low, median, high = (_digits(1000 * each) for each in np.percentile(line.timing.seconds, (25, 50, 75)))
        rate = f'{_digits(line.amount / line.timing.median)} {line.unit}/s'
        rows.append(f'{line.name:{width}} {rate:>20} {median:>10} {low:>8}-{high:<8} '
                    f'{_digits(line.speed_beside(first), 3):>7}')
    return '\n'.join(rows)


def _digits(number: float, count: int = 4) -> str:
    """Returns a number with so many significant digits, and no exponent."""
    return np.format_float_positional(number, count, unique=False, fractional=False, trim='-')


def circumstances(*libraries: ModuleType) -> str:
    """Returns the command, the machine and the versions that a table was made with."""
    versions = [f'{library.__name__.split(".")[0]} {library.__version__}' for library in (np, cv2) + libraries]
    return (f'$ {" ".join(["python"] + sys.argv)}\n{processor()}, {len(os.sched_getaffinity(0))} cores; '
            f'Python {platform.python_version()}, {", ".join(versions)}')


def processor() -> str:
    """Returns the processor's name, as Linux gives it."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    return next((line.split(':')[1].strip() for line in lines if line.startswith('model name')), platform.machine())


def peak_memory_mb(who: int = resource.RUSAGE_SELF) -> float:
    """Returns the maximum memory of this process, or of the largest of its ended children, in MB of 10^6 bytes."""
    return resource.getrusage(who).ru_maxrss * 1024 / 1e6


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Returns (height, width, 3) uint8 of soft blotches; their JPEG file is as large as that of a photograph."""
    noise = np.random.RandomState(seed).uniform(0, 255, (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8)
    grain = np.random.RandomState(seed + 1).normal(0, 4, (height, width, 3))
    return np.clip(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) + grain, 0, 255).astype(np.uint8)
