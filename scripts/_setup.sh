# Shared by the scripts beside it, which source it: finds Python, and makes and refreshes .venv.
# shellcheck shell=sh

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$root/.venv
lock=$root/.venv.lock

# Whether $1 is a command that runs Python 3.11 or later, and of version $2 if that is given.
is_python() {
    "$1" -c 'import sys
version = "%d.%d" % sys.version_info[:2]
sys.exit(sys.version_info < (3, 11) or version != (sys.argv[1:] or [version])[0])' ${2:+"$2"} >/dev/null 2>&1
}

# use_python VERSION: work with this version (as in 3.13), in a virtual environment of its own.
use_python() {
    wanted=$1
    venv=$root/.venv-$1
    lock=$venv.lock
}

# The first of the usual names that is Python 3.11 or later, or the wanted version, on the PATH or as pyenv installs it.
find_python() {
    if [ -n "${wanted:-}" ]; then
        for name in "python$wanted" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$wanted"*/bin/python python3 python; do
            if is_python "$name" "$wanted"; then
                echo "$name"
                return
            fi
        done
        echo "${0##*/}: there is no Python $wanted here: neither on the PATH nor from pyenv" >&2
        return 1
    fi
    for name in python3.11 python3 python python3.14 python3.13 python3.12; do
        if is_python "$name"; then
            echo "$name"
            return
        fi
    done
    echo "${0##*/}: Python 3.11 or later is needed, and none is on the PATH (see https://www.python.org/downloads/)" >&2
    return 1
}

# What an installation depends on: the path of this clone and its requirements.
fingerprint() {
    echo "$root $(cksum <"$root/pyproject.toml")"
}

# Whether the packages for $1 ("run" or "dev") are installed; "dev" includes "run".
is_fresh() {
    for kind in "$1" dev; do
        if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.installed-$kind" 2>/dev/null)" = "$(fingerprint)" ]; then
            return 0
        fi
    done
    return 1
}

install_into_venv() {
    if is_fresh "$1"; then
        return # another script did it while this one waited
    fi
    python=$(find_python) || return
    echo "${0##*/}: setting up ${venv##*/} (takes a minute, once)" >&2
    # A virtual environment whose interpreter is gone, or which was moved here, is no use.
    if ! "$venv/bin/python" -c 'import pip' >/dev/null 2>&1 || ! grep -qF "$venv" "$venv/bin/pip" 2>/dev/null; then
        "$python" -m venv --clear "$venv" || return
    fi
    if [ "$1" = dev ]; then what="$root[dev]"; else what=$root; fi
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --editable "$what" || return
    fingerprint >"$venv/.installed-$1"
}

# Run a command under a lock: flock on pyproject.toml, otherwise a directory, which only one process can create.
locked() {
    if command -v flock >/dev/null 2>&1; then
        (
            flock 9 || exit
            "$@" 9<&-
        ) 9<"$root/pyproject.toml"
        return
    fi
    until mkdir "$lock" 2>/dev/null; do
        echo "${0##*/}: another script is setting up ${venv##*/} (if none is, remove $lock)" >&2
        sleep 1
    done
    trap 'rmdir "$lock" 2>/dev/null' EXIT
    trap 'exit 130' INT TERM
    "$@"
    status=$?
    rmdir "$lock"
    trap - EXIT INT TERM
    return "$status"
}

# set_up run|dev: install the package with its dependencies, or also those of its tests and checks.
set_up() {
    is_fresh "$1" || locked install_into_venv "$1" || {
        echo "${0##*/}: the set-up failed" >&2
        exit 1
    }
}
