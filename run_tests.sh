#!/usr/bin/env bash
# Set up, then run every test: ./run_tests.sh [arguments of pytest]
#
# The tests run in as many processes as there are cores, at most four. -n 0 runs them in one process, for a debugger.
# PYTHON=python3.7 chooses the interpreter, and so the version of TensorFlow: see code/setup.sh. From Python 3.10 on,
# ruff and mypy also check the style and the types of the code.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

lint() {
    local status=0 cache="$PROJECT/tmp/cache"
    say 'style: ruff'
    python -m ruff check --config tests/ruff.toml --cache-dir "$cache/ruff" benchmarks code submit tests || status=1
    say 'types: mypy'
    python -m mypy --config-file tests/mypy.ini --cache-dir "$cache/mypy" || status=1
    return "$status"
}

# Tests of the page run in a browser.
need_browser() {
    command -v chromium chromium-browser google-chrome >/dev/null || apt_install chromium ||
        say 'no Chromium: the tests of the page are skipped. To run them: apt-get install chromium'
}

driver_help "$@"
set_up
need_packages tests/requirements.txt
cd "$PROJECT"
status=0
if python -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    need_packages tests/requirements-page.txt
    need_browser
    lint || { status=1; say 'ruff or mypy found faults, see above: this run will fail, but the tests run now'; }
fi
python -m pytest -c tests/pytest.ini -o cache_dir="$PROJECT/tmp/cache/pytest" -n auto --maxprocesses 4 \
    --dist worksteal "$@" || status=1
exit "$status"
