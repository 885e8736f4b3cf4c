"""How django-allauth fits Nightjar."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types.
    """Sign-up is open only when the settings say so."""
