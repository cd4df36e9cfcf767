"""Files of recorded answers: both forms are read, every mistake has a place."""

import json

import pytest

from evaluators.demo.recorded import BadAnswers, common, read


def _file(tmp_path, text, name="a.jsonl"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_and_lists_read_the_same(tmp_path):
    """JSONL and one JSON list hold the same items."""
    items = [
        {"id": "1", "instruction": "Hi", "output": "Hello", "tags": {"kind": "x", "n": 3}},
        {"id": "2", "messages": [{"role": "user", "content": "Bye"}], "output": ""},
    ]
    lines = read(_file(tmp_path, "\n".join(map(json.dumps, items)) + "\n\n"))
    assert lines == read(_file(tmp_path, json.dumps(items), "b.json"))
    assert lines["1"].messages == ({"role": "user", "content": "Hi"},)
    assert lines["1"].tags == {"kind": "x", "n": "3"}


def test_items_without_id_belong_together_by_what_was_asked(tmp_path):
    """The messages are the key when there is no id."""
    one = read(_file(tmp_path, '{"instruction": "Hi", "output": "a"}'))
    other = read(_file(tmp_path, '{"instruction": "Hi", "output": "b"}', "b.jsonl"))
    assert len(common({"live": one, "mini": other})) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "a.jsonl:1: not JSON", id="not JSON"),
        pytest.param('\n{"output": 3}', "a.jsonl:2: an item is an object with a text `output`", id="no output"),
        pytest.param('{"output": "x"}', "a.jsonl:1: an item needs `messages`", id="no question"),
        pytest.param('{"output": "x", "messages": []}', "needs `messages`", id="empty question"),
        pytest.param('{"output": "x", "instruction": "y", "tags": [1]}', "`tags` is an object", id="tags"),
        pytest.param(
            '{"id": 1, "output": "x", "instruction": "y"}\n{"id": 1, "output": "x", "instruction": "z"}',
            "a.jsonl:2: the item '1' is there twice",
            id="twice",
        ),
        pytest.param("", "no items", id="empty"),
        pytest.param("[3]", "item 1: an item is an object", id="list of numbers"),
    ],
)
def test_mistakes_have_their_place(tmp_path, text, said):
    """Every mistake is refused with file and line."""
    with pytest.raises(BadAnswers, match=said.replace("(", "\\(")):
        read(_file(tmp_path, text))


def test_a_missing_file_is_a_mistake(tmp_path):
    """A file that is not there says so."""
    with pytest.raises(BadAnswers, match="cannot be read"):
        read(tmp_path / "none")


def test_files_about_different_things_are_refused(tmp_path):
    """Two files without a common item cannot be compared."""
    one = read(_file(tmp_path, '{"id": "1", "instruction": "Hi", "output": "a"}'))
    other = read(_file(tmp_path, '{"id": "2", "instruction": "Hi", "output": "b"}', "b.jsonl"))
    with pytest.raises(BadAnswers, match="no item in common"):
        common({"live": one, "mini": other})
