"""Sessions on three networks move sliders at once for a minute: how long they wait, and what the server holds.

``python -m tests.benchmarks.many_sessions [SECONDS [SESSIONS [APP]]]``, ten sessions if it does not say; with the app
``tests/load/laggy_app.py`` on an event loop that is blocked for 15 ms again and again. Nobody pauses, so this is more
than so many people would do, and all but one bring a network of their own besides, all under the same name. Waits are
from letting a slider go until the run that answers has ended, by the clock of the clients, which run beside the server.
Every page is checked against the package's own report; memory must be level after the first third: its floor in the
last third at most 10 % above that in the second; and no answer may be lost on the way.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.browser.conftest import Server
from tests.load.answers import faults
from tests.load.crowd import Crowd, gather, percentile

SECONDS = 60.0
LEVEL = 1.1
SESSIONS = 10
APP = "tests/load/hasty_app.py"
MIB = 1 << 20


def main() -> int:
    """Exit code 1 if anybody saw what was not theirs, the server logged a fault, or its memory grows on."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    sessions = int(sys.argv[2]) if len(sys.argv) > 2 else SESSIONS
    app = sys.argv[3] if len(sys.argv) > 3 else APP
    with tempfile.TemporaryDirectory() as folder:
        server = Server(app, Path(folder) / "log.txt", TMPDIR=folder)
        try:
            crowd = asyncio.run(
                gather(server.url, server.process.pid, lambda _, passed: passed >= seconds, sessions, Path(folder))
            )
        finally:
            server.stop()
        return report(crowd, server.text.count("Traceback"))


def report(crowd: Crowd, tracebacks: int) -> int:
    pages = sum(len(diary.seen) for diary in crowd.diaries)
    found = [fault for diary in crowd.diaries for fault in faults(diary)]
    print(f"{len(crowd.diaries)} sessions, {len(crowd.waits)} moves of a slider, {pages} pages checked")
    p50, p95 = (percentile(crowd.waits, share) for share in (0.5, 0.95))
    print(f"slider to answer: p50 {p50:.2f} s, p95 {p95:.2f} s, longest {max(crowd.waits):.2f} s")
    print(f"answers that never came until somebody asked again: {crowd.unanswered}")
    step = max(1, len(crowd.memory) // 12)
    print("MiB held:", ", ".join(f"{at:.0f} s {held // MIB}" for at, held in crowd.memory[::step]))
    _, second, third = crowd.floors()
    print(f"floor of the second third {second // MIB} MiB, of the last {third // MIB} ({third / second - 1:+.1%})")
    print(f"sessions counted by the server: {crowd.sessions[0]}, and {crowd.sessions[1]} once all had left")
    print(f"folders with uploads: {crowd.files[0]}, and {crowd.files[1]} a moment after all had left")
    print(f"pages of another's: {len(found)}, tracebacks: {tracebacks}", *found[:10], sep="\n")
    missed = bool(
        found or tracebacks or crowd.unanswered or crowd.sessions[1] or crowd.files[1] or third > LEVEL * second
    )
    print("MISSED" if missed else "met")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
