#!/usr/bin/env bash
# Serve a page that finds the garment in pictures, and its API: ./begin_to_serve.sh [more flags of code/serve.py]
#
# Open the address that the script prints. Ctrl+C ends the service. The service needs Python 3.10 or newer; the script
# also installs requirements-serve.txt. docs/serve.md says more.
# After the set-up, `.venv/3.11/bin/python code/serve.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

HOST=127.0.0.1        # address to listen at: this machine only; 0.0.0.0 is every address of the machine
PORT=8000
HOSTS=                # more names of this machine that browsers may use, separated by commas; * is any name
MODELPATH=            # a frozen graph; empty: your network for all types, otherwise the supplied network

driver_help "$@"
"$(find_python)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die 'the service needs Python 3.10 or newer: choose one, such as PYTHON=python3.11 ./begin_to_serve.sh'
set_up
need_packages requirements-serve.txt
cd "$PROJECT"
exec python code/serve.py --host "$HOST" --port "$PORT" --hosts "$HOSTS" ${MODELPATH:+--modelpath "$MODELPATH"} \
    "$@"
