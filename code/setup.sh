# shellcheck shell=bash
# The set-up of all drivers: source this file, then call `set_up`.
#
# It makes a virtual environment inside the checkout, installs requirements.txt there, and puts its `python` first on
# PATH. It does this once; the next call takes no time.
#
#   PYTHON   the interpreter, a name or a path (default python3)
#              3.7          TensorFlow 1.15
#              3.10 - 3.13  TensorFlow 2, with its CUDA libraries if the machine has an NVIDIA driver
#
# .venv/3.11 is a link to the environment of Python 3.11, .venv/3.11-gpu to the one with CUDA libraries. The name of an
# environment's folder has a checksum of its requirements: other requirements make another folder, and the link then
# points to that one. A complete folder is never changed or deleted, so programs that use it continue.
#
# As root on Debian, the set-up installs missing system packages with apt; otherwise a message names them.

set +o posix  # for bash that was called as sh

PROJECT="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
CUDA='tensorflow[and-cuda]'

# driver_help "$@": if the arguments contain --help, print the comment on top of the driver and end. Call it before
# set_up.
driver_help() {
    [[ " $* " == *' --help '* || " $* " == *' -h '* ]] || return 0
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
}

say() {
    echo "== $*" >&2
}

die() {
    echo "error: $*" >&2
    exit 1
}

# Install Debian packages. Fails if that is not possible (no root, no apt, no such package).
apt_install() {
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
    say "installing system packages: $*"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")
    "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq >/dev/null && "${install[@]}" >/dev/null; }
}

# Print the full path of the interpreter that PYTHON names. For the python of a virtual environment, print the
# interpreter that it was made from: an activated .venv must not be made again by its own python.
find_python() {
    local wanted="${PYTHON:-python3}" show='import os, sys; print(os.path.realpath(sys.executable))' version
    "$wanted" -c "$show" 2>/dev/null && return
    # With pyenv, the name of a version that is not selected is a stub that refuses to run.
    if command -v pyenv >/dev/null; then
        for version in $(pyenv versions --bare); do
            "$(pyenv prefix "$version")/bin/$wanted" -c "$show" 2>/dev/null && return
        done
    fi
    if [[ -z ${PYTHON:-} ]] && apt_install python3 python3-venv; then
        python3 -c "$show" && return
    fi
    die "cannot run $wanted: install Python 3.7 or 3.10 to 3.13, or choose an interpreter with PYTHON=..."
}

# OpenCV's wheel contains all that it needs, except two system libraries of Linux.
need_opencv_libraries() {
    [[ $(uname) == Linux ]] || return 0
    local load='import ctypes; [ctypes.CDLL(name) for name in ("libGL.so.1", "libgthread-2.0.so.0")]'
    "$1" -c "$load" 2>/dev/null || apt_install libgl1 libglib2.0-0 ||
        die 'OpenCV needs two system libraries. As administrator: apt-get install libgl1 libglib2.0-0'
}

# Python on Debian comes without the part that makes virtual environments.
need_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null || apt_install "python$2-venv" ||
        die "$1 cannot make a virtual environment. As administrator: apt-get install python$2-venv"
}

# Succeeds if python-prctl can be built: with a C compiler and the headers of libcap and Python.
prctl_builds() {
    local include
    include="$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')"
    printf '#include <Python.h>\n#include <sys/capability.h>\n' | gcc -fsyntax-only -I "$include" -x c - 2>/dev/null
}

# The same, after installing the packages that are missing for it on Debian.
need_prctl_headers() {
    prctl_builds "$1" && return
    local packages=(libcap-dev)
    command -v gcc >/dev/null || packages+=(gcc libc6-dev)
    [[ $1 != /usr/bin/* ]] || packages+=("python$2-dev")
    apt_install "${packages[@]}" && prctl_builds "$1"
}

# make_environment <interpreter> <version> <environment> <extra requirement or nothing>
make_environment() {
    local python="$1" version="$2" venv="$3" extra="$4"
    need_venv "$python" "$version"
    need_opencv_libraries "$python"
    local requirements="$PROJECT/requirements.txt"
    say "setting up Python $version in ${venv#"$PROJECT/"}: this takes some minutes, but only once"
    "$python" -m venv --clear "$venv"
    if [[ $(uname) == Linux ]] && ! need_prctl_headers "$python" "$version"; then
        say 'continuing without python-prctl, which names processes and ends workers with their parent. It needs'
        say "gcc and the headers of libcap and Python: apt-get install gcc libcap-dev python3-dev, then delete $venv"
        requirements="$venv/requirements.txt"
        grep -v '^python-prctl' "$PROJECT/requirements.txt" >"$requirements"
    fi
    "$venv/bin/python" -m pip install --quiet --upgrade pip
    "$venv/bin/python" -m pip install --quiet -r "$requirements" ${extra:+"$extra"}
    "$venv/bin/python" -W ignore -c 'import cv2, numpy, skimage, tensorflow, tensorpack.dataflow' 2>"$venv/check.log" ||
        { cat "$venv/check.log" >&2; die "the packages in $venv are installed, but importing them fails: see above"; }
}

# sum_of <interpreter>: print the SHA-256 of standard input.
sum_of() {
    "$1" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

# fingerprint <interpreter> <extra requirement or nothing> <requirements files>: print the checksum of an environment's
# interpreter and requirements.
fingerprint() {
    { "$1" -c 'import sys; print(sys.executable, sys.version)'; echo "$2"; cat "${@:3}"; } | sum_of "$1"
}

# lock <interpreter>: wait for the set-ups of other drivers, then hold the lock until file 9 is closed.
lock() {
    "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}

# complete <environment> <checksum>: succeeds if the environment exists and is complete. Its stamp is written last, so
# an interrupted set-up leaves none.
complete() {
    [[ $(cut -d ' ' -f 1 "$1/complete" 2>/dev/null) == "$2" ]]
}

# made_before_links <interpreter> <folder> <extra requirement or nothing>: succeeds if an earlier version of this file
# made the environment; it can still be used. It is a folder, for CPUs and GPUs, and has the packages of the tests too.
made_before_links() {
    local extra
    for extra in "$3" "$CUDA"; do
        complete "$2" "$(fingerprint "$1" "$extra" "$PROJECT/requirements.txt" "$PROJECT/tests/requirements.txt")" && return
    done
    return 1
}

# point <link> <environment>: make the drivers use that environment from now on.
point() {
    local before
    before="$(cd -P "$1" 2>/dev/null && pwd)" || before=''
    if [[ -d $1 && ! -L $1 ]]; then
        before="$(set_aside "$1")"
    fi
    ln -sfn "${2##*/}" "$1"
    [[ -z $before || $before -ef $2 ]] ||
        say "the drivers no longer use $before: delete it when no other program uses it"
}

# set_aside <folder>: rename an environment that has the path of a link, and print its new name. Fails if programs run
# from it.
set_aside() {
    local users aside
    users="$(grep -lsF "$(cd -P "$1" && pwd)/" /proc/[0-9]*/maps | cut -d / -f 3 | tr '\n' ' ')" || true
    [[ -z $users ]] || die "$1 must be made again, but processes ${users}use it: wait until they end"
    aside="$1.before-$(date +%Y%m%d-%H%M%S)"
    mv "$1" "$aside"
    echo "$aside"
}

# Make the environment unless it exists and is complete.
set_up() {
    local python version name extra='' wanted link folder
    python="$(find_python)"
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    name="$version"
    case "$version" in
        3.7) ;;
        3.10 | 3.11 | 3.12 | 3.13) ! nvidia-smi -L >/dev/null 2>&1 || { extra="$CUDA"; name="$version-gpu"; } ;;
        *) die "$python is Python $version: wanted 3.7, or 3.10 to 3.13; choose another with PYTHON=..." ;;
    esac
    wanted="$(fingerprint "$python" "$extra" "$PROJECT/requirements.txt")"
    link="$PROJECT/.venv/$name"
    mkdir -p "$PROJECT/.venv"
    (
        lock "$python"
        ! complete "$link" "$wanted" || exit 0
        folder="$PROJECT/.venv/$version"
        if [[ -L $folder ]] || ! made_before_links "$python" "$folder" "$extra"; then
            folder="$link.${wanted:0:8}"
            if ! complete "$folder" "$wanted"; then
                make_environment "$python" "$version" "$folder" "$extra"
                echo "$wanted" >"$folder/complete"
            fi
        fi
        [[ $folder -ef $link ]] || point "$link" "$folder"
    ) 9>"$PROJECT/.venv/lock"
    PATH="$(cd -P "$link" && pwd)/bin:$PATH"
    export PATH
}

# need_packages <requirements file>: install the packages that only some drivers need into the environment of `set_up`.
need_packages() {
    local name="${1##*/}" wanted venv stamp
    venv="$(python -c 'import sys; print(sys.prefix)')"
    stamp="$venv/complete-${name%.txt}"
    wanted="$(cat "$PROJECT"/requirements*.txt "$PROJECT/$1" | sum_of python)"
    (
        lock python
        if [[ $(cut -d ' ' -f 1 "$stamp" 2>/dev/null) != "$wanted" ]]; then
            say "installing $1"
            python -m pip install --quiet -r "$PROJECT/$1"
            echo "$wanted" >"$stamp"
        fi
    ) 9>"$PROJECT/.venv/lock"
}
