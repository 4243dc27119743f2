"""Trains over two hosts that ssh connects: to the end, until SIGTERM, with batches of others, and without one host.

The hosts are two networks on this machine (Linux network namespaces) with a cable between them. Each has a name, an
address and an sshd of its own, and nothing else reaches them. The training is started by begin_to_train.sh, as a user
does it; a process that ssh starts gets nothing of the environment of this one. Needs Linux, the rights of root, and
the programs unshare, nsenter, ip, ssh, ssh-keygen and sshd (Debian: openssh-server).

    python tests/two_hosts.py
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, List

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
ADDRESSES = {'a': '10.99.0.1', 'b': '10.99.0.2'}
HOSTS = ('--hosts', 'a:2222,b:2222')
PATIENCE_S = 900
STALL_S = 20
"""A host that is silent for so long is lost. Then ssh is tried three times."""

SSHD = """
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
LogLevel ERROR
"""
SSH = """
Host a b
  IdentityFile {folder}/user_key
  UserKnownHostsFile {folder}/known_hosts
"""


def main() -> None:
    """Starts this program again in a network of its own, where it is host a."""
    if sys.argv[1:2] == ['--inside']:
        inside(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        own = ('unshare', '--mount', '--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc')
        sys.exit(subprocess.call([*own, sys.executable, __file__, '--inside', folder]))


def inside(folder: Path) -> None:
    """Makes the hosts and runs the trials."""
    make_users(folder)
    with subprocess.Popen(['unshare', '--net', '--uts', 'sleep', 'infinity']) as b:
        try:
            make_network(folder, b.pid)
            for trial in (a_whole_training, a_training_that_is_told_to_end, batches_of_other_programs,
                          a_host_that_is_gone):
                trial(folder, b.pid)
                print(f'{trial.__name__.replace("_", " ")}: as wanted', flush=True)
        finally:
            b.kill()


def make_users(folder: Path) -> None:
    """Makes the keys of ssh, and shows this process and its children other files of users and hosts: root with a home
    of its own, and the user that sshd needs."""
    (folder / 'home/.ssh').mkdir(parents=True)
    for name in 'host_key', 'user_key':
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', str(folder / name))
    host_key = ' '.join((folder / 'host_key.pub').read_text().split()[:2])
    texts = {
        'passwd': f'root:x:0:0:root:{folder}/home:/bin/bash\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n',
        'shadow': 'root:*:19000:0:99999:7:::\n',
        'hosts': '127.0.0.1 localhost\n' + ''.join(f'{address} {name}\n' for name, address in ADDRESSES.items()),
        'known_hosts': ''.join(f'{name},{address} {host_key}\n' for name, address in ADDRESSES.items()),
        'home/.ssh/config': SSH.format(folder=folder)}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / 'home/.ssh/config').chmod(0o600)
    for name in 'passwd', 'shadow', 'hosts':
        run('mount', '--bind', str(folder / name), f'/etc/{name}')
    run('mount', '-t', 'tmpfs', 'run', '/run')
    Path('/run/sshd').mkdir(mode=0o755)


def make_network(folder: Path, b: int) -> None:
    """Names this host a and that of process `b` b, puts a cable between them, and starts sshd on b."""
    on_b = ('nsenter', f'--target={b}', '--net', '--uts')
    run('ip', 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', str(b))
    for name, here in ('a', ()), ('b', on_b):
        for command in (('hostname', name), ('ip', 'link', 'set', 'lo', 'up'),
                        ('ip', 'address', 'add', f'{ADDRESSES[name]}/24', 'dev', 'cable'),
                        ('ip', 'link', 'set', 'cable', 'up')):
            run(*here, *command)
    (folder / 'sshd_config').write_text(SSHD.format(address=ADDRESSES['b'], folder=folder))
    server = shutil.which('sshd', path=f'{os.environ["PATH"]}:/usr/sbin')
    assert server, 'sshd is not installed'
    run(*on_b, server, '-f', str(folder / 'sshd_config'))
    wait_for(lambda: not subprocess.call(['ssh', 'b', 'test "$(hostname)" = b']), 60)


def run(*command: str) -> None:
    """Runs a program to its end, which must be a good one."""
    subprocess.run(command, check=True)


def wait_for(wanted: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Waits until something is so. Raises AssertionError if it takes too long."""
    latest = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < latest
        time.sleep(0.2)


def ranks_on(host: int) -> List[int]:
    """Returns the ranks that run in the network of a process."""
    found = []
    for place in Path('/proc').glob('[0-9]*'):
        try:
            if (b'--launched' in (place / 'cmdline').read_bytes().split(b'\0')
                    and os.readlink(str(place / 'ns/net')) == os.readlink(f'/proc/{host}/ns/net')):
                found.append(int(place.name))
        except OSError:  # it has just ended
            continue
    return found


def difference(one: Path, other: Path) -> float:
    """Returns how far the values of two checkpoints are apart, relative to their norm."""
    import tensorflow as tf
    readers = [tf.train.load_checkpoint(str(path)) for path in (one, other)]
    first, second = (np.concatenate([reader.get_tensor(name).ravel() for name in sorted(
        readers[0].get_variable_to_shape_map()) if name != 'global_step']) for reader in readers)
    return float(np.linalg.norm(first - second) / np.linalg.norm(first))


def data_flags(folder: Path) -> List[object]:
    """Returns the flags of a training and of programs that make its batches."""
    return ['--model', 'testing', '--datapath', folder / 'data', '--imgpath', folder / 'data', '--input-width', 32,
            '--input-height', 32, '--workers', 0]


class Training:
    """A training that begin_to_train.sh started on host a."""

    def __init__(self, folder: Path, name: str, *flags: object) -> None:
        self.folder, self._log = folder / name / 'skirt/run', folder / f'{name}.log'
        usual = [*data_flags(folder), '--batchsize', 6, '--lr', '1e-3', '--validate-every', 0, '--modelpath',
                 folder / name, '--logpath', folder / name, '--run-name', 'run', '--keep', 50]
        command = [str(PROJECT / 'begin_to_train.sh'), 'skirt', *map(str, [*usual, *flags])]
        with open(str(self._log), 'ab') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def output(self) -> str:
        return self._log.read_text()

    def steps(self) -> List[int]:
        """Returns the steps of the checkpoints, in order."""
        return sorted(int(path.stem.split('-')[1]) for path in self.folder.glob('model-*.index'))

    def ends_with(self, code: int) -> None:
        assert self.process.wait(PATIENCE_S) == code, self.output

    def comes_to(self, step: int) -> None:
        wait_for(lambda: self.process.poll() is not None or self.steps()[-1:] >= [step])
        assert self.process.poll() is None, self.output


def a_whole_training(folder: Path, b: int) -> None:
    """Two hosts give the weights of one process with two towers."""
    run(sys.executable, str(PROJECT / 'code/synthesize.py'), '--output', str(folder / 'data'), '--train', '60', '--val',
        '10', '--test', '5', '--size', '64', '--seed', '3', '--workers', '1')
    hosts = Training(folder, 'both', '--max-steps', 8, *HOSTS)
    hosts.ends_with(0)
    alone = Training(folder, 'alone', '--max-steps', 8, '--gpus', 2)
    alone.ends_with(0)
    assert '[1] ' in hosts.output and hosts.steps() == alone.steps() == [8], hosts.output
    apart = difference(hosts.folder / 'model-8', alone.folder / 'model-8')
    print(f'weights of two hosts and of one process with two towers: {apart:.1g} of their norm apart')
    assert apart < 1e-4


def a_training_that_is_told_to_end(folder: Path, b: int) -> None:
    """SIGTERM to the driver ends both hosts after a step, which is saved; the same command goes on."""
    training = Training(folder, 'told', '--save-every', 5, '--max-steps', 10 ** 6, *HOSTS)
    training.comes_to(5)
    training.process.send_signal(signal.SIGTERM)
    training.ends_with(143)
    last = training.steps()[-1]
    wait_for(lambda: not ranks_on(b))
    assert 'killing it' not in training.output, training.output
    again = Training(folder, 'told', '--save-every', 5, '--max-steps', last + 3, *HOSTS)
    again.ends_with(0)
    assert f'step {last} ' in again.output and again.steps()[-1] == last + 3, again.output


def batches_of_other_programs(folder: Path, b: int) -> None:
    """Each host takes its share of the batches at the same port of its own; send_batches.py makes them."""
    senders = [subprocess.Popen([sys.executable, str(PROJECT / 'code/send_batches.py'), '--tag', 'skirt', '--batchsize',
                                 '3', '--remote-data', f'tcp://{host}:5555', *map(str, data_flags(folder))])
               for host in ADDRESSES]
    try:
        training = Training(folder, 'sent', '--max-steps', 8, '--remote-data', 'tcp://0.0.0.0:5555', *HOSTS)
        training.ends_with(0)
        assert training.steps() == [8]
    finally:
        for sender in senders:
            sender.terminate()
            sender.wait()


def a_host_that_is_gone(folder: Path, b: int) -> None:
    """The cable is pulled: the rank of b ends, and host a goes on alone from the last checkpoint."""
    training = Training(folder, 'gone', '--save-every', 5, '--max-steps', 10 ** 6, '--stall-seconds', STALL_S, *HOSTS)
    training.comes_to(5)
    run('ip', 'link', 'set', 'cable', 'down')
    last = training.steps()[-1]
    wait_for(lambda: not ranks_on(b))
    training.comes_to(last + 20)
    assert 'gone for good' in training.output, training.output
    changes = json.loads((training.folder / 'run.json').read_text())['changes']
    assert [change['differences'] for change in changes] == [{'--gpus': [2, 1]}], changes
    training.process.send_signal(signal.SIGTERM)
    training.ends_with(143)
    run('ip', 'link', 'set', 'cable', 'up')


if __name__ == '__main__':
    main()
