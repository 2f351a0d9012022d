"""Trains the sample networks again, each from its seed, and measures them on the held-out data.

python sample_models/train.py                   all of them, a few minutes on two cores
python sample_models/train.py digits-cnn ...    only these

Writes weights/NAME.safetensors and metrics.json beside this file. The number of steps is fixed and the last
weights are kept: held-out data is looked at once, at the end, and chooses nothing.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pruning_explorer.sources import networks  # noqa: E402
from pruning_explorer.sources.sample_data import read_digits, read_held_out_sums, read_spirals  # noqa: E402
from pruning_explorer.sources.samples import SAMPLES  # noqa: E402
from pruning_explorer.sources.sums import lesson  # noqa: E402
from pruning_explorer.sources.training import HOW_TRAINED, SEED, HowTrained  # noqa: E402

Batch = tuple[Tensor, Tensor]
"""Inputs ``[N, ...]`` and labels, int64 ``[N]`` or ``[N, T]``."""

Draw = Callable[[int], Batch]
"""A random batch of that many training samples."""


Data = Callable[[], tuple[Draw, Batch]]
"""Reads the data; gives how to draw from the training part, and the held-out part."""


def draw_from(inputs: Tensor, labels: Tensor) -> Draw:
    def draw(count: int) -> Batch:
        chosen = torch.randint(len(labels), (count,))
        return inputs[chosen], labels[chosen]

    return draw


def digits(*shape: int, shift: int = 0) -> Data:
    """Digits whose images have the shape that a network reads: ``(64,)``, ``(8, 8)`` or ``(1, 8, 8)``.

    With ``shift`` each training batch is moved by up to so many pixels in either direction.
    """

    def data() -> tuple[Draw, Batch]:
        (images, labels), (held_images, held_labels) = read_digits("training"), read_digits("held out")
        draw_still = draw_from(images, labels)

        def draw(count: int) -> Batch:
            batch, batch_labels = draw_still(count)
            if shift:
                top, left = torch.randint(2 * shift + 1, (2,)).tolist()
                batch = nn.functional.pad(batch, (shift,) * 4)[:, top : top + 8, left : left + 8]
            return batch.reshape(-1, *shape), batch_labels

        return draw, (held_images.reshape(-1, *shape), held_labels)

    return data


def spirals() -> tuple[Draw, Batch]:
    return draw_from(*read_spirals("training")), read_spirals("held out")


def sums() -> tuple[Draw, Batch]:
    held_out = read_held_out_sums()
    # A sum is unseen only if its mirror image is unseen too: 347+285 gives 285+347 away
    allowed = torch.ones(1000, 1000, dtype=torch.bool)
    allowed[held_out[:, 0], held_out[:, 1]] = False
    allowed[held_out[:, 1], held_out[:, 0]] = False

    def draw(count: int) -> Batch:
        pairs = torch.randint(1000, (count, 2))
        return lesson(pairs[allowed[pairs[:, 0], pairs[:, 1]]])

    return draw, lesson(held_out)


# tutorial-mlp is not here: it is never trained, only initialised
DATA: dict[str, Data] = {
    "spirals-mlp": spirals,
    "digits-mlp": digits(64),
    "digits-cnn": digits(1, 8, 8),
    "digits-vit": digits(1, 8, 8),
    "digits-gru": digits(8, 8, shift=1),
    "adder-transformer": sums,
}


def train(name: str, how: HowTrained) -> tuple[nn.Module, Batch]:
    """Train one network from its seed.

    Returns:
        The network in eval mode, and the held-out samples to measure it on.
    """
    draw, held_out = DATA[name]()
    torch.manual_seed(SEED)
    network = SAMPLES[name].build()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=how.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, how.learning_rate, how.steps)
    with tqdm(range(how.steps), desc=name) as steps:
        for step in steps:
            inputs, labels = draw(how.batch)
            loss = nn.functional.cross_entropy(network(inputs).flatten(0, -2), labels.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % 50 == 0:
                steps.set_postfix(loss=f"{loss.item():.4f}")
    return network.eval(), held_out


def measure(network: nn.Module, held_out: Batch) -> dict[str, float | int]:
    """Count the held-out samples that are right; one with several labels is right when all of them are."""
    inputs, labels = held_out
    with torch.inference_mode():
        hits = network(inputs).argmax(dim=-1) == labels
    right = int(hits.reshape(len(labels), -1).all(dim=1).sum())
    return {"fraction": round(right / len(labels), 4), "right": right, "n": len(labels)}


def save(name: str, network: nn.Module) -> None:
    (HERE / "weights").mkdir(exist_ok=True)
    save_file(network.state_dict(), HERE / "weights" / f"{name}.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(['tutorial-mlp', *DATA])}")
    names = parser.parse_args().names or ["tutorial-mlp", *DATA]
    if unknown := set(names) - {"tutorial-mlp", *DATA}:
        parser.error(f"no sample network is called {', '.join(sorted(unknown))}; see --help")

    # Sums over several threads round by their number: one thread gives the same weights on two cores as on twenty,
    # and networks this small lose no time by it
    torch.set_num_threads(1)
    metrics_file = HERE / "metrics.json"
    metrics = json.loads(metrics_file.read_text()) if metrics_file.exists() else {}
    for name in names:
        if name == "tutorial-mlp":
            torch.manual_seed(SEED)
            save(name, networks.TutorialMLP())
            continue
        started = time.perf_counter()
        network, held_out = train(name, HOW_TRAINED[name])
        save(name, network)
        metrics[name] = measure(network, held_out)
        print(f"{name}: {metrics[name]} in {time.perf_counter() - started:.0f} s")
    metrics_file.write_text(json.dumps(dict(sorted(metrics.items())), indent=2) + "\n")


if __name__ == "__main__":
    main()
