"""The sample networks: small, plain, and made of the layers that people prune."""

import torch
from torch import Tensor, nn


class TutorialMLP(nn.Module):
    """5 -> 4 -> 3: 20 + 12 weights, few enough to prune by hand. ``[N, 5]`` to logits ``[N, 3]``."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(5, 4)
        self.fc2 = nn.Linear(4, 3)

    def forward(self, vectors: Tensor) -> Tensor:
        logits: Tensor = self.fc2(torch.relu(self.fc1(vectors)))
        return logits


class SpiralsMLP(nn.Module):
    """2 -> 16 -> 16 -> 3 with tanh, small enough to be seen whole. Points ``[N, 2]`` to logits ``[N, 3]``."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 16)
        self.fc2 = nn.Linear(16, 16)
        self.fc3 = nn.Linear(16, 3)

    def forward(self, points: Tensor) -> Tensor:
        hidden = torch.tanh(self.fc2(torch.tanh(self.fc1(points))))
        logits: Tensor = self.fc3(hidden)
        return logits


class DigitsMLP(nn.Module):
    """LeNet-300-100, the fully connected network of the pruning papers. ``[N, 64]`` to logits ``[N, 10]``.

    LeCun et al., Gradient-based learning applied to document recognition (1998); here for 64 pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, 10)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = torch.relu(self.fc2(torch.relu(self.fc1(pixels))))
        logits: Tensor = self.fc3(hidden)
        return logits


class ResidualBlock(nn.Module):
    """Two convolutions with BatchNorm around a shortcut (He et al., arXiv 1512.03385).

    ``[N, in, H, W]`` to ``[N, out, H / stride, W / stride]``. The shortcut is a 1x1 convolution where the
    shape changes, else the identity.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        same_shape = in_channels == out_channels and stride == 1
        self.shortcut = nn.Identity() if same_shape else nn.Conv2d(in_channels, out_channels, 1, stride=stride)

    def forward(self, features: Tensor) -> Tensor:
        hidden = torch.relu(self.bn1(self.conv1(features)))
        return torch.relu(self.bn2(self.conv2(hidden)) + self.shortcut(features))


class DigitsCNN(nn.Module):
    """A stem and two residual blocks. Images ``[N, 1, 8, 8]`` to logits ``[N, 10]``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.block1 = ResidualBlock(16, 32, stride=2)
        self.block2 = ResidualBlock(32, 32)
        self.fc = nn.Linear(32, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = torch.relu(self.bn1(self.conv1(images)))
        features = self.block2(self.block1(features))
        logits: Tensor = self.fc(features.mean(dim=(2, 3)))
        return logits


class TransformerBlock(nn.Module):
    """Attention, then a two-layer network, each after a LayerNorm and around a shortcut. ``[N, T, D]`` to the same."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        normed = self.norm1(tokens)
        attended, _ = self.attention(normed, normed, normed, attn_mask=mask, need_weights=False)
        tokens = tokens + attended
        mixed: Tensor = tokens + self.fc2(nn.functional.gelu(self.fc1(self.norm2(tokens))))
        return mixed


class DigitsViT(nn.Module):
    """Sixteen patches of 2x2 pixels through two blocks, then their mean. ``[N, 1, 8, 8]`` to logits ``[N, 10]``.

    After Dosovitskiy et al., arXiv 2010.11929, without the class token.
    """

    def __init__(self, dim: int = 48, heads: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, dim, 2, stride=2)
        self.position = nn.Parameter(0.02 * torch.randn(16, dim))
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads) for _ in range(2))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            tokens = block(tokens)
        logits: Tensor = self.head(self.norm(tokens).mean(dim=1))
        return logits


class DigitsGRU(nn.Module):
    """Reads an image from its top row to its bottom row. ``[N, 8, 8]`` to logits ``[N, 10]``."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 64, batch_first=True)
        self.fc = nn.Linear(64, 10)

    def forward(self, rows: Tensor) -> Tensor:
        states, _ = self.gru(rows)
        logits: Tensor = self.fc(states[:, -1])
        return logits


class AdderTransformer(nn.Module):
    """A causal language model of sums such as ``347+285=0632``, which answers from the ``=`` on.

    Tokens ``[N, T]`` with T of 8 (the prompt alone) to 11 (the prompt and three digits of the answer) give
    logits ``[N, T - 7, 12]``: at each place from ``=`` on, what the next token is. No place sees a later one.
    """

    prompt_length = 8

    def __init__(self, dim: int = 64, heads: int = 4, depth: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, dim)
        self.position = nn.Embedding(11, dim)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 12, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        # One row of places per sample, so that this layer's output is batch first like every other's
        places = torch.arange(length, device=tokens.device).expand_as(tokens)
        hidden = self.embedding(tokens) + self.position(places)
        future = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(diagonal=1)
        for block in self.blocks:
            hidden = block(hidden, future)
        logits: Tensor = self.head(self.norm(hidden[:, self.prompt_length - 1 :]))
        return logits
