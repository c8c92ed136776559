# SPDX-License-Identifier: Apache-2.0
"""Lives of the real binary under strace, by the phase that the faults are in, and what each phase begins with."""
import injection
from reference_run import Died, ReferenceRun

# strace counts per thread. While Weir starts, one thread makes all calls that matter. To a Weir that serves strace is
# attached, so that the counts are those of the storage thread for the storage and of the I/O thread for the network.
PHASES = ("create", "recover", "serve")
# Of the calls that are made for other files, too, only those for these.
DATA_FILES = ("", "weir.db", "weir.db-wal", "weir.db-shm", "weir.db.new", "lock", "reserve", "audit-signing.key",
              "audit-signing.key.new", "audit-signing.pub", "audit-signing.pub.new", "audit-checkpoints.jsonl")
ALSO_OTHER_FILES = ("openat", "pread64")


def paths_of(run, call):
    return [run.data / name for name in DATA_FILES] if call in ALSO_OTHER_FILES else []


def live(run, phase, arguments):
    """A life under strace, up to its end or, if it is about the start, until it serves; its exit code if it died."""
    tracer = None
    try:
        if phase != "serve":
            run.launch(injection.launched(arguments))
            return None
        run.launch()
        tracer = injection.Attached(run.weir.process.pid, arguments)
        run.drive()
        code = run.weir.stop()
        return None if code == 0 else code
    except Died:
        return run.weir.process.returncode
    finally:
        if tracer:
            tracer.detach()


def empty_store(folder):
    """A store that was made and closed."""
    run = ReferenceRun(folder)
    try:
        run.launch()
        run.weir.stop()
        return run.left()
    finally:
        run.end()


def crashed_store(folder, before=None):
    """A store whose Weir was killed in the middle: a log to recover, calls under way, an effect in doubt."""
    run = ReferenceRun(folder, before)
    run.outside.on_payment = lambda: run.weir.kill()
    try:
        run.launch()
        run.drive()
        raise RuntimeError("no payment was made")
    except Died:
        run.crashes += 1
        return run.left()
    finally:
        run.end()


def before_phases(folder):
    return {"create": None, "recover": crashed_store(folder / "crashed"), "serve": empty_store(folder / "empty")}


def count_calls(folder, phase, calls, before):
    """How often each call is made in a life without faults."""
    file = folder / f"{phase}.calls"
    run = ReferenceRun(folder / f"{phase}-counted", before)
    try:
        code = live(run, phase, injection.record(calls, file))
        if code is not None:
            raise RuntimeError(f"it ended with {code}: {run.log()}")
        return injection.recorded(file, [str(path) for path in paths_of(run, "openat")])
    finally:
        run.end()
