"""Make a marker to print: the scale of pictures in which it lies beside the garment."""
import argparse
from typing import Optional, Sequence

from fashionai.cli.entry_point import HelpWithDefaults, guarded, prepare_output
from fashionai.errors import InputError
from fashionai.files import write_text
from fashionai.images.markers import marker_svg
from fashionai.images.scale import parse_side


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Write an SVG file, which prints at its true size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    parser.add_argument('side', help='side of the black square, such as 5cm, 50mm or 2in')
    parser.add_argument('output', metavar='FILE.svg', help='file to write')
    parser.add_argument('--number', type=int, default=0, help='number of the marker, 0 to 49 (dictionary 4x4_50)')
    args = parser.parse_args(argv)
    side = parse_side(args.side)
    output = prepare_output(args.output)
    if output.suffix.lower() != '.svg':
        raise InputError(f'{args.output}: wanted a name that ends in .svg, the format that prints at its true size')
    write_text(output, marker_svg(side, args.number))
    scale = f'marker:{args.side}' + (f':{args.number}' if args.number else '')
    print(f'{args.output}: print it at 100 %, measure the black square, and use --scale {scale}')
    return 0
