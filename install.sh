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
# Measured on 1 December 2026, Debian 12, x86-64: .venv 721 MB and .pretix 590 MB, each with some of pip's own beside it
# while it is made; a whole Debian with all of apt's packages 700 MB; a release in /opt/platypus 280 MB.
readonly FREE_MB_ROOT=2000
readonly FREE_MB_SYSTEM=1000
readonly FREE_MB_FETCHED=300 # packages as they come, and apt's lists, where /var is a disk of its own
readonly FREE_MB_RELEASE=600
readonly FREE_MB_STATE=200 # of 200,000 rows: a ledger of 56 MB, written anew, and a backup of 21 MB (docs/performance.md)
readonly BOARD=/proc/device-tree/model
readonly CONTROLLERS=/sys/fs/cgroup/cgroup.controllers # what the kernel can limit
readonly LISTS=/var/lib/apt/lists
readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_MARK="made by Platypus' install.sh, for the time of an installation of:"
readonly ONE_AT_A_TIME=/run/platypus-install.lock
# A fresh Debian updates itself soon after it started, and holds apt's locks meanwhile. apt can wait for some of them
# (DPkg::Lock::Timeout), not for the one of its lists, and dpkg for none; so we do, for all, and say it.
readonly LOCK_WAIT_S=300
readonly LOCK_LOOK_S=5
readonly LOCK_HELD='Could not get lock|lock was locked by another process' # apt's and dpkg's words

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
stopped=()        # units that we stopped and did not start again yet
pretix_pid=''     # a process group, in the background

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
    # A second Ctrl-C, or a terminal that is gone, does not leave half of this undone.
    trap '' INT TERM HUP PIPE
    set +e
    if [ "$code" -ne 0 ] && [ -n "$doing" ]; then
        say "$doing: it stopped here. When the cause is mended, run this again: it goes on where it stopped."
    fi
    if [ ${#stopped[@]} -gt 0 ]; then
        put_units "$(readlink -f "$CURRENT")" # some of another release's may be there by now
        systemctl daemon-reload
        if systemctl start --no-block platypus.target "${stopped[@]}"; then
            say "what ran before is started again: ${stopped[*]}"
        else
            say "what ran before is stopped, and could not be started: sudo systemctl start platypus.target ${stopped[*]}"
        fi
    fi
    if [ -n "$pretix_pid" ]; then
        kill -- "-$pretix_pid" 2>/dev/null || true # it may have ended meanwhile
        wait "$pretix_pid" 2>/dev/null || true
    fi
    quieten_services
    if [ -n "$log" ]; then rm -f "$log"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

# logged WHAT ADVICE COMMAND...: run quietly, and while apt's locks are held again; when it fails show the end of what it
# said, and the advice.
logged() {
    local what=$1 advice=$2 until_s=$((SECONDS + LOCK_WAIT_S)) waits=no
    shift 2
    say "$what"
    until "$@" >"$log" 2>&1; do
        if ! grep -Eq "$LOCK_HELD" "$log"; then
            tail -n 12 "$log" >&2
            die "$what: failed. $advice"
        elif [ "$SECONDS" -ge "$until_s" ]; then
            tail -n 12 "$log" >&2
            die "$what: another process has held a lock of apt's for $LOCK_WAIT_S s. When it is done (ps -e | grep -E 'apt|dpkg|unattended'), run this again."
        fi
        [ $waits = yes ] || say "the system is updating itself, which holds a lock of apt's: waiting until it is done, at most $LOCK_WAIT_S s"
        waits=yes
        sleep "$LOCK_LOOK_S"
    done
}

# apt_get WORDS...: in English, for its words are looked at.
apt_get() { as_root env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive apt-get -q "$@"; }

# need_disk FOLDER MB: on the disk of a folder, or of the one that it will be in.
need_disk() {
    local free there=$1
    until [ -e "$there" ]; do there=$(dirname "$there"); done
    free=$(df -Pm "$there" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$2" ] || die "only $free MB are free in $there, $2 are needed. Make room, then run this again."
}

is_installed() {
    local status
    # Debian 13 has libraries under another name, after their times got 64 bits: libzbar0 is libzbar0t64 there
    status=$(dpkg-query -W -f='${db:Status-Status} ' "$1" "$1t64" 2>/dev/null || true)
    [[ " $status " = *' installed '* ]]
}

# Debian starts a server as soon as it is unpacked, unless this file says no (invoke-rc.d(8)). One of ours, known by its
# mark, was left behind by a power cut: then the servers that it names are ours to quieten too.
is_policy_left() { grep -qs "$POLICY_MARK" "$POLICY"; }

# Until quieten_services. Somebody else's policy stays as it is.
hold_services() {
    local package
    if is_policy_left; then
        read -r -a fresh_services < <(sed -n "s/^# $POLICY_MARK//p" "$POLICY")
    elif [ ! -e "$POLICY" ]; then
        for package in "${SERVICES[@]}"; do is_installed "$package" || fresh_services+=("$package"); done
    fi
    [ ${#fresh_services[@]} -gt 0 ] || return 0
    is_policy_ours=yes
    printf '#!/bin/sh\n# %s %s\nexit 101\n' "$POLICY_MARK" "${fresh_services[*]}" | as_root tee "$POLICY" >/dev/null || die "root could not write $POLICY, which keeps apt from starting servers. Is the disk read-only?"
    as_root chmod 755 "$POLICY"
}

update_lists() { logged "asking apt for its lists" "Is the network there?" apt_get update; }

install_packages() {
    local package missing=()
    if ! command -v apt-get >/dev/null; then
        die "this system has no apt-get. Platypus runs on Debian 12 or 13 and on Raspberry Pi OS."
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        if is_policy_left; then
            hold_services
            quieten_services
        fi
        return
    fi
    need_disk /usr "$FREE_MB_SYSTEM"
    need_disk /var/cache/apt "$FREE_MB_FETCHED"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "sudo is missing, and ${missing[*]} must be installed. Run this as root: $ROOT/install.sh"
        if [ ! -t 0 ]; then
            sudo -n true 2>/dev/null || die "sudo wants a password and there is no terminal; ${missing[*]} must be installed. Run this in a terminal, or as root."
        fi
        sudo true || die "without root ${missing[*]} cannot be installed. Run this as somebody who may use sudo."
    fi
    update_lists
    hold_services # not while the system updates itself: it restarts what it has mended
    logged "installing ${missing[*]}" "Is the network there? An interrupted apt is mended by: sudo dpkg --configure -a" \
        apt_get -o DPkg::Options::=--force-confdef -o DPkg::Options::=--force-confold \
        install -y --no-install-recommends "${missing[@]}"
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

is_board() { grep -qs 'Raspberry Pi' "$BOARD"; }

# An image of Raspberry Pi OS may come without apt's lists: then what apt has is not known.
are_lists_empty() { ! compgen -G "$LISTS/*_Packages*" >/dev/null; }

# Whether to ask for them: not where the answer is known, which may be without a network.
lacks_lists() { is_board && are_lists_empty && ! is_installed python3-picamera2; }

# Raspberry Pi OS on a Pi: Debian's own archive has no camera library for it.
is_pi() { is_board && { is_installed python3-picamera2 || are_lists_empty || apt-cache show python3-picamera2 >/dev/null 2>&1; }; }

refuse_elsewhere() {
    local processor
    [ -d "$ROOT/kiosk" ] || die "this copy of install.sh can go back (--rollback) or away (--uninstall), and nothing else: install or upgrade with the install.sh of a whole folder of Platypus."
    processor=$(dpkg --print-architecture 2>/dev/null || true) # none: no Debian, which is said where apt is needed
    case $processor in
    '' | amd64 | arm64) ;;
    *) die "Platypus runs on 64-bit systems (arm64, amd64), and this one is $processor. On a Pi: install the 64-bit Raspberry Pi OS." ;;
    esac
}

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
    need_disk "$ROOT" "$FREE_MB_ROOT"
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
    need_disk "$ROOT" "$FREE_MB_ROOT"
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
    refuse_elsewhere
    [ -w "$ROOT" ] || die "$ROOT is not writable for $(id -un). Clone it where you may write."
    log=$(mktemp) || die "no temporary file can be made in ${TMPDIR:-/tmp}. Is the disk full?"
    if lacks_lists; then update_lists; fi
    if is_pi; then install_packages "${PACKAGES_PI[@]}"; fi
    case $command in
    demo)
        install_packages "${PACKAGES_RUN[@]}"
        install_python_packages "$ROOT/requirements/run.txt"
        rm -f "$log"
        trap - EXIT INT TERM HUP PIPE
        exec "$VENV/bin/platypus" demo "$@"
        ;;
    test)
        install_packages "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
        install_python_packages "$ROOT/requirements/test.txt"
        set -m           # a process group of its own, so that pip ends with it
        install_pretix & # a minute of the network, beside a minute of the processor
        pretix_pid=$!
        set +m
        say "format, lint, types, contracts, shell"
        cd "$ROOT"
        "$VENV/bin/ruff" format --check --quiet .
        "$VENV/bin/ruff" check --quiet .
        "$VENV/bin/mypy"
        "$VENV/bin/lint-imports"
        shellcheck -x install.sh .ci/run tests/appliance/run tests/appliance/inside tests/virtual_camera/run
        wait "$pretix_pid" || die "without pretix its tests would be left out. Run this again when the network is there."
        pretix_pid=''
        rm -f "$log"
        trap - EXIT INT TERM HUP PIPE
        exec "$VENV/bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
        ;;
    esac
}

main "$@"
