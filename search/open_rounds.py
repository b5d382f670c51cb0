"""The rounds of a run that are asked for and not whole: one, or several where several workers measure."""

from __future__ import annotations

from fractions import Fraction

from .rounds import Rounds, Trial
from .runs.files.asks import Asks
from .runs.files.stopping import fits
from .runs.growing.history import History


class OpenRounds:
    """What is asked for, within the budget, and not recorded; found anew from the evaluations when a run goes on."""

    def __init__(self, rounds: Rounds, history: History, asks: Asks) -> None:
        """Take the evaluations so far, which the caller goes on to extend, and the rounds asked for early."""
        self._rounds, self._history, self._asks = rounds, history, dict(asks)
        self._open: dict[int, dict[int, Trial]] = {}
        self._cost = Fraction(0)  # exact, of all that is open or was recorded
        self._beyond: set[int] = set()  # rounds with trials that the budget does not reach
        self._next = max([*history.numbers, *asks], default=-1) + 1
        self._cost += history.cost
        self._to_restore = [number for number in range(self._next) if not history.is_whole(number)]

    def trials(self) -> tuple[Trial, ...]:
        """Return what is open, in order; takes as long as the tactic does for each round when a run goes on."""
        while self._to_restore:
            self._open_round(self._to_restore[0])
            del self._to_restore[0]
        return self._trials()

    @property
    def are_cut(self) -> bool:
        """Whether the budget leaves out trials of a round that was asked for."""
        return bool(self._beyond)

    def are_whole(self) -> bool:
        """Tell whether every round that was asked for is measured to its end."""
        return not (self.trials() or self._beyond)

    def cost(self) -> float:
        """Return what all that was asked for costs, measured or not, in full validations."""
        self.trials()
        return float(self._cost)

    def ask(self) -> tuple[Trial, ...]:
        """Ask for the next round, all before it being whole; return what is open. Raises what `Rounds.trials` does."""
        self._open_round(self._next)
        self._next += 1
        return self.trials()

    def ask_early(self) -> tuple[int, int] | None:
        """Ask for the next round while others are open; return its number and what was known, for `rounds.jsonl`.

        None when the tactic waits for more to be known: then nothing has changed. Raises what `Rounds.trials` does.
        """
        number, known = self._next, self._history.count
        self._asks[number] = known
        try:
            self._open_round(number)
        finally:
            if number not in self._open and number not in self._beyond:
                del self._asks[number]
        if number not in self._asks:
            return None
        self._next += 1
        return number, known

    def recorded(self, trial: Trial) -> None:
        """Close a trial that is recorded."""
        trials = self._open.get(trial.round, {})
        trials.pop(trial.position, None)
        if not trials:
            self._open.pop(trial.round, None)

    def _trials(self) -> tuple[Trial, ...]:
        return tuple(trial for trials in self._open.values() for trial in trials.values())  # which were opened in order

    def _open_round(self, number: int) -> None:
        """Open the trials of a round that the budget allows: in order, those that fit beside what is told or open.

        A partial evaluation fits where the full one before it does not: what is left of a budget is spent on it.
        """
        earlier, known = self._trials(), self._asks.get(number)
        asked = self._rounds.trials(self._history, number, known=known, open_trials=earlier)
        told = {evaluation.position for evaluation in self._history.of_round(number)}
        spent = self._cost
        for later in range(number + 1, self._next):  # later rounds are told already
            spent -= sum(Fraction(evaluation.share) for evaluation in self._history.of_round(later))
        for trial in asked:
            if trial.position in told:
                continue
            if not fits(float(spent), trial.share, self._rounds.config):
                self._beyond.add(number)
                continue
            spent += Fraction(trial.share)
            self._open.setdefault(number, {})[trial.position] = trial
            self._cost += Fraction(trial.share)
