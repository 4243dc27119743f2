"""Starts the ranks of a training on several hosts, and starts them again from the last checkpoint if one of them fails.

Ranks on other hosts are started over ssh. A rank's standard input stays open as long as the launcher lives; a line on
it asks the rank to end, and its end does too. No TensorFlow is imported here.
"""
import logging
import os
import queue
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Dict, List, Optional, Sequence

import fashionai
from fashionai.errors import InputError, shown
from fashionai.signals import exit_on_sigterm
from fashionai.training.cluster import TF_CONFIG, Cluster, split_address
from fashionai.training.control_messages import LOST_CODE

RESUMED = 'resumed at step'
"""What rank 0 writes to standard output before the number of the step, for its launcher."""

SSH = ('ssh', '-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15', '-o', 'ServerAliveInterval=15', '-o',
       'ServerAliveCountMax=4')
"""The command in front of a host. It asks for no password, and notices within a minute that a host is gone."""

_UNREACHABLE = 255
"""The exit code of ssh if it has no connection."""

_FINAL = (0, 1, 2, 70, 126, 127)
"""Exit codes after which starting again makes no sense: the end of the training, bad input, a fault, no program."""

_GONE_AFTER = 3
"""A host that cannot be reached in so many starts is gone for good."""

_PATIENCE_S = 30.
"""Seconds that a rank has to end itself."""

_LONGEST_PAUSE_S = 60.

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Host:
    """Where a rank runs: the address of TensorFlow's server there, and whether that is this machine."""

    address: str
    local: bool


def hosts_of(text: str) -> List[Host]:
    """Returns the hosts of `--hosts`: HOST:PORT with commas between them, or local:N. Raises InputError."""
    count = re.fullmatch('local:([0-9]{1,3})', text)
    if count:
        if not 1 <= int(count.group(1)) <= 64:
            raise InputError(f'--hosts {text}: wanted 1 to 64 processes')
        return [Host(f'127.0.0.1:{port}', True) for port in _free_ports(int(count.group(1)))]
    try:
        hosts = [Host(address, _is_here(split_address(address)[0])) for address in text.split(',')]
    except InputError as error:
        raise InputError(f'--hosts: {error}, or local:2 for two processes on this machine') from None
    if len(set(hosts)) < len(hosts):
        raise InputError(f'--hosts {shown(text)}: an address occurs twice; processes of one host need different ports')
    return hosts


def _is_here(host: str) -> bool:
    return host in ('localhost', '127.0.0.1', '::1', socket.gethostname(), socket.getfqdn())


def _free_ports(count: int) -> List[int]:
    """Returns free ports above one another, with another free one above them."""
    while True:
        with socket.socket() as found:
            found.bind(('127.0.0.1', 0))
            first = found.getsockname()[1]
        ports = range(first, first + count + 1)
        if ports[-1] < 2 ** 16 and all(map(_is_free, ports)):
            return list(ports[:count])


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(('', port))
        except OSError:
            return False
    return True


@dataclass
class _Rank:
    """A running rank."""

    name: str
    process: 'subprocess.Popen[bytes]'
    code: Optional[int] = None
    resumed: Optional[int] = None
    threads: List[threading.Thread] = field(default_factory=list)

    def ask_to_end(self) -> None:
        """Asks the rank to save and to end."""
        try:
            self.process.stdin.close()  # type: ignore[union-attr]
        except OSError:
            pass


@dataclass(frozen=True)
class _Outcome:
    """How a start of all ranks ended: the exit code, of which rank, and the step at which it had begun."""

    code: int
    rank: int = 0
    resumed: Optional[int] = None


class Launcher:
    """Runs a command of train.py as every rank, until the training ends.

    `sizes`: the numbers of hosts over which a batch divides. `restarts`: how often the ranks are started again from the
    same checkpoint.
    """

    def __init__(self, flags: Sequence[str], sizes: Sequence[int], restarts: int, pause_s: float = 2.) -> None:
        self._flags, self._sizes, self._restarts, self._pause_s = list(flags), sizes, restarts, pause_s
        self._printing = threading.Lock()

    def run(self, hosts: List[Host]) -> int:
        """Trains on the hosts, of which the first has the checkpoints. Returns the exit code.

        Raises InputError if a host cannot be reached in the first start, or if the restarts are used up.
        """
        wanted, last, tries, unreachable = len(hosts), -1, 0, 0
        while True:
            with exit_on_sigterm():
                outcome = self._start(hosts, resume=len(hosts) < wanted)
            if outcome.code in _FINAL:
                return outcome.code
            resumed = -1 if outcome.resumed is None else outcome.resumed
            what = f'rank {outcome.rank} ({hosts[outcome.rank].address}) {_manner(outcome.code)}'
            missing = outcome.code == _UNREACHABLE and not hosts[outcome.rank].local and resumed < 0
            if missing and last < 0:
                raise InputError(f'{what}: is the host on, and does ssh reach it without a password?')
            tries = 1 if resumed > last else tries + 1
            unreachable = unreachable + 1 if missing else 0
            last = max(last, resumed)
            if unreachable == _GONE_AFTER:
                hosts, unreachable, tries = self._without(hosts, outcome.rank), 0, 1
            if tries > self._restarts:
                raise InputError(f'{what}: {self._restarts} restarts have not come further than step {max(last, 0)}')
            pause = min(_LONGEST_PAUSE_S, self._pause_s * 2 ** (tries - 1))
            logger.warning('%s: starting again from the last checkpoint in %.0f s', what, pause)
            time.sleep(pause)

    def _without(self, hosts: List[Host], gone: int) -> List[Host]:
        """Returns as many of the other hosts as a batch divides over. Raises InputError if the first one is gone."""
        address = hosts[gone].address
        if gone == 0:
            raise InputError(f'the host of rank 0 ({address}) is gone, and the checkpoints are there: if the others '
                             'have them too, start again with --hosts without it')
        left = [host for number, host in enumerate(hosts) if number != gone]
        size = max(size for size in self._sizes if size <= len(left))
        logger.warning('rank %d (%s) is gone for good: training goes on with %d of %d hosts', gone, address, size,
                       len(hosts))
        return left[:size]

    def _start(self, hosts: List[Host], resume: bool) -> _Outcome:
        """Runs all ranks until they have ended, and ends them when the first one fails."""
        ended: queue.Queue[int] = queue.Queue()
        ranks = [self._rank(number, hosts, resume) for number in range(len(hosts))]
        try:
            for number, rank in enumerate(ranks):
                threading.Thread(target=_wait, args=(rank, number, ended), daemon=True).start()
            first = ended.get()
            while ranks[first].code == 0 and any(rank.code is None for rank in ranks):
                first = ended.get()
        finally:
            _end(ranks)
        return _outcome(ranks, first)

    def _rank(self, number: int, hosts: List[Host], resume: bool) -> _Rank:
        cluster = Cluster(tuple(host.address for host in hosts), number)
        host = hosts[number]
        command = [sys.executable, '-m', 'fashionai.cli.main', 'train', *self._flags, *(['--resume'] if resume else [])]
        variables = {TF_CONFIG: cluster.tf_config(), 'PYTHONPATH': _python_path()}
        if host.local:
            process = _opened(command, {**os.environ, **variables})
        else:
            there = ['env', *(f'{name}={value}' for name, value in variables.items()), *command]
            line = f'cd {shlex.quote(os.getcwd())} && exec {" ".join(map(shlex.quote, there))}'
            process = _opened([*SSH, split_address(host.address)[0], line], dict(os.environ))
        rank = _Rank(cluster.named(number), process)
        for stream, to in (process.stdout, sys.stdout), (process.stderr, sys.stderr):
            rank.threads.append(threading.Thread(target=self._pass_on, args=(rank, number, stream, to), daemon=True))
            rank.threads[-1].start()
        return rank

    def _pass_on(self, rank: _Rank, number: int, lines: IO[bytes], to: IO[str]) -> None:
        """Prints the lines of a rank with its number; keeps what it reports."""
        for line in lines:
            text = line.decode(errors='replace').rstrip('\n')
            found = re.fullmatch(f'{RESUMED} ([0-9]+)', text)
            if found:
                rank.resumed = int(found.group(1))
            else:
                with self._printing:
                    print(f'[{number}] {text}', file=to, flush=True)


def _opened(command: Sequence[str], environment: Dict[str, str]) -> 'subprocess.Popen[bytes]':
    """Starts a process. Ctrl-C of the terminal reaches the launcher alone, which passes it on."""
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, start_new_session=True)


def _python_path() -> str:
    """Returns a PYTHONPATH with which another Python finds this package."""
    before = os.environ.get('PYTHONPATH')
    return os.pathsep.join([str(Path(fashionai.__file__).resolve().parents[1]), *([before] if before else [])])


def _wait(rank: _Rank, number: int, ended: 'queue.Queue[int]') -> None:
    code = rank.process.wait()
    rank.code = 128 - code if code < 0 else code
    ended.put(number)


def _end(ranks: Sequence[_Rank]) -> None:
    """Asks the ranks to end, kills those that do not, and prints the rest of what they said."""
    for rank in ranks:
        rank.ask_to_end()
    until = time.monotonic() + _PATIENCE_S
    for rank in ranks:
        try:
            rank.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning('%s does not end: killing it', rank.name)
            os.killpg(rank.process.pid, signal.SIGKILL)
            rank.process.wait()
    for rank in ranks:
        for thread in rank.threads:
            thread.join(2)


def _outcome(ranks: Sequence[_Rank], first: int) -> _Outcome:
    """Returns how the ranks ended. The cause is the first that failed, unless that one only lost another."""
    codes = [128 - rank.process.returncode if rank.process.returncode < 0 else rank.process.returncode
             for rank in ranks]
    causes = [number for number, code in enumerate(codes) if code not in (0, LOST_CODE, 128 + signal.SIGTERM)]
    cause = first if first in causes or not causes else causes[0]
    return _Outcome(codes[cause], cause, ranks[0].resumed)


def _manner(code: int) -> str:
    """Returns how a rank ended, in words."""
    if code == _UNREACHABLE:
        return 'has no connection over ssh'
    if code == LOST_CODE:
        return 'lost another rank'
    try:
        return f'was ended by {signal.Signals(code - 128).name}'
    except ValueError:
        return f'ended with exit code {code}'


def end_with_launcher() -> None:
    """From now on this rank gets SIGTERM when its standard input ends, and ends soon after in any case."""
    def watch() -> None:
        while os.read(0, 1024):  # not sys.stdin: at the end of the process nobody could take its lock from this thread
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE_S)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, name='launcher', daemon=True).start()
