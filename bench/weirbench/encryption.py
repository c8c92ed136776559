# SPDX-License-Identifier: Apache-2.0
"""What encryption at rest costs ingest: the same load into a plain and an encrypted store, by turns."""

from weirbench.figures import Figure, Sample
from weirbench.ingest import ingest_once
from weirbench.rig import Rig

COST = 1.10
PAIRS = 3  # per run, plain and encrypted after each other
LOADS = {"batch": {"batch": 100, "connections": 8}, "single": {"connections": 64}}


def encrypted_config(rig: Rig):
    """The usual configuration, and a key file."""
    key, path = rig.folder / "encryption.key", rig.folder / "encrypted.yaml"
    if not key.exists():
        rig.processes.run_json([rig.weir_program, "encryption", "key", "create", key, "-o", "json"], 30)
    path.write_text(f"{rig.config.read_text()}encryption: {{ keyFile: {key.resolve()} }}\n")
    return path


def encryption_cost(rig: Rig) -> list[Figure]:
    """CPU per event, which a busy machine changes little, and events a second, which it changes much."""
    config, figures = encrypted_config(rig), []
    for name, load in LOADS.items():
        events = rig.events(300_000 if name == "batch" else 100_000)
        spent, rates = [], []
        for _ in range(rig.runs * PAIRS):
            plain, plain_cpu, _ = ingest_once(rig, events, **load)
            sealed, sealed_cpu, store = ingest_once(rig, events, config=config, **load)
            if not store["masterKey"]:
                raise RuntimeError("the store that should be encrypted is not")
            shared = (plain["began"], sealed["ended"], sealed_cpu, events)
            micros = [cpu / events * 1e6 for cpu in (sealed_cpu, plain_cpu)]
            spent.append(Sample(*micros, *shared))
            rates.append(Sample(plain["rate"], sealed["rate"], *shared))
        note = "limit: without encryption, CPU per event"
        figures.append(Figure(f"encryption_cost, {name}", "us", spent, COST, at_most=True, note=note))
        note = "plain over encrypted throughput"
        figures.append(Figure(f"encryption_cost, {name}, ev/s", "ev/s", rates, COST, at_most=True, note=note))
    return figures
