"""Find the garments in millions of pictures, on this machine or on a Ray cluster."""
import argparse
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import ContextManager, Dict, Optional, Sequence

from tqdm import tqdm

from fashionai import __version__
from fashionai.bulk.listing import Columns, Listing, Reader, checked_sum, list_pictures
from fashionai.bulk.output import Output
from fashionai.bulk.places import Places, absolute, local_path, scheme_of
from fashionai.bulk.ray_workers import RayWorkers, WorkerLimits, connected, resources, share_of_cpus
from fashionai.bulk.rows import RowSettings
from fashionai.bulk.running import PartWriter, parts_of, write_results
from fashionai.bulk.schedule import Schedule, Task
from fashionai.bulk.worker import PackedModel, WorkerSetup
from fashionai.cli.entry_point import guarded, prepare_output
from fashionai.cli.inference_flags import ChosenNetworks, add_inference_options, chosen_networks
from fashionai.errors import InputError
from fashionai.extras import install_command
from fashionai.files import locked
from fashionai.garments.measurements import chosen_scale, lengths_added
from fashionai.garments.table import AUTO, JOINT
from fashionai.images.decoder import MEGAPIXELS
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.model_files.model_file import ModelFile
from fashionai.option_group import at_least
from fashionai.signals import exit_on_sigterm


@dataclass(frozen=True)
class Workers:
    """The value of --workers: the least and the most workers; None: one for each processor."""

    least: int = 1
    most: Optional[int] = None

    @classmethod
    def parse(cls, text: str) -> 'Workers':
        """Parses `MIN,MAX`, or one number for both."""
        try:
            least, most = (text.split(',') * 2)[:2] if ',' not in text else text.split(',')
            return cls(at_least(1)(least), at_least(int(least))(most))
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text[:80]!r}: wanted MIN,MAX such as 2,16') from None


@dataclass(frozen=True)
class LoadNetworks:
    """Loads networks in a worker, which has their files in a place of its own."""

    networks: ChosenNetworks

    def __call__(self, models: Sequence[ModelFile], threads: int) -> ContextManager[GarmentPredictor]:
        return replace(self.networks, models=models, threads=threads).load_predictor()


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('inputs', nargs='+', metavar='INPUT', help='a folder of pictures, of Parquet files or of tars (WebDataset); a '
        'Parquet file; a tar; a .txt file with a path or URL on each line. Paths may be URLs of S3, GCS and others')
    add('--output', required=True, metavar='FOLDER', help='folder or URL of the Parquet parts; the same command '
        'continues where an earlier one ended')
    add('--overwrite', action='store_true', help='start again if the output exists')
    add('--column', default='', help='column of the pictures in Parquet files: bytes, paths or URLs (default: bytes, '
        'image, path or url)')
    add('--id-column', default='', help='column of the ids in Parquet files (default: id, or the path, or the number '
        'of the row)')
    add('--tag', default=AUTO, help='garment type of all pictures; auto: the network predicts the type (default)')
    add('--megapixels', type=float, default=MEGAPIXELS, help='maximum size of a picture in million pixels; larger '
        'pictures are not decoded (default: %(default)g)')
    add('--cm-per-pixel', type=float, metavar='CM', help='size of a pixel in cm; adds lengths in cm')
    add('--reference', default='', metavar='A=CM', help='a length in cm of each garment, such as chest=50, or two '
        'keypoints and their distance, such as waistband_left,waistband_right=38; adds lengths in cm')
    add('--part-rows', type=at_least(1, 10 ** 6), default=256, metavar='N', help='rows of a part. If the command is '
        'ended, only the parts that workers have begun are lost (default: %(default)s)')
    add('--ray', default='', metavar='ADDRESS', help='address of a Ray cluster, such as head:6379 or auto (default: a '
        'Ray on this machine, which ends with the command)')
    add('--workers', type=Workers.parse, default=Workers(), metavar='MIN,MAX', help='number of workers (default: from '
        '1 to one for each processor)')
    add('--worker-gpus', type=float, default=0, metavar='N', help='GPUs of each worker, such as 1 or 0.25 (default: '
        'none)')
    add('--tries', type=at_least(1, 100), default=3, metavar='N', help='a picture gets an error after N workers '
        'died that had this picture alone (default: %(default)s)')
    add('--stall-seconds', type=float, default=600, metavar='S', help='a worker that has not answered for S '
        'seconds is ended (default: %(default)g)')
    add_inference_options(parser)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predict the pictures that have no row yet."""
    args = parse(argv)
    _check_python()
    if args.cm_per_pixel is not None and args.reference:
        raise InputError('--cm-per-pixel and --reference both give the size of a pixel: wanted one of them')
    networks = chosen_networks(args, JOINT if args.tag == AUTO else args.tag, prefer='onnxruntime')
    garments = networks.garments
    if args.tag not in (AUTO, *garments):
        raise InputError(f'--tag {args.tag}: wanted {AUTO}, or one of {garments}')
    types = list(garments.values()) if args.tag == AUTO else [garments[args.tag]]
    settings = RowSettings(networks.name, networks.sums, args.tag, args.batch, args.megapixels,
                           chosen_scale(args.cm_per_pixel, args.reference, types))
    reader = Reader(Places(), os.getcwd())
    listing = list_pictures(args.inputs, Columns(args.id_column, args.column), reader)
    output = _output(args, networks, checked_sum(listing, reader), reader.places)
    with ExitStack() as stack:
        stack.enter_context(exit_on_sigterm())
        if not scheme_of(args.output):
            stack.enter_context(locked(prepare_output(local_path(args.output)), 'predict_many.py'))
        output.begin(args.overwrite)
        _complete(args, networks, settings, listing, output, reader)
    return 0


def _check_python() -> None:
    if sys.version_info < (3, 10):
        raise InputError(f'predict-many needs Python 3.10 or newer, and this is {sys.version.split()[0]}: '
                         f'{install_command("ray")}')


def _output(args: argparse.Namespace, networks: ChosenNetworks, list_sum: str, places: Places) -> Output:
    job = {'format': '1', 'type': args.tag, 'graph': networks.sums, 'list of pictures': list_sum,
           'pixel limit': str(args.megapixels), 'rows of a part': str(args.part_rows), 'setting': repr(networks.config),
           'measurement': repr((args.cm_per_pixel, args.reference, *lengths_added(networks.garments)))}
    notes = {'model': networks.name, 'input': args.inputs, 'version': __version__}
    return Output(absolute(args.output), job, notes, places)


def _complete(args: argparse.Namespace, networks: ChosenNetworks, settings: RowSettings, listing: Listing,
              output: Output, reader: Reader) -> None:
    """Predicts the parts that the output lacks, and says how many pictures failed."""
    parts = {part.part: part for part in parts_of(len(listing), args.part_rows)}
    written = {number: counts for number, counts in output.done().items()
               if number in parts and counts.rows == len(parts[number])}
    writer = PartWriter(output, parts, written)
    missing = [part for number, part in parts.items() if number not in written]
    versions: Dict[str, str] = {}
    if missing:
        _say(f'{len(listing)} pictures in {len(parts)} parts; {len(missing)} parts are to do')
        models = [PackedModel.pack(model) for model in networks.models]
        size = sum(len(content) for model in models for content in model.files.values())
        with connected(args.ray, size), exit_on_sigterm():  # Ray, too, says what SIGTERM does
            limits = _limits(args)
            setup = WorkerSetup(models, LoadNetworks(networks), args.threads or limits.cpus, settings, reader.folder)
            workers = RayWorkers(setup, limits)
            with tqdm(total=len(listing), initial=sum(counts.rows for counts in written.values()),
                      unit='picture') as progress:
                def tell(task: Task) -> None:
                    progress.set_postfix(failed=writer.failed, workers=workers.count, refresh=False)
                    progress.update(len(task))
                write_results(workers.run(listing, Schedule(missing, args.tries)), writer, listing, reader, settings,
                              args.tries, tell)
            versions = workers.versions
    failed = writer.failed
    output.finish(sorted(parts), {'pictures': len(listing), 'parts': len(parts), 'predicted': len(listing) - failed,
                                  'failed': failed}, versions)
    _say(f'{args.output} has {len(listing)} pictures: {len(listing) - failed} predicted, {failed} failed'
         + (f', see {output.failures}' if failed else ''))


def _limits(args: argparse.Namespace) -> WorkerLimits:
    """Returns the limits of the workers on the machines of the cluster."""
    cpus, gpus = resources()
    by_default = int(gpus / args.worker_gpus) if args.worker_gpus else sum(cpus)
    most = max(1, args.workers.least, args.workers.most or by_default)
    return WorkerLimits(args.workers.least, most, args.threads or share_of_cpus(cpus, most), args.worker_gpus,
                        args.stall_seconds)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
