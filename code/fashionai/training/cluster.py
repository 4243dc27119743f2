"""Which processes train together, as TF_CONFIG says, and which of them this process is. No TensorFlow is imported here.

Kubeflow's TFJob sets the variable TF_CONFIG; scripts for Slurm and `train.py --hosts` do so too. Each process is a
rank: rank 0 saves, validates and logs. See docs/cluster.md.
"""
import errno
import json
import re
import socket
from dataclasses import dataclass
from typing import Any, List, Mapping, Tuple

from fashionai.errors import InputError, shown
from fashionai.files import parse_json

TF_CONFIG = 'TF_CONFIG'

_FIRST_JOBS, _WORKERS = ('chief', 'master'), 'worker'
"""Names of jobs in TF_CONFIG. The task of one of the first is rank 0; the workers follow."""

_ADDRESS = re.compile(r'(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/@]+):([0-9]{1,5})')


@dataclass(frozen=True)
class Cluster:
    """The processes of a training, by their addresses HOST:PORT in the order of their ranks, and the own rank."""

    addresses: Tuple[str, ...] = ('',)
    rank: int = 0

    @property
    def ranks(self) -> int:
        """The number of processes."""
        return len(self.addresses)

    def named(self, rank: int) -> str:
        """Returns what messages call a rank, such as `rank 1 (b:2222)`."""
        return f'rank {rank} ({self.addresses[rank]})'

    @property
    def control(self) -> Tuple[str, int]:
        """The host and port where rank 0 waits for the others: the first port above its own that no rank uses."""
        host, port = split_address(self.addresses[0])
        taken = {split_address(address)[1] for address in self.addresses}
        return host, next(number for number in range(port + 1, port + 2 + len(taken)) if number not in taken)

    def tf_config(self) -> str:
        """Returns the value of TF_CONFIG that `cluster_of` reads."""
        return json.dumps({'cluster': {_WORKERS: list(self.addresses)}, 'task': {'type': _WORKERS, 'index': self.rank}})


ALONE = Cluster()
"""A training of one process."""


def split_address(address: str) -> Tuple[str, int]:
    """Returns host and port of HOST:PORT; the host of an IPv6 address has no brackets. Raises InputError."""
    found = _ADDRESS.fullmatch(address)
    if not found or not 0 < int(found.group(2)) < 2 ** 16 - 1:
        raise InputError(f'{shown(address)} is not an address: wanted HOST:PORT such as a:2222')
    return found.group(1).strip('[]'), int(found.group(2))


def cluster_of(environment: Mapping[str, str]) -> Cluster:
    """Returns the cluster that the variable TF_CONFIG describes; ALONE if it is not set or names one process.

    Raises InputError if TF_CONFIG is not understood, if it has parameter servers, or if this process is an evaluator.
    """
    text = environment.get(TF_CONFIG, '').strip()
    if not text:
        return ALONE
    config = parse_json(text.encode('utf-8', 'surrogateescape'), TF_CONFIG)
    if not isinstance(config, dict):
        raise InputError(f'{TF_CONFIG} is {shown(config)}: wanted an object with "cluster" and "task"')
    if not config.get('cluster'):
        return ALONE
    jobs = _jobs(config['cluster'])
    job, index = _task(config.get('task'), jobs)
    order = [(name, number) for name in (*_FIRST_JOBS, _WORKERS) for number in range(len(jobs.get(name, [])))]
    addresses = tuple(jobs[name][number] for name, number in order)
    if len(set(addresses)) < len(addresses):
        twice = next(address for address in addresses if addresses.count(address) > 1)
        raise InputError(f'{TF_CONFIG}: the address {twice} occurs twice: every process needs its own')
    return Cluster(addresses, order.index((job, index))) if len(addresses) > 1 else ALONE


def _jobs(cluster: Any) -> Mapping[str, List[str]]:
    """Returns the addresses of each job. Raises InputError if this training has no use for a job."""
    if not isinstance(cluster, dict) or not all(
            isinstance(tasks, list) and all(isinstance(task, str) for task in tasks) for tasks in cluster.values()):
        raise InputError(f'{TF_CONFIG}: cluster is {shown(cluster)}: wanted lists of addresses by job, such as '
                         '{"worker": ["a:2222", "b:2222"]}')
    if cluster.get('ps'):
        raise InputError(f'{TF_CONFIG}: cluster has the job ps: this training has no parameter servers, because the '
                         'workers exchange their gradients; leave ps out')
    unknown = sorted(set(cluster) - {*_FIRST_JOBS, _WORKERS, 'ps', 'evaluator'})
    first = sum(len(cluster.get(name, [])) for name in _FIRST_JOBS)
    if unknown or first > 1:
        raise InputError(f'{TF_CONFIG}: cluster has {shown(unknown) if unknown else f"{first} chiefs"}: wanted worker, '
                         'and chief with one task at most')
    for tasks in cluster.values():
        for address in tasks:
            split_address(address)
    return cluster


def _task(task: Any, jobs: Mapping[str, List[str]]) -> Tuple[str, int]:
    """Returns the job and the number of this process."""
    job, index = (task.get('type'), task.get('index', 0)) if isinstance(task, dict) else (None, None)
    if job == 'evaluator':
        raise InputError(f'{TF_CONFIG}: this process is an evaluator, but rank 0 validates: leave the evaluator out')
    if isinstance(index, str) and index.isdigit():
        index = int(index)
    if job not in (*_FIRST_JOBS, _WORKERS) or type(index) is not int or not 0 <= index < len(jobs.get(job, [])):
        counts = ', '.join(f'{len(tasks)} {name}' for name, tasks in jobs.items())
        raise InputError(f'{TF_CONFIG}: task is {shown(task)}, but cluster has {counts}: wanted "type" and "index" of '
                         'one of them')
    return job, index


def check_port(cluster: Cluster) -> None:
    """Raises InputError if another process has this rank's port; TensorFlow would end with a fault that names none."""
    listening(split_address(cluster.addresses[cluster.rank])[1], cluster.named(cluster.rank)).close()


def listening(port: int, user: str) -> socket.socket:
    """Returns a socket that listens on a port of this host, over IPv4 and, if the host has it, IPv6.

    Raises InputError, naming the rank that uses the port, if another process has it.
    """
    for family, everywhere in (socket.AF_INET6, '::'), (socket.AF_INET, ''):
        try:
            found = socket.socket(family)
        except OSError:  # a host without IPv6
            continue
        try:
            if family == socket.AF_INET6:
                found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((everywhere, port))
            found.listen(128)
            return found
        except OSError as error:
            found.close()
            if error.errno != errno.EADDRNOTAVAIL:
                raise InputError(f'{user} needs port {port} of this host: {error.strerror}; another training may have '
                                 'it: give other ports') from None
    raise InputError(f'{user} needs port {port}, but this host has no network')
