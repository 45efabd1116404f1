"""Work done by several threads: results come in the order of the work, and no failure is lost."""

import threading

import pytest

from wsi_area.storage.in_order import InOrder, for_each


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_in_which_work_was_given_whoever_is_done_first(threads: int) -> None:
    second_is_done = threading.Event()

    def work(number: int) -> int:
        if threads > 1 and number == 0:
            assert second_is_done.wait(60)
        if number == 1:
            second_is_done.set()
        return number

    assert for_each(range(20), work, threads) == list(range(20))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failure_ends_the_work_and_what_came_before_it_was_taken(threads: int) -> None:
    taken: list[float] = []

    def divide() -> None:
        with InOrder[float](threads, taken.append) as in_order:
            for number in (4, 2, 0, 1):
                in_order.give(lambda n: 4 / n, number)

    with pytest.raises(ZeroDivisionError):
        divide()
    assert taken == [1.0, 2.0]


@pytest.mark.parametrize("threads", [1, 3])
def test_what_fails_in_the_block_gives_up_what_waits(threads: int) -> None:
    taken: list[int] = []

    def fail() -> None:
        with InOrder[int](threads, taken.append) as in_order:
            in_order.give(abs, -1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert taken == ([1] if threads == 1 else [])


def test_no_more_pieces_wait_than_there_are_threads() -> None:
    may_go_on, given, taken = threading.Event(), [], []

    def work(number: int) -> int:
        assert may_go_on.wait(60)
        return number

    def give_all() -> None:
        with InOrder[int](2, taken.append) as in_order:
            for number in range(4):
                given.append(number)
                if number == 2:
                    about_to_wait.set()
                in_order.give(work, number)

    about_to_wait = threading.Event()
    giver = threading.Thread(target=give_all)
    giver.start()
    assert about_to_wait.wait(60)
    assert given == [0, 1, 2]  # the third is given only once the first is taken
    assert taken == []
    may_go_on.set()
    giver.join(60)
    assert taken == [0, 1, 2, 3]
