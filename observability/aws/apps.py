from django.apps import AppConfig


class AwsConfig(AppConfig):
    name = "observability.aws"
    label = "aws"
