"""language_of: sentences in many languages, and texts of which nobody can tell."""

import sys

import pytest

from evaluators.core import language
from evaluators.core.language import NoDetector, detector, known, language_of

SENTENCES = [
    ("en", "Please restart the router and try again."),
    ("en", "HELLO THIS IS A SENTENCE IN CAPITALS"),
    ("de", "Das Paket wurde gestern verschickt."),
    ("fr", "Veuillez redémarrer le routeur."),
    ("es", "Aquí está la lista que pidió."),
    ("it", "Ecco la lista che hai chiesto."),
    ("pt", "Seu reembolso está a caminho e deve chegar em cinco dias."),
    ("nl", "Het pakket is gisteren verzonden."),
    ("pl", "Paczka została wysłana wczoraj."),
    ("ru", "Ваш возврат уже в пути и должен прийти в течение пяти дней."),
    ("ja", "返金は処理中で、五日以内に届く予定です。"),
    ("zh", "您的退款正在处理中，预计五天内到账。"),
    ("ar", "المبلغ المسترد في الطريق ويجب أن يصل خلال خمسة أيام."),
    ("he", "ההחזר בדרך ואמור להגיע בתוך חמישה ימים."),
    ("ko", "환불이 진행 중이며 5일 이내에 도착할 예정입니다."),
]
UNDECIDED = ["", "OK", "42", "a" * 40, '{"a": 1}', "1. Paris 2. Berlin 3. London 4. Rome", "\ud800" * 30, "🎉" * 30]


@pytest.mark.parametrize(("code", "text"), SENTENCES)
def test_sentences(code, text):
    """A sentence has its language, also beside code and addresses."""
    assert language_of(text) == code
    assert (
        language_of(f"```\nthe code is not in the language of the text\n``` {text} https://example.com/the/page")
        == code
    )


@pytest.mark.parametrize("text", UNDECIDED, ids=range(len(UNDECIDED)))
def test_undecided(text):
    """Too little, or no language at all, is none."""
    assert language_of(text) == ""


def test_known_codes():
    """The codes are those of ISO 639, without the one for no language."""
    detector()
    assert {"en", "de", "zh"} <= known()
    assert "zxx" not in known()


def test_without_the_detector(monkeypatch):
    """Where the package is not installed the message names the extra."""
    language._loaded.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(NoDetector, match="install the extra `lang`"):
        detector()
    monkeypatch.undo()
    detector()
