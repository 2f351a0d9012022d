"""How long a report in the terminal takes, beside the libraries that it cannot do without.

``python -m tests.benchmarks.terminal``: ``python -m pruning_explorer report digits-cnn`` takes at most 1.5 times as
long as a process that imports torch, numpy and pandas and ends. Whole processes, one after the other in turns.
"""

import statistics
import subprocess
import sys
import time

from tests.benchmarks.pages import ROOT

ROUNDS = 9
LIMIT = 1.5

COMMANDS = {
    "torch, numpy and pandas": ["-c", "import torch, numpy, pandas"],
    "report digits-cnn": ["-m", "pruning_explorer", "report", "digits-cnn"],
}


def seconds(arguments: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> int:
    """Exit code 1 if the ratio of the medians is over the limit."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        seconds(arguments)  # into the cache of the disk
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            taken[name].append(seconds(arguments))
    print(f"{'seconds of a process':<24} {'median':>7} {'least':>7} {'most':>7}")
    for name, each in taken.items():
        print(f"{name:<24} {statistics.median(each):>7.2f} {min(each):>7.2f} {max(each):>7.2f}")
    libraries, report = (statistics.median(each) for each in taken.values())
    print(f"{report / libraries:.2f} times; {'met' if report <= LIMIT * libraries else 'MISSED'}: at most {LIMIT}")
    return 0 if report <= LIMIT * libraries else 1


if __name__ == "__main__":
    sys.exit(main())
