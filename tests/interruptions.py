"""Ends run.py and predict.py at random moments, by SIGKILL and by SIGTERM, and checks that nothing is lost.

The network is a slow stand-in; a round takes about a second. Everything else is the real program, each in a process of
its own.

    python tests/interruptions.py --rounds 30
"""
import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'code'))

from fashionai.cli import predict, run  # noqa: E402
from fashionai.cli.inference_flags import ChosenNetworks  # noqa: E402
from fashionai.inference.garment_predictor import GarmentPredictor  # noqa: E402
from fashionai.inference.predictor import KeypointPrediction  # noqa: E402

PICTURES, SECONDS = 24, 0.01
"""The number of pictures, and the seconds that each takes."""

Command = Callable[[Path], int]


class Slow:
    """A stand-in for the networks: points depend on the brightness of the picture."""

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        """Returns points (4, 2) after a pause."""
        time.sleep(SECONDS * len(images))
        return [KeypointPrediction(np.full((4, 2), image.mean()), np.full(4, 0.7), np.ones(4, bool),
                           np.full((4, 8, 8), 0.6, np.float32)) for image in images]


@contextmanager
def _opened(*_: Any) -> Iterator[Dict[str, Slow]]:
    yield {'skirt': Slow()}


@contextmanager
def _predictor(*_: Any) -> Iterator[GarmentPredictor]:
    yield GarmentPredictor({'skirt': Slow()}, (), [])


def commands(folder: Path) -> Dict[str, Command]:
    """Returns the programs by name; writes their pictures, two of them unreadable, into a folder."""
    ids = [f'{number:02}.png' for number in range(PICTURES)]
    for number, name in enumerate(ids):
        cv2.imwrite(str(folder / name), np.full((60, 50, 3), 10 * number, np.uint8))
    for name in (ids[5], ids[17]):
        (folder / name).write_text('no picture')
    (folder / 'graph.pb').write_bytes(b'a stand-in')
    (folder / 'list.csv').write_text('image_id,image_category\n' + ''.join(f'{name},skirt\n' for name in ids))
    for method, stand_in in ('open_predictors', _opened), ('load_predictor', _predictor):
        setattr(ChosenNetworks, method, stand_in)
    flags = [f'--modelpath={folder / "graph.pb"}', '--tag=skirt', '--inputsize=64', '--resolution=64']
    programs: Dict[str, Command] = {'run.py': lambda output: run.main(
        [f'--imagepath={folder}', f'--csv={folder / "list.csv"}', f'--output={output}', *flags])}
    for form in [name for name in predict.FORMATS if name != predict.TABLE]:  # a table has no output
        programs[f'predict.py --format {form}'] = lambda output, form=form: predict.main(
            [str(folder), f'--output={output}', f'--format={form}', *flags])
    return programs


def started(command: Command, output: Path) -> int:
    """Returns the number of a new process that runs the command."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    status = 70
    try:
        status = command(output)
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(status)


DATA_SET = '{"info"'
"""How a COCO data set begins."""

FIRST_ROW = b'"annotations": [\n'
"""What stands before its first row. An output without a row is begun anew, so its beginning need not stay."""


def ended(process: int) -> int:
    """Returns the exit code of a process, negative for a signal."""
    status = os.waitpid(process, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def rows(output: Path) -> Any:
    """Returns the rows of an output, without their times."""
    text = output.read_text()
    if not text.startswith('{') or text.startswith(DATA_SET):
        return text
    return [{key: value for key, value in json.loads(line).items() if key not in ('time', 'seconds')}
            for line in text.splitlines()]


def whole(content: bytes) -> bytes:
    """Returns the part of an output that ends with its last complete row; empty if it has no row."""
    if content.startswith(DATA_SET.encode()):
        content = content.partition(b'], "images"')[0]
        return content[:content.rfind(b'}') + 1] if b'}' in content.partition(FIRST_ROW)[2] else b''
    if content.startswith(b'['):
        return content[:content.rfind(b'}') + 1]
    rows = content[:content.rfind(b'\n') + 1]
    return rows if rows.startswith(b'{') or rows.count(b'\n') > 1 else b''  # a CSV file has a header


def interrupted(command: Command, output: Path, number: int, size: int, more: float) -> str:
    """Starts a command, and ends it by a signal `more` seconds after its output has a size, or after its start; returns
    when it ended. Asserts that earlier rows are still there, and that the output has only complete rows after
    SIGTERM."""
    before = whole(output.read_bytes()) if output.exists() else b''
    process, latest = started(command, output), time.monotonic() + 60
    while size and (not output.exists() or output.stat().st_size < size) and time.monotonic() < latest:
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            break
        time.sleep(0.001)
    time.sleep(more)
    os.kill(process, number)
    status = ended(process)
    content = output.read_bytes() if output.exists() else b''
    assert content.startswith(before), 'rows of before are gone'
    if status == 1:
        return 'after its end'
    assert status == -number or (number, status) == (signal.SIGTERM, 143), f'exit code {status}'
    if number == signal.SIGTERM and content:
        assert content.endswith(b'\n'), 'half a row'
        if content.startswith((b'[', DATA_SET.encode())):
            json.loads(content.decode())
    return 'before a new row' if len(whole(content)) == len(before) else 'later'


def main() -> None:
    """Interrupts each program by each signal, so many times, and then completes it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=30, help='interruptions of each program (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    moments = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        for program, command in commands(Path(name)).items():
            expected = Path(name, 'expected')
            assert ended(started(command, expected)) == 1, 'two pictures cannot be read'
            size = expected.stat().st_size
            for number in (signal.SIGKILL, signal.SIGTERM):
                seen: Counter = Counter()
                for turn in range(args.rounds):
                    output = Path(name, f'{number}.{turn}')
                    for _ in range(moments.randint(1, 3)):
                        seen[interrupted(command, output, number, moments.choice((0, moments.randrange(size))),
                                         moments.uniform(0, 3 * SECONDS))] += 1
                    assert ended(started(command, output)) == 1
                    assert rows(output) == rows(expected), f'{program} differs after {number.name}'
                    output.unlink()
                print(f'{program}, {number.name}: {args.rounds} of {args.rounds} the same in the end; '
                      + ', '.join(f'{count} {how}' for how, count in sorted(seen.items())), flush=True)
            expected.unlink()


if __name__ == '__main__':
    main()
