#!/usr/bin/env bash
# Sets Platypus up on Debian 12 or 13 or Raspberry Pi OS:
#   sudo ./install.sh [--door] [--stream] [--dashboard]           services that start by themselves (all three), or upgrade
#        [--dry-run] [--yes] [--offline WHEELS]                   only say it; ask nothing; a folder instead of the network
#   sudo ./install.sh --rollback                                  back to the release of before the upgrade
#   sudo ./install.sh --uninstall [--purge]                       away; with --purge also tickets, recordings and keys
#   ./install.sh demo [--for SECONDS] [--port N] [--dir FOLDER]   a simulated venue, until Ctrl-C
#   ./install.sh test [PYTEST OPTIONS]                            format, lint, types, contracts and all tests
# System packages come from apt (as root, or by sudo), Python packages into a venv, pinned and hashed. What is there is
# left as it is: a second run installs nothing. Safe to interrupt: the next run mends what is half done.
set -euo pipefail
ROOT=$(dirname "$(readlink -f "$0")")
readonly ROOT

readonly PACKAGES_FONTS=(fonts-dejavu-core fonts-noto-color-emoji fonts-noto-core fonts-wqy-microhei pango1.0-tools) # names in any script, on tickets and slates
readonly PACKAGES_RUN=("${PACKAGES_FONTS[@]}" ca-certificates ffmpeg libnginx-mod-rtmp libzbar0 mosquitto nginx python3 python3-venv tzdata util-linux)
readonly PACKAGES_TEST=(chromium curl iproute2 libatomic1 openssl shellcheck)
readonly PACKAGES_PI=(python3-lgpio python3-numpy python3-picamera2) # camera and pins: only apt has them, built to fit each other
readonly SERVICES=(mosquitto nginx) # apt starts them; we start our own, for ourselves
readonly VENV=$ROOT/.venv
readonly PRETIX=$ROOT/.pretix # a real pretix server, for tests alone: a hundred packages that we never import
readonly LEAST_FREE_MB=2000
readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_MARK="made by Platypus' install.sh, for the time of an installation"

say() { printf 'install: %s\n' "$*" >&2; }
die() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

usage() { sed -n '2,10s/^# \{0,1\}//p' "$ROOT/install.sh"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

log=''
doing='' # the step that is under way
is_policy_ours=no
fresh_services=() # servers that came with this run

# What apt brought neither runs now nor starts at the next boot; also when we are interrupted.
quieten_services() {
    local package
    for package in "${fresh_services[@]}"; do
        if is_installed "$package" && command -v systemctl >/dev/null; then
            as_root systemctl disable --quiet "$package" 2>/dev/null || say "could not disable $package.service; it is not running now"
        fi
    done
    fresh_services=()
    if [ $is_policy_ours = yes ]; then
        as_root rm -f "$POLICY"
        is_policy_ours=no
    fi
}

clean_up() {
    local code=$?
    if [ "$code" -ne 0 ] && [ -n "$doing" ]; then
        say "$doing: it stopped here. When the cause is mended, run this again: it goes on where it stopped."
    fi
    quieten_services
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
    free=$(df -Pm "$ROOT" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$LEAST_FREE_MB" ] || die "only $free MB are free in $ROOT, $LEAST_FREE_MB are needed. Make room, then run this again."
}

is_installed() {
    local status
    # Debian 13 has libraries under another name, after their times got 64 bits: libzbar0 is libzbar0t64 there
    status=$(dpkg-query -W -f='${db:Status-Status} ' "$1" "$1t64" 2>/dev/null || true)
    [[ " $status " = *' installed '* ]]
}

install_packages() {
    local package missing=()
    if ! command -v apt-get >/dev/null; then
        die "this system has no apt-get. Platypus runs on Debian 12 or 13 and on Raspberry Pi OS."
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    need_disk
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "sudo is missing, and ${missing[*]} must be installed. Run this as root: $ROOT/install.sh"
        if [ ! -t 0 ]; then
            sudo -n true 2>/dev/null || die "sudo wants a password and there is no terminal; ${missing[*]} must be installed. Run this in a terminal, or as root."
        fi
        sudo true || die "without root ${missing[*]} cannot be installed. Run this as somebody who may use sudo."
    fi
    # Debian starts a server as soon as it is unpacked, unless this file says no (invoke-rc.d(8)). One of ours, known by
    # its mark, was left behind by a power cut: then the servers are ours to quieten too.
    if [ ! -e "$POLICY" ] || grep -qs "$POLICY_MARK" "$POLICY"; then
        for package in "${SERVICES[@]}"; do
            if [[ " ${missing[*]} " = *" $package "* ]] || [ -e "$POLICY" ]; then fresh_services+=("$package"); fi
        done
        if [ ${#fresh_services[@]} -gt 0 ]; then
            is_policy_ours=yes
            printf '#!/bin/sh\n# %s\nexit 101\n' "$POLICY_MARK" | as_root tee "$POLICY" >/dev/null || die "root could not write $POLICY, which keeps apt from starting servers. Is the disk read-only?"
            as_root chmod 755 "$POLICY"
        fi
    fi
    logged "asking apt for its lists" "Is the network there?" as_root apt-get update -q
    logged "installing ${missing[*]}" "Is the network there? An interrupted apt is mended by: sudo dpkg --configure -a" \
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
    quieten_services
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

# Raspberry Pi OS on a Pi: Debian's own archive has no camera library for it.
is_pi() { grep -qs 'Raspberry Pi' /proc/device-tree/model && apt-cache show python3-picamera2 >/dev/null 2>&1; }

# state_of REQUIREMENTS PYTHON OPTION: what .venv is when it holds just that.
state_of() { printf '%s %s %s' "$(sha256sum "$1" "$ROOT/pyproject.toml" | sha256sum)" "$("$2" --version)" "$3"; }

install_python_packages() {
    local requirements=$1 python option='' have wanted=$VENV/.requirements stamp=$VENV/.installed
    python=$(find_python)
    # apt's camera library breaks beside another numpy than apt's: see it, and install none over it.
    if is_installed python3-picamera2 || is_installed python3-lgpio; then option=--system-site-packages; fi
    have=$(cat "$stamp" 2>/dev/null || true)
    if [ -x "$VENV/bin/platypus" ] && [ -n "$have" ]; then
        # What the tests need contains what the demo needs: it is not taken away again.
        if [ "$have" = "$(state_of "$requirements" "$python" "$option")" ] ||
            [ "$have" = "$(state_of "$ROOT/requirements/test.txt" "$python" "$option")" ]; then return; fi
    fi
    need_disk
    rm -f "$stamp"
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || ! grep -qs "include-system-site-packages = $([ -n "$option" ] && echo true || echo false)" "$VENV/pyvenv.cfg"; then
        # shellcheck disable=SC2086  # no option is no word
        logged "making $VENV" "Is python3-venv installed?" "$python" -m venv --clear $option "$VENV"
    fi
    if [ -n "$option" ] && is_installed python3-numpy; then
        awk '/^[a-z]/ {keep = !/^numpy==/} keep || /^#/' "$requirements" >"$wanted"
    else
        cp "$requirements" "$wanted"
    fi
    logged "installing Python packages ($requirements)" "Is the network there? Run this again when it is." \
        "$VENV/bin/python" -m pip install --disable-pip-version-check --no-deps --require-hashes -r "$wanted"
    logged "linking the platypus command" "Delete $VENV and run this again." \
        "$VENV/bin/python" -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable "$ROOT"
    state_of "$requirements" "$python" "$option" >"$stamp"
}

install_pretix() {
    local python have wanted
    python=$(find_python)
    wanted=$(printf '%s %s' "$(sha256sum <"$ROOT/requirements/pretix.txt")" "$("$python" --version)")
    have=$(cat "$PRETIX/.installed" 2>/dev/null || true)
    [ "$have" != "$wanted" ] || return 0
    need_disk
    rm -f "$PRETIX/.installed"
    logged "making $PRETIX" "Is python3-venv installed?" "$python" -m venv --clear "$PRETIX"
    logged "installing pretix, for its tests" "Is the network there? Run this again when it is." \
        "$PRETIX/bin/python" -m pip install -q --disable-pip-version-check --no-input --require-hashes -r "$ROOT/requirements/pretix.txt"
    printf '%s' "$wanted" >"$PRETIX/.installed"
}

main() {
    local command=${1:-}
    if [ $# -eq 0 ] || { [[ $command = --* ]] && [ "$command" != --help ]; }; then
        log=$(mktemp) || die "no temporary file can be made in ${TMPDIR:-/tmp}. Is the disk full?"
        command_line=$*
        # shellcheck source=install/appliance.sh
        . "$ROOT/install/appliance.sh"
        appliance_options "$@"
        return
    fi
    shift
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
    [ -w "$ROOT" ] || die "$ROOT is not writable for $(id -un). Clone it where you may write."
    log=$(mktemp) || die "no temporary file can be made in ${TMPDIR:-/tmp}. Is the disk full?"
    if is_pi; then install_packages "${PACKAGES_PI[@]}"; fi
    case $command in
    demo)
        install_packages "${PACKAGES_RUN[@]}"
        install_python_packages "$ROOT/requirements/run.txt"
        rm -f "$log"
        trap - EXIT INT TERM HUP
        exec "$VENV/bin/platypus" demo "$@"
        ;;
    test)
        install_packages "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
        install_python_packages "$ROOT/requirements/test.txt"
        install_pretix & # a minute of the network, beside a minute of the processor
        local pretix=$!
        say "format, lint, types, contracts, shell"
        cd "$ROOT"
        "$VENV/bin/ruff" format --check --quiet .
        "$VENV/bin/ruff" check --quiet .
        "$VENV/bin/mypy"
        "$VENV/bin/lint-imports"
        shellcheck -x install.sh .ci/run tests/appliance/run tests/appliance/inside tests/virtual_camera/run
        wait $pretix || die "without pretix its tests would be left out. Run this again when the network is there."
        rm -f "$log"
        trap - EXIT INT TERM HUP
        exec "$VENV/bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
        ;;
    esac
}

main "$@"
