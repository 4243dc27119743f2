"""Kills predict_many.py and its workers at random moments, and checks that every picture has its row in the end.

The pictures are links to a few photographs, with some files that are no pictures among them, and some that kill the
worker that reads them. The rows must be those of predict.py. Everything is the real program, each in a process of its
own. Ray must be installed.

    python tests/interruptions_many.py --pictures 20000 --bad 200 --deadly 3 --kills 10 --every 60

On a slow machine, flags after -- may name a smaller network: -- --modelpath graph.onnx
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any, ContextManager, Dict, List, Sequence, Tuple

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / 'code'))

from fashionai.cli import predict, predict_many  # noqa: E402

DEADLY = 'deadly'
"""Part of the names of pictures that kill their worker."""

FLAGS = ('--preset=fast', '--resolution=64', '--inputsize=64', '--threads=1', '--tag=blouse', '--engine=onnxruntime')
"""A small input, and a given type: the trial is of what happens around the network."""

DISTINCT = 40
"""Photographs that the links lead to, at most."""

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)

Row = Dict[str, Any]


class LoadDeadly(predict_many.LoadNetworks):
    """Loads networks in a worker that dies when it reads a deadly picture."""

    def __call__(self, models: Sequence[Any], threads: int) -> ContextManager[Any]:
        from fashionai.bulk import rows
        read_upright = rows.read_upright

        def read(path: Any, megapixels: float) -> Any:
            if DEADLY in str(path):
                os.kill(os.getpid(), signal.SIGSEGV)
            return read_upright(path, megapixels)

        rows.read_upright = read
        return super().__call__(models, threads)


def make_pictures(folder: Path, photographs: Path, count: int, bad: int, deadly: int, seed: int) -> None:
    """Fills a folder with links to photographs; the photograph of a link is the end of its name. The first bad and
    deadly ones come at random places."""
    sources = sorted(path for path in photographs.rglob('*') if path.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    chosen = random.Random(seed).sample(sources, min(DISTINCT, len(sources)))
    originals = folder / 'originals'
    originals.mkdir(parents=True)
    for number, source in enumerate(chosen):
        (originals / f'{number:02}{source.suffix.lower()}').write_bytes(source.read_bytes())
    names = sorted(originals.iterdir())
    shop = folder / 'shop'
    special = random.Random(seed).sample(range(count), bad + deadly)
    for number in range(count):
        below = shop / f'{number // 1000:03}'
        below.mkdir(parents=True, exist_ok=True)
        original = names[number % len(names)]
        if number in special[:bad]:
            content = (b'', b'no picture', original.read_bytes()[:3000])[number % 3]
            (below / f'{number:06}_bad{original.suffix}').write_bytes(content)
        else:
            deadly_name = DEADLY if number in special[bad:] else ''
            os.link(str(original), str(below / f'{number:06}{deadly_name}_{original.name}'))


def started(folder: Path, arguments: Sequence[str]) -> 'subprocess.Popen[bytes]':
    """Returns a new process that runs predict_many.py, and appends what it says to a file."""
    with open(str(folder / 'log'), 'ab') as log:
        return subprocess.Popen([sys.executable, __file__, '--child', str(folder), *arguments], stdout=log, stderr=log)


def child(folder: str, arguments: Sequence[str]) -> int:
    """Runs predict_many.py in this process, with pictures that kill workers."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a program that a shell starts with & ignores it
    predict_many.LoadNetworks = LoadDeadly  # type: ignore[misc]
    return predict_many.main([f'{folder}/shop', f'--output={folder}/out.parquet', *FLAGS, *arguments])


def workers_of(process: int, address: str) -> List[int]:
    """Returns the numbers of the processes that are Ray actors: below a process, or of the cluster at an address."""
    parents, names = {}, {}
    for place in Path('/proc').iterdir():
        try:
            parents[int(place.name)] = int((place / 'stat').read_text().rsplit(')', 1)[1].split()[1])
            names[int(place.name)] = (place / 'cmdline').read_bytes().decode(errors='replace')
        except (ValueError, OSError):
            continue
    found = []
    for number in (number for number, name in names.items() if name.startswith('ray::Worker')):
        above = number
        while above in names and not (f'--gcs-address={address}' in names[above] if address else above == process):
            above = parents[above]
        if above in names:
            found.append(number)
    return sorted(found)


def megabytes(process: int) -> float:
    """Returns the memory of a process in MB; 0 if it has ended."""
    try:
        return int(Path(f'/proc/{process}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2 ** 20
    except (OSError, IndexError):
        return 0.


def kill_at_random(folder: Path, arguments: Sequence[str], kills: int, every: float, address: str,
                   moments: random.Random) -> Counter:
    """Starts the command, and kills it or a worker, in turn; starts it again if it was killed. One kill of four comes
    at any moment; before the others, a new part must be there, so that a slow machine makes progress. Returns how
    often each was killed. The command may be complete before."""
    seen: Counter = Counter()
    process = started(folder, arguments)
    while sum(seen.values()) < kills and process.poll() is None:
        before, at_any_moment = parts_in(folder), moments.random() < 0.25
        while not at_any_moment and parts_in(folder) == before and process.poll() is None:
            time.sleep(0.5)
        time.sleep(moments.uniform(0, 2 * every))
        workers = workers_of(process.pid, address)
        if process.poll() is not None:
            break
        if sum(seen.values()) % 2 and not workers:
            continue  # there is none yet
        if sum(seen.values()) % 2:
            os.kill(moments.choice(workers), signal.SIGKILL)
            seen['workers'] += 1
            continue
        how = moments.choice(SIGNALS)
        process.send_signal(how)
        code = process.wait()
        if not code:
            break  # it was complete before the signal came
        assert code in (-how, 128 + how), f'exit code {code} after {how.name}: {(folder / "log").read_text()[-3000:]}'
        seen[f'driver {how.name}'] += 1
        process = started(folder, arguments)
    if process.poll() is None:
        process.kill()
    elif process.returncode:
        raise AssertionError((folder / 'log').read_text()[-3000:])
    process.wait()
    return seen


def parts_in(folder: Path) -> int:
    """Returns the number of parts that are written."""
    return len(list(folder.glob('out.parquet/part-*')))


def completed(folder: Path, arguments: Sequence[str], address: str) -> Tuple[List[float], List[float]]:
    """Runs the command to its end. Returns the memory of the command, and of all workers, in MB, once a second."""
    process = started(folder, arguments)
    driver, workers = [], []
    while process.poll() is None:
        driver.append(megabytes(process.pid))
        workers.append(sum(map(megabytes, workers_of(process.pid, address))))
        time.sleep(1)
    assert process.returncode == 0, (folder / 'log').read_text()[-3000:]
    return driver, workers


def expected(folder: Path, flags: Sequence[str]) -> Dict[str, Row]:
    """Returns what predict.py says of each photograph, by its name."""
    output = folder / 'expected.json'
    assert predict.main([str(folder / 'originals'), f'--output={output}', '--measure', *FLAGS, *flags]) == 0
    return {Path(row['path']).name: row for row in map(json.loads, output.read_text().splitlines())}


def check(folder: Path, count: int, bad: int, deadly: int, flags: Sequence[str]) -> None:
    """Asserts that each picture has one row, that the bad and the deadly ones have errors, and that the others have the
    points, scores and lengths of predict.py."""
    from pyarrow.parquet import read_table
    rows, wanted = read_table(str(folder / 'out.parquet')).to_pylist(), expected(folder, flags)
    pictures = {str(path.relative_to(folder / 'shop')) for path in (folder / 'shop').rglob('*') if path.is_file()}
    assert len(rows) == len(pictures) == count and {row['id'] for row in rows} == pictures
    errors = {row['id']: row['error'] for row in rows if row['error']}
    assert len(errors) == bad + deadly
    for row in rows:
        if 'bad' in row['id']:
            assert row['error'] and not row['keypoints'], row
        elif DEADLY in row['id']:
            assert row['error'].startswith('worker died') and not row['keypoints'], row
        else:
            said = wanted[row['id'].rsplit('_', 1)[1]]
            assert row['error'] is None and row['type'] == said['type'] and row['model'] == said['model'], row
            assert named(row['keypoints']) == said['keypoints'], row['id']
            assert named(row['lengths']) == said['measurements'], row['id']
    failures = read_table(str(folder / 'out.parquet/_failures.parquet')).to_pylist()
    assert {row['id']: row['error'] for row in failures} == errors
    counts = json.loads((folder / 'out.parquet/_manifest.json').read_text())['counts']
    assert (counts['pictures'], counts['failed'], counts['predicted']) == (count, bad + deadly, count - bad - deadly)


def named(items: Sequence[Row]) -> Dict[str, Row]:
    """Returns structures by their name."""
    return {item['name']: {key: value for key, value in item.items() if key != 'name'} for item in items}


def main() -> None:
    """Makes the pictures, kills the command at random moments, completes it, and checks its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--pictures', type=int, default=20000)
    add('--bad', type=int, default=200, help='of them that are no pictures (default: %(default)s)')
    add('--deadly', type=int, default=3, help='of them that kill their worker (default: %(default)s)')
    add('--kills', type=int, default=10, help='of the command and of workers, in turn (default: %(default)s)')
    add('--every', type=float, default=60, help='seconds between kills, in the mean (default: %(default)s)')
    add('--photographs', default=str(PROJECT / 'data/photographs'), help='folder of pictures (default: %(default)s)')
    add('--ray', default='', metavar='ADDRESS', help='address of a cluster on this machine (default: the command '
        'starts one, which dies with it)')
    add('--part-rows', type=int, default=256, help='flag of predict_many.py')
    add('--seed', type=int, default=1)
    add('flags', nargs='*', help='more flags of predict.py and predict_many.py, after --')
    args = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pictures(folder, Path(args.photographs), args.pictures, args.bad, args.deadly, args.seed)
        arguments = [f'--part-rows={args.part_rows}', f'--ray={args.ray}', *args.flags]
        seen = kill_at_random(folder, arguments, args.kills, args.every, args.ray, random.Random(args.seed))
        parts = parts_in(folder)
        driver, workers = completed(folder, arguments, args.ray)
        check(folder, args.pictures, args.bad, args.deadly, args.flags)
    print(f'{args.pictures} pictures, {args.bad} bad, {args.deadly} deadly: every id once, rows as predict.py has them')
    print(f'killed: {", ".join(f"{count} {who}" for who, count in sorted(seen.items()))}; {parts} parts were there '
          f'before the last start; {time.monotonic() - begun:.0f} s')
    for who, memory in ('command', driver), ('workers', workers):
        quarter = max(1, len(memory) // 4)
        print(f'memory of the {who} in the last run: {median(memory[quarter:2 * quarter] or memory):.0f} MB in its '
              f'second quarter, {median(memory[-quarter:]):.0f} MB in its last, {max(memory):.0f} MB at most')


if __name__ == '__main__':
    if sys.argv[1:2] == ['--child']:
        sys.exit(child(sys.argv[2], sys.argv[3:]))
    main()
