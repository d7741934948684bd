# Shared by tools/course.sh and tools/test.sh: steps with their times, system packages, the virtual environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}
STARTED=$SECONDS

step() { # step TITLE COMMAND...: run it, say how long it took, stop if it fails
    local title=$1 began=$SECONDS
    shift
    printf '\n── %s\n' "$title"
    if ! "$@"; then
        printf '── %s: FAILED after %d s\n' "$title" $((SECONDS - began))
        return 1
    fi
    printf '── %s: done in %d s\n' "$title" $((SECONDS - began))
}

total() { printf '\n══ %s in %d s\n' "$1" $((SECONDS - STARTED)); }

system_packages() { # system_packages PROGRAM...: have them, install them as root, or say what to install
    local missing=() program
    for program in "$@"; do
        command -v "$program" >/dev/null || missing+=("$([ "$program" = bwrap ] && echo bubblewrap || echo "$program")")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "present: $*"
        return 0
    fi
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
        echo "installed: ${missing[*]}"
        return 0
    fi
    echo "missing: ${missing[*]}. Install them and run again, for example: sudo apt-get install ${missing[*]}" >&2
    return 1
}

environment() { # environment EXTRA: a virtual environment with this extra, made again only when the requirements change
    local extra=$1 stamp
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "$PYTHON is $("$PYTHON" -V 2>&1); Python 3.11 or later is needed (PYTHON=python3.12 make …)" >&2
        return 1
    }
    [ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
    stamp=$VENV/.installed-$extra-$(cat pyproject.toml constraints.txt | sha256sum | cut -c1-16)
    if [ -e "$stamp" ]; then
        echo "up to date: $VENV"
        return 0
    fi
    "$VENV/bin/pip" install -qq -c constraints.txt -e ".[$extra]"
    touch "$stamp"
    echo "installed: .[$extra] in $VENV"
}
