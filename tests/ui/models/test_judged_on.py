"""What a network is judged on, chosen on the Models page: a part of a file, a share kept apart, calibration inputs."""

import io

import numpy as np
import torch

from pruning_explorer.sources.samples import load_sample
from tests.ui.models.models_page import ModelsPage


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def in_parts() -> bytes:
    own = load_sample("digits-mlp")
    x, y = own.samples[0].numpy(), own.labels.numpy()
    return npz(x_train=x[:90], y_train=y[:90], x_val=x[90:110], y_val=y[90:110], x_test=x[110:120], y_test=y[110:120])


def on_digits() -> ModelsPage:
    page = ModelsPage()
    page.look_into("digits-mlp")
    return page


def now(page: ModelsPage) -> str:
    return next(each for each in page.captions if each.startswith("Now: "))


def about(page: ModelsPage) -> str:
    return " ".join(each.value for each in page.app.markdown).replace("\\", "")


def test_of_a_file_in_parts_it_is_asked_which_one_is_judged() -> None:
    page = on_digits()
    page.drop_samples("mine.npz", in_parts())
    choice = page.app.button_group(key="samples_part")
    assert choice.options == ["train", "val", "test"]
    assert choice.value == "test"
    assert page.looked_into == "digits-mlp"
    page.click("take_part")
    assert page.errors == []
    assert page.looked_into == "digits-mlp on mine"
    assert page.loaded.loc["digits-mlp on mine", "runs"] == "10 samples, labelled"
    assert "Judged on the 10 samples of mine.npz#test. Of the same file train (90 samples), val (20" in about(page)


def test_another_part_is_judged_and_one_more_is_for_calibration() -> None:
    page = on_digits()
    page.drop_samples("mine.npz", in_parts())
    page.app.button_group(key="samples_part").set_value("val").run()
    assert page.app.button_group(key="calibration_part").options == ["train", "test"]
    page.app.button_group(key="calibration_part").set_value("train").run()
    page.click("take_part")
    assert page.errors == []
    assert page.loaded.loc["digits-mlp on mine", "runs"] == "20 samples, labelled"
    assert now(page).endswith("For calibration: 90 inputs, with labels.")
    assert "Calibrated on the 90 samples of mine.npz#train." in about(page)


def test_a_file_in_parts_can_be_left() -> None:
    page = on_digits()
    page.drop_samples("mine.npz", in_parts())
    page.click("leave_parts")
    assert not page.app.get("button_group")
    assert page.looked_into == "digits-mlp"


def test_a_share_is_kept_apart_by_its_seed() -> None:
    page = on_digits()
    page.open_calibration()
    page.app.number_input(key="calibration_share").set_value(25.0).run()
    page.app.number_input(key="calibration_seed").set_value(3).run()
    page.click("keep_apart")
    assert page.errors == []
    assert page.looked_into == "digits-mlp with 25 % apart"
    assert page.loaded.loc["digits-mlp with 25 % apart", "runs"] == "270 samples, labelled"
    assert "For calibration 90 of the 360 samples (25 %, drawn with seed 3) are kept apart" in about(page)
    page.app.number_input(key="calibration_share").set_value(50.0).run()
    page.click("keep_apart")
    assert page.loaded.loc["digits-mlp with 25 % apart", "runs"] == "180 samples, labelled"


def test_calibration_inputs_come_by_a_file_and_none_is_judged() -> None:
    page = on_digits()
    own = load_sample("digits-mlp")
    page.open_calibration()
    page.drop_calibration("judged.npz", npz(x=own.samples[0][:5].numpy()))
    assert "all inputs of judged.npz are among the samples on which digits-mlp is judged" in page.errors[0]
    page.drop_calibration("seen.npz", npz(x=torch.rand(7, 64).numpy(), labels=np.arange(7)))
    assert page.errors == []
    assert page.looked_into == "digits-mlp on seen"
    assert page.loaded.loc["digits-mlp on seen", "runs"] == "360 samples, labelled"
    assert now(page).endswith("For calibration: 7 inputs, with labels.")


def test_a_part_for_calibration_is_asked_for_as_well() -> None:
    page = on_digits()
    page.open_calibration()
    page.drop_calibration("mine.npz", in_parts())
    page.app.button_group(key="samples_part").set_value("train").run()
    page.click("take_part")
    assert "all inputs of mine.npz#train are among the samples" in page.errors[0]
    assert not page.app.get("button_group")
