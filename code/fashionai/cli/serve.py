"""A web page that finds the garment in pictures, and the service behind it."""
import argparse
import logging
import os
import re
import signal
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from multiprocessing.connection import Connection
from socket import socket
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Callable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.cli.entry_point import guarded
from fashionai.cli.inference_flags import ChosenNetworks, add_inference_options, chosen_networks
from fashionai.errors import InputError
from fashionai.extras import EXTRAS, missing_package
from fashionai.garments.table import AUTO, JOINT
from fashionai.images.decoder import MEGAPIXELS
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.option_group import at_least, comma_list
from fashionai.signals import exit_on_sigterm

if TYPE_CHECKING:
    from fashionai.serving.connections import Server
    from fashionai.serving.limits import Limits
    from fashionai.serving.listener import Listener

_END_SECONDS = 15
"""A process may end so long after its last request."""

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--host', default='127.0.0.1', help='address to listen at; 0.0.0.0: every address of the machine (default: '
        '%(default)s, this machine alone)')
    add('--port', type=at_least(0), default=8000, help='port to listen at; 0: any free port (default: %(default)s)')
    add('--replace', action='store_true', help='take the port over from the service that listens at it, if there is '
        'one. The old service ends when the new one serves; no request is lost (Linux)')
    add('--processes', type=at_least(1, 256), default=1, help='processes that serve at the port, each with its own '
        'networks and with its own --waiting, --queue and --connections (default: %(default)s)')
    add('--tag', default=JOINT, help='garment type to serve (default: every type)')
    add('--megabytes', type=float, default=20, help='maximum size of a picture in MB (default: %(default)s)')
    add('--megapixels', type=float, default=MEGAPIXELS, help='maximum size of a picture in million pixels (default: '
        '%(default)g)')
    add('--pictures', type=at_least(1), default=8, help='maximum number of pictures in one form (default: '
        '%(default)s)')
    add('--seconds', type=float, default=60, help='seconds within which a picture must arrive; then the same number of '
        'seconds until its answer (default: %(default)g)')
    add('--waiting', type=at_least(1), default=16, help='pictures that are processed at a time. Each may take '
        '--megabytes, and 3 bytes for each pixel, of memory (default: %(default)s)')
    add('--queue', type=at_least(1), default=64, help='pictures that wait to be processed, in the order of their '
        'arrival (default: %(default)s)')
    add('--connections', type=at_least(1), default=256, help='maximum number of open connections (default: '
        '%(default)s)')
    add('--hosts', default='', metavar='NAMES', help='names of the service, with commas between them, such as '
        'shop.example,*.shop.example; *: any name. localhost and the address of the machine always work')
    add('--origins', default='', metavar='ORIGINS', help='websites whose pages may use the service, with commas '
        'between them, such as https://shop.example; *: any (default: none but its own page)')
    add('--access-log', default='-', metavar='FILE', help="file that gets a line of JSON for each request; -: stderr; "
        "'': none (default: %(default)s)")
    add_inference_options(parser)
    parser.set_defaults(batch=8)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Serve until interrupted."""
    args = parse(argv)
    check_packages()
    from fashionai.serving.listener import open_listener
    from fashionai.serving.observing import open_access_log
    _limits(args)
    _origins(args)
    open_access_log(args.access_log)
    networks = _networks(args)
    with exit_on_sigterm(), open_listener(args.host, args.port, args.replace) as listener:
        if args.processes == 1:
            _serve_alone(args, networks, listener)
        else:
            _supervise(args, listener)
    return 0


def _serve_alone(args: argparse.Namespace, networks: ChosenNetworks, listener: 'Listener') -> None:
    """Serves in this process."""
    with _serving(args, networks, listener.socket, early=not listener.replaces) as (server, until_ended):
        with listener.offered(server.leave):
            logger.info('serving at %s (Ctrl+C ends it)', listener.address)
            until_ended()


def _supervise(args: argparse.Namespace, listener: 'Listener') -> None:
    """Serves in several processes. They share the cores, and a folder for their metrics."""
    from prometheus_client.multiprocess import mark_process_dead

    from fashionai.serving.metrics import FOLDER
    from fashionai.serving.processes import Supervisor
    args.threads = args.threads or max(1, _cores() // args.processes)
    with TemporaryDirectory(prefix='fashionai-') as folder:
        os.environ[FOLDER] = folder
        supervisor = Supervisor(partial(_work, args, listener.socket), args.processes, not listener.replaces,
                                _limits(args).request_seconds + _END_SECONDS,
                                partial(mark_process_dead, path=folder))
        with supervisor.running() as until_ended, listener.offered(supervisor.leave):
            logger.info('serving at %s in %d processes (Ctrl+C ends it)', listener.address, args.processes)
            until_ended()


def _work(args: argparse.Namespace, listening: socket, line: Connection, early: bool) -> None:
    """The main function of one of several processes."""
    def serve(argv: Optional[Sequence[str]]) -> int:
        messages = logging.getLogger('fashionai')
        messages.setLevel(logging.ERROR)  # the supervisor has warned of the networks
        networks = _networks(args)
        messages.setLevel(logging.WARNING)  # it has said the rest, too
        with _serving(args, networks, listening, early, shared=True) as (server, until_ended):
            Thread(target=_obey, args=(line, server), daemon=True).start()
            line.send(READY)
            until_ended()
        return 0

    from fashionai.serving.processes import READY
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl+C reaches all processes: the supervisor decides
    sys.exit(guarded(serve)())


def _obey(line: Connection, server: 'Server') -> None:
    """Does what the supervisor says, until it is gone; then the server ends too."""
    from fashionai.serving.processes import LEAVE
    try:
        while True:
            if line.recv() == LEAVE:
                server.leave()
            server.should_exit = True
    except (EOFError, OSError):
        server.should_exit = True


@contextmanager
def _serving(args: argparse.Namespace, networks: ChosenNetworks, listening: socket, early: bool,
             shared: bool = False) -> Iterator[Tuple['Server', Callable[[], None]]]:
    """Serves at a socket during the block, which begins when the networks have been loaded and have seen a picture.
    `early`: answers meanwhile that they are being loaded. Yields the server, and what `running` yields."""
    from fashionai.serving.answers import card_of
    from fashionai.serving.app import make_app
    from fashionai.serving.connections import Server, running
    from fashionai.serving.front import Front
    from fashionai.serving.metrics import Metrics
    from fashionai.serving.observing import Observer, open_access_log
    metrics, limits = Metrics(), _limits(args)
    front = Front(comma_list(args.hosts), _origins(args), Observer(metrics, open_access_log(args.access_log)))
    server = Server(front, limits, shared)
    with ExitStack() as stack:
        if early:
            until_ended = stack.enter_context(running(server, listening))
        predictor = stack.enter_context(networks.load_predictor())
        _warm(predictor)
        front.open(make_app(predictor, card_of(networks.models, predictor, limits), limits, metrics))
        if not early:
            until_ended = stack.enter_context(running(server, listening))
        metrics.ready(networks.models)
        yield server, until_ended


def _warm(predictor: GarmentPredictor) -> None:
    """Run the networks once: their first pass takes several times as long as any other."""
    predictor.predict([np.zeros((64, 64, 3), np.uint8)], [AUTO if predictor.types else next(iter(predictor.served))])


def _limits(args: argparse.Namespace) -> 'Limits':
    from fashionai.serving.limits import Limits
    return Limits(args.megabytes, args.megapixels, args.seconds, args.waiting, args.batch, queue=args.queue,
                  connections=args.connections, pictures=args.pictures)


def _networks(args: argparse.Namespace) -> ChosenNetworks:
    """Returns the networks of the flags. Raises InputError if they do not know the tag."""
    networks = chosen_networks(args, args.tag, prefer='onnxruntime')
    networks.garments.of(args.tag)
    return networks


def _origins(args: argparse.Namespace) -> List[str]:
    """Returns the websites of --origins. Raises InputError for what is none."""
    origins = [name.rstrip('/') for name in comma_list(args.origins)]
    for origin in origins:
        if origin != '*' and not re.fullmatch(r'https?://[\w.:\[\]-]+', origin):
            raise InputError(f'--origins {origin!r}: wanted an origin such as https://shop.example, or *')
    return origins


def _cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def check_packages() -> None:
    """Raises InputError if the interpreter is too old or lacks a package."""
    if sys.version_info < (3, 10):
        raise InputError(f'the service needs Python 3.10 or newer, and this is {sys.version.split()[0]}: name one, '
                         'such as PYTHON=python3.11 ./begin_to_serve.sh')
    missing = [name for name in EXTRAS['serve'].modules if find_spec(name) is None]
    if missing:
        raise InputError(missing_package(*missing))
