import pytest

from alerts.fingerprint import VERSION, fingerprint, normalise, places
from observability.telemetry.records import Frame

HANDLER = Frame(file="/var/task/app/handler.py", line=12, function="handler")
CHARGE = Frame(file="/var/task/app/payments.py", line=115, function="charge")
LIBRARY = Frame(file="/opt/python/requests/api.py", line=59, function="request", own=False)


def of(
    message: str = "", *frames: Frame, resource_id: int = 1, kind: str = "exception", error: str = "ValueError"
) -> str:
    return fingerprint(resource_id=resource_id, kind=kind, error_type=error, message=message, frames=frames)


class TestMessages:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("order 1234 not found", "order 98 not found"),
            ("took 1.5 s", "took 22 s"),
            ("charged 1,234.50 EUR", "charged 7 EUR"),
            ("balance -5", "balance 17"),
            ("item_42 is gone", "item_7 is gone"),
            ("user 6f1e1c5e-8a57-4b3c-9d8e-0123456789ab", "user 00000000-0000-4000-8000-00000000000f"),
            ("at 0x7f3a2b", "at 0xdeadbeef"),
            ("commit 3b1f9c2d7e", "commit 99aa88bb77"),
            ("since 2026-11-23T08:00:00.123Z", "since 2025-01-01 10:11:12"),
            ("at 08:15:00 sharp", "at 23:59:59.123 sharp"),
            ("cannot read arn:aws:s3:::bucket/a", "cannot read arn:aws:s3:::other/b/c"),
            ("no such user: ann@example.com", "no such user: bob.b+x@mail.example.org"),
            ("KeyError: 'alice'", "KeyError: 'bob'"),
            ('unexpected token "x" in JSON', 'unexpected token "}" in JSON'),
            ("cannot parse `abc`", "cannot parse `def ghi`"),
            ("GET https://api.example.com/v1/users/7?x=1 failed", "GET http://api.example.com/ failed"),
            ("connect ECONNREFUSED 10.0.3.17:5432", "connect ECONNREFUSED 10.2.9.1:5432"),
            ("connect to 2001:db8::7:1 refused", "connect to fd00:ec2:0:1::254 refused"),
            ("bad session AKIA1234567890ABCDEF", "bad session ASIA999ZZZ8887776665"),
            ("failed\n  at line 1", "failed\n  at line 2"),
            ("Status: 200, took 12 ms", "Status: 200, took 99 ms"),
        ],
    )
    def test_that_differ_only_in_data_are_one_problem(self, one: str, other: str) -> None:
        assert of(one) == of(other), (normalise(one), normalise(other))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("order not found", "customer not found"),
            ("Request failed with status code 404", "Request failed with status code 500"),
            ("HTTP 502 from upstream", "HTTP 429 from upstream"),
            ("502 Bad Gateway", "404 Not Found"),
            ("Runtime exited with error: exit status 1", "Runtime exited with error: exit status 137"),
            ("No module named 'requests'", "No module named 'numpy'"),
            ("Cannot find module 'axios'", "Cannot find module 'lodash'"),
            ("'NoneType' object has no attribute 'id'", "'NoneType' object has no attribute 'name'"),
            ("Cannot read properties of undefined (reading 'id')", "Cannot read properties of undefined (reading 'x')"),
            ("I can't connect", "I can't write"),
            ("md5 mismatch", "sha256 mismatch"),
        ],
    )
    def test_that_say_something_else_are_two(self, one: str, other: str) -> None:
        assert of(one) != of(other), normalise(one)

    def test_keep_apostrophes(self) -> None:
        assert normalise("can't and won't do it") == "can't and won't do it"

    def test_are_cut_after_normalising_so_that_long_data_does_not_matter(self) -> None:
        assert of(f"bad body '{'x' * 250}' here") == of("bad body 'y' here")

    def test_of_any_size_and_shape_take_no_time(self) -> None:
        for hostile in ("a.a-" * 50_000 + "@", "1" * 200_000, "'" * 200_000, ":a" * 100_000, "\ud800 \x00"):
            assert len(of(hostile)) < 64


class TestFrames:
    def test_decide_instead_of_the_message(self) -> None:
        assert of("boom", HANDLER, CHARGE) == of("bang", HANDLER, CHARGE)

    def test_lines_do_not_matter(self) -> None:
        moved = Frame(file=CHARGE.file, line=230, function=CHARGE.function)
        assert of("", HANDLER, CHARGE) == of("", HANDLER, moved)

    def test_functions_and_files_do(self) -> None:
        refund = Frame(file=CHARGE.file, line=CHARGE.line, function="refund")
        elsewhere = Frame(file="/var/task/app/other.py", line=CHARGE.line, function=CHARGE.function)
        assert len({of("", HANDLER, CHARGE), of("", HANDLER, refund), of("", HANDLER, elsewhere)}) == 3

    def test_of_libraries_do_not_matter(self) -> None:
        assert of("", HANDLER, CHARGE, LIBRARY) == of("", HANDLER, CHARGE)

    def test_of_libraries_decide_when_there_are_no_others(self) -> None:
        other = Frame(file="/opt/python/urllib3/pool.py", line=1, function="urlopen", own=False)
        assert of("", LIBRARY) != of("", other)

    def test_depth_of_recursion_does_not_matter(self) -> None:
        assert of("", HANDLER, CHARGE, CHARGE, CHARGE) == of("", HANDLER, CHARGE)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("/var/task/index-3f2a9c1b.js", "/var/task/index-99887766.js"),
            ("/var/task/src/app.ts?a1b2", "/var/task/src/app.ts"),
            ("file:///var/task/index.mjs", "/var/task/index.mjs"),
            ("/var/lang/lib/python3.12/json/decoder.py", "/var/lang/lib/python3.13/json/decoder.py"),
            ("gems/aws-sdk-core-3.201.1/lib/a.rb", "gems/aws-sdk-core-3.209.0/lib/a.rb"),
            ("C:\\build\\Function.cs", "C:/build/Function.cs"),
        ],
    )
    def test_paths_are_free_of_releases(self, one: str, other: str) -> None:
        assert places([Frame(one, 1, "f")]) == places([Frame(other, 1, "f")])

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("lambda$handle$0", "lambda$handle$3"),
            ("<Main>b__0_1", "<Main>b__2_0"),
            ("main.handler.func1", "main.handler.func2.1"),
        ],
    )
    def test_numbers_of_the_compiler_do_not_matter(self, one: str, other: str) -> None:
        assert places([Frame("a", 1, one)]) == places([Frame("a", 1, other)])

    def test_numbers_of_the_author_do(self) -> None:
        assert places([Frame("a", 1, "step1")]) != places([Frame("a", 1, "step2")])


class TestIdentity:
    def test_names_the_version_of_the_rule(self) -> None:
        assert of("boom").startswith(f"{VERSION}:")

    def test_tells_resources_kinds_and_types_apart(self) -> None:
        assert len({of("x"), of("x", resource_id=2), of("x", kind="exit"), of("x", error="KeyError")}) == 4

    def test_never_changes_within_a_version(self) -> None:
        """These are stored in databases. A change of the rule needs a new VERSION."""
        assert of("order 7 not found") == "1:4d9bfd0b5333f270a1a36a8b8bcbe7d3fd81fb27"
        assert of("", HANDLER, CHARGE) == "1:fbc4b36374a854e30694eb7ca3f2a650d315db3d"
