"""Run a function in a process of its own that may be killed, run out of memory or crash.

It is forked from a process that has imported what the function needs, which takes longer than most functions do.
"""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")


def run_apart(function: Callable[..., Any], *arguments: Any, seconds: float = 300) -> Any:
    """Call it there.

    Args:
        function: of a module; its arguments and what it returns can be pickled.

    Raises:
        RuntimeError: it raised, with its traceback; its process ended without an answer; or it took too long.
    """
    CONTEXT.set_forkserver_preload([function.__module__])  # of the first caller: the server starts once
    answers, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_answer, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        if not answers.poll(seconds):
            raise RuntimeError(f"no answer in {seconds:.0f} s")
        worked, answer = answers.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"its process ended with {process.exitcode}") from None
    finally:
        process.kill()
        process.join()
    if not worked:
        raise RuntimeError(answer)
    return answer


def _answer(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        answer = True, function(*arguments)
    except BaseException:
        answer = False, traceback.format_exc()
    sender.send(answer)
