"""Images in the size, the channels and the scale that a network takes."""

from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.own_samples.taken_inputs import class_of, first_layer, what_it_takes


def pictures(subject: Subject, samples: SampleSet) -> Tensor:
    """Float32 ``[N, C, H, W]``, in [0, 1] or as the network's weights were trained on.

    Raises:
        SubjectError: the network takes no images, or their sizes differ and it does not say which it takes.
    """
    channels, size = picture_shape(subject)
    sizes = sorted({image.shape[:2] for image in samples.images})
    if size is None and len(sizes) > 1:
        some = ", ".join(f"{width} x {height}" for height, width in sizes[:3])
        raise SubjectError(
            f"the images of {samples.name} have {len(sizes)} sizes ({some} …), and {subject.name} does not say which "
            "it takes; bring them to one size"
        )
    made = []
    for image in samples.images:
        picture = Pillow.fromarray(image)
        if size is not None and image.shape[:2] != size:
            picture = picture.resize((size[1], size[0]), Pillow.Resampling.BILINEAR)
        made.append(np.atleast_3d(np.asarray(picture.convert("L") if channels == 1 else picture)))
    scaled = torch.from_numpy(np.stack(made)).movedim(3, 1).float().div_(255).contiguous()
    mean_and_std = _normalisation(subject, channels)
    if mean_and_std is None:
        return scaled
    mean, std = (torch.tensor(each).reshape(-1, 1, 1) for each in mean_and_std)
    return scaled.sub_(mean).div_(std)


def picture_shape(subject: Subject) -> tuple[int, tuple[int, int] | None]:
    """Channels, and height and width where they are known, of the images that a network takes.

    Raises:
        SubjectError: it takes no images of one or three channels.
    """
    now = subject.samples[0] if subject.samples else None
    if now is not None and now.dim() == 4 and now.shape[1] in (1, 3):
        return now.shape[1], (now.shape[2], now.shape[3])
    first = first_layer(subject)
    if first is not None and issubclass(class_of(subject, first), nn.Conv2d) and first.shape[1] in (1, 3):
        return first.shape[1], None
    raise SubjectError(
        f"{subject.name} takes no images [N, 1 or 3, H, W]: {what_it_takes(subject)}; give the inputs as .npz"
    )


def how_scaled(subject: Subject) -> str:
    """What is done to the numbers of images, in a sentence."""
    mean_and_std = _normalisation(subject, picture_shape(subject)[0])
    if mean_and_std is None:
        return "Images are scaled to [0, 1] and not normalised further."
    mean, std = (", ".join(f"{number:.3g}" for number in each) for each in mean_and_std)
    return f"Images are scaled to [0, 1] and normalised as its weights were trained on: mean {mean}, deviation {std}."


def _normalisation(subject: Subject, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and standard deviation by channel, where the network carries them as those of timm do."""
    config: Any = getattr(subject.model, "pretrained_cfg", None)
    if not isinstance(config, dict):
        return None
    found = [config.get(key) for key in ("mean", "std")]
    if not all(isinstance(each, tuple | list) and len(each) == channels for each in found):
        return None
    mean, std = (tuple(float(number) for number in each or ()) for each in found)
    return (mean, std) if all(number > 0 for number in std) else None
