"""The launcher of --hosts, with shell scripts as ranks, and one in place of ssh."""
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, List

import pytest

from fashionai.errors import InputError
from fashionai.training import launcher
from fashionai.training.launcher import Host, Launcher, hosts_of

RANK = """#!/bin/bash
rank=$(sed 's/.*"index": \\([0-9]*\\).*/\\1/' <<<"$TF_CONFIG")
ranks=$(grep -o ':22[0-9]*' <<<"$TF_CONFIG" | wc -l)
starts=$(grep -c "^$rank " "$STATE/starts")
echo "$rank $ranks $*" >>"$STATE/starts"
source "$STATE/behaviour"
"""
"""In a behaviour, `rank`, `ranks` and `starts`, the number of earlier starts of the rank, are known."""

SSH = """#!/bin/bash
host=${@: -2:1}
grep -qx "$host" "$STATE/gone" && { echo "no route to $host" >&2; exit 255; }
exec bash -c "${@: -1}"
"""
ENDED = 'cat >/dev/null; exit 138'
"""What a rank does that waits for another one: it ends when its standard input does."""

LOCAL = [Host('127.0.0.1:2201', True), Host('127.0.0.1:2202', True)]
FAR = [Host('a:2201', False), Host('b:2202', False), Host('c:2203', False)]
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(behaviour, hosts, restarts)` launches ranks of that behaviour."""
    for name, text in (('rank', RANK), ('ssh', SSH), ('starts', ''), ('gone', '')):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv('STATE', str(tmp_path))
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    monkeypatch.setattr(sys, 'executable', str(tmp_path / 'rank'))

    def launched(behaviour: str, hosts: List[Host] = LOCAL, restarts: int = 3, sizes: Any = (1, 2, 3)) -> int:
        (tmp_path / 'behaviour').write_text(behaviour)
        return Launcher(['--flag', 'a value'], sizes, restarts, pause_s=0).run(hosts)
    return launched


def starts(folder: Path) -> List[str]:
    return (folder / 'starts').read_text().splitlines()


@pytest.mark.parametrize('hosts', [LOCAL, FAR])
def test_every_rank_runs_the_command_and_its_lines_have_its_number(
        run: Run, tmp_path: Path, capfd: pytest.CaptureFixture, hosts: List[Host]) -> None:
    assert run('echo "resumed at step 0"; echo "I am $rank" >&2; exit 0', hosts) == 0
    assert sorted(starts(tmp_path)) == [f'{rank} {len(hosts)} -m fashionai.cli.main train --flag a value'
                                        for rank in range(len(hosts))]
    output = capfd.readouterr()
    assert sorted(output.err.splitlines()) == [f'[{rank}] I am {rank}' for rank in range(len(hosts))]
    assert not output.out


@pytest.mark.parametrize('code, hosts', [(1, LOCAL), (70, LOCAL), (127, FAR)])
def test_what_starting_again_would_not_mend_ends_all(run: Run, tmp_path: Path, code: int, hosts: List[Host]) -> None:
    assert run(f'[[ $rank == 1 ]] && exit {code}; {ENDED}', hosts) == code
    assert len(starts(tmp_path)) == len(hosts)


@pytest.mark.parametrize('end', ['kill -9 $$', 'kill -11 $$', 'exit 138', 'exit 137'])
@pytest.mark.parametrize('hosts', [LOCAL, FAR])
def test_a_rank_that_fails_is_started_again_with_the_others(run: Run, tmp_path: Path, end: str,
                                                            hosts: List[Host]) -> None:
    assert run(f'(( starts == 2 )) && exit 0; [[ $rank == 1 ]] && {end}; {ENDED}', hosts) == 0
    assert len(starts(tmp_path)) == 3 * len(hosts)


def test_restarts_without_progress_come_to_an_end(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'127\.0\.0\.1:2202.*SIGKILL.*3.*step 40'):
        run(f'[[ $rank == 0 ]] && {{ echo resumed at step 40; {ENDED}; }}; sleep 0.3; kill -9 $$')
    assert len(starts(tmp_path)) == 2 * 4


def test_progress_allows_more_restarts(run: Run, tmp_path: Path) -> None:
    assert run(f'[[ $rank == 0 ]] && echo resumed at step $((starts * 10)); (( starts == 9 )) && exit 0; '
               f'[[ $rank == 1 ]] && {{ sleep 0.2; kill -9 $$; }}; {ENDED}', restarts=1) == 0
    assert len(starts(tmp_path)) == 2 * 10


def test_a_host_that_was_never_reached_is_named_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / 'gone').write_text('b\n')
    with pytest.raises(InputError, match='b:2202.*ssh'):
        run(ENDED, FAR)
    assert len(starts(tmp_path)) <= 2


@pytest.mark.parametrize('sizes, left', [((1, 2, 3), 2), ((1, 3), 1)])
def test_training_goes_on_without_a_host_that_is_gone(run: Run, tmp_path: Path, sizes: Any, left: int) -> None:
    """With as many hosts as the batch divides over; the change of the number of towers is then allowed."""
    behaviour = (f'[[ $rank == 0 && ! -s $STATE/gone ]] && echo resumed at step 5; (( ranks == {left} )) && exit 0; '
                 f'[[ $rank == 1 ]] && {{ sleep 0.3; echo b >"$STATE/gone"; exit 255; }}; {ENDED}')
    assert run(behaviour, FAR, 9, sizes) == 0
    assert [line.endswith('--resume') for line in starts(tmp_path)][-left:] == [True] * left
    assert starts(tmp_path)[-1].split()[1] == str(left)


def test_the_host_with_the_checkpoints_is_not_replaced(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='a:2201'):
        run(f'[[ $rank == 0 ]] && {{ echo resumed at step 5; sleep 0.3; echo a >"$STATE/gone"; exit 255; }}; {ENDED}',
            FAR, 9)


@pytest.mark.parametrize('number, code', [(signal.SIGTERM, 143), (signal.SIGINT, None)])
def test_a_signal_asks_every_rank_to_end_in_order(run: Run, tmp_path: Path, number: int, code: Any) -> None:
    def end() -> None:
        while len(starts(tmp_path)) < 3:
            time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident, number)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of pytest-xdist ignore it
    threading.Thread(target=end, daemon=True).start()
    try:
        with pytest.raises((SystemExit, KeyboardInterrupt)) as ended:
            run('cat >/dev/null; touch "$STATE/saved-$rank"; exit 143', FAR)
    finally:
        signal.signal(signal.SIGINT, before)
    assert getattr(ended.value, 'code', None) == code
    assert sorted(path.name for path in tmp_path.glob('saved-*')) == ['saved-0', 'saved-1', 'saved-2']


def test_a_rank_that_does_not_end_is_killed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, '_PATIENCE_S', 0.5)
    assert run('[[ $rank == 1 ]] && exit 1; exec sleep 1000') == 1


def test_hosts_are_addresses_or_processes_here() -> None:
    assert hosts_of('a:2222,127.0.0.2:2222') == [Host('a:2222', False), Host('127.0.0.2:2222', False)]
    assert hosts_of('localhost:2222,127.0.0.1:2223') == [Host('localhost:2222', True), Host('127.0.0.1:2223', True)]
    here = hosts_of('local:3')
    assert len(set(here)) == 3 and all(host.local and host.address.startswith('127.0.0.1:') for host in here)


@pytest.mark.parametrize('text', ['a', 'a:2222,', 'a:2222,a:2222', 'local:0', 'local:99', 'local:x', 'me@a:2222', ','])
def test_hosts_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match='--hosts'):
        hosts_of(text)
