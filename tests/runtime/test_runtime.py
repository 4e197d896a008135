import io
import signal
import sys
import threading

import pytest
import torch

from ebmlang.runtime import (
    Budget,
    RichProgress,
    SilentProgress,
    build_generator,
    derive_seed,
    pick_device,
    show_progress,
    thread_count,
    threads_for,
    watch_interrupts,
)
from ebmlang.source import EbmError


def test_auto_takes_cuda_only_where_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"

    assert pick_device("auto").type == expected


def test_cuda_on_a_machine_without_it_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(EbmError) as caught:
        pick_device("cuda")

    assert caught.value.diagnostics[0].code == "E0906"
    assert caught.value.exit_code == 2


def test_an_unknown_device_is_a_diagnostic() -> None:
    with pytest.raises(EbmError, match="no device named `tpu`"):
        pick_device("tpu")


def test_small_work_runs_on_one_thread() -> None:
    assert thread_count(10_000, 16) == 1
    assert thread_count(10_000_000, 16) == 16


def test_the_thread_count_comes_back() -> None:
    before = torch.get_num_threads()

    with threads_for(10):
        inside = torch.get_num_threads()

    assert inside == 1
    assert torch.get_num_threads() == before


def test_streams_of_one_seed_differ_by_purpose_and_repeat() -> None:
    cpu = torch.device("cpu")

    first = torch.rand(5, generator=build_generator(3, "a", cpu))
    again = torch.rand(5, generator=build_generator(3, "a", cpu))
    other = torch.rand(5, generator=build_generator(3, "b", cpu))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_negative_seeds_are_seeds_of_their_own() -> None:
    assert derive_seed(-1, "a") != derive_seed(1, "a")


def test_streams_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()

    torch.rand(5, generator=build_generator(3, "a", torch.device("cpu")))

    assert torch.equal(torch.get_rng_state(), before)


def test_a_budget_of_nothing_is_over_at_once_and_no_budget_never() -> None:
    assert Budget(seconds=0.0).start().is_over()
    assert not Budget().start().is_over()


def test_the_first_interrupt_asks_and_the_second_raises() -> None:
    with watch_interrupts() as interrupt:
        assert not interrupt.requested
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_former_handler_comes_back_after_the_block() -> None:
    before = signal.getsignal(signal.SIGINT)

    with watch_interrupts():
        inside = signal.getsignal(signal.SIGINT)

    assert inside is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_block_inside_of_another_hears_the_same_requests() -> None:
    with watch_interrupts() as outer:
        signal.raise_signal(signal.SIGINT)
        with watch_interrupts() as inner:
            assert inner.requested
            assert outer.requested


def test_interrupts_are_not_touched_outside_the_main_thread() -> None:
    seen = []

    def work() -> None:
        with watch_interrupts() as interrupt:
            seen.append(interrupt.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [False]


def test_progress_is_silent_where_stderr_is_not_a_terminal() -> None:
    with show_progress(silent=False) as progress:
        assert isinstance(progress, SilentProgress)


class Terminal(io.StringIO):
    """Text that a terminal would show."""

    def isatty(self) -> bool:
        """Whether it is one."""
        return True


@pytest.mark.parametrize("silent", [False, True])
def test_a_second_ctrl_c_leaves_no_bar_and_shows_the_cursor(
    monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    """A bar that goes on would draw over the shell's next line."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")

    def run() -> None:
        with show_progress(silent=silent) as progress:
            progress.started(3, "drawing")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()

    hidden, back = (shown.getvalue().rfind(f"\x1b[?25{end}") for end in "lh")
    assert (hidden >= 0) is not silent
    assert back >= hidden


def test_the_bar_writes_to_stderr_only(capsys: pytest.CaptureFixture[str]) -> None:
    bar = RichProgress()

    bar.started(3, "drawing")
    bar.advance(3, "done")
    bar.finished("3 draws")

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "3 draws" in shown.err
