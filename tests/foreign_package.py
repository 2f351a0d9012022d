"""A package as somebody else would write it, which offers a criterion, a granularity and a source."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

FOREIGN = "foreign_package"

CODE = '''
"""What one writes: a function and a class, and what people are told about them."""

from dataclasses import dataclass

import torch
from torch.nn.utils import prune

from pruning_explorer import Subject
from pruning_explorer.prune.criteria import Criterion
from pruning_explorer.prune.granularities import GranularitySpec
from pruning_explorer.prune.grouping import Granularity
from pruning_explorer.prune.settings import Setting
from pruning_explorer.sources.by_name.library import Library


def SCORES(scoring, target):
    weight = scoring.weight(target)
    places = torch.arange(1.0, weight.numel() + 1).view(weight.shape)
    return scoring.granularity.group_scores(places)


FROM_THE_END = Criterion("from-the-end", "From the front", "What stands first goes first.", SCORES, static=True)
TAKEN = Criterion("magnitude", "Mine", "Mine.", SCORES)
ODD = Criterion("a:b=c", "Mine", "Mine.", SCORES)


class Whole(prune.BasePruningMethod):
    PRUNING_TYPE = "unstructured"

    def __init__(self, amount, step):
        self.amount, self.step = amount, step

    def compute_mask(self, t, default_mask):
        scores = EveryNth(self.step).group_scores(t)
        mask = torch.ones_like(scores)
        mask[scores.argsort()[: round(self.amount * len(scores))]] = 0
        return EveryNth(self.step).expand(mask, t.shape).contiguous()


@dataclass(frozen=True)
class EveryNth(Granularity):
    """Flat index i belongs to group i % step."""

    step: int = 4
    unit = "combs"

    def refuse(self, target):
        return None if target.numel % self.step == 0 else f"its weights are no multiple of {self.step}"

    def group_shape(self, shape):
        return (self.step,)

    def group_scores(self, scores):
        return scores.reshape(-1, self.step).sum(0)

    def expand(self, groups, shape):
        return groups.repeat(torch.Size(shape).numel() // self.step).view(shape)

    def method(self, amount):
        return Whole(amount, self.step)


EVERY_NTH = GranularitySpec(
    "every-nth",
    "Combs",
    "Weights at equal distances go together.",
    (Setting("step", "Step", "How far apart.", 4, 2, 64), Setting("loud", "Loud", "Nothing.", False)),
    lambda values: EveryNth(int(values["step"])),
)


def load(name, *, pretrained, browser):
    torch.manual_seed(0)
    return Subject.from_module(torch.nn.Sequential(torch.nn.Linear(6, 4)), name=f"zoo:{name}")


ZOO = Library("zoo", "The zoo", "foreign_package", "zoo:line", load)
'''

OFFERS = {
    "pruning_explorer.criteria": f"from-the-end = {FOREIGN}:FROM_THE_END",
    "pruning_explorer.granularities": f"every-nth = {FOREIGN}:EVERY_NTH",
    "pruning_explorer.sources": f"zoo = {FOREIGN}:ZOO",
}


def install(folder: Path, offers: Mapping[str, str] | None = None) -> None:
    """Lay it into a folder of ``sys.path`` as an installer does: its module, and its metadata with entry points."""
    (folder / f"{FOREIGN}.py").write_text(textwrap.dedent(CODE))
    metadata = folder / f"{FOREIGN}-1.0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {FOREIGN}\nVersion: 1.0\n")
    sections = (f"[{group}]\n{lines}\n" for group, lines in {**OFFERS, **(offers or {})}.items())
    (metadata / "entry_points.txt").write_text("\n".join(sections))
