"""A browser without a screen: one session on a Streamlit server, by the protocol that the page itself speaks.

It keeps what a browser keeps: the elements of the last whole run, the widgets that were touched, and the large messages
that need not be sent twice; and does what the page's own script does that asks for another look.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.load.drawn import Asking, Run
from tests.load.far import FarSocket

PATIENCE = 15.0
"""Seconds after which the page asks for another look although the one before was not answered."""


class Session:
    """One browser tab."""

    def __init__(self, socket: websockets.ClientConnection | FarSocket, url: str, path: str, query: str) -> None:
        self.id = ""
        self.runs = 0
        self.bytes_in = 0
        self.failures: list[str] = []
        self.standing: Run | None = None
        """The last whole run that came to its end."""

        self.on_run: Callable[[Run], None] = lambda run: None
        """Called with each whole run that came to its end."""

        self._socket, self._url, self._path, self._query = socket, url, path, query
        self._page = ""
        self._run: Run | None = None
        self._fragments: tuple[str, ...] = ()
        self._fresh: set[tuple[int, ...]] = set()
        self._running, self._at_rest_since = True, 0.0
        self._unanswered: dict[str, tuple[Asking, float]] = {}
        """Of each part that asks for another look: the last that was asked for, and when."""

        self._touched: dict[str, WidgetState] = {}
        self._known: dict[str, ForwardMsg] = {}
        self._moved = asyncio.Condition()
        self._files: asyncio.Queue[Any] = asyncio.Queue()

    # ---- what a hand does ----

    async def act(self, widget: str, *, fragment: str = "", **value: Any) -> None:
        """Set a widget and tell the server; a trigger is forgotten once it is sent.

        Args:
            fragment: that the widget stands in.
        """
        state = WidgetState(id=widget)
        for name, each in value.items():
            if name.endswith("_array_value"):
                getattr(state, name).data.extend(each)
            elif isinstance(each, str | bool | int | float):
                setattr(state, name, each)
            else:
                getattr(state, name).CopyFrom(each)
        self._touched[widget] = state
        self._at_rest_since = time.perf_counter()
        await self.rerun(fragment)
        if state.WhichOneof("value") in ("trigger_value", "json_trigger_value"):
            del self._touched[widget]

    def forget(self, widget: str) -> None:
        """What was touched is gone from the page."""
        self._touched.pop(widget, None)

    async def rerun(self, fragment: str = "") -> None:
        """Ask for a run of the script, or of one of its fragments."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self._query, self._page
        state.page_name = "" if self._page else self._path
        state.widget_states.widgets.extend(self._touched.values())
        state.cached_message_hashes.extend(self._known)
        state.fragment_id = fragment
        await self._socket.send(message.SerializeToString())

    async def until(self, stands: Callable[[Run], bool], seconds: float = 60) -> Run:
        """The first whole run from now on, or the present one, of which ``stands`` is true.

        Raises:
            TimeoutError: there is none.
        """

        def is_there() -> bool:
            return bool(self.failures) or (self.standing is not None and stands(self.standing))

        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(is_there)
        except TimeoutError:
            shown = self.standing and (self.standing.query, [each.body for each in self.standing.all("alert")])
            now = "no run" if self._run is None else f"run {self._run.number}"
            raise TimeoutError(
                f"not shown within {seconds:.0f} s; {now} is under way, and there stands {shown}"
            ) from None
        if self.failures:
            raise RuntimeError("\n".join(self.failures))
        assert self.standing is not None
        return self.standing

    async def upload(self, widget: str, name: str, content: bytes) -> None:
        """Drop a file on an uploader and tell the server."""
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.id
        await self._socket.send(message.SerializeToString())
        (place,) = await asyncio.wait_for(self._files.get(), 30)
        await asyncio.to_thread(_put, self._url, place.upload_url, name, content)
        dropped = FileUploaderState()
        dropped.uploaded_file_info.add(name=name, size=len(content), file_id=place.file_id, file_urls=place)
        await self.act(widget, file_uploader_state_value=dropped)

    # ---- what comes back ----

    async def listen(self) -> None:
        """Take what the server sends, until it or we hang up."""
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self.bytes_in += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                if message.WhichOneof("type") == "ref_hash":
                    known = ForwardMsg()
                    known.CopyFrom(self._known[message.ref_hash])
                    known.metadata.CopyFrom(message.metadata)
                    message = known
                elif message.metadata.cacheable:
                    self._known[message.hash] = message
                async with self._moved:
                    self._take(message)
                    self._moved.notify_all()
        except websockets.ConnectionClosed as closed:
            self.failures.append(f"the server hung up: {closed}")
        except Exception as error:
            self.failures.append(f"a message was not understood: {error!r}")
        async with self._moved:
            self._moved.notify_all()

    async def look_again(self) -> None:
        """Ask for another look, where the page says so, whenever it has been at rest for a while.

        Not while the last one is on its way, unless that takes very long.
        """
        with suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.sleep(0.05)
                run = self._run or self.standing
                asking = [] if run is None or self._running else run.asking()
                rest = time.perf_counter() - self._at_rest_since
                for each in asking:
                    asked, when = self._unanswered.get(each.trigger, (None, 0.0))
                    if rest >= each.seconds and (each != asked or time.perf_counter() - when >= PATIENCE):
                        self._unanswered[each.trigger] = each, time.perf_counter()
                        look = json.dumps([{"event": "look", "value": each.run}])
                        await self.act(each.trigger, fragment=each.fragment, json_trigger_value=look)

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self._begin(message)
            case "navigation":
                if self._page not in ("", message.navigation.page_script_hash):
                    self._query = ""  # another page's address begins empty
                self._page = message.navigation.page_script_hash
            case "delta":
                self._draw(message)
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "session_status_changed":
                self._running = message.session_status_changed.script_is_running
                self._at_rest_since = time.perf_counter()
                self._unanswered.clear()
            case "script_finished":
                self._end(message)
            case "file_urls_response":
                self._files.put_nowait(message.file_urls_response.file_urls)
            case "session_event" if message.session_event.HasField("script_compilation_exception"):
                self.failures.append(message.session_event.script_compilation_exception.message)

    def _begin(self, message: ForwardMsg) -> None:
        self.id = message.new_session.initialize.session_id or self.id
        self._fragments, self._fresh = tuple(message.metadata.run.fragment_ids), set()
        if not self._fragments:
            self.runs += 1
            self._run = Run(self.runs)

    def _draw(self, message: ForwardMsg) -> None:
        run = self.standing if self._fragments else self._run
        if run is None:
            return
        path = tuple(message.metadata.delta_path)
        self._fresh.add(path)
        run.fragments[path] = message.delta.fragment_id
        match message.delta.WhichOneof("type"):
            case "new_element":
                run.blocks.pop(path, None)
                run.elements[path] = message.delta.new_element
                if message.delta.new_element.WhichOneof("type") == "exception":
                    self.failures.append(f"on the page: {message.delta.new_element.exception.message}")
                self._follow(message.delta.new_element)
            case "add_block":
                run.elements.pop(path, None)
                run.blocks[path] = message.delta.add_block

    def _follow(self, element: Element) -> None:
        """Take over what the script sets a widget to, whether we had touched it or not, and report it from now on."""
        kind = element.WhichOneof("type")
        widget = getattr(element, kind)
        if kind == "bidi_component" and widget.id.endswith("-address_bar"):
            bar = json.loads(widget.json)
            if self._query.removeprefix("?") == bar["instead_of"]:
                self._query = bar["query"]
        if kind not in ("slider", "selectbox", "button_group") or not widget.set_value:
            return
        state = self._touched.setdefault(widget.id, WidgetState(id=widget.id))
        match kind:
            case "slider":
                state.double_array_value.data[:] = list(widget.value)
            case "selectbox":
                state.string_value = widget.raw_value
            case "button_group":
                state.string_array_value.data[:] = list(widget.raw_values)

    def _end(self, message: ForwardMsg) -> None:
        if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.failures.append("the script does not compile")
        if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY and self._run is not None:
            self._run.ended, self._run.query = time.perf_counter(), parse_qs(self._query.removeprefix("?"))
            self.standing, self._run = self._run, None
            there = set(self.standing.widgets().values())
            self._touched = {widget: state for widget, state in self._touched.items() if widget in there}
            self.on_run(self.standing)
        if message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY and self.standing is not None:
            self.standing.drop_stale(self._fragments, self._fresh)
        self._fragments = ()


@asynccontextmanager
async def visit(
    url: str, path: str = "", query: str = "", looks: bool = True, delay: float = 0.0, seed: int = 0
) -> AsyncIterator[Session]:
    """Open a page in a tab of its own, and close the tab in the end.

    Args:
        url: of the server, ``"http://127.0.0.1:8501"``.
        path: of the page, ``"compare"``; the first where it is empty.
        query: what follows the ``?``.
        looks: whether it asks for another look by itself, where the page says so.
        delay: the most seconds that a message takes, either way; ``seed`` says how many each does.
    """
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=60) as socket:
        far = FarSocket(socket, delay, seed) if delay else None
        session = Session(far or socket, url, path, query)
        tasks = [asyncio.create_task(session.listen())]
        if looks:
            tasks.append(asyncio.create_task(session.look_again()))
        try:
            await session.rerun()
            yield session
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if far is not None:
                far.hang_up()


def release(percent: float, revision: int) -> str:
    """What the live mask says when its slider is let go."""
    return json.dumps({"release": {"amount": percent / 100, "revision": revision}})


def _put(server: str, path: str, name: str, content: bytes) -> None:
    """Send a file as a form does, with the token that keeps other pages from doing so."""
    with urllib.request.urlopen(f"{server}/_stcore/health", timeout=30) as answer:
        token = SimpleCookie(answer.headers["Set-Cookie"])["_streamlit_xsrf"].value
    edge = "a-line-that-is-in-no-file"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    request = urllib.request.Request(
        f"{server}{path}", data=b"".join((head.encode(), content, f"\r\n--{edge}--\r\n".encode())), method="PUT"
    )
    request.add_header("Content-Type", f"multipart/form-data; boundary={edge}")
    request.add_header("X-Xsrftoken", token)
    request.add_header("Cookie", f"_streamlit_xsrf={token}")
    urllib.request.urlopen(request, timeout=300).close()
