#!/usr/bin/env bash
# Freeze a trained network into one file: ./begin_to_frozen.sh [TYPE] [--install] [more flags of code/freeze.py]
#
# Edit the tag below, or name the type: ./begin_to_frozen.sh dress
# Takes the best checkpoint of the type's newest run and leaves tmp/frozen_graph.pb; --install also puts it at
# models/trained/TYPE/graph/, where begin_to_test.sh looks.
# After the set-up, .venv/3.11/bin/python code/freeze.py --help explains its flags (3.11: or your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TAG=blouse            # blouse, dress, outwear, skirt, trousers, or all

driver_help "$@"
[[ ${1:--} == -* ]] || { TAG="$1"; shift; }
previous=
for argument; do  # --tag TYPE and --tag=TYPE win over the settings
    [[ $previous != --tag ]] || TAG="$argument"
    [[ $argument != --tag=* ]] || TAG="${argument#--tag=}"
    previous="$argument"
done
set_up
cd "$PROJECT"
python code/freeze.py --tag "$TAG" "$@"
mkdir -p "models/trained/$TAG/graph"  # for those who copy tmp/frozen_graph.pb there themselves
