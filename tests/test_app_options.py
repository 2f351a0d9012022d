"""What whoever starts the app may say on the command line."""

from pathlib import Path

import pytest

from pruning_explorer.app_options import DEFAULT_CACHE_MIB, Asked, Options, read_options


def test_nothing_said_is_the_default() -> None:
    assert read_options([]) == Options((), (), DEFAULT_CACHE_MIB)


def test_samples_belong_to_the_network_before_them() -> None:
    read = read_options(["--subject", "a.pt2", "--samples", "x.npz", "--subject", "m:f", "--cache-mib", "64"])
    assert read == Options((Asked("a.pt2", "x.npz"), Asked("m:f")), (), 64)


def test_a_name_belongs_to_the_network_before_it() -> None:
    read = read_options(["--subject", "a/net.pt2", "--name", "first", "--samples", "x.npz", "--subject", "b/net.pt2"])
    assert read.subjects == (Asked("a/net.pt2", "x.npz", "first"), Asked("b/net.pt2"))


def test_folders_of_lessons_are_where_they_are_however_the_program_moves(tmp_path: Path) -> None:
    assert read_options(["--lessons", str(tmp_path), "--lessons", "."]).lessons == (tmp_path.resolve(), Path.cwd())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--samples", "x.npz"], "belongs to no --subject"),
        (["--subject", "a", "--samples", "x", "--samples", "y"], "y belongs to no --subject"),
        (["--name", "x", "--subject", "a"], "x belongs to no --subject"),
        (["--lessons", "nowhere"], "nowhere is not there"),
        (["--cache-mib", "0"], "too little"),
        (["--cache-mib", "many"], "invalid int value"),
        (["--subjects", "a"], "unrecognized arguments"),
    ],
)
def test_what_makes_no_sense_ends_the_program_with_a_reason(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
