"""What the inbox remembers about strangers is bounded in size and age."""

from inbox.memory import Counter, Memory
from tests.inbox.world import HandClock


def test_a_memory_lasts_as_long_as_it_was_told() -> None:
    clock = HandClock()
    memory: Memory[int] = Memory(clock, seconds=60, entries_max=10)
    memory.put("a", 1)
    clock.advance(59)
    assert memory.get("a") == 1
    clock.advance(1)
    assert memory.get("a") is None
    assert len(memory) == 0


def test_a_full_memory_forgets_what_was_longest_unused() -> None:
    memory: Memory[int] = Memory(HandClock(), seconds=60, entries_max=2)
    memory.put("a", 1)
    memory.put("b", 2)
    memory.get("a")
    memory.put("c", 3)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)


def test_a_hundred_thousand_names_take_no_more_room_than_the_limit() -> None:
    memory: Memory[int] = Memory(HandClock(), seconds=60, entries_max=100)
    for number in range(100_000):
        memory.put(f"h{number}.evil.example", number)
    assert len(memory) == 100


def test_a_counter_starts_anew_after_its_window() -> None:
    clock = HandClock()
    counter = Counter(clock, seconds=60, entries_max=10)
    assert [counter.add("a"), counter.add("a"), counter.add("b")] == [1, 2, 1]
    clock.advance(59)
    assert (counter.count("a"), counter.add("a")) == (2, 3)
    clock.advance(1)
    assert (counter.count("a"), counter.add("a")) == (0, 1)


def test_a_counter_says_how_long_its_window_lasts_and_stays_small() -> None:
    clock = HandClock()
    counter = Counter(clock, seconds=60, entries_max=2)
    assert counter.seconds_left("a") == 0
    counter.add("a")
    clock.advance(20.5)
    assert counter.seconds_left("a") == 40
    for name in ("b", "c"):
        counter.add(name)
    assert (len(counter), counter.count("a")) == (2, 0)
