"""The browser asks for another look as long as there is more to come, of a page at rest that nobody touches."""

from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.look_again_app import ENOUGH, SECONDS

APP = "tests/browser/look_again_app.py"


def test_it_asks_until_all_is_there_and_no_longer(app: Callable[..., Page]) -> None:
    page = app()
    expect(page.get_by_text(f"look {ENOUGH}", exact=True)).to_be_visible()
    asking = page.locator("[class*=st-key-look_again]")
    expect(asking).to_have_count(0)
    # The script itself has run but once
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()


def test_it_does_not_ask_while_the_script_runs(app: Callable[..., Page]) -> None:
    page = app()
    page.get_by_role("button", name="Hold up").click()
    expect(page.get_by_text("1 while it ran", exact=True)).to_be_visible()
    expect(page.get_by_text(f"look {ENOUGH}", exact=True)).to_be_visible()


def test_it_does_not_ask_beside_a_hand(app: Callable[..., Page]) -> None:
    page = app()
    page.evaluate(
        "window.typing = setInterval(() => document.body.dispatchEvent(new Event('input', {bubbles: true})), 50)"
    )
    page.get_by_role("button", name="Hold up").click()
    expect(page.get_by_text("1 while it ran", exact=True)).to_be_visible()
    page.wait_for_timeout(4_000 * SECONDS)
    expect(page.get_by_text("look 1", exact=True)).to_be_visible()
    page.evaluate("clearInterval(window.typing)")
    expect(page.get_by_text(f"look {ENOUGH}", exact=True)).to_be_visible()


def test_it_does_not_ask_again_before_it_has_an_answer(app: Callable[..., Page], page: Page) -> None:
    looks: list[str | bytes] = []
    held: list[str | bytes] = []

    def route(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def ask(message: str | bytes) -> None:
            if b'"event":"look"' in bytes(message):
                looks.append(message)
            server.send(message)

        def answer(message: str | bytes) -> None:
            # As if the server were busy, from the first look on
            if looks and not answered:
                held.append(message)
            else:
                socket.send(message)

        def go_on() -> None:
            for message in held:
                socket.send(message)

        socket.on_message(ask)
        server.on_message(answer)
        releases.append(go_on)

    answered: list[bool] = []
    releases: list[Callable[[], None]] = []
    page.route_web_socket("**/_stcore/stream", route)
    app()
    page.wait_for_timeout(6_000 * SECONDS)
    assert len(looks) == 1
    answered.append(True)
    for release in releases:
        release()
    expect(page.get_by_text(f"look {ENOUGH}", exact=True)).to_be_visible()
