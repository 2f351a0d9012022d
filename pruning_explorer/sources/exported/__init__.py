"""Exported programs: network and weights in one ``.pt2`` file, with no code of the author's."""

from pruning_explorer.sources.exported.opening import open_exported

__all__ = ["open_exported"]
