# SPDX-License-Identifier: Apache-2.0
"""What the effect gateway adds to a call: 32 callers of a dependency, directly and through it."""

import http.server
import threading

from weirbench.figures import Figure, Sample
from weirbench.rig import PORT, RECEIVER_PORT, Rig

CALLERS = 32
SYNCS = 3  # of the disk, at most
OWN_MILLIS = 0.5  # and so much more
KEEPER_PORT = 18682


class Keeper(http.server.ThreadingHTTPServer):
    """A handler that never answers: its Weir-Token is good for as long as it is wanted."""

    def __init__(self):
        self.token, self.came, self.over = "", threading.Event(), threading.Event()
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                keeper.token = self.headers["Weir-Token"]
                keeper.came.set()
                keeper.over.wait(600)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", KEEPER_PORT), Handler)
        self.daemon_threads = True
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self.server_close()


def effects_config(rig: Rig):
    """The usual configuration, and a flow whose handler has effects on the receiver."""
    path = rig.folder / "effects.yaml"
    text = rig.config.read_text()
    text = text.replace("dependencies:\n", f'dependencies:\n  keeper: {{ url: "http://127.0.0.1:{KEEPER_PORT}", policy: fast }}\n')
    text = text.replace("flows:\n", "flows:\n  pays:\n    from: { stream: pay }\n    to: { http: { dependency: keeper } }\n"
                                    "    effects: [receiver]\n    policy: fast\n")
    path.write_text(text.replace("streams:\n", "streams:\n  pay: {}\n"))
    return path


def call(rig: Rig, calls: int, port: int, token: str = "-") -> dict:
    command = [rig.bin / "bench_effects", "--port", port, "--token", token, "--connections", CALLERS, "--calls", calls]
    return rig.processes.run_json(command, 300)


def effect_latency(rig: Rig) -> list[Figure]:
    """The median that is added, against three syncs of the disk, as they were meanwhile, and half a millisecond."""
    calls, samples, tails = rig.events(50_000), [], []
    for _ in range(rig.runs):
        with rig.receiver(), Keeper() as keeper, rig.weir(config=effects_config(rig)) as weir:
            rig.publish("pay", 1, connections=1)
            if not keeper.came.wait(20):
                raise RuntimeError("the handler was not called")
            direct = call(rig, calls, RECEIVER_PORT)
            cpu = weir.cpu()
            through = call(rig, calls, PORT, keeper.token)
            spent = weir.cpu() - cpu
        sync, _ = rig.probe.percentiles([(through["began"], through["ended"])])
        added = through["p50_ms"] - direct["p50_ms"]
        tails.append(f"{through['rate']:,.0f}/s, sync {sync:.2f} ms, p99 {through['p99_ms']:.1f} ms")
        samples.append(Sample(added, SYNCS * sync + OWN_MILLIS, through["began"], through["ended"], spent, calls))
    note = f"median; limit: {SYNCS} syncs + {OWN_MILLIS} ms; {'; '.join(tails)}"
    return [Figure("effect_latency", "ms", samples, 1, at_most=True, note=note)]
