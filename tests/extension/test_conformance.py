"""What the extension does on good and on broken days: each event is stored exactly once, or counted as dropped."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench import nightjar as backend
from bench.nightjar import Nightjar, status
from bench.sandbox import ARN, Sandbox, event

KEY = "njk_pretend"


def sandbox(extension: Path, server: Nightjar, /, **more: Any) -> Sandbox:
    environment = {"NIGHTJAR_ENDPOINT": server.url, "NIGHTJAR_KEY": KEY, **more.pop("environment", {})}
    return Sandbox(extension, environment, **more)


def lines(count: int, prefix: str = "line") -> list[str]:
    return [f"{prefix} {number}" for number in range(count)]


class TestNormalDay:
    def test_everything_is_told_once(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            asked = [environment.invoke(lines(3, f"of {number}")) for number in range(3)]
            environment.shutdown()
            out, err = environment.said()
        assert environment.registration == {"name": "nightjar", "events": ["INVOKE", "SHUTDOWN"]}
        assert nightjar.lines() == Counter(line for n in range(3) for line in lines(3, f"of {n}"))
        ends = nightjar.events("platform.runtimeDone")
        assert [each["record"]["requestId"] for each in ends] == [each.request_id for each in asked]
        assert len(nightjar.events("platform.report")) == 3
        assert nightjar.dropped() == 0
        assert (out, err, environment.process.returncode) == ("", "", 0)

    def test_the_envelope_names_the_function(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["hello"])
            environment.shutdown()
        [body, headers] = nightjar.bodies[0], nightjar.headers[0]
        assert body["schema"] == 1
        assert body["function"]["arn"] == ARN
        assert (body["function"]["version"], body["function"]["memory_mb"]) == ("7", 512)
        assert body["function"]["architecture"] in {"x86_64", "arm64"}
        assert body["extension"]["init_ms"] > 0
        assert (headers["Authorization"], headers["Content-Encoding"]) == (f"Bearer {KEY}", "gzip")

    def test_a_rare_invocation_is_told_before_the_environment_freezes(
        self, extension: Path, nightjar: Nightjar
    ) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["now"])
            assert nightjar.lines() == {"now": 1}

    def test_fast_invocations_are_not_held(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            for number in range(20):
                environment.invoke([f"line {number}"])
            told_before_the_end = nightjar.requests
            environment.shutdown()
        assert told_before_the_end < 20
        assert nightjar.lines() == Counter(lines(20))

    def test_fast_invocations_are_told_while_others_run(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            for number in range(8):
                environment.invoke([f"line {number}"])
                time.sleep(0.5)
            assert nightjar.lines()["line 3"] == 1
            assert nightjar.requests < 8


class TestBrokenDay:
    """Nightjar is not well. The function must not notice, and nothing may be lost in silence."""

    @pytest.mark.parametrize(
        "first",
        [
            pytest.param([status(503)], id="503"),
            pytest.param([status(502), status(504)], id="502, 504"),
            pytest.param([status(429, Retry_After="1")], id="429 with Retry-After"),
            pytest.param([backend.reset, backend.reset], id="connection reset"),
            pytest.param([backend.taken_without_a_word], id="stored, answer lost"),
            pytest.param([backend.slow(0.5)], id="slow"),
        ],
    )
    def test_a_passing_trouble_loses_nothing(
        self, extension: Path, nightjar: Nightjar, first: list[backend.Behaviour]
    ) -> None:
        nightjar.plan += first
        with sandbox(extension, nightjar) as environment:
            invocation = environment.invoke(lines(50))
            environment.shutdown()
        assert nightjar.lines() == Counter(lines(50))
        assert nightjar.dropped() == 0
        assert invocation.held_s < HELD_S

    def test_retry_after_is_obeyed(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.plan.append(status(429, Retry_After="60"))
        with sandbox(extension, nightjar, freezes=False) as environment:
            environment.invoke(["patience"])
            environment.invoke(["more"])
            took = environment.shutdown()
            _, err = environment.said()
        assert nightjar.requests == 1
        assert took < 1, "it waits for what cannot come"
        assert undelivered(err) == 2 + len(("start", "done", "report")) * 2

    def test_too_large_bodies_are_halved(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.always = backend.too_large(40)
        with sandbox(extension, nightjar) as environment:
            environment.invoke(lines(300))
            environment.shutdown()
        assert nightjar.lines() == Counter(lines(300))

    def test_a_single_event_that_is_too_large_is_counted(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.always = backend.too_large(0)
        with sandbox(extension, nightjar, freezes=False) as environment:
            environment.invoke(["too much"])
            nightjar.wait_for(lambda: nightjar.requests > 2)
            nightjar.always = lambda _: False
            environment.invoke(["fine"])
            environment.shutdown()
        assert nightjar.lines()["fine"] == 1
        assert nightjar.dropped() + len(nightjar.events(*TOLD)) == 2 + 3 * 2

    @pytest.mark.parametrize("code", [401, 403])
    def test_a_refused_key_ends_it_with_one_line(self, extension: Path, nightjar: Nightjar, code: int) -> None:
        nightjar.always = status(code)
        with sandbox(extension, nightjar) as environment:
            for _ in range(5):
                environment.invoke(["unheard"])
            environment.shutdown()
            out, err = environment.said()
        assert nightjar.requests == 1
        assert err.splitlines()[0] == f"nightjar: Nightjar refuses the ingest key ({code}); nothing is sent from here."
        assert out == ""

    @pytest.mark.parametrize("code", [301, 404, 500])
    def test_an_address_that_is_not_nightjars_is_not_hammered(
        self, extension: Path, nightjar: Nightjar, code: int
    ) -> None:
        nightjar.always = status(code)
        with sandbox(extension, nightjar, freezes=False) as environment:
            environment.invoke(["unheard"])
            environment.shutdown()
            _, err = environment.said()
        assert nightjar.requests < 10
        told, lost = err.splitlines()
        assert f"answers {code}, which is not what Nightjar would say" in told
        assert undelivered(lost) == 4

    @pytest.mark.parametrize("code", [400, 422])
    def test_a_body_that_is_refused_is_counted_and_not_repeated(
        self, extension: Path, nightjar: Nightjar, code: int
    ) -> None:
        nightjar.plan.append(status(code))
        with sandbox(extension, nightjar) as environment:
            environment.invoke(lines(10))
            environment.invoke(["fine"])
            environment.shutdown()
        assert len(nightjar.events(*TOLD)) + nightjar.dropped() == 10 + 1 + 3 * 2
        assert nightjar.lines()["fine"] == 1

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:9", "http://nightjar.invalid"], ids=["closed port", "no DNS"]
    )
    def test_a_backend_that_is_not_there_costs_nothing(self, extension: Path, nightjar: Nightjar, address: str) -> None:
        with sandbox(extension, nightjar, environment={"NIGHTJAR_ENDPOINT": address}) as environment:
            held = [environment.invoke(lines(10)).held_s for _ in range(5)]
            environment.shutdown()
            _, err = environment.said()
        assert max(held) < HELD_S
        assert undelivered(err) == 5 * (10 + 3)
        assert environment.process.returncode == 0  # It ended by itself within its two seconds.

    def test_a_backend_that_never_answers_holds_nobody(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.always = backend.slow(30)
        with sandbox(extension, nightjar) as environment:
            held = [environment.invoke(["hello"]).held_s for _ in range(3)]
            took = environment.shutdown()
            _, err = environment.said()
        assert max(held) < HELD_S
        assert took < 2, "Lambda would have killed it"
        assert undelivered(err) == 3 * 4

    def test_what_does_not_fit_goes_oldest_first_and_is_counted(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.always = status(503)
        big = "x" * 1000
        with sandbox(extension, nightjar, freezes=False) as environment:
            environment.invoke([f"{number:05} {big}" for number in range(6000)], deadline_s=20)
            nightjar.always = lambda _: False
            environment.invoke(["last"])
            environment.shutdown(budget_s=12)
        kept = sorted(nightjar.lines())
        assert kept[-1] == "last"
        assert len(nightjar.events(*TOLD)) + nightjar.dropped() == 6000 + 1 + 3 * 2
        assert 3000 < len(kept) < 4200, "the ring holds 4 MiB"
        assert kept[0] > "01700", "the oldest go first"


class TestFunctionsThatFail:
    def test_nobody_is_held_behind_the_functions_time(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.always = backend.slow(5)
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["just in time"], deadline_s=0.25)
            assert environment.waiting_at < environment.deadline

    def test_a_second_try_under_the_same_name_is_waited_for(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            first = environment.invoke(["first"], status="error")
            time.sleep(5.2)  # Which is not fast.
            environment.invoke(["second"], request_id=first.request_id)
            assert nightjar.lines() == {"first": 1, "second": 1}

    def test_a_body_that_breaks_off_is_not_kept_twice(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.wait_until_ready()
            environment.break_off([event("function", "one"), event("function", "two")])
            environment.tell([event("function", "one"), event("function", "two")])
            environment.invoke()
            environment.shutdown()
        assert nightjar.lines() == {"one": 1, "two": 1}
        assert nightjar.dropped() == 0

    def test_a_timeout_is_told_at_shutdown(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["before the end"], tells=False, deadline_s=0.3)
            environment.unreported = [event("function", "before the end")]
            environment.shutdown("timeout")
        assert nightjar.lines() == {"before the end": 1}

    @pytest.mark.parametrize("reason", ["spindown", "timeout", "failure", "SandboxTerminated", "ReleaseFail"])
    def test_any_reason_to_shut_down_will_do(self, extension: Path, nightjar: Nightjar, reason: str) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["told"], status="error")
            assert environment.shutdown(reason) < 2
        assert environment.process.returncode == 0
        assert len(nightjar.events("platform.report")) == 1

    def test_killed_while_it_ships_it_doubles_nothing(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.always = backend.slow(0.2)
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["once"])
            environment.process.kill()
        assert nightjar.lines()["once"] <= 1

    def test_dropped_by_lambda_is_passed_on(self, extension: Path, nightjar: Nightjar) -> None:
        lost = {"droppedRecords": 7, "droppedBytes": 700, "reason": "Consumer seems to have fallen behind"}
        with sandbox(extension, nightjar) as environment:
            environment.wait_until_ready()
            environment.tell([event("platform.logsDropped", lost)])
            environment.invoke()
            environment.shutdown()
        assert [each["record"] for each in nightjar.events("platform.logsDropped")] == [lost]


class TestAmounts:
    def test_ten_thousand_lines_in_one_invocation(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.invoke(lines(10_000))
            environment.shutdown()
        assert nightjar.lines() == Counter(lines(10_000))

    def test_lines_of_256_kib(self, extension: Path, nightjar: Nightjar) -> None:
        line = 'é"\\\n' * (256 * 1024 // 5)
        with sandbox(extension, nightjar) as environment:
            environment.invoke([line, "short", line])
            environment.shutdown()
        assert nightjar.lines() == {line: 2, "short": 1}

    def test_lines_in_json_stay_as_they_are(self, extension: Path, nightjar: Nightjar) -> None:
        line = {"level": "ERROR", "number": 12345678901234567, "nested": {"a": [1, 2.50, None]}}
        with sandbox(extension, nightjar) as environment:
            environment.invoke([line])
            environment.shutdown()
        assert [each["record"] for each in nightjar.events("function")] == [line]

    def test_what_is_not_telemetry_is_counted(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.wait_until_ready()
            for body in (b"", b"{", b"[1, 2]", b'[{"type": "function"}]', b"\xff\xfe"):
                answer = environment.pool.request("POST", environment.subscription["destination"]["URI"], body=body)
                assert answer.status == 200
            environment.invoke(["still here"])
            environment.shutdown()
        assert nightjar.lines() == {"still here": 1}
        assert nightjar.dropped() == 1 + 1 + 2 + 1 + 1


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value", "word"),
        [
            ("NIGHTJAR_ENDPOINT", "", "NIGHTJAR_ENDPOINT must be the address"),
            ("NIGHTJAR_ENDPOINT", "nightjar.example", "NIGHTJAR_ENDPOINT must be the address"),
            ("NIGHTJAR_KEY", "", "NIGHTJAR_KEY must be an ingest key"),
            ("NIGHTJAR_STREAMS", "function", "NIGHTJAR_STREAMS must name platform"),
            ("NIGHTJAR_STREAMS", "platform,all", "NIGHTJAR_STREAMS must be platform"),
            ("NIGHTJAR_FLUSH_MS", "soon", "NIGHTJAR_FLUSH_MS must be a whole number"),
            ("NIGHTJAR_MASK", "(", "NIGHTJAR_MASK must be regular expressions"),
            ("NIGHTJAR_CA_FILE", "/nowhere.pem", "NIGHTJAR_CA_FILE cannot be read"),
        ],
    )
    def test_a_mistake_is_one_line_and_the_function_runs(
        self, extension: Path, nightjar: Nightjar, name: str, value: str, word: str
    ) -> None:
        with sandbox(extension, nightjar, environment={name: value}) as environment:
            held = [environment.invoke(["hello"]).held_s for _ in range(2)]
            environment.shutdown()
            out, err = environment.said()
        assert max(held) < HELD_S
        assert err.startswith(f"nightjar: {word}")
        assert (err.count("\n"), out, environment.process.returncode) == (1, "", 0)

    def test_a_host_without_the_telemetry_api(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar, telemetry=False) as environment:
            environment.invoke(["hello"])
            environment.shutdown("SandboxTerminated")
            assert environment.said() == (
                "", "nightjar: no telemetry: this host has no Telemetry API; nothing is sent from here.\n",
            )  # fmt: skip

    def test_masks_are_applied_before_anything_leaves(self, extension: Path, nightjar: Nightjar) -> None:
        patterns = {"NIGHTJAR_MASK": r"\d{3}-\d{2}-\d{4}" + "\n" + r'secret="[^"]*"'}
        with sandbox(extension, nightjar, environment=patterns) as environment:
            environment.invoke(['his number is 123-45-6789, secret="a"', {"n": 5, "deep": ["123-45-6789"]}])
            environment.shutdown()
        told = [each["record"] for each in nightjar.events("function")]
        assert told == ["his number is [masked], [masked]", {"n": 5, "deep": ["[masked]"]}]

    def test_without_a_flush_nothing_is_ever_held(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar, environment={"NIGHTJAR_FLUSH_MS": "0"}) as environment:
            environment.invoke(["first"])
            environment.shutdown()
        assert nightjar.lines() == {"first": 1}
        [use] = nightjar.events("nightjar.usage")
        assert (use["record"]["heldMs"], use["record"]["invocations"]) == (0, 1)

    def test_nightjar_may_ask_for_silence(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.config = {"paused_s": 3600}
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["told"])
            environment.invoke(["not told"])
            environment.shutdown()
        assert nightjar.lines() == {"told": 1}

    def test_nightjar_may_ask_for_fewer_lines(self, extension: Path, nightjar: Nightjar) -> None:
        nightjar.config = {"sampling": 0}
        with sandbox(extension, nightjar) as environment:
            environment.invoke(["told"])
            environment.invoke(["not told"])
            environment.shutdown()
        assert nightjar.lines() == {"told": 1}
        assert len(nightjar.events("platform.report")) == 2

    def test_a_proxy_is_honoured(self, extension: Path, nightjar: Nightjar) -> None:
        through = {"NIGHTJAR_ENDPOINT": "http://nightjar.invalid", "HTTP_PROXY": nightjar.url}
        with sandbox(extension, nightjar, environment=through) as environment:
            environment.invoke(["through the proxy"])
            environment.shutdown()
        assert nightjar.lines() == {"through the proxy": 1}


class TestWhatItAdds:
    def test_the_size_of_the_deployment(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar) as environment:
            environment.invoke()
            environment.shutdown()
        [size] = nightjar.events("nightjar.size")
        assert set(size["record"]) == {"codeBytes", "layersBytes", "files", "complete", "folders"}

    def test_the_use_of_the_environment(self, extension: Path, nightjar: Nightjar) -> None:
        with sandbox(extension, nightjar, freezes=False) as environment:
            first = environment.invoke()
            environment.shutdown()
        [use] = nightjar.events("nightjar.usage")
        assert use["record"]["requestId"] == first.request_id
        assert use["record"]["ownRssBytes"] > 2**20


def undelivered(err: str) -> int:
    [line] = err.splitlines()
    return int(line.removeprefix("nightjar: ").split(" events")[0])


HELD_S = 0.5
"""The extension may hold an environment 0.1 s; the rest is for machines that have other things to do."""

TOLD = ("function", "platform.start", "platform.runtimeDone", "platform.report")
