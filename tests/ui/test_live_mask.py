"""The live mask's bytes: what the browser reads must be what was ranked."""

from itertools import pairwise

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pruning_explorer.errors import MaskError, ScoreError
from pruning_explorer.ui.browser.message import pack, read_header, unpack_arrays
from pruning_explorer.ui.live_mask import build_payload, build_window, exit_amounts
from pruning_explorer.ui.live_mask.blocks import block_edges, block_sections, removed_by_channel
from pruning_explorer.ui.live_mask.component import _window
from pruning_explorer.ui.live_mask.layout import flat_index, picture_layout, to_picture

WEIGHTS = np.array([[0.5, -0.1, 0.3], [-0.6, 0.2, -0.4]], np.float32)
RANKS = np.array([[4, 0, 2], [5, 1, 3]], np.uint32)  # by magnitude: 0.1 goes first, 0.6 last


def removed_at(groups: int, cap: float = 1.0) -> np.ndarray:
    return np.rint(np.minimum(np.arange(1001) / 1000, cap) * groups).astype(np.uint32)


def ranks_of(scores: np.ndarray) -> np.ndarray:
    ranks = np.empty(scores.size, np.uint32)
    ranks[np.argsort(scores.reshape(-1), kind="stable")] = np.arange(scores.size)
    return ranks


def payload(**changes: object) -> bytes:
    arguments: dict[str, object] = {
        "key": "k",
        "title": "fc.weight",
        "scores": np.abs(WEIGHTS),
        "weights": WEIGHTS,
        "ranks": RANKS,
        "removed_at": removed_at(6),
        "shape": (2, 3),
        "granularity_note": "",
    }
    return build_payload(**{**arguments, **changes})  # type: ignore[arg-type]


def test_a_2x3_layer_by_hand() -> None:
    header, arrays = unpack_arrays(payload())
    assert (header["mode"], header["rows"], header["cols"], header["groups"]) == ("cells", 2, 3, 6)
    assert arrays["weights"].tolist() == WEIGHTS.reshape(-1).tolist()
    assert arrays["ranks"].tolist() == [4, 0, 2, 5, 1, 3]
    # half of 6 is 3: 0.1, 0.2 and 0.3 go; the first kept score is 0.4
    assert arrays["removed_at"][500] == 3
    assert arrays["kept_at"][500] == 3
    assert arrays["cut_score"][500] == np.float32(0.4)
    assert np.isnan(arrays["cut_score"][1000])
    assert arrays["histogram"].sum() == 6
    assert header["score_range"] == pytest.approx([0.1, 0.6])
    assert header["monotone"] is True
    assert not {"rank_scores", "scores"} & set(arrays), "scores that are magnitudes need not travel"


@pytest.mark.parametrize("large", [False, True])
def test_a_layer_of_float64_travels_as_it_is(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: of four weights that are infinite, or all one, in float32 the two smallest are gone at 50 %."""
    if large:
        monkeypatch.setattr("pruning_explorer.ui.live_mask.payload.MAX_CELLS", 1)
    for weights in (np.array([[4e39, -1e39], [2e39, 3e39]]), 1 + np.array([[4, 1], [2, 3]]) * 1e-9):
        ranks = np.array([[3, 0], [1, 2]], np.uint32)
        header, arrays = unpack_arrays(
            payload(scores=np.abs(weights), weights=weights, ranks=ranks, removed_at=removed_at(4), shape=(2, 2))
        )
        assert arrays["cut_score"][500] == abs(weights[1, 1])
        assert header["score_range"] == [abs(weights[0, 1]), weights[0, 0]]
        assert header["monotone"] is True
        assert arrays["histogram"].sum() == 4
        assert np.count_nonzero(arrays["histogram"]) == 4, "they are told apart"
        shown = arrays["block_means" if large else "weights"]
        assert shown.tolist() == (np.abs(weights) if large else weights).reshape(-1).tolist()


def test_exit_amounts_by_hand() -> None:
    # round(a * 6) first exceeds r at (2 r + 1) / 12, rounded up to a step of 0.1 %; the halves that fall on a step
    # round to even: 1.5 at 25.0 % up to 2, 4.5 at 75.0 % down to 4
    amounts = exit_amounts(RANKS, removed_at(6))
    assert amounts.tolist() == [[75.1, 8.4, 41.7], [91.7, 25.0, 58.4]]


def test_weights_beyond_a_cap_never_go() -> None:
    amounts = exit_amounts(RANKS, removed_at(6, cap=0.5))
    assert np.isnan(amounts).tolist() == [[True, False, False], [True, False, True]]


@pytest.mark.parametrize("position", [0, 1, 83, 84, 500, 917, 1000])
def test_kept_counts_are_those_of_the_ranks(position: int) -> None:
    _, arrays = unpack_arrays(payload())
    assert arrays["kept_at"][position] == np.count_nonzero(arrays["ranks"] >= arrays["removed_at"][position])


def test_whole_channels_count_weights_not_groups() -> None:
    weights = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    scores = np.repeat(np.linalg.norm(weights, axis=1), 4)
    ranks = np.repeat(np.arange(3), 4)
    header, arrays = unpack_arrays(
        payload(weights=weights, scores=scores, ranks=ranks, removed_at=removed_at(3), shape=(3, 4))
    )
    assert header["groups"] == 3
    assert arrays["kept_at"][[0, 500, 1000]].tolist() == [12, 4, 0]  # round(1.5) = 2 channels of 4 weights go
    assert arrays["rank_scores"].tolist() == scores[::4].tolist()


def test_one_cut_line_needs_one_score_per_rank() -> None:
    """1 and 2 go first, then 3 and 4, then 5 and 6: no lower score stays, and yet no one score is the cut."""
    scores = np.array([[5.0, 1, 3], [6, 2, 4]])
    header, _ = unpack_arrays(payload(ranks=np.array([[2, 0, 1]] * 2), scores=scores, removed_at=removed_at(3)))
    assert header["monotone"] is False


def test_scores_that_do_not_follow_the_ranks_send_their_own_table() -> None:
    scores = np.array([[6.0, 1, 2], [3, 4, 5]])
    header, arrays = unpack_arrays(payload(scores=scores, ranks=RANKS[::-1].copy()))
    assert header["monotone"] is False
    assert arrays["cuts"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    table = arrays["histogram_removed"].reshape(7, -1)
    assert table.sum(axis=1).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert table[6].tolist() == arrays["histogram"].tolist()


def test_rows_that_compete_within_themselves_by_hand() -> None:
    """Places within the row: 1 < 3 < 5 and 20 < 40 < 60. Each cut takes a weight of every row."""
    ranks = np.array([[2, 0, 1], [2, 0, 1]], np.uint32)
    scores = np.array([[5.0, 1, 3], [60, 20, 40]])  # which are not the magnitudes, so they travel, one by one
    header, arrays = unpack_arrays(payload(ranks=ranks, scores=scores, removed_at=removed_at(3)))
    assert header["groups"] == 3
    assert arrays["scores"].tolist() == [5, 1, 3, 60, 20, 40]
    assert "rank_scores" not in arrays, "no score belongs to a rank alone"
    # round(a * 3) is 1 from 16.7 % on, 2 from 50.0 % (1.5, to even), 3 from 83.4 %
    assert [arrays["kept_at"][at] for at in (166, 167, 499, 500, 833, 834)] == [6, 4, 4, 2, 2, 0]
    assert exit_amounts(ranks, removed_at(3)).tolist() == [[83.4, 16.7, 50.0], [83.4, 16.7, 50.0]]
    assert header["monotone"] is False, "20 goes while 3 stays"
    assert arrays["histogram_removed"].reshape(4, -1).sum(axis=1).tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("shape", "rows", "cols", "kind"),
    [
        ((2, 3), 2, 3, "matrix"),
        ((4, 3, 5), 4, 15, "matrix"),
        ((4, 3, 2, 5), 8, 15, "mosaic"),
        ((16, 1, 3, 3), 12, 12, "mosaic"),
        ((64, 3, 7, 7), 112, 84, "mosaic"),  # 4 outputs of 3 x 7 columns; 8 would give 56 x 168
        ((12, 2, 5, 3), 20, 18, "mosaic"),
        ((16, 8, 3, 3), 48, 24, "mosaic"),  # not much taller than wide
        ((7, 1, 3, 3), 21, 3, "mosaic"),  # 7 is prime: 3 x 21 is no nearer to a square
        ((3, 64, 3, 3), 9, 192, "mosaic"),
        ((64, 4, 1, 1), 64, 4, "mosaic"),  # single weights, as in a matrix
        ((2, 3, 2, 2, 2), 2, 24, "matrix"),
        ((20,), 1, 20, "strip"),
        ((100,), 4, 32, "strip"),
        ((), 1, 1, "strip"),
    ],
)
def test_every_shape_has_a_picture(shape: tuple[int, ...], rows: int, cols: int, kind: str) -> None:
    layout = picture_layout(shape)
    assert (layout.rows, layout.cols, layout.kind) == (rows, cols, kind)
    flat = np.arange(layout.numel)
    picture = to_picture(flat, layout)
    index = flat_index(layout, np.arange(rows)[:, None], np.arange(cols)[None, :]).reshape(-1)
    assert picture.tolist() == index[index < layout.numel].tolist()


def test_a_convolution_is_a_mosaic_of_its_filters() -> None:
    weights = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    layout = picture_layout(weights.shape)
    picture = to_picture(weights.reshape(-1), layout).reshape(layout.rows, layout.cols)
    assert picture[0:2, 2:4].tolist() == weights[0, 1].tolist()
    assert picture[2:4, 4:6].tolist() == weights[1, 2].tolist()


def test_filters_of_a_first_layer_stand_four_by_four() -> None:
    weights = np.arange(16 * 9).reshape(16, 1, 3, 3)
    layout = picture_layout(weights.shape)
    assert layout.across == 4
    picture = to_picture(weights.reshape(-1), layout).reshape(12, 12)
    for out in range(16):
        band, place = divmod(out, 4)
        assert picture[3 * band : 3 * band + 3, 3 * place : 3 * place + 3].tolist() == weights[out, 0].tolist()
    # row 7 is row 1 of the band of outputs 8 to 11, column 5 is column 2 of its second: 9 * 9 + 1 * 3 + 2
    assert picture[7, 5] == flat_index(layout, np.array(7), np.array(5)) == 86


def test_inputs_of_an_output_stay_together_where_outputs_stand_side_by_side() -> None:
    layout = picture_layout((64, 3, 7, 7))
    assert layout.across == 4
    # row 30 = 4 * 7 + 2: fifth band, outputs 16 to 19; column 54 = 2 * 21 + 1 * 7 + 5: the third of them, input 1, x 5
    index = int(flat_index(layout, np.array(30), np.array(54)))
    assert index == np.ravel_multi_index((18, 1, 2, 5), (64, 3, 7, 7)) == 18 * 147 + 1 * 49 + 2 * 7 + 5


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("shape", [(300, 6, 2, 2), (6, 300, 2, 2), (40, 30)])
def test_bars_of_a_large_layer_are_exact_densities_of_its_channels(shape: tuple[int, ...], dim: int) -> None:
    ranks = np.random.default_rng(3).permutation(int(np.prod(shape))).astype(np.uint32)
    table = removed_at(ranks.size, cap=0.9)[::20]
    gone = removed_by_channel(shape, dim, ranks, ranks.size, table).reshape(51, -1)
    channels = np.moveaxis(ranks.reshape(shape), dim, 0)
    edges = block_edges(shape[dim])
    assert gone.shape[1] == min(256, shape[dim])
    for step in (0, 10, 33, 50):
        shares = [255 * float(np.mean(channels[a:b] < table[step])) for a, b in pairwise(edges)]
        assert gone[step].tolist() == np.rint(shares).tolist()


def test_a_large_tall_convolution_is_wrapped_too() -> None:
    shape = (4096, 64, 3, 3)
    ranks = np.random.default_rng(4).permutation(4096 * 64 * 9).astype(np.uint32)
    same = {"scores": ranks.astype(np.float32), "weights": ranks, "ranks": ranks, "shape": shape}
    header, arrays = unpack_arrays(payload(**same, removed_at=removed_at(ranks.size), channel_dim=1))
    assert (header["mode"], header["rows"], header["cols"], header["across"]) == ("blocks", 1536, 1536, 8)
    picture = ranks.reshape(512, 8, 64, 3, 3).transpose(0, 3, 1, 2, 4).reshape(1536, 1536)
    share = float(np.mean(picture[6:12, 600:606] < ranks.size // 2))  # blocks are 6 x 6 cells
    assert arrays["block_gone"].reshape(51, 256, 256)[25, 1, 100] == round(255 * share)
    assert arrays["channel_gone"].size == 51 * 64
    _, cells = unpack_arrays(build_window(key="k", window=(300, 900, 4, 5), **same))  # type: ignore[arg-type]
    assert cells["ranks"].reshape(4, 5).tolist() == picture[300:304, 900:905].tolist()


def test_blocks_hold_exact_densities_means_and_medians() -> None:
    rng = np.random.default_rng(0)
    shape = (521, 300)
    weights = rng.normal(size=shape).astype(np.float32)
    ranks = ranks_of(np.abs(weights))
    table = removed_at(ranks.size, cap=0.9)[::20]
    layout = picture_layout(shape)
    sections = block_sections(layout, weights.reshape(-1), ranks, ranks.size, table, np.arange(51) * 20)
    rows, cols = block_edges(521), block_edges(300)
    gone = sections["block_gone"].reshape(51, 256, 256)
    picture = ranks.reshape(shape)
    for r, c in [(0, 0), (17, 200), (255, 255)]:
        part = np.s_[rows[r] : rows[r + 1], cols[c] : cols[c + 1]]
        for step in (0, 10, 33, 50):
            assert gone[step, r, c] == round(255 * float(np.mean(picture[part] < table[step])))
        mean = sections["block_means"].reshape(256, 256)[r, c]
        assert mean == pytest.approx(float(np.abs(weights[part]).mean()), rel=1e-5)
        share = [float(np.mean(picture[part] < removed)) for removed in table]
        half = next((20 * i for i, s in enumerate(share) if s >= 0.5), 65535)
        assert sections["block_exits"].reshape(256, 256)[r, c] == half


def test_blocks_differ_by_at_most_one_cell() -> None:
    sizes = {int(b - a) for a, b in pairwise(block_edges(3000))}
    assert sizes == {11, 12}


def test_a_large_layer_travels_as_blocks_and_its_windows_as_weights() -> None:
    rng = np.random.default_rng(1)
    shape = (256, 512, 3, 3)
    weights = rng.normal(size=shape).astype(np.float32)
    ranks = ranks_of(np.abs(weights))
    same = {"scores": np.abs(weights), "weights": weights, "ranks": ranks, "shape": shape}
    header, arrays = unpack_arrays(payload(**same, removed_at=removed_at(ranks.size)))
    assert header["mode"] == "blocks"
    assert arrays["kept_at"][500] == ranks.size // 2
    assert "weights" not in arrays

    window = build_window(key="k", window=(700, 1500, 512, 512), **same)  # type: ignore[arg-type]
    place, cells = unpack_arrays(window)
    # cut at the picture's edges: 256 * 3 rows, 512 * 3 columns
    assert (place["row"], place["col"], place["rows"], place["cols"]) == (700, 1500, 68, 36)
    out, y = divmod(705, 3)
    inputs, x = divmod(1502, 3)
    assert cells["weights"].reshape(68, 36)[5, 2] == weights[out, inputs, y, x]
    assert cells["ranks"].reshape(68, 36)[5, 2] == ranks.reshape(shape)[out, inputs, y, x]


def test_the_digest_changes_with_the_content_only() -> None:
    first, second = read_header(payload()), read_header(payload())
    assert first["digest"] == second["digest"]
    assert read_header(payload(weights=2 * WEIGHTS))["digest"] != first["digest"]
    assert read_header(payload(title="other"))["digest"] != first["digest"]


def test_arrays_start_at_multiples_of_eight() -> None:
    data = payload(title="größer")
    header = read_header(data)
    assert data.index(b"PXLM") == 0
    assert all(offset % 8 == 0 for _, offset, _ in header["sections"].values())
    assert int.from_bytes(data[4:8], "little") % 8 == 0
    assert pack({"a": 1}, b"body").endswith(b"body")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"shape": (2, 4)}, MaskError, "has 8 weights"),
        ({"shape": (0, 3)}, MaskError, "has no weights"),
        ({"removed_at": removed_at(6)[:11]}, MaskError, "11 entries"),
        ({"removed_at": removed_at(6)[::-1]}, MaskError, "falls"),
        ({"scores": np.full((2, 3), np.nan)}, ScoreError, "not finite"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        payload(**changes)


@pytest.mark.parametrize("scores", [np.zeros((2, 3)), np.full((2, 3), 7.0)])
def test_equal_scores_are_one_bar(scores: np.ndarray) -> None:
    _, arrays = unpack_arrays(payload(scores=scores))
    assert arrays["histogram"].tolist() == [6]


def test_it_runs_in_a_script() -> None:
    def script() -> None:
        import numpy as np
        import streamlit as st

        from pruning_explorer.ui.live_mask import build_payload, live_mask, released_in_mask

        values = np.arange(6, dtype=np.float32)
        data = build_payload(
            key="k",
            title="t",
            scores=values,
            weights=values,
            ranks=np.arange(6),
            shape=(2, 3),
            granularity_note="",
            removed_at=np.arange(1001) * 6 // 1000,
        )
        state = live_mask(data, key="m", layer_key="fc", amount=0.3, revision=0, label="Amount", disabled=True)
        st.text(f"{state} {released_in_mask('m')}")

    at = AppTest.from_function(script).run(timeout=30)
    assert not at.exception
    assert at.text[0].value == "LiveMaskState(window=None) None"


def test_a_window_of_another_layer_is_no_window() -> None:
    wish = {"row": 1, "col": 2, "rows": 3, "cols": 4, "layer": "fc1"}
    assert _window({"window": wish}, "fc1") == (1, 2, 3, 4)
    assert _window({"window": wish}, "fc2") is None
    assert _window({"window": {**wish, "row": "1"}}, "fc1") is None
    assert _window({}, "fc1") is None
