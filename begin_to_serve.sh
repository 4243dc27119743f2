#!/usr/bin/env bash
# A page that finds the garment in pictures, and the API behind it: ./begin_to_serve.sh [more flags of code/serve.py]
#
# Open the address that it prints. Needs Python 3.10 or newer; installs requirements-serve.txt beside the rest.
# Ctrl+C ends it. docs/serve.md says more.
# After the set-up, .venv/3.11/bin/python code/serve.py --help explains its flags (3.11: or your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

HOST=127.0.0.1        # this machine alone; 0.0.0.0: every address of the machine
PORT=8000
HOSTS=                # names of this machine that browsers use beside its address, with commas between; *: any
MODELPATH=            # a frozen graph; empty: that for all types that was trained here, else the supplied one

driver_help "$@"
"$(find_python)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die 'the service needs Python 3.10 or newer: name one, such as PYTHON=python3.11 ./begin_to_serve.sh'
set_up
need_packages requirements-serve.txt
cd "$PROJECT"
exec python code/serve.py --host "$HOST" --port "$PORT" --hosts "$HOSTS" ${MODELPATH:+--modelpath "$MODELPATH"} \
    "$@"
