# SPDX-License-Identifier: Apache-2.0
import json
import re

import pytest
from sklearn.metrics import brier_score_loss

from benchmarks.serving import Served
from consilience import NoAnswerError
from server.cli.failures import Failure, friendly
from tests.cli.conftest import Run

QUESTION = "polymarket-4zgncn-20251026"


def test_a_prediction_is_a_table(served: Served, run: Run) -> None:
    done = run("predict", "--question", QUESTION, "--server", served.address)
    assert (done.code, done.err) == (0, "")
    assert "Will Bitcoin dip below $100k before 2026?" in done.out
    for word in ("Member", "P(YES)", "Weight", "Moves it", "Brier", "Latency", "Cost"):
        assert word in done.out
    shown = [float(share) for share in re.findall(r"^ \S.*? (\d+\.\d)% ", done.out, re.MULTILINE)]
    assert shown[:-1] == sorted(shown[:-1], reverse=True)
    assert len(shown) == 13 + 1
    for word in ("Answer", "Decision", "Agreement", "Outcome", "Because", "Record", "on disk"):
        assert word in done.out
    assert "n/a" in done.out


def test_the_same_as_json(served: Served, run: Run) -> None:
    done = run("predict", "--question", QUESTION, "--server", served.address, "--json")
    answer = json.loads(done.out)
    prediction, question, scores = answer["prediction"], answer["question"], answer["scores"]
    assert prediction["durable"]
    assert question["resolution"]["outcome"] == "YES"
    assert question["kind"] == {"type": "binary"}
    assert len(prediction["members"]) == 13
    assert prediction["members"][0]["latency_s"] is None
    yes = [part["forecast"]["probabilities"][0] for part in prediction["members"]]
    assert sum(scores["members"].values()) / len(yes) == pytest.approx(brier_score_loss([1] * len(yes), yes))
    assert scores["brier"] == pytest.approx((1 - prediction["probabilities"][0]) ** 2)


def test_options_change_the_answer(served: Served, run: Run) -> None:
    def asked(*options: str) -> dict[str, object]:
        done = run("predict", "--question", QUESTION, "--server", served.address, "--json", *options)
        prediction: dict[str, object] = json.loads(done.out)["prediction"]
        return prediction

    linear = asked("--pooling", "linear", "--member", "grok", "--member", "market")
    assert linear["method"]["pooling"] == "linear"  # type: ignore[index]
    answered = [part["member"] for part in linear["members"] if part["forecast"]]  # type: ignore[attr-defined]
    assert sorted(answered) == ["grok", "market"]
    assert linear["probabilities"] != asked()["probabilities"]


def test_reasons_are_the_members_own_words(served: Served, run: Run) -> None:
    done = run("predict", "--question", QUESTION, "--server", served.address, "--reasons")
    assert "recorded for 2025-10-26" in done.out


def test_the_catalogue_comes_in_pages(served: Served, run: Run) -> None:
    first = run("predict", "--list", "--limit", "2", "--server", served.address)
    assert re.search(r"2 of \d+ questions", first.out)
    again = re.search(r"Next page: consilience (predict --list --limit 2 --page \S+)", first.out)
    assert again
    second = run(*again.group(1).split(), "--server", served.address)
    ids = [re.findall(r"^ (\S+-\d{8}\S*)", page.out, re.MULTILINE) for page in (first, second)]
    assert [len(page) for page in ids] == [2, 2]
    assert not set(ids[0]) & set(ids[1])


def test_the_catalogue_can_be_searched(served: Served, run: Run) -> None:
    done = run("predict", "--list", "--contains", "BITCOIN", "--server", served.address, "--json")
    found = json.loads(done.out)
    assert found["total_size"] == len(found["questions"]) > 1
    assert all("bitcoin" in question["text"].lower() for question in found["questions"])


def test_a_stream_in_a_pipe_is_one_line_for_each_member(served: Served, run: Run) -> None:
    done = run("stream", "--question", QUESTION, "--server", served.address)
    lines = [line for line in done.out.splitlines() if "→" in line]
    assert len(lines) == 13
    assert all(re.search(r"→ P\(YES\) \d+\.\d%", line) for line in lines)
    assert "Decision" in done.out


def test_a_stream_for_machines_ends_with_the_prediction(served: Served, run: Run) -> None:
    done = run("stream", "--question", QUESTION, "--server", served.address, "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"] for event in events] == ["started", *["arrived"] * 13, "prediction"]
    whole = json.loads(run("predict", "--question", QUESTION, "--server", served.address, "--json").out)
    assert events[-1]["probabilities"] == whole["prediction"]["probabilities"]


def test_a_question_that_nobody_knows(served: Served, run: Run) -> None:
    done = run("predict", "--server", served.address, "Will", "it", "rain?")
    assert done.code == 1
    assert done.err.startswith(
        "consilience: no member answered: 13 not_applicable\n  recorded members know only"
    )


def test_a_question_put_to_networks(served: Served, run: Run) -> None:
    done = run("predict", "--server", served.address, "--ensemble", "market", "Will", "it", "rain?")
    assert "networks only order books (`consilience market`)" in done.err


def test_members_that_failed_can_be_looked_at() -> None:
    error = NoAnswerError("no member answered", metadata={"gpt": "policy_budget_exceeded"})
    with pytest.raises(Failure) as caught, friendly("there", as_json=False):
        raise error
    assert caught.value.message == "no member answered: 1 policy_budget_exceeded"
    assert "`consilience stream`" in caught.value.hint


def test_an_unknown_id_is_one_line(served: Served, run: Run) -> None:
    done = run("stream", "--question", "nope", "--server", served.address)
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"consilience: question 'nope' is not known.*\n", done.err)


def test_failures_for_machines(served: Served, run: Run) -> None:
    done = run("predict", "--question", "nope", "--server", served.address, "--json")
    failure = json.loads(done.err)
    assert (done.code, failure["code"], failure["reason"]) == (1, "NOT_FOUND", "NOT_FOUND")


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", "--question", "q1", "and", "text"],
        ["predict", "--question", "q1", "--market", "0.5"],
        ["stream"],
        ["predict", "--deadline", "0", "Will it?"],
        ["predict", "--pool", "linear"],
        ["config", "check"],
        ["simulate", "--listen", "nowhere"],
        ["nope"],
    ],
)
def test_a_wrong_command_line_is_two(arguments: list[str], run: Run) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "see: consilience" in done.err


@pytest.mark.parametrize(
    "command", [["status"], ["members"], ["predict", "Will it?"], ["stream", "Will it?"]]
)
def test_no_server(command: list[str], run: Run) -> None:
    # Port 1 of the loopback: nothing listens there.
    done = run(*command, "--server", "127.0.0.1:1")
    assert done.code == 1
    assert done.err == "consilience: no server answers at 127.0.0.1:1\n  start one with: consilience serve\n"


def test_members_and_status(served: Served, run: Run) -> None:
    members = run("members", "--server", served.address)
    assert "claude-sonnet-4.6" in members.out
    assert len(json.loads(run("members", "--server", served.address, "--json").out)["members"]) == 13
    status = run("status", "--server", served.address)
    assert "quickstart (default)" in status.out
    assert "log_odds" in status.out
    assert json.loads(run("status", "--server", served.address, "--json").out)["mode"] == "normal"


def test_the_server_can_be_named_in_the_environment(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSILIENCE_SERVER", served.address)
    assert run("status").code == 0
