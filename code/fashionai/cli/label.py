"""A web page that labels pictures: a network proposes the points, and people correct them.

The project keeps the paths of the pictures, the proposals, the labels, and who changed what. Start the page again with
--project to continue.
"""
import argparse
import getpass
import logging
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Optional, Sequence

from fashionai.cli.entry_point import guarded, resolve
from fashionai.cli.inference_flags import ChosenNetworks, add_inference_options, chosen_networks
from fashionai.datasets.formats import WRITABLE
from fashionai.datasets.notes import new_notes
from fashionai.errors import InputError
from fashionai.garments.table import JOINT, Garments
from fashionai.garments.table_files import read_garments
from fashionai.images.decoder import MEGAPIXELS
from fashionai.inference.config import InferenceOptions
from fashionai.labelling.background import Background
from fashionai.labelling.export import DEFAULT_VAL, check_formats, export_formats, export_tree
from fashionai.labelling.pictures import add_pictures
from fashionai.labelling.project import DATA, project_garments, project_graph
from fashionai.labelling.proposals import NO_NETWORK, Proposer, shared_types
from fashionai.labelling.store import FILE, Store
from fashionai.option_group import at_least, comma_list
from fashionai.signals import exit_on_sigterm

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('pictures', nargs='*', metavar='PICTURES', help='files, folders, or patterns such as shop/*.jpg, to add to the '
        'project (default: only the pictures that it has)')
    add('--project', required=True, metavar='FOLDER', help='folder of the project; it is made if it does not exist')
    add('--person', default=_user(), help='name for the history, if the page does not give one (default: %(default)s)')
    add('--export', action='store_true', help=f'write the reviewed garments to FOLDER/{DATA}, as train.py reads them, '
        'and end')
    add('--val', type=float, default=DEFAULT_VAL, help='with --export: share of each type for validation; from 1 on, a '
        'number of garments (default: %(default)s)')
    add('--seed', type=at_least(0), default=1, help='with --export: seed of the division (default: %(default)s)')
    add('--formats', default='', metavar='NAMES', help='with --export: formats of other tools to write '
        f'too, with commas between them: {", ".join(WRITABLE)}')
    add('--host', default='127.0.0.1', help='address to listen at; 0.0.0.0: every address of the machine (default: '
        '%(default)s, this machine alone)')
    add('--port', type=at_least(0), default=8001, help='port to listen at; 0: any free port (default: %(default)s)')
    add('--hosts', default='', metavar='NAMES', help='names of this machine that browsers may use, with commas between '
        'them; *: any name')
    add('--megapixels', type=float, default=MEGAPIXELS, help='maximum size of a picture in million pixels; larger '
        'pictures are left out (default: %(default)g)')
    add('--tag', default=JOINT, help='garment type of the network of --modelpath (default: %(default)s types)')
    add_inference_options(parser)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Open the project, and serve its page or export its labels."""
    args = parse(argv)
    folder = Path(args.project).resolve()
    if not args.pictures and not (folder / FILE).exists():
        raise InputError(f'{folder} is no project yet: name pictures to make it one')
    given = read_garments(resolve(args.garments)) if args.garments else None
    with Store(folder) as store:
        garments = project_garments(folder, store, given)
        _add(store, args)
        if args.export:
            _export(store, garments, folder, args)
        else:
            _serve(store, garments, folder, args)
    return 0


def _add(store: Store, args: argparse.Namespace) -> None:
    """Adds the named pictures. Raises InputError if the project then has none."""
    added = add_pictures(store, args.pictures, args.megapixels)
    for fault in added.faults:
        logger.warning('left out: %s', fault)
    if not store.pictures():
        raise InputError(f'{", ".join(args.pictures)}: no picture that can be read')
    logger.info('%d pictures, %d of them new', len(store.pictures()), added.new)


def _export(store: Store, garments: Garments, folder: Path, args: argparse.Namespace) -> None:
    formats = comma_list(args.formats)
    check_formats(formats)
    notes = new_notes()
    written = export_tree(store, garments, folder / DATA, notes, args.val, args.seed)
    files = export_formats(store, garments, written, formats, notes)
    for remark, names in notes.items():
        logger.warning('%d %s: %s', len(names), remark, ', '.join(names[:3]))
    for part, counts in written.counts.items():
        print(f'{part}: ' + (', '.join(f'{count} {name}' for name, count in counts.items()) or 'none'))
    for path in [written.folder, *files]:
        print(f'wrote {path}')


def _serve(store: Store, garments: Garments, folder: Path, args: argparse.Namespace) -> None:
    """Serves the page until interrupted."""
    from fashionai.cli.serve import check_packages
    check_packages()
    from fashionai.labelling.app import Project, make_app
    from fashionai.serving.connections import Server, running
    from fashionai.serving.front import Front
    from fashionai.serving.limits import Limits
    from fashionai.serving.listener import open_listener
    front = Front(comma_list(args.hosts))
    with exit_on_sigterm(), open_listener(args.host, args.port) as listener, \
            running(Server(front, Limits()), listener.socket) as until_ended:
        with _proposer(garments, folder, args) as proposer, Background(store, proposer) as background:
            project = Project(store, folder, garments, list(proposer.types), proposer.model, args.person,
                              background.wake)
            front.open(make_app(project))
            logger.info('serving at %s (Ctrl+C ends it)', listener.address)
            until_ended()


@contextmanager
def _proposer(garments: Garments, folder: Path, args: argparse.Namespace) -> Iterator[Proposer]:
    """Yields what proposes points: the network of --modelpath, or the one that was trained on the project, or the usual
    one. If it finds none of the types, nothing is proposed. Proposals have no visibility, so none is computed."""
    graph = args.modelpath or project_graph(folder)
    flags = argparse.Namespace(**{**vars(args), 'garments': None, 'modelpath': graph and str(graph),
                                  'visibility': False})
    networks = chosen_networks(flags, args.tag)
    known = networks.garments if args.tag == JOINT else {args.tag: networks.garments.of(args.tag)}
    if not shared_types(known, garments):
        logger.info('%s finds none of %s: people place all points', networks.name, ', '.join(garments))
        yield Proposer(garments, NO_NETWORK)
        return
    with networks.load_predictor() as predictor, _one_pass(networks, flags).load_predictor() as quick:
        yield Proposer(garments, f'{networks.name} {networks.sums[:12]} {args.preset}', predictor, quick)


def _one_pass(networks: ChosenNetworks, flags: argparse.Namespace) -> ChosenNetworks:
    """Returns the same networks, used once for a picture."""
    options = replace(InferenceOptions.of(vars(flags)), preset='fast')
    return replace(networks, config=options.config([model.trained_hw for model in networks.models], networks.garments))


def _user() -> str:
    """Returns the name of the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no entry in the list of users
        return 'somebody'
