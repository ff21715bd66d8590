"""Run the attacks: ``python -m fuzz --seconds 60 [TARGET..]``.

Each target gets its share of the time, in a process of its own that may use 512 MiB more than it starts with. Inputs
are decided by random bytes from a seed, so each can be made again; with ``--atheris TARGET`` they are mutated by what
they reach, where atheris is installed. Input that breaks a target is made smaller and kept in ``build/fuzz``; move it
to ``tests/data/crashes`` when the fault is mended.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

from fuzz.targets import TARGETS, attack

KEPT = Path("build") / "fuzz"
SLOW = 5.0  # seconds of CPU that one input may take
HANGS = 30  # seconds after which an input is taken to wait for ever
MEMORY = 512 << 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all without")
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", metavar="TARGET", help="let atheris mutate one target's input, guided by coverage")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.atheris:
        return guided(asked.atheris, asked.seconds)
    if asked.one:
        return run(asked.one, asked.seconds, asked.seed)
    names = asked.targets or list(TARGETS)
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "fuzz", "--one", name, "--seed", str(asked.seed)]
        failed |= subprocess.run([*command, "--seconds", str(asked.seconds / len(names))], check=False).returncode
    return failed


def run(name: str, seconds: float, seed: int) -> int:
    """Attack one target for some time; give 1 if something broke."""
    faulthandler.enable()
    outcome(name, b"")  # imports
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    chance = random.Random(f"{name} {seed}")
    began, count, broken = time.monotonic(), 0, 0
    while time.monotonic() - began < seconds and broken < 5:
        data = chance.randbytes(chance.choice((8, 64, 512)))
        count += 1
        if fault := outcome(name, data):
            broken += 1
            keep(name, smaller(name, data, fault), fault)
    took = time.monotonic() - began
    print(f"{name:>12}: {count:>8,} inputs, {count / took:>7,.0f}/s, {broken} faults", flush=True)
    return int(broken > 0)


def outcome(name: str, data: bytes) -> str | None:
    """Name what one input broke, if anything: the exception and where, or that it took too long."""
    began = time.process_time()
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANGS)
    try:
        attack(name, data)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a find
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
    finally:
        signal.alarm(0)
    return "slow" if time.process_time() - began > SLOW else None


def _hangs(*_: object) -> None:
    raise TimeoutError(f"not done after {HANGS} s")


def smaller(name: str, data: bytes, fault: str) -> bytes:
    """Leave out what the fault does not need."""
    size = len(data) // 2
    while size:
        for at in range(0, len(data), size):
            shorter = data[:at] + data[at + size :]
            if fault != "slow" and outcome(name, shorter) == fault:
                data = shorter
                break
        else:
            size //= 2
    return data


def keep(name: str, data: bytes, fault: str) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name}-{data.hex()[:16] or 'empty'}"
    path.write_bytes(data)
    print(f"{name}: {fault}: {path}", flush=True)


def guided(name: str, seconds: float) -> int:
    """Let atheris decide; it ends the process itself."""
    atheris = import_module("atheris")  # optional: pip install atheris

    for module in [module for module in sys.modules if module.startswith(("cachegraph", "fuzz.targets"))]:
        del sys.modules[module]  # to import them again, instrumented
    with atheris.instrument_imports(include=["cachegraph"]):
        targets = import_module("fuzz.targets")
        targets.attack(name, b"")
    KEPT.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds:.0f}",
        "-rss_limit_mb=1024",
        "-timeout=20",
        f"-artifact_prefix={KEPT}{os.sep}",
    ]
    atheris.Setup([sys.argv[0], *options], lambda data: targets.attack(name, data))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
