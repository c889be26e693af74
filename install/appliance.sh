# shellcheck shell=bash
# The appliance: what `sudo ./install.sh` does, step by step. Read by install.sh, which has say, die, logged, is_installed,
# install_packages, find_python and is_pi.
#
# Each step looks first, and does nothing where nothing is to be done; so a second run changes nothing, and a run after an
# interrupted one does the rest. A release is a folder of its own with everything in it; `current` points at the one that
# runs, and moves in one step.

readonly OPT=/opt/platypus
readonly RELEASES=$OPT/releases
readonly CURRENT=$OPT/current
readonly BEFORE=$OPT/before-upgrade # two lines: the release that ran before, and the backup that was made, or none
readonly ETC=/etc/platypus
readonly STATE=/var/lib/platypus
readonly RUN=/run/platypus
readonly COMMAND=/usr/local/bin/platypus
readonly ROLES=(door stream dashboard)
readonly USERS=(platypus-dashboard platypus-stream platypus-door platypus-bus)
readonly EVENT=first-evening
readonly HEALTHY_WITHIN_S=60
readonly STEADY_S=8 # so long a service has to run without being begun anew
readonly PACKAGES_APPLIANCE=(polkitd python3-numpy) # numpy is apt's everywhere: another one breaks apt's camera library

dry=no yes=no purge=no wheels='' roles=() changes=0

# step WHAT COMMAND...: do one thing that has to be done, or only say so.
step() {
    local what=$1
    shift
    changes=$((changes + 1))
    if [ "$dry" = yes ]; then
        say "would: $what"
    else
        say "$what"
        doing=$what # told when it stops here
        "$@"
        doing=''
    fi
}

appliance_options() {
    local command=install
    while [ $# -gt 0 ]; do
        case $1 in
        --door | --stream | --dashboard) roles+=("${1#--}") ;;
        --dry-run) dry=yes ;;
        --yes) yes=yes ;;
        --offline)
            [ $# -gt 1 ] && [ -d "$2" ] || die "--offline wants a folder of wheels: pip download -r requirements/run.txt -d FOLDER on a machine like this one"
            wheels=$(readlink -f "$2")
            shift
            ;;
        --rollback | --uninstall) command=${1#--} ;;
        --purge) purge=yes ;;
        *)
            usage >&2
            exit 2
            ;;
        esac
        shift
    done
    if [ "$purge" = yes ]; then
        [ "$command" = uninstall ] || die "--purge goes with --uninstall"
        command=purge
    fi
    [ "$dry" = yes ] || [ "$(id -u)" -eq 0 ] || die "this changes the system: run it as root: sudo ./install.sh $command_line"
    if [ "$dry" = no ]; then
        exec 9>/run/platypus-install.lock
        flock -n 9 || die "another install.sh is at work: wait until it is done"
    fi
    "appliance_$command"
}

confirmed() {
    local answer
    [ "$yes" = no ] && [ "$dry" = no ] || return 0
    [ -t 0 ] || { [ "$2" = harmless ] && return 0 || die "$1 There is no terminal to ask at: say --yes."; }
    read -r -p "install: $1 [y/N] " answer
    [[ $answer = [yY]* ]] || die "nothing was changed."
}

# -- install and upgrade ----------------------------------------------------------------------------------------------

# What a release is made of. The name changes with any of it, and with the Python it is for.
release_name() {
    local version
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/pyproject.toml")
    printf '%s-%s' "$version" "$(
        cd "$ROOT"
        {
            find kiosk stream hardware systemd install install.sh pyproject.toml requirements/run.txt \
                -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
            "$python" --version
        } | sha256sum | cut -c 1-12
    )"
}

mend_apt() {
    [ -z "$(dpkg --audit 2>/dev/null)" ] || step "mending packages that were interrupted" dpkg --configure -a
}

add_packages() {
    local package missing=() wanted=("${PACKAGES_RUN[@]}" "${PACKAGES_APPLIANCE[@]}")
    if is_pi; then wanted+=("${PACKAGES_PI[@]}"); fi
    for package in "${wanted[@]}"; do is_installed "$package" || missing+=("$package"); done
    [ ${#missing[@]} -eq 0 ] || step "installing from apt: ${missing[*]}" install_packages "${wanted[@]}"
}

build_release() {
    local release=$1 pip=(-m pip install -q --disable-pip-version-check --no-input --no-deps)
    need_disk
    rm -rf "$release"
    install -d -m 755 "$OPT" "$RELEASES" "$release"
    logged "making $release/venv" "Is python3-venv installed?" "$python" -m venv --system-site-packages "$release/venv"
    # apt's numpy it is: the one of the list is left out, and --no-deps brings no other
    awk '/^[a-z]/ {keep = !/^numpy==/} keep || /^#/' "$ROOT/requirements/run.txt" >"$release/requirements.txt"
    if [ -n "$wheels" ]; then pip+=(--no-index --find-links "$wheels"); fi
    logged "installing Python packages, pinned and hashed" "Is the network there? Run this again when it is." \
        "$release/venv/bin/python" "${pip[@]}" --require-hashes -r "$release/requirements.txt"
    logged "installing Platypus" "Run this again." \
        "$release/venv/bin/python" "${pip[@]}" --no-build-isolation "$ROOT"
    cp -r "$ROOT/systemd" "$ROOT/install" "$ROOT/install.sh" "$ROOT/pyproject.toml" "$release/"
    import_check "$release"
    chmod -R go+rX,go-w "$release"
    sync -f "$release"
    touch "$release/.complete" # last: a release without it is half, and made anew
}

# On this very machine: what would fail at the door fails now, and the old release goes on.
import_check() {
    local modules=(numpy av zxingcpp pyzbar.pyzbar PIL flask waitress cryptography sqlalchemy msgspec kiosk.cli)
    if is_pi; then modules+=(picamera2 lgpio gpiozero); fi
    logged "trying what it imports" "Is a package of apt's broken? sudo apt-get install --reinstall libzbar0 python3-numpy" \
        "$1/venv/bin/python" - "${modules[@]}" <<'PY'
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
place = sys.modules["numpy"].__file__
if not place.startswith("/usr/"):
    sys.exit(f"numpy is {place}, and not apt's: its camera library would break")
PY
}

# put MODE FILE TARGET: a file of ours, as it is in the release.
put() {
    cmp -s "$2" "$3" && [ "$(stat -c %a "$3")" = "$1" ] || step "writing $3" install -D -m "$1" "$2" "$3"
}

# list_units FOLDER: units and their common part, as paths below it.
list_units() { (cd "$1" && find . -maxdepth 2 \( -name 'platypus*.service' -o -name 'platypus.target' -o -path '*.service.d/*.conf' \) -printf '%P\n' | sort); }

put_system_files() {
    local from=$1/systemd unit
    put 644 "$from/sysusers.d/platypus.conf" /etc/sysusers.d/platypus.conf
    put 644 "$from/tmpfiles.d/platypus.conf" /etc/tmpfiles.d/platypus.conf
    put 644 "$from/polkit/50-platypus.rules" /etc/polkit-1/rules.d/50-platypus.rules
    for unit in $(list_units "$from"); do put 644 "$from/$unit" "/etc/systemd/system/$unit"; done
}

add_users() {
    local user
    for user in "${USERS[@]}"; do
        if ! getent passwd "$user" >/dev/null; then
            step "making the users platypus-..." systemd-sysusers /etc/sysusers.d/platypus.conf
            break
        fi
    done
    if [ ! -e $STATE/.restore ] || [ ! -d $RUN ] || [ "$(stat -c %a $STATE)" != 2770 ]; then
        step "making $STATE and $RUN" systemd-tmpfiles --create /etc/tmpfiles.d/platypus.conf
    fi
}

write_config() {
    install -d "$ETC"
    chown root:platypus "$ETC"
    chmod 2750 "$ETC"
    local camera='kind = "device"' pins=mock
    if is_pi; then camera='kind = "picamera2"'; fi
    if compgen -G '/dev/gpiochip*' >/dev/null; then pins=lgpio; fi
    {
        printf '# Yours: no installation and no upgrade changes it. What there is to write: docs/platypus.example.toml of the project;\n'
        printf '# sudo platypus config check says what is wrong with it. Then: sudo systemctl restart platypus.target\n\n'
        printf '[door]\nevent = "%s" # another one: sudo platypus event create NAME ...\n\n' "$EVENT"
        printf '[door.camera]\n%s # "picamera2", "device" (USB), "rtsp", "file", "pictures"\n\n' "$camera"
        printf '[door.panel]\npins = "%s" # "lgpio"; "mock" on a machine without pins\n\n' "$pins"
        printf '[dashboard]\ntime_zone = "%s"\n' "$(cat /etc/timezone 2>/dev/null || echo Europe/Paris)"
    } >"$ETC/.platypus.toml.new"
    chown root:platypus "$ETC/.platypus.toml.new"
    chmod 640 "$ETC/.platypus.toml.new"
    mv "$ETC/.platypus.toml.new" "$ETC/platypus.toml"
}

write_secrets() {
    install -m 600 -o platypus-stream -g platypus /dev/null "$ETC/secrets.toml"
}

event_exists() {
    "$1/venv/bin/python" - "$STATE/ledger.db" "$EVENT" <<'PY' >/dev/null 2>&1
import sys
from pathlib import Path
from kiosk.ledger.peek import event_name
event_name(Path(sys.argv[1]), sys.argv[2])
PY
}

configure() {
    local release=$1
    [ -e "$ETC/platypus.toml" ] || step "writing $ETC/platypus.toml" write_config
    [ -e "$ETC/secrets.toml" ] || step "writing $ETC/secrets.toml, for stream keys" write_secrets
    if grep -qs "^event = \"$EVENT\"" "$ETC/platypus.toml" || [ "$dry" = yes ]; then
        event_exists "$release" ||
            step "making the event $EVENT, 50 seats" logged "making the event" "See: sudo platypus doctor" \
                "$release/venv/bin/platypus" event create "$EVENT" --name "First evening" --capacity 50
    fi
}

wanted_roles() {
    local role
    if [ ${#roles[@]} -gt 0 ]; then return; fi
    for role in "${ROLES[@]}"; do
        if systemctl is-enabled --quiet "platypus-$role" 2>/dev/null; then roles+=("$role"); fi
    done
    if [ ${#roles[@]} -eq 0 ]; then roles=("${ROLES[@]}"); fi
}

# What runs on this machine: the bus, and each role that was asked for.
enable_units() {
    local unit wanted=(platypus.target platypus-bus.service) unwanted=() role
    for role in "${ROLES[@]}"; do
        if [[ " ${roles[*]} " = *" $role "* ]]; then wanted+=("platypus-$role.service"); else unwanted+=("platypus-$role.service"); fi
    done
    for unit in "${wanted[@]}"; do
        systemctl is-enabled --quiet "$unit" 2>/dev/null || step "enabling $unit" systemctl enable --quiet "$unit"
    done
    for unit in "${unwanted[@]}"; do
        if systemctl is-enabled --quiet "$unit" 2>/dev/null; then step "disabling $unit" systemctl disable --now --quiet "$unit"; fi
    done
}

is_booted() { [ -d /run/systemd/system ]; }

running_units() {
    local role
    printf 'platypus-bus.service\n'
    for role in "${roles[@]}"; do printf 'platypus-%s.service\n' "$role"; done
}

all_active() {
    local unit
    for unit in $(running_units); do systemctl is-active --quiet "$unit" || return 1; done
}

# Every service runs, and has for a while without being begun anew; the dashboard answers.
is_healthy() {
    local units unit pids='' now since=$SECONDS deadline=$((SECONDS + HEALTHY_WITHIN_S))
    mapfile -t units < <(running_units)
    while [ "$SECONDS" -lt "$deadline" ]; do
        now=''
        for unit in "${units[@]}"; do now+=" $(systemctl show --value -p ActiveState,MainPID "$unit" | tr '\n' ' ')"; done
        if [ "$now" != "$pids" ] || ! all_active; then
            pids=$now
            since=$SECONDS
        elif [ $((SECONDS - since)) -ge "$STEADY_S" ] && dashboard_answers; then
            return 0
        fi
        sleep 1
    done
    for unit in "${units[@]}"; do
        systemctl is-active --quiet "$unit" || { say "$unit does not run:" && journalctl -u "$unit" -n 5 -o cat --no-pager >&2; }
    done
    return 1
}

dashboard_answers() {
    [[ " ${roles[*]} " = *" dashboard "* ]] || return 0
    "$CURRENT/venv/bin/python" - <<'PY' >/dev/null 2>&1
from pathlib import Path
from urllib.request import urlopen
from kiosk.config import load_config
settings = load_config(Path("/etc/platypus/platypus.toml")).dashboard
host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
urlopen(f"http://{host}:{settings.port}/healthz", timeout=5).close()
PY
}

point_current_at() {
    ln -sfn "$1" "$CURRENT.new"
    mv -T "$CURRENT.new" "$CURRENT"
    sync -f "$OPT"
}

start_all() {
    local units
    mapfile -t units < <(running_units)
    systemctl daemon-reload
    systemctl reset-failed 'platypus*' 2>/dev/null || true
    systemctl restart --no-block platypus.target "${units[@]}"
}

# The ledger as the old release left it, before the new one brings it to its own step: the way back.
backup_before_upgrade() {
    local release=$1 said file=''
    systemctl stop platypus.target 'platypus-*.service'
    if [ -e $STATE/ledger.db ]; then
        if ! said=$("$release/venv/bin/platypus" backup --before-upgrade --json); then
            systemctl start platypus.target
            die "there is no backup, so there is no upgrade; what ran before runs on"
        fi
        file=$(printf '%s' "$said" | sed -n 's/^{"file":"\([^"]*\)".*/\1/p')
    fi
    printf '%s\n%s\n' "$(readlink -f $CURRENT)" "$file" >"$BEFORE.new"
    mv "$BEFORE.new" "$BEFORE"
}

appliance_install() {
    local release old=''
    python=$(find_python)
    command -v systemctl >/dev/null || die "this system has no systemd. Platypus runs on Debian 12 or 13 and on Raspberry Pi OS."
    wanted_roles
    confirmed "Install Platypus (${roles[*]}) as services of this machine?" harmless
    mend_apt
    add_packages
    release=$RELEASES/$(release_name)
    [ -e "$release/.complete" ] || step "building the release ${release##*/}" build_release "$release"
    if [ -L $CURRENT ]; then old=$(readlink -f $CURRENT); fi
    # Units and users come from the folder this runs in, which is what the release was made of.
    if [ -n "$old" ] && [ "$old" != "$release" ]; then
        step "stopping, and backing up before the upgrade" backup_before_upgrade "$release"
    fi
    put_system_files "$ROOT"
    add_users
    configure "$release"
    [ "$old" = "$release" ] || step "making ${release##*/} the current release" point_current_at "$release"
    [ "$(readlink $COMMAND 2>/dev/null)" = $CURRENT/venv/bin/platypus ] ||
        step "linking $COMMAND" ln -sfn $CURRENT/venv/bin/platypus $COMMAND
    enable_units
    if [ "$dry" = yes ]; then
        [ "$changes" -eq 0 ] || say "nothing was done: this was --dry-run"
    elif ! is_booted; then
        say "systemd does not run here: the services start with the next boot"
    elif [ "$changes" -gt 0 ] || ! all_active; then
        start_all
        if ! is_healthy; then
            if [ -n "$old" ] && [ "$old" != "$release" ]; then
                say "the new release is not healthy within $HEALTHY_WITHIN_S s"
                go_back
                die "the upgrade came to nothing; ${old##*/} runs as before. What was wrong stands above, and in: journalctl -u 'platypus-*'"
            fi
            die "not everything runs; see: journalctl -u 'platypus-*', and sudo platypus doctor"
        fi
        [ "$changes" -gt 0 ] || say "what did not run was started"
    fi
    [ "$changes" -gt 0 ] || say "nothing had to be changed: ${release##*/} is installed, with ${roles[*]}"
    [ "$dry" = yes ] || welcome
}

welcome() {
    [[ " ${roles[*]} " = *" dashboard "* ]] || return 0
    "$CURRENT/venv/bin/python" "$CURRENT/install/welcome.py"
}

# -- back ---------------------------------------------------------------------------------------------------------------

# The release of before the upgrade, with its units. When the ledger was brought to a newer step, which an older release
# refuses, the backup of before takes its place, and what there is now goes aside (platypus restore); nothing is deleted.
go_back() {
    local old backup
    { read -r old && read -r backup; } <"$BEFORE" || die "$BEFORE cannot be read: which release was there before?"
    [ -e "$old/.complete" ] || die "$old is gone or half: install that release again from its own folder"
    step "stopping" systemctl stop platypus.target 'platypus-*.service'
    if [ -n "$backup" ] && [ -e "$backup" ]; then
        step "putting back the state of before the upgrade" logged "restoring $backup" "Nothing of the state was changed." \
            "$old/venv/bin/platypus" restore --yes "$backup"
    fi
    put_system_files "$old"
    step "making ${old##*/} the current release" point_current_at "$old"
    step "starting" start_all
    if [ "$dry" = no ]; then
        rm -f "$BEFORE"
        is_healthy || die "${old##*/} is not healthy either; see: journalctl -u 'platypus-*'"
    fi
}

appliance_rollback() {
    [ -e $BEFORE ] || die "there is nothing to go back to: no upgrade was made here, or it was rolled back already"
    wanted_roles
    local backup
    backup=$(sed -n 2p $BEFORE)
    if [ -n "$backup" ]; then
        confirmed "The ledger goes back to the moment of the upgrade: scans since then go aside. Go back?" weighty
    fi
    go_back
    [ "$dry" = yes ] || say "$(basename "$(readlink -f $CURRENT)") runs again"
}

# -- away ---------------------------------------------------------------------------------------------------------------

remove_program() {
    local unit
    if is_booted; then systemctl stop platypus.target 'platypus-*.service' 2>/dev/null || true; fi
    for unit in $(cd /etc/systemd/system && find . -maxdepth 1 -name 'platypus*' ! -name '*.d' -printf '%P\n'); do
        systemctl disable --quiet "$unit" 2>/dev/null || true
    done
    find /etc/systemd/system -maxdepth 2 -name 'platypus*' \( -type f -o -type l -o -path '*/platypus-*.d' \) -exec rm -rf {} +
    rm -rf /etc/systemd/system/platypus.target.wants /etc/polkit-1/rules.d/50-platypus.rules /etc/tmpfiles.d/platypus.conf \
        /etc/sysusers.d/platypus.conf $COMMAND $OPT $RUN
    if is_booted; then systemctl daemon-reload; fi
}

is_there() { [ -e $OPT ] || [ -e /etc/systemd/system/platypus.target ] || [ -L $COMMAND ] || [ -e /etc/sysusers.d/platypus.conf ]; }

appliance_uninstall() {
    ! is_there || confirmed "Remove Platypus from this machine? $STATE and $ETC stay." weighty
    ! is_there || step "removing services, $OPT and what belongs to them" remove_program
    [ "$changes" -gt 0 ] || say "nothing had to be removed"
    say "kept: $STATE, $ETC, their users, and the packages from apt"
}

remove_data() {
    local user
    rm -rf $STATE $ETC
    for user in "${USERS[@]}"; do
        if getent passwd "$user" >/dev/null; then userdel "$user"; fi
    done
    if getent group platypus >/dev/null; then groupdel platypus; fi
}

appliance_purge() {
    confirmed "Delete Platypus with $STATE and $ETC: tickets, people, recordings, keys, backups?" weighty
    ! is_there || step "removing services, $OPT and what belongs to them" remove_program
    if [ -e $STATE ] || [ -e $ETC ] || getent group platypus >/dev/null; then
        step "deleting $STATE, $ETC and their users" remove_data
    fi
    [ "$changes" -gt 0 ] || say "nothing had to be removed"
    say "kept: the packages from apt"
}
