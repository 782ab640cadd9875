"""Everything that a process counts, each count handed to the room in which it happens."""

from dataclasses import dataclass, field

from fedaid.foundation.tally import Count, Durations


@dataclass(frozen=True)
class Tallies:
    """One for each process; a room is given the ``add`` of its own.

    answers            HTTP answers: group, class of the status
    letters_answered   at the door: ``accepted``, or the code of the refusal
    letters_settled    how the tries of letters ended: state, code
    deliveries         what followed each try of a delivery
    errands            how the tries of errands ended: kind, end
    chores             how chores ended: name, end
    commits            commits of transactions that write
    """

    answers: Durations = field(default_factory=Durations)
    letters_answered: Count = field(default_factory=Count)
    letters_settled: Count = field(default_factory=Count)
    deliveries: Count = field(default_factory=Count)
    errands: Count = field(default_factory=Count)
    chores: Count = field(default_factory=Count)
    commits: Durations = field(default_factory=Durations)
