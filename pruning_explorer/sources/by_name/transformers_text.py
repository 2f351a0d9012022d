"""Words as the token ids that a network of transformers takes, by the tokenizer that belongs to it."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.by_name.optional_libraries import hub_answers, one_line
from pruning_explorer.sources.by_name.transformers_models import import_transformers

LONGEST = 128
"""Most tokens of a sample; longer ones are cut off."""


def tokenize(words: str, texts: Sequence[str], count: int) -> tuple[Tensor, ...]:
    """Token ids int64 ``[N, T]``, and the attention mask beside them where the network takes two inputs.

    Args:
        words: of the network, ``"hf:bert-base-uncased"``.
        count: how many inputs the network is given.

    Raises:
        SubjectError: its tokenizer cannot be had.
    """
    transformers = import_transformers()
    place = words.removeprefix("hf:").partition(",")[0]
    only_here = Path(place).expanduser().exists() or not hub_answers()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            place, trust_remote_code=False, local_files_only=only_here
        )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        encoded = tokenizer(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    except Exception as error:  # of the hub's client, the disk, or the tokenizer
        raise SubjectError(
            f"the tokenizer of {words} cannot be had ({one_line(error)}); give token ids apart by blanks instead"
        ) from error
    ids: Tensor = encoded["input_ids"]
    mask: Tensor = encoded["attention_mask"]
    return (ids, mask)[:count]
