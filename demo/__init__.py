"""A pretend company with a dozen Lambda functions, so that a newcomer sees live data within a minute."""
