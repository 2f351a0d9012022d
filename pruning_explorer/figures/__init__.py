"""DataFrames and arrays in, charts with their alt text out. No torch, no streamlit."""
