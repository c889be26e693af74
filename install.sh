#!/usr/bin/env bash
# Sets Platypus up on Debian 12 or 13 or Raspberry Pi OS, and runs it:
#   ./install.sh demo [--for SECONDS] [--port N] [--dir FOLDER]   a simulated venue, until Ctrl-C
#   ./install.sh test [PYTEST OPTIONS]                            format, lint, types, contracts and all tests
# System packages come from apt (as root, or by sudo), Python packages into .venv, pinned and hashed. What is there is
# left as it is: a second run installs nothing. Safe to interrupt: the next run mends what is half done.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

readonly PACKAGES_RUN=(ca-certificates ffmpeg fonts-dejavu-core libnginx-mod-rtmp libzbar0 mosquitto nginx python3 python3-venv tzdata util-linux)
readonly PACKAGES_TEST=(chromium libatomic1 openssl shellcheck)
readonly PACKAGES_PI=(python3-lgpio python3-numpy python3-picamera2) # camera and pins: only apt has them, built to fit each other
readonly SERVICES=(mosquitto nginx) # apt starts them; we start our own, for ourselves
readonly VENV=.venv
readonly LEAST_FREE_MB=1500

say() { printf 'install: %s\n' "$*" >&2; }
die() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

log=''
policy=''
clean_up() {
    if [ -n "$policy" ]; then as_root rm -f "$policy"; fi
    if [ -n "$log" ]; then rm -f "$log"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# logged WHAT ADVICE COMMAND...: run quietly; when it fails show the end of what it said, and the advice.
logged() {
    local what=$1 advice=$2
    shift 2
    say "$what"
    if ! "$@" >"$log" 2>&1; then
        tail -n 12 "$log" >&2
        die "$what: failed. $advice"
    fi
}

need_disk() {
    local free
    free=$(df -Pm . | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$LEAST_FREE_MB" ] || die "only $free MB are free in $PWD, $LEAST_FREE_MB are needed. Make room, then run this again."
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
    local package missing=() fresh_services=()
    if ! command -v apt-get >/dev/null; then
        die "this system has no apt-get. Platypus runs on Debian 12 or 13 and on Raspberry Pi OS."
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    need_disk
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "sudo is missing. As root, run: apt-get install ${missing[*]} - then run this again."
        if [ ! -t 0 ]; then
            sudo -n true 2>/dev/null || die "sudo wants a password and there is no terminal. Run: sudo apt-get install ${missing[*]} - then run this again."
        fi
        sudo true || die "without root nothing can be installed. Ask for: apt-get install ${missing[*]} - then run this again."
    fi
    for package in "${SERVICES[@]}"; do
        is_installed "$package" || fresh_services+=("$package")
    done
    # Debian starts a server as soon as it is unpacked, unless this file says no (invoke-rc.d(8)).
    if [ ${#fresh_services[@]} -gt 0 ] && [ ! -e /usr/sbin/policy-rc.d ]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    logged "asking apt for its lists" "Is the network there?" as_root apt-get update -q
    logged "installing ${missing[*]}" "Is the network there? An interrupted apt is mended by: sudo dpkg --configure -a" \
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
    for package in "${fresh_services[@]}"; do # nor at the next boot
        if command -v systemctl >/dev/null; then as_root systemctl disable --quiet "$package" 2>/dev/null || say "could not disable $package.service; it is not running now"; fi
    done
    if [ -n "$policy" ]; then
        as_root rm -f "$policy"
        policy=''
    fi
}

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed, this system has $(python3 --version 2>/dev/null || echo none). Debian 12 and Raspberry Pi OS Bookworm have it."
}

is_pi() { grep -qs 'Raspberry Pi' /proc/device-tree/model; }

# state_of REQUIREMENTS PYTHON OPTION: what .venv is when it holds just that.
state_of() { printf '%s %s %s' "$(sha256sum "$1" pyproject.toml | sha256sum)" "$("$2" --version)" "$3"; }

install_python_packages() {
    local requirements=$1 python option='' have wanted=$VENV/.requirements stamp=$VENV/.installed
    python=$(find_python)
    # apt's camera library breaks beside another numpy than apt's: see it, and install none over it.
    if is_installed python3-picamera2 || is_installed python3-lgpio; then option=--system-site-packages; fi
    have=$(cat "$stamp" 2>/dev/null || true)
    if [ -x $VENV/bin/platypus ] && [ -n "$have" ]; then
        # What the tests need contains what the demo needs: it is not taken away again.
        if [ "$have" = "$(state_of "$requirements" "$python" "$option")" ] ||
            [ "$have" = "$(state_of requirements/test.txt "$python" "$option")" ]; then return; fi
    fi
    need_disk
    rm -f "$stamp"
    if ! $VENV/bin/python -m pip --version >/dev/null 2>&1 || ! grep -qs "include-system-site-packages = $([ -n "$option" ] && echo true || echo false)" $VENV/pyvenv.cfg; then
        # shellcheck disable=SC2086  # no option is no word
        logged "making $VENV" "Is python3-venv installed?" "$python" -m venv --clear $option $VENV
    fi
    if [ -n "$option" ] && is_installed python3-numpy; then
        awk '/^[a-z]/ {keep = !/^numpy==/} keep || /^#/' "$requirements" >$wanted
    else
        cp "$requirements" $wanted
    fi
    logged "installing Python packages ($requirements)" "Is the network there? Run this again when it is." \
        $VENV/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r $wanted
    logged "linking the platypus command" "Delete $VENV and run this again." \
        $VENV/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
    state_of "$requirements" "$python" "$option" >"$stamp"
}

main() {
    local command=${1:-}
    [ $# -gt 0 ] && shift
    case $command in
    demo | test) ;;
    -h | --help | help)
        usage
        return
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    [ -w . ] || die "$PWD is not writable for $(id -un). Clone it where you may write."
    log=$(mktemp) || die "no temporary file can be made in ${TMPDIR:-/tmp}. Is the disk full?"
    if is_pi; then install_packages "${PACKAGES_PI[@]}"; fi
    case $command in
    demo)
        install_packages "${PACKAGES_RUN[@]}"
        install_python_packages requirements/run.txt
        rm -f "$log"
        trap - EXIT INT TERM HUP
        exec $VENV/bin/platypus demo "$@"
        ;;
    test)
        install_packages "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
        install_python_packages requirements/test.txt
        say "format, lint, types, contracts, shell"
        $VENV/bin/ruff format --check --quiet .
        $VENV/bin/ruff check --quiet .
        $VENV/bin/mypy
        $VENV/bin/lint-imports
        shellcheck install.sh .ci/run
        rm -f "$log"
        trap - EXIT INT TERM HUP
        exec $VENV/bin/python -m pytest "$@"
        ;;
    esac
}

main "$@"
