"""Quality and drift of every recipe over the whole range of amounts."""


from pruning_explorer.lab.curves import CurveDesk

SECONDS_BETWEEN_LOOKS = 0.5
AXES = {"sparsity": "Sparsity", "compression": "Compression, log"}

_DESK = CurveDesk()
