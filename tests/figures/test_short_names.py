"""Short names of layers: as short as they can be, and never two the same."""

from hypothesis import given
from hypothesis import strategies as st

from pruning_explorer.figures.short_names import LONGEST, short_layers, short_names


def test_layers_of_one_network_fit_and_differ() -> None:
    names = [
        f"encoder.layers.{layer}.{part}" for layer in range(12) for part in ("linear1", "linear2", "self_attn.out_proj")
    ]
    short = short_names(names)
    assert len(set(short)) == len(names)
    assert all(len(each) <= LONGEST for each in short)


def test_a_word_is_told_where_the_last_part_is_a_number() -> None:
    names = [f"layer{stage}.0.downsample.0" for stage in range(1, 5)]
    assert short_names(names) == [f"{stage}.0.downsample.0" for stage in range(1, 5)]


def test_where_numbers_and_last_words_are_the_same_the_part_that_differs_is_told() -> None:
    names = [f"{side}.layers.0.self_attn.out_proj.weight" for side in ("encoder", "decoder")]
    assert short_layers(names) == ["encoder.0.out_proj", "decoder.0.out_proj"]
    # Words without a dot that end alike, and names that differ in two places
    words = ["a_quite_long_word_for_it", "b_quite_long_word_for_it"]
    assert short_names(words) == words
    assert len(set(short_names([f"{a}.x.{b}.a_long_projection" for a in "ab" for b in "cd"]))) == 4


def test_a_weight_and_its_bias_are_not_taken_for_one_another() -> None:
    assert short_layers(["fc.weight", "fc.bias", "fc"]) == ["fc.weight", "fc.bias", "fc"]
    assert short_layers(["fc.weight", "fc.bias"]) == ["fc", "fc.bias"]


@given(st.lists(st.text("ab.0_", min_size=1, max_size=40), min_size=1, max_size=12), st.integers(2, 20))
def test_different_names_never_get_one_label(names: list[str], longest: int) -> None:
    for short in (short_names(names, longest), short_layers(names, longest)):
        assert len(set(zip(names, short, strict=True))) == len(set(names)) == len(set(short))
