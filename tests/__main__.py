"""Every check there is: ``python -m tests``, from the checkout, with tests/requirements.txt installed.

``python -m tests lint types`` runs these two alone. A browser is fetched where there is none. All checks run even if
one fails; the last lines say which did.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent

Command = list[str]

PYTEST = ["pytest", "-q", "-n", "2", "--dist", "worksteal"]
CHECKS: dict[str, list[Command]] = {
    "lint": [["ruff", "check", "."], ["oxlint", "--deny-warnings", "pruning_explorer"]],
    "format": [["ruff", "format", "--check", "."], ["oxfmt", "--check", "pruning_explorer/**/*.js"]],
    "types": [["mypy"]],
    "imports": [["lint-imports", "--no-logo"]],
    "tests": [[*PYTEST, "--ignore=tests/browser"]],
    # A browser on a busy machine may be late once; a fault is there twice, and each rerun is reported
    "browser": [[*PYTEST, "tests/browser", "--reruns", "1"]],
}


def main() -> int:
    """Exit code 0 when all is well, 1 when a check failed."""
    parser = argparse.ArgumentParser(prog="python -m tests", description="Run every check, or those that are named.")
    parser.add_argument("check", nargs="*", choices=[*CHECKS, []], help=", ".join(CHECKS), metavar="CHECK")
    chosen = parser.parse_args().check or CHECKS
    failed = []
    for name, commands in CHECKS.items():
        if name not in chosen:
            continue
        if name == "browser" and not get_chromium():
            failed.append("a Chromium for the browser tests")
            continue
        start = time.monotonic()
        codes = []
        for tool, *arguments in commands:
            say(f"{name}: {' '.join([tool, *arguments])}")
            codes.append(run([str(TOOLS / tool), *arguments], threads=1 if tool == "pytest" else None))
        passed = not any(codes)
        say(f"{name}: {'passed' if passed else f'FAILED ({max(codes)})'} in {time.monotonic() - start:.0f} s")
        if not passed:
            failed.append(name)
    say(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def get_chromium() -> bool:
    """Find a Chromium, or fetch one: from Debian where we may, else playwright's own build."""
    if has_chromium():
        return True
    say("no Chromium here; fetching one")
    if on_debian() and os.geteuid() == 0:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-q"], quiet)
        run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"], quiet)
    if not has_chromium():
        run([sys.executable, "-m", "playwright", "install", "chromium"])
    return has_chromium()


def has_chromium() -> bool:
    from playwright.sync_api import sync_playwright

    if Path("/usr/bin/chromium").exists() or shutil.which("chromium"):
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def on_debian() -> bool:
    # Ubuntu's chromium package is a door to a snap, which needs a running snapd
    return sys.platform == "linux" and platform.freedesktop_os_release().get("ID") == "debian"


def run(command: Command, environment: Mapping[str, str] | None = None, *, threads: int | None = None) -> int:
    """Run from the root of the checkout, with the output where ours goes.

    Args:
        threads: of torch in each process; two pytest workers of many threads each only wait for one another.
    """
    variables = {**os.environ, **(environment or {})}
    if threads:
        variables["OMP_NUM_THREADS"] = str(threads)
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def say(text: str) -> None:
    print(f"\n--- {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
