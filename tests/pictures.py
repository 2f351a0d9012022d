"""The pictures of the README, and its film of a drag, taken from the running app.

``python -m tests.pictures [NAME ...]``: names are those of the files in ``.github``: ``drag``, ``models``,
``compare``, ``learn``; all of them where none is given.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, Server, wait_until_settled

GITHUB = Path(__file__).resolve().parents[1] / ".github"
WINDOW = {"width": 1440, "height": 900}
PAGES = {
    "models": "models",
    "compare": "compare",
    "learn": "learn?lesson=each-layer-or-all&amount=0.3",
}
FILM = "?subject=digits-cnn&scope=global&amount=0.05"
FRAMES = 48
FROM, TO = 0.05, 0.9
FRAME_MS = 90
BEHIND_MS = 8000
"""Time for what comes in behind a page: curves, and the amounts that a loss allows."""
FILM_WIDTH = 1040
MOST_BYTES = 3_000_000


def main() -> int:
    """Take those that are named."""
    wanted = sys.argv[1:] or ["drag", *PAGES]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server("app.py", Path(folder) / "log.txt")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            for name in wanted:
                take = film if name == "drag" else picture
                print(*take(browser, server.url, name), flush=True)
        finally:
            browser.close()
            server.stop()
    return 0


def picture(browser: Browser, url: str, name: str) -> tuple[Path, int]:
    """One page as it first stands in a window, and the bytes of its file."""
    with opened(browser, f"{url}/{PAGES[name]}") as page:
        path = GITHUB / f"{name}.png"
        image = Image.open(io.BytesIO(page.screenshot()))
        image.convert("RGB").quantize(256).save(path, optimize=True)
    return path, path.stat().st_size


def film(browser: Browser, url: str, name: str) -> tuple[Path, int]:
    """A hand that drags Explore's amount from little to much and back, and lets go."""
    frames: list[Image.Image] = []
    with opened(browser, f"{url}/{FILM}") as page:
        box = page.locator(".amount-curve .track").bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        there = [FROM + (TO - FROM) * i / (FRAMES // 2) for i in range(FRAMES // 2 + 1)]
        page.mouse.move(box["x"] + FROM * box["width"], middle)
        page.mouse.down()
        for amount in (*there, *reversed(there)):
            page.mouse.move(box["x"] + amount * box["width"], middle)
            page.evaluate("new Promise(requestAnimationFrame)")
            frames.append(scaled(page.screenshot()))
        page.mouse.up()
    path = GITHUB / f"{name}.webp"
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=FRAME_MS,
        loop=0,
        quality=55,
        method=4,
        minimize_size=True,
    )
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{path} has {size:,} bytes, more than the {MOST_BYTES:,} that a page should load")
    return path, size


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """A page that has come to rest."""
    context = browser.new_context(viewport=WINDOW, color_scheme="light")
    page = context.new_page()
    page.goto(address)
    wait_until_settled(page)
    page.wait_for_timeout(BEHIND_MS)
    yield page
    context.close()


def scaled(screenshot: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(screenshot)).convert("RGB")
    return image.resize((FILM_WIDTH, round(FILM_WIDTH * image.height / image.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
