"""How a note of our decks looks in Anki: HTML with the note's fields in double braces.

https://docs.ankiweb.net/templates/intro.html
"""

from __future__ import annotations

from bot.questions.model import LETTERS


def _choice_html(letter: str, *, answered: bool) -> str:
    text, right, why = f"{{{{{letter}}}}}", f"{letter} right", f"{{{{{letter} why}}}}"
    if answered:
        marked = f"{{{{#{right}}}}}<b>{text} ✅</b>{{{{/{right}}}}}"
        text = f'{marked}{{{{^{right}}}}}{text}{{{{/{right}}}}}<div class="why">{why}</div>'
    return f"{{{{#{letter}}}}}<li>{text}</li>{{{{/{letter}}}}}"


def _card_html(*, answered: bool) -> str:
    choices = "".join(_choice_html(letter, answered=answered) for letter in LETTERS)
    return (
        '<div class="small">{{Section}} · {{Topic}}</div><h3>{{Question}}</h3>'
        "{{#Code}}<pre>{{Code}}</pre>{{/Code}}{{Formula}}"
        f'{{{{#A}}}}<ol type="A">{choices}</ol>{{{{/A}}}}<div class="small">{{{{Hint}}}}</div>'
    )


QUESTION_HTML = _card_html(answered=False)
ANSWER_HTML = (
    _card_html(answered=True)
    + """<hr id="answer">{{#Accepted}}<p><b>{{Accepted}}</b> {{Unit}}</p>{{/Accepted}}
<p>{{Explanation}}</p><div class="small">{{#Source address}}<a href="{{Source address}}">{{Source}}</a>
{{/Source address}}{{#Checked}} · checked {{Checked}}{{/Checked}}<br>{{Made by}}</div>"""
)
CARD_CSS = """.card { font-family: sans-serif; font-size: 18px; max-width: 40em; margin: 0 auto; }
.small, .why { font-size: 14px; opacity: 0.75; } li { margin: 0.4em 0; }
pre { overflow-x: auto; font-size: 14px; } img { max-width: 100%; border-radius: 6px; }
"""
