"""The key figures in one line, which follow a hand at the amount."""

from pruning_explorer.ui.key_figures.component import (
    Basis,
    Figure,
    key_figures,
    send_amount,
    send_figures,
    send_no_figures,
)

__all__ = ["Basis", "Figure", "key_figures", "send_amount", "send_figures", "send_no_figures"]
