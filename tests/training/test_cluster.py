"""TF_CONFIG: which processes train together, and which of them this is."""
import json
import re
import socket
from typing import Any, Dict

import pytest

from fashionai.errors import InputError
from fashionai.training.cluster import ALONE, Cluster, check_port, cluster_of, split_address


def environment(cluster: Any, task: Any) -> Dict[str, str]:
    return {'TF_CONFIG': json.dumps({'cluster': cluster, 'task': task})}


@pytest.mark.parametrize('config', ['', ' ', '{}', '{"cluster": {}}', '{"environment": "cloud"}',
                                    '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'])
def test_one_process_is_alone(config: str) -> None:
    assert cluster_of({'TF_CONFIG': config}) == cluster_of({}) == ALONE
    assert (ALONE.ranks, ALONE.rank) == (1, 0)


@pytest.mark.parametrize('task, rank', [(('worker', 0), 1), (('worker', 1), 2), (('chief', 0), 0)])
def test_the_chief_is_the_first_rank_and_workers_follow(task: Any, rank: int) -> None:
    found = cluster_of(environment({'worker': ['b:2222', 'c:2222'], 'chief': ['a:2222']},
                                   {'type': task[0], 'index': task[1]}))
    assert found == Cluster(('a:2222', 'b:2222', 'c:2222'), rank)


@pytest.mark.parametrize('rank', [0, 1])
def test_what_is_written_is_read(rank: int) -> None:
    cluster = Cluster(('a:2222', '[::1]:2223'), rank)
    assert cluster_of({'TF_CONFIG': cluster.tf_config()}) == cluster


WORKERS = {'worker': ['a:1', 'b:1']}


@pytest.mark.parametrize('config, named', [
    ('{', 'TF_CONFIG'), ('[]', 'cluster'), ('{"cluster": 1}', 'cluster'),
    ('{"cluster": {"worker": {"0": "a:1"}}}', 'worker'),
    (json.dumps({'cluster': WORKERS}), '2 worker'),
    (json.dumps({'cluster': WORKERS, 'task': {'type': 'worker', 'index': 2}}), '2 worker'),
    (json.dumps({'cluster': WORKERS, 'task': {'type': 'worker', 'index': -1}}), '2 worker'),
    (json.dumps({'cluster': WORKERS, 'task': {'type': 'worker', 'index': None}}), '2 worker'),
    (json.dumps({'cluster': WORKERS, 'task': {'type': 'chief', 'index': 0}}), 'chief'),
    (json.dumps({'cluster': WORKERS, 'task': {'type': 'evaluator', 'index': 0}}), 'evaluator'),
    (json.dumps({'cluster': {**WORKERS, 'ps': ['c:1']}, 'task': {'type': 'ps', 'index': 0}}), 'ps'),
    (json.dumps({'cluster': {**WORKERS, 'ps': ['c:1']}, 'task': {'type': 'worker', 'index': 0}}), 'ps'),
    (json.dumps({'cluster': {**WORKERS, 'cook': ['c:1']}, 'task': {'type': 'worker', 'index': 0}}), 'cook'),
    (json.dumps({'cluster': {**WORKERS, 'chief': ['c:1', 'd:1']}, 'task': {'type': 'worker', 'index': 0}}), '2 chiefs'),
    (json.dumps({'cluster': {'worker': ['a:1', 'a:1']}, 'task': {'type': 'worker', 'index': 0}}), 'a:1'),
    (json.dumps({'cluster': {'worker': ['a', 'b:1']}, 'task': {'type': 'worker', 'index': 0}}), "'a'"),
    (json.dumps({'cluster': {'worker': ['a:99999', 'b:1']}, 'task': {'type': 'worker', 'index': 0}}), 'a:99999')])
def test_what_is_not_understood_is_one_line(config: str, named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)) as refused:
        cluster_of({'TF_CONFIG': config})
    assert '\n' not in str(refused.value)


@pytest.mark.parametrize('addresses, port', [
    (('a:2222', 'b:2222'), 2223), (('a:2222', 'a:2223', 'a:2224'), 2225), (('a:2222', 'a:2224'), 2223)])
def test_the_meeting_port_is_nobody_elses(addresses: Any, port: int) -> None:
    assert Cluster(addresses).control == Cluster(addresses, 1).control == ('a', port)


def test_an_address_of_ipv6_has_brackets() -> None:
    assert split_address('[fe80::1]:2222') == ('fe80::1', 2222)
    for text in ('fe80::1:2222', 'user@a:1', 'a:0', ':1', 'a:1 '):
        with pytest.raises(InputError):
            split_address(text)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        address = f'127.0.0.1:{taken.getsockname()[1]}'
        with pytest.raises(InputError, match=address):
            check_port(Cluster((address, 'b:1')))
    check_port(Cluster((address, 'b:1')))
