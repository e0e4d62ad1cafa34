"""Guesses of an account's next number."""

from mockserver.engine.store.redis.numbers import Count, Numbers


def test_numbers_are_given_in_turn() -> None:
    count = Count(following=5)
    assert [count.take()[0] for _ in range(3)] == [5, 6, 7]


def test_after_a_miss_all_that_missed_follow_one_another_from_the_true_number() -> None:
    count = Count()
    taken = [count.take() for _ in range(3)]
    retaken = [count.missed(true, misses) for true, (_, misses) in zip((7, 7, 7), taken, strict=True)]
    assert [number for number, _ in retaken] == [7, 8, 9]


def test_a_number_that_was_not_used_is_given_again() -> None:
    count = Count()
    count.take()  # refused, without using its number
    _, misses = count.take()
    assert count.missed(0, misses)[0] == 0


def test_others_that_go_on_ahead_are_followed_each_time() -> None:
    count = Count()
    _, misses = count.take()
    _, misses = count.missed(10, misses)
    assert count.missed(30, misses)[0] == 30


def test_what_an_answer_tells_is_learnt_unless_submissions_are_in_flight() -> None:
    numbers = Numbers()
    numbers.learn("studio/acct_1", 4)
    count = numbers.count("studio/acct_1")
    assert count.following == 4
    count.in_flight = 1
    numbers.learn("studio/acct_1", 3)
    assert count.following == 4


def test_counts_of_idle_accounts_go_and_those_in_flight_stay() -> None:
    numbers = Numbers()
    busy = numbers.count("busy")
    busy.in_flight = 1
    for number in range(20_000):
        numbers.count(str(number))
    assert numbers.count("busy") is busy
    assert len(numbers._counts) < 100
