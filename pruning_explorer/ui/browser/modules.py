"""JavaScript modules as one text: Streamlit takes a component's code as that, and its own page cannot import ours."""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{\s*(?:\w+,\s*)*\w+,?\s*\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |const )", re.MULTILINE)
_FOR_READERS = re.compile(r"^[ ]*/\*\*.*?\*/\n|^[ ]+", re.MULTILINE | re.DOTALL)
_UNKNOWN = re.compile(r"^(?:import\b|export (?!default )).*", re.MULTILINE)


def join_modules(entry: Path) -> str:
    """A module with all that it imports, each once and before the first that imports it, as one module.

    All names of these modules live side by side then: two of the same name are an error in the browser. Only the
    module ``entry`` may have a default export. What only a reader needs, ``/** */`` and indentation, stays behind, as
    every page carries the text. (No text of ours between backticks goes over several lines.)

    Args:
        entry: a file; what it imports is ``import { name } from "./beside.js"``.

    Raises:
        ValueError: an import is of another form.
    """
    texts: dict[Path, str] = {}
    _collect(entry.resolve(), texts, set())
    return _FOR_READERS.sub("", "".join(texts.values()))


def _collect(path: Path, texts: dict[Path, str], met: set[Path]) -> None:
    met.add(path)
    text = path.read_text(encoding="utf-8")
    for name in _IMPORT.findall(text):
        imported = (path.parent / name).resolve()
        if imported not in met:
            _collect(imported, texts, met)
    joined = _EXPORT.sub("", _IMPORT.sub("", text))
    if unknown := _UNKNOWN.search(joined):
        known = 'import { name } from "./beside.js"'
        raise ValueError(f"{path.name}: {unknown.group()!r} cannot be joined; write {known}")
    texts[path] = joined
