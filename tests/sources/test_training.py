"""What the sample networks began with and learned from, for those who train them again."""

import pytest
import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources import networks
from pruning_explorer.sources.sample_data import SAMPLE_MODELS, read_tensors
from pruning_explorer.sources.samples import load_sample
from pruning_explorer.sources.training import how_trained, initial_network, training_data


@pytest.mark.parametrize("name", ["spirals-mlp", "digits-mlp", "digits-cnn", "digits-vit", "digits-gru"])
def test_training_data_goes_into_its_network_and_is_not_what_it_is_judged_on(name: str) -> None:
    inputs, labels = training_data(name)
    subject = load_sample(name)
    assert subject.samples is not None
    assert inputs.shape[1:] == subject.samples[0].shape[1:]
    assert subject.copy_model()(inputs[:2]).shape[0] == 2
    assert len(inputs) == len(labels) == {"spirals-mlp": 1200}.get(name, 1437)
    held_out = {each.numpy().tobytes() for each in subject.samples[0]}
    assert not held_out & {each.contiguous().numpy().tobytes() for each in inputs}


@pytest.mark.parametrize("name", ["tutorial-mlp", "adder-transformer", "my-own"])
def test_who_has_no_training_data_says_who_has(name: str) -> None:
    with pytest.raises(SubjectError, match=f"{name} has no training data in a file; .*spirals-mlp, digits-mlp"):
        training_data(name)


def test_a_network_that_was_never_trained_says_which_were() -> None:
    with pytest.raises(SubjectError, match="tutorial-mlp is no sample network that was trained; those are spirals-mlp"):
        how_trained("tutorial-mlp")
    with pytest.raises(SubjectError, match="my-own is no sample network; those are tutorial-mlp"):
        initial_network("my-own")


def test_an_initial_network_is_what_its_seed_gives_and_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    first, other = initial_network("spirals-mlp"), initial_network("spirals-mlp", seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        expected = networks.SpiralsMLP().state_dict()
    assert all(torch.equal(each, expected[name]) for name, each in first.state_dict().items())
    assert not torch.equal(other.state_dict()["fc1.weight"], expected["fc1.weight"])


def test_the_network_that_was_never_trained_is_its_initial_one() -> None:
    stored = read_tensors(SAMPLE_MODELS / "weights" / "tutorial-mlp.safetensors")
    assert all(torch.equal(each, stored[name]) for name, each in initial_network("tutorial-mlp").state_dict().items())
