"""The screens of a mock interview: question, feedback, report."""

from __future__ import annotations

from discord import ButtonStyle

from bot.chat import custom_ids as ids
from bot.chat import text as t
from bot.interviews import feedback
from bot.interviews.rules import STRONG, Asked, Report, SectionReport
from bot.interviews.service import Step
from bot.questions.model import Bank, Topic
from bot.questions.views import ENDED, OPEN, REVEALED, Message, button, line, row


def step_card(step: Step, bank: Bank, page: int = 0, *, asking: bool = False) -> Message:
    """Wherever an interview stands. `asking`: a model service is being asked about points in doubt just now."""
    if step.question.answer is None:
        return question_card(step, bank)
    return feedback_card(step, bank, page, asking=asking)


def question_card(step: Step, bank: Bank) -> Message:
    """An open question."""
    again = "Your interview goes on here.\n" if step.continued else ""
    number = step.question.id
    return Message(
        OPEN,
        f"{again}{_head(step, bank)}",
        t.heading(step.topic.question),
        line(),
        "-# Answer as you would aloud, in a few sentences. Only you see it.",
        row(
            button("Answer", ids.INTERVIEW.id(row=number), ButtonStyle.primary),
            button("Skip", ids.STEP.id(slot="skip", row=number)),
            button("End", ids.STEP.id(slot="stop", row=number)),
        ),
    )


def feedback_card(step: Step, bank: Bank, page: int = 0, *, asking: bool = False) -> Message:
    """An answered question; one whose topic is an open question of the day says that its feedback must wait."""
    number = step.question.id
    on = row(
        button(
            "See the report" if step.last else "Next question",
            ids.STEP.id(slot="next", row=number),
            ButtonStyle.primary,
        ),
        None if step.last else button("End", ids.STEP.id(slot="end", row=number)),
    )
    head = _head(step, bank)
    if step.hidden or step.assessment is None:
        waits = (
            "Your answer is stored. This topic is a question of the day that is still open, so its feedback waits "
            "until that one closes: press Feedback then."
        )
        look = button("Feedback", ids.FEEDBACK.id(row=number, page=0))
        return Message(OPEN, head, waits, row(look), on)
    note = "A model service is being asked about the points in doubt: this changes in a moment." if asking else ""
    found = feedback.pages(
        step.topic, answer=step.question.answer, assessment=step.assessment, follow_up=step.follow_up, note=note
    )
    return feedback.card(
        head,
        found,
        page,
        lambda n: ids.FEEDBACK.id(row=number, page=n),
        on,
        colour=feedback.colour(step.assessment),
    )


def report_cards(report: Report, practice: str, interview: str) -> list[Message]:
    """The end of an interview, by section; `practice` and `interview` are mentions of the commands."""
    if not report.answered:
        words = "You answered nothing this time, so there is nothing to report."
        return [Message(ENDED, f"### Interview over\n{words}", f"-# Start another with {interview}")]
    done = t.count(report.answered, "answer") + (f" · {report.skipped} skipped" if report.skipped else "")
    overall = f"{t.bar(report.percent, 100)}  **{report.percent} %** · {done}" if report.percent is not None else done
    blocks = [f"### Your interview\n{overall}", *(_section(section) for section in report.sections)]
    if report.practise:
        blocks.append(f"**Practise next** with {practice}\n{_practise(report.practise)}")
    else:
        blocks.append(f"**Practise next**\nAll of it was strong. Take other topics with {interview}.")
    blocks.append("-# Practice estimates from your wording, not verdicts.")
    return [Message(REVEALED, page) for page in t.pages(blocks)]


def _section(section: SectionReport) -> str:
    mean = f" · {section.percent} %" if section.percent is not None and len(section.asked) > 1 else ""
    return "\n".join([f"**{t.escape(section.title)}**{mean}", *(_line(topic, asked) for topic, asked in section.asked)])


def _line(topic: Topic, asked: Asked) -> str:
    if not asked.answered:
        return f"▫️ {t.escape(topic.title)} · skipped"
    if asked.percent is None:
        return f"▫️ {t.escape(topic.title)} · graded when its question of the day closes"
    mark = "✅" if asked.percent >= STRONG else "▫️"
    return f"{mark} {t.escape(topic.title)} · {asked.percent} %"


def _practise(topics: tuple[Topic, ...]) -> str:
    return "\n".join(f"{n}. {t.escape(topic.title)}" for n, topic in enumerate(topics, start=1))


def _head(step: Step, bank: Bank) -> str:
    section = bank.section_titles[step.topic.section_id]
    where = f"Question {step.question.number} of {step.interview.total}"
    return f"-# Interview · {where} · {t.escape(section)} · {t.escape(step.topic.title)}"
