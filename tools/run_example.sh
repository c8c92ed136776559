#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_example.sh WEIR EXAMPLE [--keep]
#
# Starts the example's service and Weir, publishes the example's events, and stays until Ctrl-C or until
# one of the two ends; then it stops whatever it started. Their files are in EXAMPLE/weir-data, made
# anew at each start unless --keep is given.
set -euo pipefail

WEIR=$(realpath "$1")
EXAMPLE=$(realpath "$2")
KEEP=${3:-}
PYTHON=/usr/bin/python3
WEIR_PORT=8600
SERVICE_PORT=9900
DATA=$EXAMPLE/weir-data
SHOWN=${DATA#"$PWD/"}

started=()      # process ids, in the order they were started
declare -A name # of each process id

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "dev run: $*" >&2
  exit 1
}

# start NAME COMMAND...: in the background, its output in NAME.log; it ends with this script at the latest.
start() {
  setpriv --pdeathsig TERM "${@:2}" >>"$DATA/$1.log" 2>&1 </dev/null &
  started+=($!)
  name[$!]=$1
}

# Last started, first stopped. SIGTERM lets Weir drain; whoever takes longer than 15 s is killed.
stop_all() {
  trap '' INT TERM HUP
  local index pid
  for ((index = ${#started[@]} - 1; index >= 0; --index)); do
    pid=${started[index]}
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in {1..150}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

require_free_port() {
  if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    die "port $1, which $2 needs, is in use: stop the other program (ss -ltnp 'sport = :$1' names it)"
  fi
}

# wait_until_answers NAME URL: or say how the last started process failed.
wait_until_answers() {
  local pid=${started[-1]}
  for _ in {1..300}; do
    if curl -fs -o /dev/null --max-time 2 "$2"; then return; fi
    kill -0 "$pid" 2>/dev/null || die "$1 did not start:"$'\n'"$(tail -n 20 "$DATA/$1.log")"
    sleep 0.1
  done
  die "$1 did not answer at $2 within 30 s; see $SHOWN/$1.log"
}

[[ -z $KEEP || $KEEP == --keep ]] || die "unknown option '$KEEP'; there is only --keep"
require_free_port $WEIR_PORT Weir
require_free_port $SERVICE_PORT "the example's service"
[[ $KEEP == --keep ]] || rm -rf "$DATA"
mkdir -p "$DATA"

trap stop_all EXIT
trap 'say ""; say "Stopping Weir and the service. What they wrote stays in $SHOWN."; exit 0' INT TERM HUP

cd "$EXAMPLE"
start service $PYTHON service.py --port $SERVICE_PORT --db "$DATA/tracker.db" --version 1
wait_until_answers service http://127.0.0.1:$SERVICE_PORT/admin/stats
start weir "$WEIR" serve --config weir.yaml --data "$DATA/store"
wait_until_answers weir http://127.0.0.1:$WEIR_PORT/readyz

$PYTHON publish.py --server http://127.0.0.1:$WEIR_PORT &
publisher=$!
started+=("$publisher")
name[$publisher]=publish
wait "$publisher" || die "publishing failed"
unset 'started[-1]'

cat <<END

Weir runs at http://127.0.0.1:$WEIR_PORT and delivers to the example's service at http://127.0.0.1:$SERVICE_PORT.
Logs and data: $SHOWN. Some deliveries fail: version 1 of the service has two bugs.

In another terminal:
  ./dev weir status                  # flows, dependencies and what is in quarantine
  ./dev weir group list              # why deliveries failed, grouped
  ./dev weir explain EVENT_ID        # the whole story of one event
  curl -d 2 http://127.0.0.1:$SERVICE_PORT/admin/version        # the service without the bugs
  ./dev weir replay plan --group GROUP --dry-run      # then without --dry-run
  ${EXAMPLE#"$OLDPWD/"}/prove.py --db $SHOWN/tracker.db      # every event applied exactly once

Ctrl-C stops everything. The README's tour goes on from here.
END

wait -n -p ended "${started[@]}" || true
die "${name[$ended]} ended by itself:"$'\n'"$(tail -n 20 "$DATA/${name[$ended]}.log")"
