"""What a person starts in a lesson and watches: a measurement, a training."""

from dataclasses import dataclass, field

import streamlit as st

from pruning_explorer.lab.job_queue import JobQueue
from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.lessons.scene import Experiment, Trial, Values
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.learn.stage import draw_panels
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, draw_as_it_comes, draw_progress
from pruning_explorer.ui.session import Key, session_id

STATUS_HEIGHT = 56

# Jobs run one at a time, so that a training does not take the cores from a network that is timed
_QUEUE: JobQueue[Trial] = JobQueue("trials", keep=64)


@dataclass(frozen=True)
class _Begun:
    """What was started, as everything stood then.

    Attributes:
        number: of the press, in this session: each is a trial of its own.
    """

    subject: Subject
    values: Values
    stop: int
    number: int
    experiment: Experiment = field(compare=False)

    def take(self) -> Trial:
        """The trial, begun if it is not, and gone on with if it was stopped."""
        key = (self.subject.id, session_id(), str(self.number))
        return _QUEUE.take(key, session_id(), self._begin, self._resume)

    def _begin(self) -> Trial:
        return self.experiment.begin(self.subject, self.values, self.stop)

    def _resume(self, stopped: Trial) -> Trial:
        return stopped.resumed() if stopped.resumable else self._begin()

    def stands_for(self, subject: Subject, values: Values, stop: int) -> bool:
        """Whether nothing was set otherwise since."""
        return (self.subject.id, dict(self.values), self.stop) == (subject.id, dict(values), stop)


_TRIALS = Key[dict[str, _Begun]]("learn_trials", {})
"""The last experiment started in each lesson, by the lesson's name."""
_PRESSES = Key[int]("learn_presses", 0)


def draw_trial(lesson: Lesson, subject: Subject, values: Values, stop: int) -> None:
    """The button that starts it; then what is known so far, until all is."""
    experiment = lesson.scene.experiment
    if experiment is None:
        return
    kept = _TRIALS.setdefault()
    with st.container(key="learn_trial_controls"):
        if st.button(experiment.button, key="learn_begin", icon=":material/play_arrow:"):
            _PRESSES.set(_PRESSES.get() + 1)
            kept[lesson.name] = _Begun(subject, dict(values), stop, _PRESSES.get(), experiment)
        st.caption(plain(experiment.about, longest=600))
    begun = kept.get(lesson.name)
    if begun is None:
        return
    if not begun.stands_for(subject, values, stop):
        st.caption("Something was set otherwise since: what follows was found before that. Press again to see it anew.")

    trial = begun.take()

    def look() -> None:
        again = "Go on" if trial.resumable else "Begin again"
        progress = Progress(trial.share, trial.doing, "Cancelled.", "Done.", again)
        draw_progress(_QUEUE, trial, "learn_trial_status", STATUS_HEIGHT, progress)
        if trial.problem:
            st.error(plain(trial.problem, longest=600), icon=":material/error:")
        draw_panels(trial.panels(), key=f"learn_trial_{lesson.name}")

    draw_as_it_comes([trial], look, "learn_trial_part")
