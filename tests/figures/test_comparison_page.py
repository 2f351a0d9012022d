"""One file that opens offline."""

import json
import re

from pruning_explorer.figures.chart import Chart, draw
from pruning_explorer.figures.comparison_page import Section, comparison_page, preformatted

POINTS = {"type": "scatter", "x": [0, 1], "y": [2, 3], "name": "</script><b>"}


def page() -> str:
    chart = Chart(draw("A chart", 200, [POINTS], {"xaxis": {}, "yaxis": {}}), 'It rises "fast".')
    return comparison_page(
        "digits <cnn>",
        "Two & more",
        [Section("First", "What <it> shows", [chart, "<p>ours</p>"]), Section("Recipes", "", [preformatted("{<}")])],
    )


def without_library(html: str) -> str:
    """Plotly's own script holds addresses and tags of its own in its strings."""
    start = html.index("<script>")
    return html[:start] + html[html.index("</script></head>", start) :]


def test_nothing_is_fetched() -> None:
    html = without_library(page())
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", html)
    assert "default-src 'none'" in html
    assert "connect-src" not in html  # so that the default forbids it


def test_a_chart_is_data_that_cannot_end_its_script() -> None:
    html = without_library(page())
    data = re.search(r'<script type="application/json">(.*?)</script>', html)
    assert data is not None
    figure = json.loads(data[1])
    assert figure["data"][0]["name"] == "</script><b>"
    assert figure["layout"]["title"]["text"] == "A chart"


def test_words_are_escaped_and_charts_are_spoken() -> None:
    html = without_library(page())
    assert "<title>digits &lt;cnn&gt;</title>" in html
    assert "What &lt;it&gt; shows" in html
    assert "Two &amp; more" in html
    assert 'aria-label="It rises &quot;fast&quot;."' in html
    assert "<p>ours</p>" in html
    assert "{&lt;}" in html
    assert html.count("<h2>") == 2
    assert html.index("First") < html.index("Recipes")
