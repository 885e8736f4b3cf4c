"""How django-allauth fits Nightjar: who may sign up, and where the second factors' secrets lie."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from observability.tenants import encryption
from observability.tenants.models import Invitation, User

INVITED_BY = "invitation_id"  # Session key: the open invitation this browser came with.


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types.
    """Sign-up is open only when the settings say so, or to the mailbox that was invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return signup_is_open() or invitation_of(request) is not None

    def clean_email(self, email: str) -> str:
        cleaned: str = super().clean_email(email).lower()
        request = self.request
        if signup_is_open() or request is None or request.user.is_authenticated:
            return cleaned
        invitation = invitation_of(request)
        if invitation is not None and cleaned != invitation.email.lower():
            raise ValidationError(f"The invitation is for {invitation.email}.")
        return cleaned


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types.
    """The seeds of second factors are sealed like every other secret."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text.encode()).decode()


def signup_is_open() -> bool:
    return bool(settings.SIGNUP_OPEN)


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The open invitation whose link this browser has followed."""
    known: int = request.session.get(INVITED_BY, 0)
    invitation = Invitation.objects.filter(pk=known, organization__archived_at=None).first()
    return invitation if invitation is not None and invitation.is_open(timezone.now()) else None


def register(*, email: str, password: str) -> User:
    """A person whose address needs no verification: the first one, made on the machine itself."""
    with transaction.atomic():
        user = User.objects.create_user(email=email, password=password)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
