"""What people choose when they connect an account. There is no field for an external id: nobody's is ever accepted."""

import re
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.forms.boundfield import BoundWidget

from observability.aws.models import Tier
from observability.aws.regions import PRESELECTED, AwsRegion, within_reach

PATTERNS = ("include_names", "include_tags", "exclude_names", "exclude_tags")
LONGEST_PATTERN, MOST_PATTERNS = 200, 50
TIERS = {
    Tier.SIZES: "Lets Nightjar look into deployment packages, layers and images to tell what fills them. This exposes "
    "the code of functions; only the list of files is read.",
    Tier.SUBSCRIPTION: "Lets Nightjar have log lines sent to it, instead of reading them. The only tier that may "
    "change something. Not used by this version yet.",
}


class PatternsField(forms.CharField):
    """Patterns, one a line, in which ``*`` stands for anything."""

    def __init__(self, **options: Any) -> None:
        attributes = {"rows": 2, "spellcheck": "false", "autocomplete": "off", "class": "font-mono"}
        super().__init__(required=False, widget=forms.Textarea(attrs=attributes), **options)

    def clean(self, value: Any) -> list[str]:
        patterns = list(dict.fromkeys(line.strip() for line in super().clean(value).splitlines() if line.strip()))
        if len(patterns) > MOST_PATTERNS:
            raise forms.ValidationError(f"At most {MOST_PATTERNS} patterns, please.")
        if any(len(pattern) > LONGEST_PATTERN for pattern in patterns):
            raise forms.ValidationError(f"A pattern may have {LONGEST_PATTERN} characters.")
        return patterns


class TagsField(PatternsField):
    """Tags, one a line, as ``key=value``; both may be patterns, and a key alone means any value."""

    def clean(self, value: Any) -> list[str]:
        return [tag if "=" in tag else f"{tag}=*" for tag in super().clean(value)]


class ConnectForm(forms.Form):
    """What to watch, and how much of it."""

    name = forms.CharField(max_length=80, help_text="What your colleagues call this account, such as “production”.")
    account_id = forms.CharField(
        label="AWS account ID",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "123456789012"}),
        help_text="12 digits. The AWS console shows it in the menu at the top right.",
    )
    regions = forms.MultipleChoiceField(
        choices=lambda: [(region.code, region.code) for region in _regions()],
        widget=forms.CheckboxSelectMultiple,
        initial=list(PRESELECTED),
        help_text="Functions in other regions are not seen. A region in which nothing runs costs nothing.",
    )
    tiers = forms.MultipleChoiceField(
        required=False, choices=[(tier.value, tier.label) for tier in TIERS], widget=forms.CheckboxSelectMultiple
    )
    include_names = PatternsField(label="Only these functions", help_text="Names, one a line, such as prod-*.")
    include_tags = TagsField(label="Only functions with these tags", help_text="One a line, such as team=payments.")
    exclude_names = PatternsField(label="Not these functions", help_text="Names, one a line, such as *-canary.")
    exclude_tags = TagsField(label="No functions with these tags", help_text="One a line, such as monitoring=off.")

    def clean_account_id(self) -> str:
        digits = re.sub(r"[\s-]", "", self.cleaned_data["account_id"])
        if not re.fullmatch(r"[0-9]{12}", digits):
            raise forms.ValidationError("An AWS account ID has 12 digits.")
        return digits

    def regions_by_area(self) -> list[tuple[str, list[tuple[AwsRegion, BoundWidget]]]]:
        """The boxes to tick, area by area."""
        boxes = {box.data["value"]: box for box in self["regions"].subwidgets}
        found = groupby(_regions(), key=lambda region: region.area)
        return [(area, [(region, boxes[region.code]) for region in those]) for area, those in found]

    def tiers_explained(self) -> list[tuple[Tier, str, BoundWidget]]:
        """Each optional tier: what it adds, and the box to tick."""
        boxes = {box.data["value"]: box for box in self["tiers"].subwidgets}
        return [(tier, text, boxes[tier.value]) for tier, text in TIERS.items()]

    def has_patterns(self) -> bool:
        """Whether somebody chose functions, or tried to."""
        return any(self[name].value() or self[name].errors for name in PATTERNS)

    def tiers_chosen(self) -> list[str]:
        """The base, and what was added to it."""
        return [Tier.BASE.value, *self.cleaned_data["tiers"]]

    def selection(self) -> dict[str, dict[str, list[str]]]:
        """As ``AwsAccount.selection`` keeps it."""
        return {
            kind: {part: self.cleaned_data[f"{kind}_{part}"] for part in ("names", "tags")}
            for kind in ("include", "exclude")
        }


class RoleArnForm(forms.Form):
    """For a role with a name of its own."""

    role_arn = forms.CharField(
        label="ARN of the role",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "font-mono"}),
    )


def _regions() -> list[AwsRegion]:
    return within_reach(settings.AWS_HOME_REGION)
