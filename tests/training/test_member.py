"""Ranks meet, begin every step together, stop at the same step, and name who is gone. Each rank is a thread."""
import socket
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List

import pytest

from fashionai.errors import InputError
from fashionai.training.cluster import Cluster
from fashionai.training.control_messages import FETCHING, LOST_CODE, VALIDATING, Connection, PeerLost, Plan, Timing
from fashionai.training.launcher import hosts_of
from fashionai.training.member import Member

PLAN = Plan('skirt/run', {'seed': 1}, 0)
PATIENCE_S = 60.
SOON = Timing(beat=0.05, grace=0.2, start=1.)
"""What takes minutes between hosts takes moments here."""


def differing(first: Any, other: Any) -> str:
    return '; '.join(f'{key}: {first[key]} and {other.get(key)}' for key in first if other.get(key) != first[key])


class Ranks:
    """Runs a function for each rank of a cluster in a thread; `results` has what each returned or raised."""

    def __init__(self, count: int) -> None:
        self.addresses = [host.address for host in hosts_of(f'local:{count}')]
        self.results: Dict[int, Any] = {}
        self.ended: List[int] = []
        self._threads: List[threading.Thread] = []

    def member(self, rank: int, plan: Plan = PLAN, stall_s: float = PATIENCE_S) -> Member:
        return Member(Cluster(tuple(self.addresses), rank), plan, differing, stall_s, self.ended.append, SOON)

    def start(self, rank: int, action: Callable[[Member], Any], **joining: Any) -> None:
        def run() -> None:
            try:
                with self.member(rank, **joining) as team:
                    self.results[rank] = action(team)
            except BaseException as error:
                self.results[rank] = error
        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def wait(self) -> Dict[int, Any]:
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), self.results
        return self.results


@contextmanager
def raw(ranks: Ranks, **message: Any) -> Iterator[Connection]:
    """A connection to the meeting point, which has said something."""
    place = Cluster(tuple(ranks.addresses)).control
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connected = socket.create_connection(place)
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.01)
    connection = Connection(connected)
    connection.send(message)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize('count', [2, 3])
def test_no_rank_is_a_step_ahead(count: int) -> None:
    """While a rank is in a step, the others are in the same one."""
    ranks, lock = Ranks(count), threading.Lock()
    inside: List[int] = [0] * count
    seen = []

    def train(team: Member) -> int:
        for step in range(5):
            time.sleep(0.02 * (team.cluster.rank == step % count))
            with team.step():
                with lock:
                    inside[team.cluster.rank] = step
                    seen.append(max(inside) - min(inside))
        return team.first_step

    for rank in range(count):
        ranks.start(rank, train, plan=PLAN._replace(saved=7 if rank == 0 else 0))
    assert ranks.wait() == dict.fromkeys(range(count), 7), 'all resume where rank 0 does'
    assert max(seen) <= 1


@pytest.mark.parametrize('stopping', [0, 1])
@pytest.mark.parametrize('error, wanted', [
    (SystemExit(143), SystemExit), (KeyboardInterrupt(), KeyboardInterrupt), (InputError('bad.jpg'), InputError),
    (RuntimeError('a fault'), InputError)])
def test_who_stops_stops_all_at_the_same_step(stopping: int, error: BaseException, wanted: type) -> None:
    ranks = Ranks(3)
    done = [0] * 3

    def train(team: Member) -> None:
        for step in range(10):
            if (team.cluster.rank, step) == (stopping, 4):
                raise error
            with team.step():
                done[team.cluster.rank] += 1

    for rank in range(3):
        ranks.start(rank, train)
    results = ranks.wait()
    assert done == [4, 4, 4]
    assert results.pop(stopping) is error
    assert {type(result) for result in results.values()} == {wanted}
    if wanted is SystemExit:
        assert {result.code for result in results.values()} == {143}
    if isinstance(error, InputError):
        assert all(ranks.addresses[stopping] in str(result) and 'bad.jpg' in str(result)
                   for result in results.values())
    assert not ranks.ended


def test_a_rank_that_ends_without_a_word_is_named_by_all() -> None:
    ranks = Ranks(3)

    def train(team: Member) -> None:
        while True:
            with team.step():
                time.sleep(0.01)

    for rank in (0, 1):
        ranks.start(rank, train)
    with raw(ranks, join=2, cluster=list(ranks.addresses), **PLAN._asdict()) as connection:
        assert connection.receive() == {'start': 0}
        connection.send({'ready': 0})
    results = ranks.wait()
    assert all(type(result) is PeerLost and ranks.addresses[2] in str(result) for result in results.values())


def test_a_silent_rank_is_named() -> None:
    ranks = Ranks(2)

    def train(team: Member) -> None:
        while True:
            with team.step():
                pass

    ranks.start(0, train, stall_s=1.)
    with raw(ranks, join=1, cluster=list(ranks.addresses), **PLAN._asdict()):
        results = ranks.wait()
    assert type(results[0]) is PeerLost and ranks.addresses[1] in str(results[0])


def test_a_rank_without_batches_is_named_with_what_it_does() -> None:
    ranks, end = Ranks(2), threading.Event()

    def train(team: Member) -> None:
        with team.step():
            pass
        if team.cluster.rank == 1:
            end.wait(PATIENCE_S)
        with team.step():
            pass

    for rank in range(2):
        ranks.start(rank, train, stall_s=1.)
    until = time.monotonic() + PATIENCE_S
    while 0 not in ranks.results and time.monotonic() < until:
        time.sleep(0.02)
    end.set()
    assert f'{ranks.addresses[1]}) has been {FETCHING}' in str(ranks.wait()[0])


def test_a_validation_may_take_its_time() -> None:
    ranks = Ranks(2)

    def train(team: Member) -> str:
        for _ in range(2):
            with team.step():
                if team.cluster.rank == 0:
                    with team.doing(VALIDATING):
                        time.sleep(2.)
        return 'done'

    for rank in range(2):
        ranks.start(rank, train, stall_s=1.)
    assert ranks.wait() == {0: 'done', 1: 'done'}


def test_who_cannot_leave_its_step_is_ended() -> None:
    """TensorFlow's all-reduce waits for ever for a rank that is gone."""
    ranks = Ranks(2)

    def train(team: Member) -> None:
        with team.step():
            until = time.monotonic() + PATIENCE_S
            while not ranks.ended and time.monotonic() < until:
                time.sleep(0.02)

    ranks.start(0, train)
    with raw(ranks, join=1, cluster=list(ranks.addresses), **PLAN._asdict()) as connection:
        connection.send({'ready': 0})
        assert [connection.receive(), connection.receive()][0] == {'start': 0}
    ranks.wait()
    assert set(ranks.ended) == {LOST_CODE}


def test_a_rank_that_does_not_come_is_named() -> None:
    ranks = Ranks(3)
    for rank in (0, 1):
        ranks.start(rank, lambda team: None, stall_s=2.)
    results = ranks.wait()
    assert all(type(results[rank]) is PeerLost and ranks.addresses[2] in str(results[rank]) for rank in (0, 1))


def test_a_first_rank_that_cannot_be_reached_is_named() -> None:
    ranks = Ranks(2)
    with pytest.raises(PeerLost, match=ranks.addresses[0]):
        ranks.member(1, stall_s=0.5)


@pytest.mark.parametrize('other, named', [(PLAN._replace(agreement={'seed': 2}), 'seed: 1 and 2'),
                                          (PLAN._replace(saved=9), '9')])
def test_ranks_that_differ_are_refused_and_all_say_why(other: Plan, named: str) -> None:
    ranks = Ranks(3)
    for rank, plan in enumerate((PLAN, PLAN, other)):
        ranks.start(rank, lambda team: None, plan=plan)
    results = ranks.wait()
    assert all(type(result) is InputError and named in str(result) for result in results.values()), results
    assert ranks.addresses[2] in str(results[0])


def test_a_second_training_on_the_ports_is_refused_and_the_first_goes_on() -> None:
    ranks, started, end = Ranks(2), threading.Event(), threading.Event()

    def train(team: Member) -> str:
        with team.step():
            started.set()
            end.wait(PATIENCE_S)
        return 'done'

    for rank in range(2):
        ranks.start(rank, train)
    assert started.wait(PATIENCE_S)
    with pytest.raises(InputError, match='skirt/run'):
        ranks.member(1, PLAN._replace(run='skirt/other'))
    with pytest.raises(InputError, match=ranks.addresses[0]):
        ranks.member(0)
    end.set()
    assert ranks.wait() == {0: 'done', 1: 'done'}


def test_another_program_at_the_meeting_point_is_named() -> None:
    ranks = Ranks(2)
    with socket.socket() as other:
        other.bind(('127.0.0.1', Cluster(tuple(ranks.addresses)).control[1]))
        other.listen()

        def answer() -> None:
            connected, _ = other.accept()
            connected.sendall(b'HTTP/1.1 400 Bad Request\r\n')
            connected.recv(10)
            connected.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(InputError, match=str(other.getsockname()[1])):
            ranks.member(1)


def test_who_is_restarted_too_early_waits_for_the_end_of_the_others() -> None:
    """Kubernetes starts a rank again while the others have not noticed its death."""
    ranks, started = Ranks(2), threading.Event()

    def train(team: Member) -> None:
        with team.step():
            started.set()
            time.sleep(0.5)
        raise SystemExit(143)

    for rank in range(2):
        ranks.start(rank, train)
    assert started.wait(PATIENCE_S)
    again = Ranks(2)
    again.addresses = ranks.addresses
    again.start(1, lambda team: team.first_step)
    ranks.wait()
    again.start(0, lambda team: team.first_step, plan=PLAN._replace(saved=3))
    assert again.wait() == {0: 3, 1: 3}
