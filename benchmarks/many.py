"""Measures the throughput of predict_many.py on this machine beside that of predict.py, in pictures a second.

Both run on the same pictures, in turn. The time before the first rows, for the start of Ray and of the networks, is
left out on both sides. Ray must be installed.

    python benchmarks/many.py --pictures 400 --rounds 2 -- --preset fast
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import List, Sequence

from timing import ROOT

PART_ROWS = 16


def plain(shop: Path, output: Path, flags: Sequence[str]) -> float:
    """Returns the pictures a second of predict.py, from the first row on."""
    _run('predict.py', shop, output, flags)
    times = [datetime.strptime(json.loads(line)['time'], '%Y-%m-%dT%H:%M:%SZ')
             for line in output.read_text().splitlines()]
    return (len(times) - 1) / max(1., (times[-1] - times[0]).total_seconds())


def many(shop: Path, output: Path, flags: Sequence[str]) -> float:
    """Returns the pictures a second of predict_many.py, from the first part on."""
    _run('predict_many.py', shop, output, [f'--part-rows={PART_ROWS}', *flags])
    times = sorted(part.stat().st_mtime for part in output.glob('part-*'))
    return (len(list(shop.iterdir())) - PART_ROWS) / (times[-1] - times[0])


def _run(program: str, shop: Path, output: Path, flags: Sequence[str]) -> None:
    subprocess.run([sys.executable, str(ROOT / 'code' / program), str(shop), f'--output={output}', *flags],
                   check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    """Measures both programs in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--pictures', type=int, default=400, help='links to the photographs (default: %(default)s)')
    add('--photographs', default=str(ROOT / 'data/photographs'), help='folder of pictures (default: %(default)s)')
    add('--rounds', type=int, default=2, help='of each program (default: %(default)s)')
    add('flags', nargs='*', help='flags of both programs, after --')
    args = parser.parse_args()
    sources = sorted(path for path in Path(args.photographs).rglob('*') if path.suffix.lower() in ('.jpg', '.png'))
    found: List[List[float]] = [[], []]
    with tempfile.TemporaryDirectory() as name:
        shop = Path(name, 'shop')
        shop.mkdir()
        for number in range(args.pictures):
            source = sources[number % len(sources)]
            (shop / f'{number:06}{source.suffix}').write_bytes(source.read_bytes())
        for turn in range(args.rounds):
            for measure, rates in zip((plain, many), found):
                rates.append(measure(shop, Path(name, f'{measure.__name__}{turn}'), args.flags))
                print(f'{measure.__name__:6} {rates[-1]:6.2f} pictures/s', flush=True)
    print(f'{os.cpu_count()} processors, load {os.getloadavg()[0]:.0f}: predict_many.py has '
          f'{median(found[1]) / median(found[0]):.2f} of the throughput of predict.py')


if __name__ == '__main__':
    main()
