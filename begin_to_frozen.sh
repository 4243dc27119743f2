#!/usr/bin/env bash
# Freeze a trained network into one file: ./begin_to_frozen.sh [TYPE] [--install] [more flags of code/freeze.py]
#
# Edit TAG below, or name the type: ./begin_to_frozen.sh dress
# The script freezes the best checkpoint of the type's newest run and writes tmp/frozen_graph.pb. --install also copies
# it to models/trained/TYPE/graph/, where begin_to_test.sh finds it.
# After the set-up, `.venv/3.11/bin/python code/freeze.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TAG=blouse            # blouse, dress, outwear, skirt, trousers, or all

driver_help "$@"
[[ ${1:--} == -* ]] || { TAG="$1"; shift; }
previous=
for argument; do  # --tag TYPE and --tag=TYPE override the setting
    [[ $previous != --tag ]] || TAG="$argument"
    [[ $argument != --tag=* ]] || TAG="${argument#--tag=}"
    previous="$argument"
done
set_up
cd "$PROJECT"
python code/freeze.py --tag "$TAG" "$@"
mkdir -p "models/trained/$TAG/graph"  # so that users can copy tmp/frozen_graph.pb there
