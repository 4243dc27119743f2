#!/usr/bin/env bash
# Find the keypoints of one type's test images: ./begin_to_test.sh [TYPE] [more flags of code/run.py]
#
# Edit TAG below, or name the type: ./begin_to_test.sh dress
# The script writes submit/submit_TYPE.csv. If it was interrupted, the same command continues where it stopped. After
# all five types, run `python merge.py` in submit/: it joins the five files into submit.csv.
# After the set-up, `.venv/3.11/bin/python code/run.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TAG=blouse            # blouse, dress, outwear, skirt or trousers
IMAGEPATH=data/test_b # the folder that contains Images/
CSV=data/test_b/test.csv # the list of images
MODELPATH=            # a frozen graph; empty: the network of the type, else that for all types, else the supplied one
TEST=submit           # submit: write the CSV; validate: also print the normalised error on labelled images
INPUTSIZE=            # pixels of the longer side of an image after scaling; empty: as in training
RESOLUTION=           # input size of the network, such as 368x368; empty: as in training
PRESET=standard       # fast, standard or accurate; original: six windows and the highest peaks, as in the original
SCALES=               # windows, such as '[1.0, (0.5,0.25,1.5)]'; empty: those of the preset

driver_help "$@"
[[ ${1:--} == -* ]] || { TAG="$1"; shift; }
set_up
cd "$PROJECT"
exec python code/run.py ${MODELPATH:+--modelpath "$MODELPATH"} --imagepath "$IMAGEPATH" --csv "$CSV" --tag "$TAG" \
    --test "$TEST" ${INPUTSIZE:+--inputsize "$INPUTSIZE"} ${RESOLUTION:+--resolution "$RESOLUTION"} \
    --preset "$PRESET" ${LOOK:+--look "$LOOK"} ${SCALES:+--scales "$SCALES"} "$@"  # LOOK: the old name of PRESET
