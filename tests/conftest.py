"""What every test stands on."""

import gc

from hypothesis import settings

# No deadline: two cores may be busy. Derandomized: a checkout that passed yesterday passes today;
# `--hypothesis-profile=default` looks for new examples.
settings.register_profile("same examples every time", deadline=None, derandomize=True)
settings.load_profile("same examples every time")


def pytest_collection_finish() -> None:
    """As app.py does: Streamlit collects garbage after every run, and need not look at what the modules hold."""
    gc.collect()
    gc.freeze()
