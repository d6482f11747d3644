# What is done beside something else (sourced by scripts/test.sh and scripts/test-host.sh).
#   meanwhile LOG COMMAND…        begins it; its process, and process group, is in $meanwhile
#   meanwhile_idle LOG COMMAND…   the same, with what the others leave of the processors: a test that measures must not notice it
#   meanwhile_hurry GROUP         it is waited for now, and gets its share
#   meanwhile_end                 whatever is left of all that was begun is ended
meanwhile_groups=()
meanwhile=

meanwhile() {
    local log=$1
    shift
    # Job control for this one line: a process group of its own, which can be ended whole. Not a session of its own: the
    # kernel would count that as another user, with the same claim on the processors.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    set +m
    meanwhile=$!
    meanwhile_groups+=("$meanwhile")
}

meanwhile_idle() {
    local log=$1
    shift
    if command -v chrt >/dev/null; then
        meanwhile "$log" chrt --idle 0 "$@"
    else
        meanwhile "$log" nice -n 19 "$@"
    fi
}

meanwhile_hurry() {
    local pid
    command -v chrt >/dev/null || return 0
    for pid in $(pgrep -g "$1"); do
        # It may have ended by now.
        chrt --other --all-tasks --pid 0 "$pid" 2>/dev/null || true
    done
}

meanwhile_end() {
    local group
    for group in "${meanwhile_groups[@]}"; do
        meanwhile_hurry "$group"
        kill -TERM -- "-$group" 2>/dev/null || true
        wait "$group" 2>/dev/null || true
    done
    meanwhile_groups=()
}
