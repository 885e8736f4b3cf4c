"""The real processes, started once for all flow tests, and real receivers for what they send."""

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connection
from pytest_django import DjangoDbBlocker

from bench.receiver import Receiver
from tests.flow.product import Product, Tenant
from tests.services import free_port


@pytest.fixture(autouse=True)
def _clean_redis() -> None:
    """The processes keep their Redis from test to test."""


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Answers every POST with 200; tests tell theirs by the path."""
    with Receiver() as receiver:
        yield receiver


class Mailbox:
    """Keeps every letter with its recipient."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name.
        letter = BytesParser(policy=default).parsebytes(envelope.original_content or b"")
        self.letters += [(recipient, letter) for recipient in envelope.rcpt_tos]
        return "250 OK"

    def of(self, recipient: str) -> list[EmailMessage]:
        return [letter for address, letter in self.letters if address == recipient]


@pytest.fixture(scope="session")
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, port
    controller.stop()


@pytest.fixture
def mailbox(mail_server: tuple[Mailbox, int]) -> Mailbox:
    return mail_server[0]


@pytest.fixture(scope="session")
def processes(
    receiver: Receiver, mail_server: tuple[Mailbox, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("flow"), mail_port=mail_server[1], allowed=[receiver.place])
    try:
        product.start()
        yield product
    finally:
        product.stop()


@pytest.fixture
def product(
    processes: Product, django_db_blocker: DjangoDbBlocker, request: pytest.FixtureRequest
) -> Iterator[Product]:
    """The running product; until the test ends, the ORM here speaks to its database."""
    usual = connection.settings_dict["NAME"]
    failed = request.session.testsfailed
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = processes.database
        try:
            yield processes
        finally:
            connection.close()
            connection.settings_dict["NAME"] = usual
    if request.session.testsfailed > failed:
        print(processes.logs())  # noqa: T201  # The other half of what went wrong.


@pytest.fixture
def new_tenant(product: Product) -> Callable[[str], Tenant]:
    """A tenant with this name."""
    return lambda name: Tenant(product, name)
