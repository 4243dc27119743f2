#!/usr/bin/env bash
# Find the keypoints of one type's test images: ./begin_to_test.sh [TYPE] [more flags of code/run.py]
#
# Edit the tag below, or name the type: ./begin_to_test.sh dress
# Writes submit/submit_TYPE.csv, and goes on where an interrupted run stopped. After all five types,
# `python merge.py` in submit/ joins them into submit.csv.
# After the set-up, .venv/3.11/bin/python code/run.py --help explains its flags (3.11: or your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TAG=blouse            # blouse, dress, outwear, skirt or trousers
IMAGEPATH=data/test_b # has Images/
CSV=data/test_b/test.csv # the list of images
MODELPATH=            # a frozen graph; empty: the type's own network, else that for all types, else the supplied one
TEST=submit           # submit writes the CSV; validate prints the normalised error on labelled images
INPUTSIZE=            # the longer side of an image becomes this, in pixels; empty: what the network was trained at
RESOLUTION=           # what the network sees, such as 368x368; empty: what it was trained at
LOOK=usual            # quick: once; usual: at six windows, mirrored too; thorough: at three sizes, and twice
SCALES=               # windows, such as '[1.0, (0.5,0.25,1.5)]'; empty: those of LOOK

driver_help "$@"
[[ ${1:--} == -* ]] || { TAG="$1"; shift; }
set_up
cd "$PROJECT"
python code/run.py ${MODELPATH:+--modelpath "$MODELPATH"} --imagepath "$IMAGEPATH" --csv "$CSV" --tag "$TAG" \
    --test "$TEST" ${INPUTSIZE:+--inputsize "$INPUTSIZE"} ${RESOLUTION:+--resolution "$RESOLUTION"} \
    --look "$LOOK" ${SCALES:+--scales "$SCALES"} "$@"
