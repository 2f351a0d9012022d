"""How much can be removed for a given loss, in words: the same on the pages and in a terminal."""

from pruning_explorer.figures.numbers import count, percent
from pruning_explorer.lab.most_within import MostWithin


def allowed_loss(found: MostWithin, quality_name: str) -> str:
    """The allowed loss in words: ``"at most 1 point of accuracy"``."""
    if found.measure == "agreement":
        return f"at most {found.allowed:g} % of the answers flipped"
    return f"at most {_points(found.allowed)} of {quality_name}"


def decision_line(found: MostWithin, quality_name: str, samples: int) -> str:
    """One or two sentences: how much can go, what it costs there and one step further.

    Args:
        quality_name: ``"accuracy"``.
        samples: number of samples that it was measured on.
    """
    if found.amount is None or found.cost is None or found.achieved is None:
        return f"No measured amount costs {allowed_loss(found, quality_name)}."
    loss = _loss(found, found.cost)
    said = f"{percent(found.amount)} can go for {allowed_loss(found, quality_name)}"
    if not found.exact and found.beyond is not None:
        return (
            f"At least {said}, and less than {percent(found.beyond)}: so far as it is measured. "
            f"At {percent(found.amount)} {loss}."
        )
    line = f"{said}: there {loss}, on {count(samples)} samples of {_points(100 / samples)} each"
    if abs(found.achieved - found.amount) >= 0.0005:
        line += f"; {percent(found.achieved)} is achieved"
    if found.beyond is not None and found.beyond_cost is not None:
        line += f". At {percent(found.beyond)} {_loss(found, found.beyond_cost)}"
    if found.earlier is not None:
        line += f". The curve goes up and down: at {percent(found.earlier)}, which is less, it costs more"
    return f"{line}."


def decision_in_short(found: MostWithin) -> str:
    """The amount, and what it costs there and one step further: ``"62.5 % costs 0.83, 62.6 % costs 1.1"``."""
    if found.amount is None or found.cost is None:
        return "no measured amount does"
    if not found.exact and found.beyond is not None:
        return f"at least {percent(found.amount)}, less than {percent(found.beyond)}"
    line = f"{percent(found.amount)} {_short_loss(found, found.cost)}"
    if found.beyond is None or found.beyond_cost is None:
        return line
    return f"{line}, {percent(found.beyond)} {_short_loss(found, found.beyond_cost)}"


def mark_words(found: MostWithin) -> str:
    """What stands at the amount on the curve: ``"most for 1 point"``."""
    return "most for " + (f"{found.allowed:g} % flipped" if found.measure == "agreement" else _points(found.allowed))


def _short_loss(found: MostWithin, cost: float) -> str:
    if found.measure == "agreement":
        return f"flips {cost:.2g} %"
    return f"gains {-cost:.2g}" if cost < 0 else f"costs {cost:.2g}"


def _loss(found: MostWithin, cost: float) -> str:
    if found.measure == "agreement":
        return f"{cost:.2g} % flip"
    if cost < 0:
        return f"it is {_points(-cost)} above dense"
    return f"it costs {_points(cost)}"


def _points(value: float) -> str:
    written = f"{value:.2g}"
    return f"{written} point{'s' * (written != '1')}"
