# shellcheck shell=bash
# Stop, start, see whether it is well; and the way back to the release of before an upgrade. Read by appliance.sh.

readonly BEFORE=$OPT/before-upgrade # two lines: the release that ran before, and the backup that was made, or none
readonly UNPROVED=$OPT/unproved     # the release that became current and was not seen to be healthy yet
# On the shelf of backups under a name of its own: newer backups do not push it out (they count those with a number), and
# names in it go when they are due, as in all others there (kiosk/backup/shelf.py).
readonly KEPT=before-upgrade.zip

# -- stop and start ----------------------------------------------------------------------------------------------------

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

# What is between here and healthy is known to the next run, too.
switch_to() {
    if is_booted; then printf '%s\n' "$1" >"$UNPROVED"; fi
    point_current_at "$1"
}

is_unproved() { [ -e "$UNPROVED" ] && [ "$(cat "$UNPROVED")" = "$(readlink -f $CURRENT)" ]; }

# A third release over one that nobody saw run would lose the way back to the first.
refuse_while_unproved() {
    if is_unproved && [ -n "$(release_before)" ]; then
        die "the upgrade to $(basename "$(readlink -f $CURRENT)") was interrupted before it was seen to run. Either run its own install.sh again, or go back first: sudo ./install.sh --rollback"
    fi
}

point_current_at() {
    ln -sfn "$1" "$CURRENT.new"
    mv -T "$CURRENT.new" "$CURRENT"
    sync -f "$OPT"
}

# What ran is kept in `stopped` until start_all: whatever comes between, install.sh starts it when it ends.
stop_all() {
    mapfile -t stopped < <(systemctl list-units --plain --no-legend --state=active,activating,reloading 'platypus-*.service' | awk '{print $1}')
    systemctl stop platypus.target 'platypus-*.service'
}

start_all() {
    local units
    mapfile -t units < <(running_units)
    systemctl daemon-reload
    systemctl reset-failed 'platypus*' 2>/dev/null || true
    systemctl restart --no-block platypus.target "${units[@]}"
    stopped=()
}

# -- the way back -------------------------------------------------------------------------------------------------------

# The release to go back to; nothing when there is none.
release_before() {
    local old=''
    if [ -e "$BEFORE" ]; then read -r old <"$BEFORE" || true; fi
    if [ "$old" != "$(readlink -f $CURRENT)" ]; then printf '%s' "$old"; fi
}

forget_way_back() {
    local backup=''
    if [ -e "$BEFORE" ]; then backup=$(sed -n 2p "$BEFORE"); fi
    rm -f "$BEFORE"
    if [ "${backup##*/}" = $KEPT ]; then rm -f "$backup"; fi
}

# The ledger as the old release left it, before the new one brings it to its own step.
backup_before_upgrade() {
    local release=$1 said file kept=''
    said=$("$release/venv/bin/platypus" backup --before-upgrade --json) || die "there is no backup, so there is no upgrade"
    file=$(printf '%s' "$said" | "$release/venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["file"] or "")') ||
        die "platypus backup did not say where the backup is, so there is no upgrade"
    forget_way_back
    if [ -n "$file" ]; then
        kept=$(dirname "$file")/$KEPT
        # a stick's file system may know no links; owners are none there either
        ln -f "$file" "$kept" 2>/dev/null || (umask 077 && cp "$file" "$kept")
        sync -f "$kept"
    fi
    printf '%s\n%s\n' "$(readlink -f $CURRENT)" "$kept" >"$BEFORE.new"
    mv "$BEFORE.new" "$BEFORE"
    sync -f "$OPT"
}

# The release of before the upgrade, with its units. When the ledger was brought to a newer step, which an older release
# refuses, the backup of before takes its place, and what there is now goes aside (platypus restore); nothing is deleted.
go_back() {
    local old backup
    { read -r old && read -r backup; } <"$BEFORE" || die "$BEFORE cannot be read: which release was there before?"
    [ -e "$old/.complete" ] || die "$old is gone or half: install that release again from its own folder. Nothing was changed."
    [ -z "$backup" ] || [ -e "$backup" ] ||
        die "the backup of before the upgrade is gone, and ${old##*/} cannot read the ledger as it is now: names in it were due, or somebody deleted it. Put one of that time at $backup, then run this again. Nothing was changed."
    step "stopping" stop_all
    if [ -n "$backup" ]; then
        step "putting back the state of before the upgrade" logged "restoring $backup" "Nothing of the state was changed." \
            "$old/venv/bin/platypus" restore --yes "$backup"
    fi
    put_user_files "$old"
    put_units "$old"
    step "making ${old##*/} the current release" point_current_at "$old"
    step "starting" start_all
    if [ "$dry" = no ]; then
        is_healthy || die "${old##*/} is not healthy either; see: journalctl -u 'platypus-*'"
        forget_way_back
        rm -f "$UNPROVED"
    fi
}

appliance_rollback() {
    [ -n "$(release_before)" ] || die "there is nothing to go back to: no upgrade was made here, or it was rolled back already"
    wanted_roles
    local backup
    backup=$(sed -n 2p "$BEFORE")
    if [ -n "$backup" ]; then
        confirmed "The ledger goes back to the moment of the upgrade: scans since then go aside. Go back?" weighty
    fi
    go_back
    [ "$dry" = yes ] || say "$(basename "$(readlink -f $CURRENT)") runs again"
}
