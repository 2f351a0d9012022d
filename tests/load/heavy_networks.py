"""Networks whose work takes long: one for ``--subject``, and one as a file for anybody to bring."""

import io

import torch
from torch import Tensor, nn
from torch.export import Dim

WIDTH, BLOCKS, PATCH = 768, 12, 16
IMAGES = 32


class VisionTransformer(nn.Module):
    """ViT-B/16 (Dosovitskiy et al., arXiv 2010.11929) with random weights: 86 M of them."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.first = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.randn(1, 197, WIDTH) * 0.02)
        block = nn.TransformerEncoderLayer(WIDTH, 12, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, BLOCKS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, 1000)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``[N, 1000]`` of images ``[N, 3, 224, 224]``."""
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first.expand(len(tokens), -1, -1), tokens], dim=1) + self.positions
        logits: Tensor = self.head(self.blocks(tokens)[:, 0])
        return logits


def vit_b() -> dict[str, object]:
    """For ``--subject tests.load.heavy_networks:vit_b``."""
    torch.manual_seed(0)
    return {"model": VisionTransformer(), "samples": torch.randn(IMAGES, 3, 224, 224)}


def exported_program() -> bytes:
    """A convolutional network of 42 MB, exported: some seconds of one core for each look at it."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 256, 3, padding=1)]
    for _ in range(18):
        layers += [nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1)]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)).eval()
    program = torch.export.export(network, (torch.randn(2, 3, 64, 64),), dynamic_shapes=({0: Dim("batch")},))
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()
