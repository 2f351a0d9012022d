"""The look that components share, in the page's theme. The root of each has the class ``themed``."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

from pruning_explorer.figures.colours import ON_DARK, ON_LIGHT, PageColours

_HERE = Path(__file__).parent
THEME: Final = _HERE / "theme.css"
"""CSS that gives text, background and lines the colours of Streamlit's theme."""
SLIDER: Final = _HERE / "slider.css"
"""CSS of a slider filled up to its value; its user sets ``--slid``, ``--rest``, ``--track`` and ``--thumb``."""


def colour_variables(*, light_on_paper: bool = False) -> str:
    """The colours of the figures as CSS variables, ``--kept`` or ``--kept-pale``; several are a list with commas.

    Args:
        light_on_paper: print in the colours of a light page, whatever the screen shows.
    """
    dark = f".themed.dark {{\n{_variables(ON_DARK)}}}\n"
    return f".themed {{\n{_variables(ON_LIGHT)}}}\n" + (f"@media screen {{\n{dark}}}\n" if light_on_paper else dark)


def _variables(colours: PageColours) -> str:
    texts = {name: value if isinstance(value, str) else ", ".join(value) for name, value in asdict(colours).items()}
    return "".join(f"  --{name.replace('_', '-')}: {text};\n" for name, text in texts.items())
