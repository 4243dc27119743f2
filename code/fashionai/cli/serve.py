"""A web page that finds the garment in pictures, and the service behind it."""
import argparse
import logging
import socket
import sys
from importlib.util import find_spec
from typing import Optional, Sequence

import numpy as np

from fashionai.cli.entry_point import guarded
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.errors import InputError
from fashionai.garments.table import AUTO, JOINT
from fashionai.images.decoder import MEGAPIXELS
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.option_group import at_least

_PACKAGES = ('fastapi', 'uvicorn')

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--host', default='127.0.0.1', help='address to listen at; 0.0.0.0: every address of the machine (default: '
        '%(default)s, this machine alone)')
    add('--port', type=at_least(0), default=8000, help='port to listen at; 0: any free port (default: %(default)s)')
    add('--tag', default=JOINT, help='garment type to serve (default: every type)')
    add('--megabytes', type=float, default=20, help='maximum size of a picture in MB (default: %(default)s)')
    add('--megapixels', type=float, default=MEGAPIXELS, help='maximum size of a picture in million pixels (default: '
        '%(default)s)')
    add('--seconds', type=float, default=60, help='time in which a picture must arrive, and again the time until its '
        'answer (default: %(default)s)')
    add('--waiting', type=at_least(1), default=16, help='pictures that are processed at a time; each may take '
        '--megabytes and 3 bytes for each pixel of memory (default: %(default)s)')
    add('--queue', type=at_least(1), default=64, help='pictures that wait to be processed, in the order of their '
        'arrival (default: %(default)s)')
    add('--connections', type=at_least(1), default=256, help='maximum number of open connections (default: '
        '%(default)s)')
    add('--hosts', default='', metavar='NAMES', help='names of the service, with commas between them, such as '
        'shop.example,*.shop.example; *: any name. localhost and the address of the machine always work')
    add_inference_options(parser)
    parser.set_defaults(batch=8)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Serve until interrupted."""
    args = parse(argv)
    _check_packages()
    from fashionai.serving.answers import card_of
    from fashionai.serving.app import make_app
    from fashionai.serving.connections import Server, running
    from fashionai.serving.front import Front
    from fashionai.serving.limits import Limits
    limits = Limits(args.megabytes, args.megapixels, args.seconds, args.waiting, args.batch, queue=args.queue,
                    connections=args.connections)
    networks = chosen_networks(args, args.tag)
    networks.garments.of(args.tag)
    front = Front([name.strip() for name in args.hosts.split(',') if name.strip()])
    with _listening(args.host, args.port) as door, running(Server(front, limits), door) as until_ended:
        with networks.load_predictor() as predictor:
            _warm(predictor)
            front.open(make_app(predictor, card_of(networks.models, predictor, limits), limits))
            logger.info('serving at %s (Ctrl+C ends it)', _address(door))
            until_ended()
    return 0


def _warm(predictor: GarmentPredictor) -> None:
    """Run the networks once: their first pass takes several times as long as any other."""
    predictor.predict([np.zeros((64, 64, 3), np.uint8)], [AUTO if predictor.types else next(iter(predictor.served))])


def _check_packages() -> None:
    """Raises InputError if the interpreter is too old or lacks a package."""
    if sys.version_info < (3, 10):
        raise InputError(f'the service needs Python 3.10 or newer, and this is {sys.version.split()[0]}: name one, '
                         'such as PYTHON=python3.11 ./begin_to_serve.sh')
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise InputError(f'{", ".join(missing)} not installed: python -m pip install '
                         '"fashionai-keypoints[serve]"; in a clone, -r requirements-serve.txt or ./begin_to_serve.sh')


def _listening(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; it may fail, so it comes before the networks are loaded. Raises InputError if the
    address or the port cannot be used."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ':' in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        why = getattr(error, 'strerror', None) or error
        raise InputError(f'cannot listen at {host}, port {port}: {why}; choose another port with --port') from None


def _address(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'

