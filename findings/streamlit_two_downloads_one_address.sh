#!/usr/bin/env bash
# Streamlit's download_button: two files of more than 1 MiB, of one name and one length, that differ anywhere but in
# 64 KiB at their beginning, middle and end, get one address, so both buttons hand out the first one's bytes.
#
# In this field that is the rule: the dense weights of a network and its pruned ones, or two prunings of one network,
# have the same length, and may well differ in other layers only. Expected: an address for each content.
# Streamlit takes the address from a fingerprint of parts (runtime/memory_media_file_storage.py, _calculate_file_id),
# and keeps what it has under that address. What helps: another file name for each content, such as the recipe's id.
#
# Exits non-zero if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q streamlit==1.67.0 numpy==2.4.2
cat >"$folder/two_downloads.py" <<'PY'
import sys

import numpy
import streamlit
from streamlit.testing.v1 import AppTest


def app() -> None:
    import numpy
    import streamlit as st

    dense = numpy.random.default_rng(0).normal(size=(4, 1024, 128)).astype("float32")
    pruned = dense.copy()
    pruned[0, 512:] = 0  # half of the first layer
    st.download_button("dense", dense.tobytes(), "weights.bin", key="dense")
    st.download_button("pruned", pruned.tobytes(), "weights.bin", key="pruned")


print(f"streamlit {streamlit.__version__}, numpy {numpy.__version__}, python {sys.version.split()[0]}")
ran = AppTest.from_function(app, default_timeout=60).run()
addresses = [button.proto.url for button in ran.get("download_button")]
print("two files of 2 MiB, a quarter of a layer apart; expected: two addresses")
print("seen:", *addresses, sep="\n  ")
sys.exit(0 if len(addresses) == 2 and len(set(addresses)) == 1 else 1)
PY
"$folder/venv/bin/python" "$folder/two_downloads.py" 2>/dev/null
