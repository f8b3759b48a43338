#!/bin/sh
# Finds a Python (3.11 to 3.14), makes .venv with it and hands over to tools/setup_env.py, which does the rest.
# Usage: tools/bootstrap.sh [options of setup_env.py].  PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

die() {
    printf '\nFAILED: %s\nWhat to do: %s\n' "$1" "$2" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

can_make_venv() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.14 python3.11 /usr/bin/python3}; do
        if fits "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# install_debian STEP PACKAGE...: as root by apt-get, otherwise name the packages and stop.
install_debian() {
    step=$1
    shift
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Debian packages for $step: $*"
        if ! { DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null; }; then
            die "$step: apt-get could not install $*" "see the lines above, install them by hand, then repeat the command"
        fi
    else
        die "$step: missing $*" "install them, on Debian and Ubuntu: sudo apt-get install $*"
    fi
}

if [ -e .venv ] && ! fits .venv/bin/python; then
    echo "The Python of .venv is gone or not 3.11 to 3.14: making it anew"
    rm -rf .venv
fi
if [ ! -e .venv ]; then
    python=$(find_python) || {
        [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a Python 3.11 to 3.14" "give another one, or none"
        install_debian "Python 3.11 to 3.14" python3 python3-venv python3-dev
        python=$(find_python) || die "no Python 3.11 to 3.14 found" "install one and give its path: make setup PYTHON=/path/to/python3"
    }
    can_make_venv "$python" || install_debian "virtual environments" python3-venv
    can_make_venv "$python" || die "$python cannot make virtual environments" "install its venv and ensurepip modules"
    echo "[1/5] .venv with $python ($("$python" -V 2>&1))"
    "$python" -m venv .venv || { rm -rf .venv; die "making .venv" "see the lines above; is the disk full or read-only?"; }
fi
exec .venv/bin/python -E tools/setup_env.py "$@"
