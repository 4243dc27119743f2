#!/usr/bin/env bash
# Label pictures in the browser: ./begin_to_label.sh PICTURES --project FOLDER [more flags of code/label.py]
#
# PICTURES are files and folders; FOLDER keeps the labels, and is made if it does not exist. Open the address that the
# script prints. Ctrl+C ends it; the same command goes on. It needs Python 3.10 or newer; the script also installs
# requirements-serve.txt. docs/labelling.md leads from pictures to a network that finds their keypoints.
# After the set-up, `.venv/3.11/bin/python code/label.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

HOST=127.0.0.1        # address to listen at: this machine only; 0.0.0.0 is every address of the machine
PORT=8001
HOSTS=                # more names of this machine that browsers may use, separated by commas; * is any name

driver_help "$@"
"$(find_python)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die 'the page needs Python 3.10 or newer: choose one, such as PYTHON=python3.11 ./begin_to_label.sh'
set_up
need_packages requirements-serve.txt
exec python "$PROJECT/code/label.py" --host "$HOST" --port "$PORT" --hosts "$HOSTS" "$@"
