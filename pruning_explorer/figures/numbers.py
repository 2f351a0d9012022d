"""Numbers as a person reads them. ``None`` and NaN are written as a dash: there is no number."""

import math
from collections.abc import Sequence

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
IDENTICAL = "identical"
UNCOUNTED = "uncounted"


def _absent(value: float | None) -> bool:
    # pandas hands over NaN and pd.NA alike where there is none; only NaN compares unequal to itself
    return value is None or bool(math.isnan(value))


def capitalised(name: str) -> str:
    """A name where a line begins; what is in capitals stays so.

    >>> capitalised("exact match"), capitalised("mean F1")
    ('Exact match', 'Mean F1')
    """
    return f"{name[:1].upper()}{name[1:]}"


def some_of(names: Sequence[str], most: int = 3) -> str:
    """The first of some names, and how many more there are.

    >>> some_of(["a", "b"]), some_of(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def count(value: int | float | None) -> str:
    """A whole number with its thousands apart.

    >>> count(1234)
    '1,234'
    """
    return MISSING if value is None or _absent(value) else f"{int(value):,}"


def short_count(value: int | float | None) -> str:
    """A large number in three digits; below 10,000 it is written out.

    >>> short_count(9999), short_count(12_345), short_count(61_706_000)
    ('9,999', '12.3 k', '61.7 M')
    """
    if value is None or _absent(value):
        return MISSING
    if abs(value) < 10_000:
        return f"{int(value):,}"
    for power, unit in ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")):
        text = _three_digits(value / power)
        # 999,950 is 1.00 M, not 1000 k
        if abs(float(text)) < 1000 or unit == "T":
            return f"{text} {unit}"
    raise AssertionError("unreachable")


def _three_digits(value: float) -> str:
    size = abs(value)
    return f"{value:.1f}" if size < 999.95 and size >= 10 else f"{value:.2f}" if size < 10 else f"{value:.0f}"


def percent(fraction: float | None) -> str:
    """A fraction as percent with one decimal. Only all is written 100.0 %, only none 0.0 %.

    >>> percent(0.8123), percent(0.99999), percent(0.0002)
    ('81.2 %', '>99.9 %', '<0.1 %')
    """
    if fraction is None or _absent(fraction):
        return MISSING
    text = f"{fraction * 100:.1f}"
    if text == "100.0" and fraction < 1:
        # a sum of floats that should be 1 is 1; one weight of a million is not
        return "100.0 %" if math.isclose(fraction, 1, rel_tol=1e-12) else ">99.9 %"
    if text in ("0.0", "-0.0") and fraction != 0:
        return "<0.1 %" if fraction > 0 else f">{MINUS}0.1 %"
    return f"{text} %".replace("-", MINUS)


def points(change: float | None) -> str:
    """A difference of two fractions, in percentage points, with its sign.

    >>> points(0.034), points(0.0)
    ('+3.4 points', '±0.0 points')
    """
    if change is None or _absent(change):
        return MISSING
    text = f"{change * 100:+.1f}"
    return f"{'±0.0' if text in ('+0.0', '-0.0') else text} points".replace("-", MINUS)


def decimal(value: float | None) -> str:
    """Three significant digits, without exponent.

    >>> decimal(0.01234), decimal(2.5), decimal(1e-7), decimal(0.0)
    ('0.0123', '2.50', '<0.0001', '0')
    """
    if value is None or _absent(value):
        return MISSING
    if math.isinf(value):
        return "infinite"
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-4:
        return "<0.0001" if value > 0 else f">{MINUS}0.0001"
    digits = max(0, 2 - math.floor(math.log10(size)))
    return f"{value:,.{digits}f}".replace("-", MINUS)


def times(value: float | None) -> str:
    """How many times fewer.

    >>> times(5.0), times(32.0), times(float("inf"))
    ('5.00×', '32.0×', 'infinite')
    """
    if value is None or _absent(value):
        return MISSING
    return "infinite" if math.isinf(value) else f"{decimal(value)}×"


def nats(value: float | None) -> str:
    """A KL divergence. Rounding can leave one of two equal outputs a hair below zero: that is 0.

    >>> nats(0.01234), nats(-1e-9)
    ('0.0123 nats', '0 nats')
    """
    if value is None or _absent(value):
        return MISSING
    return f"{decimal(0.0 if -1e-6 < value < 0 else value)} nats"


def decibels(value: float | None) -> str:
    """A signal-to-noise ratio in dB; infinite means that there is no difference at all.

    >>> decibels(23.456), decibels(float("inf"))
    ('23.5 dB', 'identical')
    """
    if value is None or _absent(value):
        return MISSING
    if math.isinf(value):
        return IDENTICAL if value > 0 else "no signal left"
    return f"{value:.1f} dB".replace("-", MINUS)


def memory(nbytes: int | None) -> str:
    """A size in bytes, in powers of 1,024.

    >>> memory(512), memory(1536), memory(3 << 30)
    ('512 bytes', '1.50 KiB', '3.00 GiB')
    """
    if nbytes is None:
        return MISSING
    if nbytes < 1024:
        return f"{nbytes} bytes"
    for power, unit in ((10, "KiB"), (20, "MiB"), (30, "GiB"), (40, "TiB")):
        if nbytes < 1 << (power + 10) or unit == "TiB":
            return f"{_three_digits(nbytes / (1 << power))} {unit}"
    raise AssertionError("unreachable")
