"""What every test stands on."""

from hypothesis import settings

# No deadline: two cores may be busy. Derandomized: a checkout that passed yesterday passes today;
# `--hypothesis-profile=default` looks for new examples.
settings.register_profile("same examples every time", deadline=None, derandomize=True)
settings.load_profile("same examples every time")
