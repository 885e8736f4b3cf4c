"""A simulated AWS for the demo, the tests and the benches: moto, with what it lacks added in front of it.

Only `manage.py demo_aws`, tests and benches import this package; moto is not part of the product's image.
"""
