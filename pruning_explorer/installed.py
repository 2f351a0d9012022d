"""Where files lie that a checkout has beside the package, and an installed package inside it."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


def sample_models() -> Path:
    """The folder of trained weights and of the data that they are judged on."""
    inside = PACKAGE / "sample_models"
    return inside if inside.is_dir() else CHECKOUT / "sample_models"


def app_script() -> Path:
    """What ``streamlit run`` starts; Streamlit reads the ``.streamlit/config.toml`` beside it."""
    inside = PACKAGE / "start" / "app.py"
    return inside if inside.is_file() else CHECKOUT / "app.py"
