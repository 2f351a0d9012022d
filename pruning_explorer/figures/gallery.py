"""Samples as cards: what goes in, what is true, and what the dense and the pruned network answer."""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import need_columns
from pruning_explorer.figures.numbers import MINUS, MISSING, percent
from pruning_explorer.figures.pictures import png_address

ANSWERS = ("sample", "agrees", "dense_top1", "pruned_top1", "dense_probability", "pruned_probability")
TEXTS = ("sample", "agrees", "prompt", "dense", "pruned", "dense_probability", "pruned_probability")
RIGHT, WRONG, FLIPPED = "✓", "✗", "⇄ flipped"
NOTHING = "There are no samples to show."

# text has the page's own colour and borders let the page shine through, so one sheet does for light and dark. A head
# has room for the mark on its line: it does not grow where a sample flips
_STYLE = f"""<style>
.px-cards{{display:grid;grid-template-columns:repeat(auto-fill,minmax(164px,1fr));gap:8px;
color:inherit;font-size:0.875rem;line-height:1.35}}
.px-cards.px-wide{{grid-template-columns:repeat(auto-fill,minmax(210px,1fr))}}
.px-cards.px-recipes{{grid-template-columns:repeat(auto-fill,minmax(270px,1fr))}}
.px-card{{margin:0;padding:8px;border:1px solid rgba(128,128,128,.4);border-radius:8px;min-width:0;
overflow-wrap:anywhere;color:inherit}}
.px-card.px-flipped{{border:2px dashed {colours.REMOVED};padding:7px;
background:{colours.translucent(colours.REMOVED, 0.1)}}}
.px-card img{{width:72px;height:72px;object-fit:contain;image-rendering:pixelated;display:block;
border:1px solid rgba(128,128,128,.4)}}
.px-head{{display:flex;flex-wrap:wrap;gap:0 8px;justify-content:space-between;margin:0 0 4px}}
.px-card table{{margin:4px 0 0;border-collapse:collapse;width:100%;font-size:inherit;color:inherit}}
.px-card th,.px-card td{{border:0;padding:0 10px 0 0;text-align:left;font-weight:400;vertical-align:top;color:inherit}}
.px-card th{{width:1%;white-space:nowrap}}
.px-recipes .px-card th{{width:auto;white-space:normal}}
.px-card td.px-number{{text-align:right;padding-right:0;white-space:nowrap;font-variant-numeric:tabular-nums}}
.px-said{{font-weight:600}}
.px-wide .px-said,.px-prompt{{font-family:monospace;white-space:pre-wrap;font-size:0.95rem}}
.px-off{{text-decoration:underline {colours.REMOVED} 3px;text-underline-offset:2px;
background:{colours.translucent(colours.REMOVED, 0.28)};color:inherit}}
</style>"""


def image_gallery(
    samples: pd.DataFrame,
    pictures: npt.NDArray[np.floating],
    names: Sequence[str],
    labels: npt.NDArray[np.integer] | None = None,
) -> str:
    """Cards with picture, true class, and both answers with their probabilities, in the order given.

    Args:
        samples: one row per card with the columns ``ANSWERS``, as ``sample_drift`` makes it.
        pictures: [N, H, W] in [0, 1], by sample number.
        names: of the classes, as plain text.
        labels: [N], the true classes.

    Returns:
        HTML with its style; every name is escaped.

    Raises:
        ValueError: a column is missing, or ``pictures`` is not [N, H, W].
    """
    need_columns(samples, ANSWERS, "The gallery")
    if pictures.ndim != 3:
        raise ValueError(f"pictures must be [N, H, W], not {list(pictures.shape)}")
    cards = []
    for row in samples.to_dict("records"):
        number = int(row["sample"])
        true = None if labels is None else class_name(names, int(labels[number]))
        cards.append(
            sample_card(
                number,
                bool(row["agrees"]),
                sample_picture(number, pictures[number], true),
                [] if true is None else [("true", escape(true), "", None)],
                [
                    (
                        who,
                        escape(class_name(names, int(row[f"{who}_top1"]))),
                        percent(row[f"{who}_probability"]),
                        None if labels is None else int(row[f"{who}_top1"]) == int(labels[number]),
                    )
                    for who in ("dense", "pruned")
                ],
            )
        )
    return card_list(cards, "px-cards")


def text_gallery(samples: pd.DataFrame) -> str:
    """Cards with prompt, true answer, and both answers; characters that are wrong are marked.

    Args:
        samples: one row per card with the columns ``TEXTS`` and, where it is known, ``true``. Without it the pruned
            answer is held against the dense one.

    Returns:
        HTML with its style; all text is escaped.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(samples, TEXTS, "The gallery of texts")
    cards = []
    for row in samples.to_dict("records"):
        true = row.get("true")
        known = isinstance(true, str)
        should = str(true) if known else str(row["dense"])
        cards.append(
            sample_card(
                int(row["sample"]),
                bool(row["agrees"]),
                f'<div class="px-prompt">{escape(str(row["prompt"]))}</div>',
                [("true", escape(should), "", None)] if known else [],
                [
                    (
                        who,
                        marked(str(row[who]), should),
                        percent(row[f"{who}_probability"]),
                        str(row[who]) == should if known else None,
                    )
                    for who in ("dense", "pruned")
                ],
            )
        )
    return card_list(cards, "px-cards px-wide")


def marked(said: str, should: str) -> str:
    """An answer as escaped HTML, with each run of characters that differ from what they should be in a ``mark``.

    >>> marked("622", "632")
    '6<mark class="px-off">2</mark>2'
    """
    pieces: list[tuple[bool, str]] = []
    for place in range(max(len(said), len(should))):
        # a missing character is shown as one, or nobody would see that the answer is too short
        character = said[place] if place < len(said) else "␣"
        off = place >= len(said) or place >= len(should) or said[place] != should[place]
        if pieces and pieces[-1][0] == off:
            pieces[-1] = (off, pieces[-1][1] + character)
        else:
            pieces.append((off, character))
    return "".join(f'<mark class="px-off">{escape(text)}</mark>' if off else escape(text) for off, text in pieces)


def number_table(
    samples: pd.DataFrame,
    values: npt.NDArray[np.floating] | None,
    names: Sequence[str],
    labels: npt.NDArray[np.integer] | None = None,
) -> pd.DataFrame:
    """Samples that are plain numbers, or that nothing shows, as a table to be shown as it is, in the order given.

    Args:
        samples: as for :func:`image_gallery`.
        values: [N, F], by sample number; None where there is no way to show an input.
        names: of the classes.
        labels: [N], the true classes.

    Returns:
        One row per sample: ``sample``, ``flipped``, ``input`` (with values), ``true`` (with labels), ``dense`` and
        ``pruned`` (an answer that is text already stays as it is) and their probabilities as fractions,
        ``dense probability``, ``pruned probability``.
    """
    need_columns(samples, ANSWERS, "The table of samples")
    numbers = samples["sample"].to_numpy(dtype=np.int64)
    table = pd.DataFrame({"sample": numbers, "flipped": ["" if agrees else FLIPPED for agrees in samples["agrees"]]})
    if values is not None:
        if values.ndim != 2:
            raise ValueError(f"values must be [N, F], not {list(values.shape)}")
        rows = (", ".join(f"{value:.2f}" for value in values[number]) for number in numbers)
        table["input"] = [row.replace("-", MINUS) for row in rows]
    if labels is not None:
        table["true"] = [class_name(names, int(labels[number])) for number in numbers]
    for who in ("dense", "pruned"):
        answers = samples[f"{who}_top1"]
        table[who] = [
            each if isinstance(each, str) else MISSING if each < 0 else class_name(names, int(each)) for each in answers
        ]
        table[f"{who} probability"] = samples[f"{who}_probability"].to_numpy(dtype=np.float64)
    return table


def sample_picture(number: int, picture: npt.NDArray[np.floating], true: str | None) -> str:
    """A picture [H, W] in [0, 1] as HTML, with its number and its true class for those who cannot see it."""
    what = f"picture of sample {number}" + ("" if true is None else f", truly {true}")
    return f'<img src="{png_address(picture)}" alt="{escape(what)}" width="72" height="72">'


def class_name(names: Sequence[str], index: int) -> str:
    """The name of a class, or its number where it has none."""
    return str(names[index]) if 0 <= index < len(names) else f"class {index}"


Answer = tuple[str, str, str, bool | None]


def sample_card(number: int, agrees: bool, shown: str, truth: list[Answer], answers: list[Answer]) -> str:
    """One card; ``shown`` is the input as HTML. An answer: who, what, a remark, whether it is right."""
    flag = "" if agrees else f"<strong>{FLIPPED}</strong>"
    rows = "".join(_answer(*answer) for answer in (*truth, *answers))
    return (
        f'<div role="listitem" class="px-card{"" if agrees else " px-flipped"}">'
        f'<div class="px-head"><span>sample {number}</span>{flag}</div>{shown}'
        f"<table><tbody>{rows}</tbody></table></div>"
    )


def _answer(who: str, said: str, probability: str, right: bool | None) -> str:
    verdict = ""
    if right is not None:
        verdict = f' <span role="img" aria-label="{"right" if right else "wrong"}">{RIGHT if right else WRONG}</span>'
    return (
        f'<tr><th scope="row">{who}</th><td class="px-said">{said}{verdict}</td>'
        f'<td class="px-number">{escape(probability)}</td></tr>'
    )


def card_list(cards: list[str], kind: str) -> str:
    """Cards side by side, with their style; ``kind`` names the classes of the list."""
    if not cards:
        return f"<p>{NOTHING}</p>"
    # divs with roles: a page's own rules for ul would indent the cards. The sheet comes last: at the head of a fragment
    # it is dropped when the page sanitises it
    return f'<div class="{kind}" role="list">{"".join(cards)}</div>{_STYLE}'
