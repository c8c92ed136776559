#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `./dev bench [ARGS...]`: builds what is missing for speed, then runs run.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case " $* " in
  *" --bin "* | *" --help "* | *" -h "*) ;; # already built by whoever named the folder
  *" micro "* | *" simulate "*)
    program=bench_micro
    if [[ " $* " == *" simulate "* ]]; then program=bench_simulate; fi
    cmake --build build/release --target "$program" >&2
    exec "build/release/bin/$program" --benchmark_min_time=0.2
    ;;
  *) flock build/release.lock cmake --build build/release --target weir bench_programs >build/bench.log 2>&1 || {
    cat build/bench.log >&2
    exit 1
  } ;;
esac
exec /usr/bin/python3 bench/run.py "$@"
