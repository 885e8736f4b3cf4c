{% autoescape off %}variable "nightjar_key" {
  type      = string
  sensitive = true
}

resource "aws_lambda_function" "{{ snake }}" {
  # beside what it has already:
  layers = ["{{ layer }}"]

  environment {
    variables = {
      NIGHTJAR_ENDPOINT = "{{ endpoint }}"
      NIGHTJAR_KEY      = var.nightjar_key
    }
  }
}
{% endautoescape %}
