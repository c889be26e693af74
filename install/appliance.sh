# shellcheck shell=bash
# The appliance: what `sudo ./install.sh` does, step by step. Read by install.sh, which has say, die, logged, is_installed,
# install_packages, hold_services, find_python, is_pi and what goes when it ends. Stop, start and the way back: back.sh.
#
# Each step looks first, and does nothing where nothing is to be done; so a second run changes nothing, and a run after an
# interrupted one does the rest. A release is a folder of its own with everything in it; `current` points at the one that
# runs, and moves in one step.

readonly OPT=/opt/platypus
readonly RELEASES=$OPT/releases
readonly CURRENT=$OPT/current
readonly ETC=/etc/platypus
readonly STATE=/var/lib/platypus
readonly RUN=/run/platypus
readonly COMMAND=/usr/local/bin/platypus
readonly ROLES=(door stream dashboard)
readonly USERS=(platypus-dashboard platypus-stream platypus-door platypus-bus)
readonly EVENT=first-evening
# A minute was asked for (docs/operations.md, Upgrade). TimeoutStartSec= of the units and the time to be steady fit into it
# (tests/systemd): what systemd still waits for is not called broken.
readonly HEALTHY_WITHIN_S=60
readonly STEADY_S=8 # longer than RestartSec=5 of the units: one that ends at once is seen to be begun anew
readonly PACKAGES_APPLIANCE=(polkitd python3-numpy) # numpy is apt's everywhere: another one breaks apt's camera library
readonly PACKAGES_NAME=(avahi-daemon)               # answers for this machine's name with .local behind it, by mDNS

dry=no yes=no purge=no wheels='' roles=() changes=0
is_new=no # the release was seen to run by this run, and by none before

# shellcheck source=install/back.sh
. "$ROOT/install/back.sh"

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
    # --dry-run too: what only root may look at would be told as not there
    [ "$(id -u)" -eq 0 ] || die "this is about the whole system: run it as root: sudo ./install.sh $command_line"
    if [ "$dry" = no ]; then
        exec 9>$ONE_AT_A_TIME
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
    if [ -n "$(dpkg --audit 2>/dev/null)" ] || is_policy_left; then
        step "mending an installation of packages that was interrupted" mend_packages
    fi
}

mend_packages() {
    hold_services
    logged "configuring what apt left half done" "See: sudo dpkg --audit" \
        env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a
    quieten_services
}

add_packages() {
    local package missing=() wanted=("${PACKAGES_RUN[@]}" "${PACKAGES_APPLIANCE[@]}")
    if lacks_lists; then step "asking apt for its lists" update_lists; fi
    if is_pi; then wanted+=("${PACKAGES_PI[@]}"); fi
    if [[ " ${roles[*]} " = *" dashboard "* ]]; then wanted+=("${PACKAGES_NAME[@]}"); fi
    for package in "${wanted[@]}"; do is_installed "$package" || missing+=("$package"); done
    [ ${#missing[@]} -eq 0 ] || step "installing from apt: ${missing[*]}" install_packages "${wanted[@]}"
}

# It was not started when it was installed, since then no server is.
answer_for_name() {
    [[ " ${roles[*]} " = *" dashboard "* ]] && is_booted || return 0
    if is_installed "${PACKAGES_NAME[0]}" && ! systemctl is-active --quiet avahi-daemon.service; then
        step "answering for $(uname -n).local" systemctl start avahi-daemon.service
    fi
}

build_release() {
    local release=$1 pip=(-m pip install -q --disable-pip-version-check --no-input --no-deps)
    need_disk "$OPT" "$FREE_MB_RELEASE"
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
    cmp -s "$2" "$3" && [ "$(stat -c %a "$3")" = "$1" ] || step "writing $3" put_whole "$@"
}

# The file of before, or this one; never half of one, also on a full disk. Nobody reads names that end so.
put_whole() {
    install -D -T -m "$1" "$2" "$3.new"
    mv "$3.new" "$3"
}

# list_units FOLDER: units and their common part, as paths below it.
list_units() { (cd "$1" && find . -maxdepth 2 \( -name 'platypus*.service' -o -name 'platypus.target' -o -path '*.service.d/*.conf' \) -printf '%P\n' | sort); }

put_user_files() {
    put 644 "$1/systemd/sysusers.d/platypus.conf" /etc/sysusers.d/platypus.conf
    put 644 "$1/systemd/tmpfiles.d/platypus.conf" /etc/tmpfiles.d/platypus.conf
}

put_units() {
    local from=$1/systemd unit
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
    if is_somebodys $STATE || is_somebodys $ETC || is_somebodys $RUN; then
        step "giving $STATE and $ETC, set up by hand, to the users platypus-..." take_over
    fi
    if [ ! -e $STATE/.restore ] || [ ! -d $RUN ] || [ "$(stat -c %a $STATE)" != 2770 ]; then
        step "making $STATE and $RUN" systemd-tmpfiles --create /etc/tmpfiles.d/platypus.conf
    fi
}

# Before there were services, people made these folders their own (uid 1000 and up): no service could read them.
is_somebodys() { [ -d "$1" ] && [ "$(stat -c %u "$1")" -ge 1000 ]; }

# Owners and rights as the programs would have made them (hardware/durable.py). The folders come last: while one of them is
# somebody's, the next run does it again.
take_over() {
    local file
    rm -rf $RUN # a socket of somebody's broker stands in the way of ours
    if [ -d $STATE ]; then
        find $STATE -xdev -mindepth 1 -exec chown -h platypus-dashboard:platypus {} +
        for file in recordings stream.lock stream-order.json stream-log.jsonl agenda.json; do
            if [ -e "$STATE/$file" ]; then chown -hR platypus-stream:platypus "$STATE/$file"; fi
        done
        find $STATE -xdev -maxdepth 1 -type f \( -name 'ledger.*' -o -name '.in-use-*' -o -name .restore \) -exec chmod 660 {} +
        find $STATE -xdev -maxdepth 1 -type f \( -name 'agenda*.json' -o -name stream-order.json -o -name stream-log.jsonl \) -exec chmod 640 {} +
        if [ -d $STATE/look ]; then chmod -R u=rwX,g=rX,o= $STATE/look; fi
        chown platypus-dashboard:platypus $STATE
    fi
    if [ -d $ETC ]; then
        find $ETC -xdev -mindepth 1 -exec chown -h platypus-dashboard:platypus {} + # a certificate's key
        if [ -e $ETC/platypus.toml ]; then chown root:platypus $ETC/platypus.toml && chmod 640 $ETC/platypus.toml; fi
        if [ -e $ETC/secrets.toml ]; then chown platypus-stream:platypus $ETC/secrets.toml && chmod 600 $ETC/secrets.toml; fi
        chown root:platypus $ETC
        chmod 2750 $ETC
    fi
}

time_zone() {
    local zone
    zone=$(readlink /etc/localtime || true) # by the name that was chosen: some zones are links to others themselves
    zone=${zone#*/zoneinfo/}
    [ -n "$zone" ] || zone=$(cat /etc/timezone 2>/dev/null || true) # a copy in the place of the link
    if [ -z "$zone" ] || [ ! -f "/usr/share/zoneinfo/$zone" ]; then
        say "this system has no time zone: UTC it is, until you change time_zone in $ETC/platypus.toml"
        zone=UTC
    fi
    printf '%s' "$zone"
}

write_config() {
    install -d "$ETC"
    chown root:platypus "$ETC"
    chmod 2750 "$ETC"
    local camera='kind = "device"' pins=mock
    if is_pi; then
        camera='kind = "picamera2"'
        if compgen -G '/dev/gpiochip*' >/dev/null; then pins=lgpio; fi # other machines have such pins, too: for their own
    fi
    {
        printf '# Yours: no installation and no upgrade changes it. What there is to write: docs/platypus.example.toml of the project;\n'
        printf '# sudo platypus config check says what is wrong with it. Then: sudo systemctl restart platypus.target\n\n'
        printf '[door]\nevent = "%s" # another one: sudo platypus event create NAME ...\n\n' "$EVENT"
        printf '[door.camera]\n%s # "picamera2", "device" (USB), "rtsp", "file", "pictures"\n\n' "$camera"
        printf '[door.panel]\npins = "%s" # "lgpio"; "mock" on a machine without pins\n\n' "$pins"
        printf '[dashboard]\ntime_zone = "%s"\n' "$(time_zone)"
    } >"$ETC/.platypus.toml.new"
    chown root:platypus "$ETC/.platypus.toml.new"
    chmod 640 "$ETC/.platypus.toml.new"
    mv "$ETC/.platypus.toml.new" "$ETC/platypus.toml"
}

write_secrets() {
    install -m 600 -o platypus-stream -g platypus /dev/null "$ETC/secrets.toml"
}

configure() {
    [ -e "$ETC/platypus.toml" ] || step "writing $ETC/platypus.toml" write_config
    [ -e "$ETC/secrets.toml" ] || step "writing $ETC/secrets.toml, for stream keys" write_secrets
}

# lacks_event RELEASE: the configuration names our event, and the ledger has none of that name.
lacks_event() {
    local said
    said=$(
        "$1/venv/bin/python" - "$ETC/platypus.toml" "$EVENT" <<'PY'
import sys
from pathlib import Path
from hardware.errors import PlatypusError
from kiosk.config import load_config
from kiosk.ledger.peek import event_name
from kiosk.ledger.records import LedgerError, UnknownEvent
try:
    config = load_config(Path(sys.argv[1]))
    if config.door.event == sys.argv[2]:
        event_name(config.ledger_path, config.door.event)
except (UnknownEvent, LedgerError):  # of the latter, absent or half made: making the event mends it, or says what is wrong
    print("lacking")
except PlatypusError as error:
    sys.exit(f"install: {error}")
PY
    ) || die "whether there is an event could not be found out; what was wrong stands above"
    [ "$said" = lacking ]
}

make_event() {
    local release=$1 what="making the event $EVENT, 50 seats"
    if [ "$dry" = yes ] && { [ ! -e "$release/.complete" ] || [ ! -e "$ETC/platypus.toml" ]; }; then
        if [ ! -e "$ETC/platypus.toml" ] || grep -qs "^event = \"$EVENT\"" "$ETC/platypus.toml"; then
            step "$what, unless the ledger has it"
        fi
    elif lacks_event "$release"; then
        step "$what" logged "making the event" "See: sudo platypus doctor" \
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

appliance_install() {
    local release old=''
    refuse_elsewhere
    command -v systemctl >/dev/null || die "this system has no systemd. Platypus runs on Debian 12 or 13 and on Raspberry Pi OS."
    wanted_roles
    confirmed "Install Platypus (${roles[*]}) as services of this machine?" harmless
    mend_apt
    add_packages
    answer_for_name
    if [ "$dry" = yes ] && ! command -v python3 >/dev/null; then
        say "would: build a release, make users, units and configuration, start it; each step can be told when python3 is there"
        return
    fi
    python=$(find_python)
    release=$RELEASES/$(release_name)
    if [ -L $CURRENT ]; then old=$(readlink -f $CURRENT); fi
    if [ "$old" = "$release" ]; then old=''; fi # from here on: what is upgraded
    if [ -n "$old" ]; then refuse_while_unproved; fi
    [ -e "$release/.complete" ] || step "building the release ${release##*/}" build_release "$release"
    # Units and users come from the folder this runs in, which is what the release was made of. What can fail for want of
    # anything comes before the stop.
    put_user_files "$ROOT"
    add_users
    configure
    [ -n "$old" ] || make_event "$release" # an upgrade has one, or somebody wanted none
    if [ -n "$old" ]; then
        [ "$dry" = yes ] || need_disk $STATE "$FREE_MB_STATE"
        step "stopping" stop_all
        step "backing up before the upgrade" backup_before_upgrade "$release"
    fi
    put_units "$ROOT"
    [ "$(readlink -f $CURRENT)" = "$release" ] || step "making ${release##*/} the current release" switch_to "$release"
    [ "$(readlink $COMMAND 2>/dev/null)" = $CURRENT/venv/bin/platypus ] ||
        step "linking $COMMAND" ln -sfn $CURRENT/venv/bin/platypus $COMMAND
    enable_units
    if [ "$dry" = yes ]; then
        if is_booted && { [ "$changes" -gt 0 ] || ! all_active || is_unproved; }; then
            step "starting all of it, and waiting until it runs"
        fi
        remove_releases_but "$release" "${old:-$(release_before)}"
        [ "$changes" -eq 0 ] || say "nothing was done: this was --dry-run"
    elif ! is_booted; then
        say "systemd does not run here: the services start with the next boot"
    elif [ "$changes" -gt 0 ] || ! all_active || is_unproved; then
        prove "$release"
    fi
    [ "$changes" -gt 0 ] || say "nothing had to be changed: ${release##*/} is installed, with ${roles[*]}"
    tell_of_memory
    [ "$dry" = yes ] || welcome
}

# Raspberry Pi OS starts its kernel so: MemoryMax= of the units would be thought to hold.
tell_of_memory() {
    if [ -e "$CONTROLLERS" ] && ! grep -qw memory "$CONTROLLERS"; then
        say "this kernel limits nobody's memory, whatever the units say: add cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt, and restart the Pi"
    fi
}

# It runs, and whatever is older than the release before goes; or the release before comes back.
prove() {
    if [ "$changes" -gt 0 ] || ! all_active; then
        [ "$changes" -gt 0 ] || say "what does not run is started"
        start_all
    fi
    say "waiting until everything runs"
    doing="waiting until ${1##*/} is healthy"
    if is_healthy; then
        doing=''
        if is_unproved; then is_new=yes; fi
        rm -f "$UNPROVED"
        remove_releases_but "$1" "$(release_before)"
        return
    fi
    doing=''
    if is_unproved && [ -n "$(release_before)" ]; then
        say "the new release is not healthy within $HEALTHY_WITHIN_S s"
        go_back
        die "the upgrade came to nothing; $(basename "$(readlink -f $CURRENT)") runs as before. What was wrong stands above, and in: journalctl -u 'platypus-*'"
    fi
    die "not everything runs; see: journalctl -u 'platypus-*', and sudo platypus doctor"
}

remove_releases_but() {
    local each
    for each in "$RELEASES"/*; do
        if [ -d "$each" ] && [ "$each" != "$1" ] && [ "$each" != "$2" ]; then
            step "removing ${each##*/}, an older release" rm -rf "$each"
        fi
    done
}

welcome() {
    [[ " ${roles[*]} " = *" dashboard "* ]] || return 0
    # A new link makes the one before void: somebody may be about to use that. Of a release that was not seen to run
    # before, nobody was given one.
    local link=--no-link
    if [ $is_new = yes ]; then link=--link; fi
    "$CURRENT/venv/bin/python" "$CURRENT/install/welcome.py" "$link"
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

# Folders that the configuration names outside of ours may hold other things, too: whoever made them deletes them.
tell_of_elsewhere() {
    [ -e $ETC/platypus.toml ] && command -v python3 >/dev/null || return 0
    python3 - $ETC/platypus.toml $STATE $RUN <<'PY' || say "$ETC/platypus.toml cannot be read: what it names outside of $STATE is not deleted"
import sys, tomllib
from pathlib import Path
def folders(table):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from folders(value)
        elif name.endswith("dir") and isinstance(value, str) and value:
            yield value
try:
    named = set(folders(tomllib.loads(Path(sys.argv[1]).read_text())))
except (OSError, ValueError) as error:
    sys.exit(f"install: {error}")
for folder in sorted(each for each in named if not any(Path(each).is_relative_to(ours) for ours in sys.argv[2:])):
    print(f"install: not deleted, since it lies elsewhere: {folder}", file=sys.stderr)
PY
}

appliance_purge() {
    confirmed "Delete Platypus with $STATE and $ETC: tickets, people, recordings, keys, backups?" weighty
    tell_of_elsewhere
    ! is_there || step "removing services, $OPT and what belongs to them" remove_program
    if [ -e $STATE ] || [ -e $ETC ] || getent group platypus >/dev/null; then
        step "deleting $STATE, $ETC and their users" remove_data
    fi
    [ "$changes" -gt 0 ] || say "nothing had to be removed"
    say "kept: the packages from apt"
}
