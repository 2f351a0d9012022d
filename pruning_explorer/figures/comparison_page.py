"""One HTML file with live charts that needs no server and no network."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from plotly.offline import get_plotlyjs

from pruning_explorer.figures.chart import Chart

# Nothing may be fetched; plotly makes its pictures from data: and blob: addresses
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"

_STYLE = """
:root { color-scheme: light dark; --text: #111111; --page: #ffffff; --line: rgba(128, 128, 128, .4); }
@media (prefers-color-scheme: dark) { :root { --text: #f5f5f5; --page: #0e1117; } }
body { margin: 0 auto; max-width: 1100px; padding: 16px; color: var(--text); background: var(--page);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.8rem; } h2 { margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.note { max-width: 46rem; } .chart { margin: 1rem 0; } .chart > button { margin-right: 8px; }
pre { overflow-x: auto; padding: 12px; border: 1px solid var(--line); border-radius: 8px; }
@media print { :root { color-scheme: light; --text: #111111; --page: #ffffff; } .chart > button { display: none; }
  .chart, .px-card, tr { break-inside: avoid; } }
"""

# Drawn in the page's own colours, and again where the person changes them
_SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const boxes = [...document.querySelectorAll(".chart")];
function look() {
  const night = dark.matches && !printing;
  const line = night ? "#3a3f4b" : "#d9d9d9", text = night ? "#f5f5f5" : "#111111";
  return { font: { color: text, family: "system-ui, sans-serif" }, line };
}
function draw(box) {
  const figure = JSON.parse(box.querySelector("script").textContent), { font, line } = look();
  for (const name of Object.keys(figure.layout)) {
    if (/^[xy]axis/.test(name)) figure.layout[name] = { gridcolor: line, ...figure.layout[name] };
  }
  figure.layout.font = { ...font, ...figure.layout.font };
  Plotly.react(box.querySelector(".plot"), figure.data, figure.layout, { displayModeBar: false, responsive: true });
}
boxes.forEach((box) => {
  draw(box);
  box.querySelectorAll("button").forEach((button) => {
    button.onclick = () => {
      const plot = box.querySelector(".plot");
      const paper = dark.matches ? "#0e1117" : "#ffffff";
      const picture = { data: plot.data, layout: { ...plot.layout, paper_bgcolor: paper } };
      const { width, height } = plot.getBoundingClientRect();
      Plotly.downloadImage(picture, { format: button.value, filename: box.id, width, height, scale: 2 });
    };
  });
});
dark.addEventListener("change", () => boxes.forEach(draw));
// Paper is white
for (const [event, now] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    printing = now;
    if (dark.matches) boxes.forEach(draw);
  });
}
"""


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        note: what it shows and how to read it, as plain text.
        parts: charts, and pieces of HTML as our own figures make them.
    """

    heading: str
    note: str = ""
    parts: Sequence[Chart | str] = field(default=())


def comparison_page(title: str, note: str, sections: Sequence[Section]) -> str:
    """A whole HTML document: charts that hover and save as PNG or SVG, tables, pictures, all in one file.

    Args:
        title: of the page, as plain text.
        note: what was compared, as plain text.
        sections: from top to bottom.
    """
    body = []
    number = 0
    for section in sections:
        body.append(f"<section><h2>{escape(section.heading)}</h2>")
        if section.note:
            body.append(f'<p class="note">{escape(section.note)}</p>')
        for part in section.parts:
            if isinstance(part, Chart):
                number += 1
                body.append(_chart(part, number))
            else:
                body.append(part)
        body.append("</section>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body><main><h1>{escape(title)}</h1>"
        f'<p class="note">{escape(note)}</p>{"".join(body)}</main><script>{_SCRIPT}</script></body></html>'
    )


def preformatted(text: str) -> str:
    """Text as it is, in a fixed width, as a part of a section."""
    return f'<pre tabindex="0">{escape(text)}</pre>'


def _chart(chart: Chart, number: int) -> str:
    # In a script element "</" would end it, and "<!--" hide its end
    figure = json.dumps(json.loads(chart.figure.to_json())).replace("<", "\\u003c")
    buttons = "".join(
        f'<button type="button" value="{kind.lower()}" aria-label="Save chart {number} as {kind}">{kind}</button>'
        for kind in ("PNG", "SVG")
    )
    return (
        f'<div class="chart" id="chart-{number}"><div class="plot" role="img" aria-label="{escape(chart.alt)}"></div>'
        f'{buttons}<script type="application/json">{figure}</script></div>'
    )
